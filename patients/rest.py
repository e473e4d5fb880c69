"""What the REST API of every app shares: who asks, which objects exist for them, a request sent twice."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Model, QuerySet
from django.shortcuts import get_object_or_404
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema_field
from rest_framework import serializers, status
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from patients.models import Clinic
from patients.queries import clinics_visible_to, patients_visible_to
from patients.repeats import Asked, once

M = TypeVar("M", bound=Model)
KEY_LENGTH = 80
YEARS = range(1900, 2200)  # so that arithmetic with what was sent cannot leave the calendar


class KeysetPagination(CursorPagination):
    """Pages by key, so that depth costs nothing; never a COUNT over an open set."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class WorksInAClinic(BasePermission):
    """A member of some clinic; which objects that opens, the `*_visible_to` queries say."""

    def has_permission(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 - DRF's signature
        return clinics_visible_to(asker(request)).exists()


def asker(request: Request) -> User:
    """Who is asking; the permissions of every viewset have seen to it that it is somebody."""
    return cast("User", request.user)


class InstantField(serializers.DateTimeField):
    """An instant with its offset from UTC: a time of day without one would be a guess."""

    default_error_messages = {"naive": _("Say the offset from UTC too, as in 2026-03-10T09:00:00+02:00.")}

    def enforce_timezone(self, value: datetime) -> datetime:
        if value.tzinfo is None:
            self.fail("naive")
        if value.year not in YEARS:
            self.fail("overflow")
        return super().enforce_timezone(value)


class _VisibleField(serializers.SlugRelatedField[Any]):
    """An object the asker may see, named in a body or in an address; another clinic's does not exist."""

    def __init__(self, visible_to: Callable[[User], QuerySet[Any]], **kwargs: Any) -> None:
        self.visible_to = visible_to
        super().__init__(**kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        return self.visible_to(asker(self.context["request"]))


@extend_schema_field(OpenApiTypes.UUID)
class VisibleField(_VisibleField):
    def __init__(self, visible_to: Callable[[User], QuerySet[Any]], **kwargs: Any) -> None:
        super().__init__(visible_to, slug_field="public_id", **kwargs)


@extend_schema_field(OpenApiTypes.INT)
class NumberedField(_VisibleField):
    """One of the few things that are named by a number, as practitioners are."""

    def __init__(self, visible_to: Callable[[User], QuerySet[Any]], **kwargs: Any) -> None:
        super().__init__(visible_to, slug_field="pk", **kwargs)


@extend_schema_field(OpenApiTypes.STR)
class ClinicField(_VisibleField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(clinics_visible_to, slug_field="slug", **kwargs)


class InClinicSerializer(serializers.Serializer[Any]):
    """The body of a creation, with the clinic it is for: the patient's, the one named, or the only one."""

    clinic = ClinicField(required=False, help_text="Slug; may be left out by who works in one clinic only.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        patient, clinic = attrs.get("patient"), attrs.get("clinic")
        if patient and clinic and patient.clinic_id != clinic.pk:
            raise serializers.ValidationError({"clinic": [_("The patient belongs to another clinic.")]})
        attrs["clinic"] = patient.clinic if patient else clinic or self._only_clinic()
        return attrs

    def _only_clinic(self) -> Clinic:
        clinics = clinics_visible_to(asker(self.context["request"]))[:2]
        if len(clinics) != 1:
            raise serializers.ValidationError({"clinic": [_("Say for which of your clinics.")]})
        return clinics[0]


class NewSerializer(InClinicSerializer):
    request_key = serializers.CharField(
        max_length=KEY_LENGTH, required=False, help_text="Instead of the header Idempotency-Key."
    )


class ForPatientSerializer(NewSerializer):
    patient = VisibleField(patients_visible_to)


class BecauseSerializer(serializers.Serializer[Any]):
    because = serializers.CharField(max_length=200)


class RefusalSerializer(serializers.Serializer[Any]):
    """Why a request that was understood is not carried out."""

    code = serializers.CharField()
    detail = serializers.CharField(help_text="In words, in the language of Accept-Language.")
    taken_by = serializers.CharField(required=False, help_text="With slot_taken: the patient's name.")
    free = serializers.ListField(
        child=serializers.DateTimeField(), required=False, help_text="With slot_taken: the next free times."
    )
    patient = serializers.UUIDField(required=False, help_text="With already_registered: the record.")


CONFLICT = OpenApiResponse(RefusalSerializer, "Somebody was first; look again and choose anew.")
REFUSED = OpenApiResponse(RefusalSerializer, "It cannot be done; `code` and `detail` say why.")
REFUSALS = {409: CONFLICT, 422: REFUSED}
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description=f"Your own key for this creation, {KEY_LENGTH} characters at most. The same key with the same"
    " body gives the first object, with 200; with another body it is refused.",
)


def created(serializer: type[serializers.BaseSerializer[Any]]) -> dict[int, Any]:
    """The answers of a creation, for the OpenAPI page."""
    again = OpenApiResponse(serializer, "The object that the first such request made.")
    return {201: serializer, 200: again, **REFUSALS}


class ClinicViewSet(GenericViewSet[M]):
    """Objects of the asker's clinics by their public id. Writes go through actions, never through a serializer."""

    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    lookup_value_converter = "uuid"
    permission_classes = [IsAuthenticated, WorksInAClinic]
    pagination_class = KeysetPagination
    parser_classes = [JSONParser]
    renderer_classes = [JSONRenderer]

    @property
    def asker(self) -> User:
        return asker(self.request)

    def checked(self, serializer: type[serializers.Serializer[Any]], data: Any = None) -> dict[str, Any]:
        """The body, or `data`, as the serializer understands it; else the answer is 400."""
        context = self.get_serializer_context()
        body = serializer(data=self.request.data if data is None else data, context=context)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    def shown(self, public_id: UUID, *, status: int = status.HTTP_200_OK) -> Response:
        """The object as it is now, read like any other."""
        found = get_object_or_404(self.get_queryset(), public_id=public_id)
        return Response(self.get_serializer(found).data, status=status)

    def create_once(self, data: dict[str, Any], make: Callable[[], UUID], *, now: datetime) -> Response:
        """Make it and show it: 201; under a key that was used for the same before, show that: 200."""
        key = self._key(data)
        made_now = True
        if key:
            public_id, made_now = once(Asked(data["clinic"], key, self._digest()), make, now=now)
        else:
            public_id = make()
        return self.shown(public_id, status=status.HTTP_201_CREATED if made_now else status.HTTP_200_OK)

    def _key(self, data: dict[str, Any]) -> str:
        key = str(self.request.headers.get("Idempotency-Key") or data.get("request_key", ""))
        if len(key) > KEY_LENGTH or not key.isprintable():
            words = _("A key has %(length)s printable characters at most.") % {"length": KEY_LENGTH}
            raise serializers.ValidationError({"request_key": [words]})
        return key

    def _digest(self) -> str:
        """Keyed, as a body with a name and an ID could be guessed from its plain hash."""
        body = {name: value for name, value in dict(self.request.data).items() if name != "request_key"}
        text = f"{self.request.path}\n{json.dumps(body, sort_keys=True)}"
        return salted_hmac("patients.rest", text, algorithm="sha256").hexdigest()
