"""REST: questions. Who pays is refused until the answer is there (S3.2)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.queries import practitioners_visible_to
from inquiries import actions
from inquiries.actions import AnswerFirstError, Caller, Question, Said
from inquiries.models import AskedBy, Currency, ForWhom, Inquiry, Payer
from inquiries.queries import inquiries_visible_to, offerings_visible_to
from patients.actions import RefusedError, normal_phone
from patients.models import Clinic, Language
from patients.rest import (
    IDEMPOTENCY_KEY,
    REFUSALS,
    ClinicViewSet,
    InstantField,
    NewSerializer,
    NumberedField,
    VisibleField,
    created,
)

Body = serializers.Serializer[Any]
PAYER = ("payer", "insurance")


class InquirySerializer(serializers.ModelSerializer[Inquiry]):
    id = serializers.UUIDField(source="public_id")
    clinic = serializers.SlugField(source="clinic.slug")
    offering = serializers.UUIDField(source="offering.public_id", allow_null=True, default=None)
    step = serializers.UUIDField(
        source="step.public_id",
        allow_null=True,
        default=None,
        help_text="What was promised: the answer, or a call back.",
    )
    patient = serializers.UUIDField(source="patient.public_id", allow_null=True, default=None)
    journey = serializers.UUIDField(source="journey.public_id", allow_null=True, default=None)

    class Meta:
        model = Inquiry
        fields = [
            "id",
            "clinic",
            "asked",
            "asked_by",
            "asked_at",
            "offering",
            "answered_at",
            "said_available",
        ]
        fields += [
            "said_price",
            "said_currency",
            "said_next_at",
            "said_words",
            "said_in",
            "for_whom",
            "name",
            "phone",
        ]
        fields += [
            "may_call_back",
            "call_from",
            "call_until",
            "wants_at",
            "wants_with",
            "payer",
            "insurance",
            "outcome",
            "lost_because",
        ]
        fields += ["step", "patient", "journey"]
        read_only_fields = fields


class AnswerSerializer(Body):
    """What was said; left out is what was not, and nothing at all is no answer."""

    available = serializers.BooleanField(required=False, allow_null=True, default=None)
    price = serializers.DecimalField(9, 2, min_value=0, required=False, allow_null=True, default=None)
    currency = serializers.ChoiceField(Currency.choices, required=False, allow_blank=True, default="")
    next_at = InstantField(required=False, allow_null=True, default=None)
    words = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")
    language = serializers.ChoiceField(
        Language.choices, required=False, allow_blank=True, default="", help_text="Of the words."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["price"] is None) != (attrs["currency"] == ""):
            raise ValidationError({"currency": [_("Say in which currency.")]})
        if all(value in (None, "") for name, value in attrs.items() if name != "language"):
            raise ValidationError({"words": [_("Write what you answered.")]})
        return attrs


class NewInquirySerializer(NewSerializer):
    """A question, with its answer if there is one already; without one the desk owes it within the hour.

    Nothing about who asks is needed.
    """

    asked = serializers.CharField(max_length=200)
    asked_at = InstantField(required=False, help_text="Now, if left out.")
    asked_by = serializers.ChoiceField(AskedBy.choices, default=AskedBy.PHONE)
    offering = VisibleField(offerings_visible_to, required=False, allow_null=True)
    answer = AnswerSerializer(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        offering, clinic = attrs.get("offering"), attrs["clinic"]
        if offering and offering.clinic_id != clinic.pk:
            raise ValidationError({"offering": [_("The offering belongs to another clinic.")]})
        return attrs


class CallerSerializer(Body):
    """Who asks, after the answer; who pays, after that. What is left out stays as it is."""

    name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    for_whom = serializers.ChoiceField(ForWhom.choices, required=False, allow_blank=True)
    may_call_back = serializers.BooleanField(required=False, allow_null=True)
    call_from = serializers.TimeField(required=False, allow_null=True)
    call_until = serializers.TimeField(required=False, allow_null=True)
    wants_at = InstantField(required=False, allow_null=True, help_text="The free time that was chosen.")
    wants_with = NumberedField(practitioners_visible_to, required=False, allow_null=True)
    payer = serializers.ChoiceField(Payer.choices, required=False, allow_blank=True)
    insurance = serializers.CharField(max_length=80, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What makes sense only as a pair is sent as one."""
        start, end = attrs.get("call_from"), attrs.get("call_until")
        is_half = ("call_from" in attrs) != ("call_until" in attrs) or (start is None) != (end is None)
        if is_half or (start and end and start >= end):
            raise ValidationError({"call_until": [_("Say from when to when.")]})
        is_half = ("wants_at" in attrs) != ("wants_with" in attrs)
        if is_half or (attrs.get("wants_at") is None) != (attrs.get("wants_with") is None):
            raise ValidationError({"wants_with": [_("Say the time and with whom.")]})
        return attrs


class InquiryFilters(filters.FilterSet):  # type: ignore[misc]
    clinic = filters.CharFilter("clinic__slug")
    patient = filters.UUIDFilter("patient__public_id")
    asked_at = filters.IsoDateTimeFromToRangeFilter()
    is_answered = filters.BooleanFilter("answered_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Inquiry
        fields: list[str] = []


class InquiryViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ClinicViewSet[Inquiry]):
    """Questions of people who are nobody's patients yet: the answer first, who asks after it, who pays last."""

    serializer_class = InquirySerializer
    filterset_class = InquiryFilters

    def get_queryset(self) -> QuerySet[Inquiry]:
        return inquiries_visible_to(self.asker)

    @extend_schema(
        request=NewInquirySerializer, responses=created(InquirySerializer), parameters=[IDEMPOTENCY_KEY]
    )
    def create(self, request: Request) -> Response:
        """Keep a question. Sent with `payer` or `insurance` it is refused: they are asked after the answer."""
        now = timezone.now()
        _refuse_payer(request)
        data = self.checked(NewInquirySerializer)
        if data.get("asked_at", now) > now:
            raise ValidationError({"asked_at": [_("This time is still to come.")]})
        return self.create_once(data, lambda: self._make(data, now=now), now=now)

    def _make(self, data: dict[str, Any], *, now: datetime) -> UUID:
        question = Question(
            data["asked"], data.get("asked_at", now), data.get("offering"), asked_by=data["asked_by"]
        )
        clinic: Clinic = data["clinic"]
        if data.get("answer") is None:
            return actions.keep_question(clinic, question, now=now, by=self.asker).public_id
        said = Said(**data["answer"])
        return actions.record_answer(clinic, question, said, now=now, by=self.asker).public_id

    @extend_schema(request=AnswerSerializer, responses={200: InquirySerializer, **REFUSALS})
    @action(detail=True, methods=["post"])
    def answer(self, _request: Request, id: UUID) -> Response:  # noqa: A002
        """The answer to a question that had none; a promise about it is kept by this."""
        inquiry, said = self.get_object(), Said(**self.checked(AnswerSerializer))
        actions.answer_later(inquiry, said, None, now=timezone.now(), by=self.asker)
        return self.shown(id)

    @extend_schema(request=CallerSerializer, responses={200: InquirySerializer, **REFUSALS})
    @action(detail=True, methods=["patch"])
    def caller(self, request: Request, id: UUID) -> Response:  # noqa: A002
        """Who asks, and last who pays. `payer` and `insurance` before the answer are refused with 400."""
        inquiry = self.get_object()
        if inquiry.is_unanswered:
            _refuse_payer(request)
        told, now = self.checked(CallerSerializer), timezone.now()
        payer = {name: told.pop(name) for name in PAYER if name in told}
        if told.get("phone"):
            told["phone"] = _as_dialled(told["phone"], inquiry.clinic)
        _refuse_caller(inquiry, told, now=now)
        if told.get("may_call_back", True) is not True:
            told |= {"call_from": None, "call_until": None}  # hours are of a call that is allowed
        if told:
            caller = Caller(**{**_caller_now(inquiry), **told})
            actions.note_caller(inquiry, caller, now=now, by=self.asker, only=told)
        if payer:
            actions.note_payer(inquiry, **payer)
        return self.shown(id)


def _refuse_payer(request: Request) -> None:
    sent = [name for name in PAYER if isinstance(request.data, dict) and name in request.data]
    if sent:
        raise ValidationError({name: [str(AnswerFirstError())] for name in sent})


def _refuse_caller(inquiry: Inquiry, told: dict[str, Any], *, now: datetime) -> None:
    """What was told has to go with what is known."""
    if told.get("call_from") and not told.get("may_call_back", inquiry.may_call_back):
        raise ValidationError({"may_call_back": [_("Ask first whether we may call.")]})
    if told.get("wants_with") and told["wants_with"].clinic_id != inquiry.clinic_id:
        raise ValidationError({"wants_with": [_("The practitioner belongs to another clinic.")]})
    if told.get("wants_at") and told["wants_at"] <= now:
        raise ValidationError({"wants_at": [_("This time has passed. Choose one that is still to come.")]})


def _as_dialled(text: str, clinic: Clinic) -> str:
    try:
        return normal_phone(text, region=clinic.country)
    except RefusedError as refusal:
        raise ValidationError({"phone": [str(refusal)]}) from refusal


def _caller_now(inquiry: Inquiry) -> dict[str, Any]:
    return {name: getattr(inquiry, name) for name in vars(Caller())}
