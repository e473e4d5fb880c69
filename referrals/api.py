"""REST: referrals with the visit held in the same request, and the documents that come in."""

from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.db.models.fields.files import FieldFile
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.actions import Visit
from appointments.queries import practitioners_visible_to
from journeys.models import JourneyTemplate, StepKind, TemplateStatus, Urgency
from journeys.queries import steps_visible_to
from patients.rest import (
    IDEMPOTENCY_KEY,
    REFUSALS,
    BecauseSerializer,
    ClinicViewSet,
    ForPatientSerializer,
    InClinicSerializer,
    InstantField,
    NumberedField,
    VisibleField,
    asker,
    created,
)
from referrals import actions, links
from referrals.arrivals import Arrival, receive
from referrals.intake.base import find_codes
from referrals.models import DocumentFile, DocumentStatus, IncomingDocument, Referral, ReferralStatus, Source
from referrals.queries import documents_visible_to, files_visible_to, referrals_visible_to

DIGITS = 5  # of the position of a file in its document


class ReferralSerializer(serializers.ModelSerializer[Referral]):
    id = serializers.UUIDField(source="public_id")
    clinic = serializers.SlugField(source="clinic.slug")
    patient = serializers.UUIDField(source="patient.public_id")
    requester = serializers.IntegerField(source="requester_id", help_text="The practitioner.")
    journey = serializers.UUIDField(source="journey.public_id")
    step = serializers.UUIDField(
        source="step.public_id", allow_null=True, default=None, help_text="The step that awaits the result."
    )
    upload_url = serializers.SerializerMethodField(help_text="Where the institute puts files in, no login.")

    class Meta:
        model = Referral
        fields = ["id", "clinic", "patient", "requester", "code", "service", "question", "performer"]
        fields += [
            "performer_email",
            "performer_phone",
            "urgency",
            "status",
            "expected_at",
            "hold_refused_because",
            "made_at",
        ]
        fields += ["ended_because", "journey", "step", "upload_url"]
        read_only_fields = fields

    def get_upload_url(self, referral: Referral) -> str:
        return f"{settings.PUBLIC_URL}/u/{links.upload_token(referral)}/"


class HoldSerializer(serializers.Serializer[Any]):
    """The visit kept for the time after the result."""

    start = InstantField()
    minutes = serializers.IntegerField(min_value=1, max_value=24 * 60)
    practitioner = NumberedField(
        practitioners_visible_to, required=False, help_text="The requester, if left out."
    )
    until = InstantField(required=False, help_text="A day before the visit, if left out.")


class RevokeSerializer(BecauseSerializer):
    is_told = serializers.BooleanField(default=False, help_text="The patient has been told already.")


class NewReferralSerializer(ForPatientSerializer):
    """Either `hold`, or `hold_refused_because`."""

    requester = NumberedField(practitioners_visible_to)
    service = serializers.CharField(max_length=120)
    expected_at = InstantField(help_text="By when the result is promised.")
    question = serializers.CharField(required=False, allow_blank=True)
    performer = serializers.CharField(max_length=120, required=False, allow_blank=True)
    performer_email = serializers.EmailField(required=False, allow_blank=True)
    performer_phone = serializers.CharField(max_length=32, required=False, allow_blank=True)
    urgency = serializers.ChoiceField(Urgency.choices, required=False)
    title = serializers.CharField(max_length=120, required=False, allow_blank=True)
    template_key = serializers.SlugField(
        default=actions.NewReferral.template_key, help_text="A journey that begins with awaiting a result."
    )
    hold = HoldSerializer(required=False)
    hold_refused_because = serializers.CharField(max_length=200, required=False, allow_blank=True)
    hold_despite_because = serializers.CharField(
        max_length=200,
        required=False,
        allow_blank=True,
        help_text="Asked for where a quarter of the doctor's week is held already.",
    )
    answers = VisibleField(
        steps_visible_to, required=False, help_text="The step of an earlier journey that asked for this."
    )

    def validate_template_key(self, key: str) -> str:
        waits = JourneyTemplate.objects.filter(steps__kind=StepKind.AWAIT_RESULT, steps__is_entry=True)
        if not waits.filter(key=key, status=TemplateStatus.ACTIVE).exists():
            raise serializers.ValidationError(
                _("There is no such journey that begins with awaiting a result.")
            )
        return key

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if not attrs.get("hold") and not attrs.get("hold_refused_because", "").strip():
            raise serializers.ValidationError({"hold": [_("Hold a visit now, or say why not.")]})
        step = attrs.get("answers")
        if step and (step.kind != StepKind.REFER or step.journey.patient_id != attrs["patient"].pk):
            raise serializers.ValidationError(
                {"answers": [_("This step asks for no referral of the patient.")]}
            )
        return attrs


class ReferralFilters(filters.FilterSet):  # type: ignore[misc]
    status = filters.MultipleChoiceFilter(choices=ReferralStatus.choices)
    clinic = filters.CharFilter("clinic__slug")
    patient = filters.UUIDFilter("patient__public_id")
    code = filters.CharFilter("code", "iexact")
    expected_at = filters.IsoDateTimeFromToRangeFilter()
    made_at = filters.IsoDateTimeFromToRangeFilter()

    class Meta:
        model = Referral
        fields = ["urgency"]


class ReferralViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ClinicViewSet[Referral]):
    """Requests for a service outside. The held visit is among the appointments of the same journey."""

    serializer_class = ReferralSerializer
    filterset_class = ReferralFilters

    def get_queryset(self) -> QuerySet[Referral]:
        return referrals_visible_to(self.asker)

    @extend_schema(
        request=NewReferralSerializer, responses=created(ReferralSerializer), parameters=[IDEMPOTENCY_KEY]
    )
    def create(self, _request: Request) -> Response:
        """Refer and hold the visit, all or nothing: the patient leaves with both dates."""
        now = timezone.now()
        data = self.checked(NewReferralSerializer)
        new = _new_referral(data)
        return self.create_once(data, lambda: actions.refer(new, now=now, by=self.asker).public_id, now=now)

    @extend_schema(request=RevokeSerializer, responses={200: ReferralSerializer, **REFUSALS})
    @action(detail=True, methods=["post"])
    def revoke(self, _request: Request, id: UUID) -> Response:  # noqa: A002 - the name in the address
        """Take the request back; the wait ends, a held visit is given back, and the patient is told."""
        referral, said = self.get_object(), self.checked(RevokeSerializer)
        actions.revoke(referral, **said, now=timezone.now(), by=self.asker)
        return self.shown(id)


def _new_referral(data: dict[str, Any]) -> actions.NewReferral:
    said = {name: value for name, value in data.items() if name not in {"clinic", "request_key", "hold"}}
    held = data.get("hold")
    if held is None:
        return actions.NewReferral(**said)
    doctor = held.get("practitioner", data["requester"])
    visit = Visit(data["patient"], doctor, held["start"], held["minutes"], data.get("title", ""))
    return actions.NewReferral(**said, hold=visit, hold_until=held.get("until"))


class FileSerializer(serializers.ModelSerializer[DocumentFile]):
    problem_words = serializers.CharField()

    class Meta:
        model = DocumentFile
        fields = ["position", "name", "content_type", "size", "problem", "problem_words"]
        read_only_fields = fields


class DocumentSerializer(serializers.ModelSerializer[IncomingDocument]):
    id = serializers.UUIDField(source="public_id")
    clinic = serializers.SlugField(source="clinic.slug")
    referral = serializers.UUIDField(source="referral.public_id", allow_null=True, default=None)
    step = serializers.UUIDField(
        source="step.public_id",
        allow_null=True,
        default=None,
        help_text="Of an unmatched one: who finds out.",
    )
    reasons = serializers.ListField(child=serializers.CharField(), help_text="Codes: why it did not match.")
    reason_words = serializers.ListField(child=serializers.CharField())
    candidates = serializers.ListField(child=serializers.UUIDField(), help_text="Referrals it may belong to.")
    files = FileSerializer(many=True)

    class Meta:
        model = IncomingDocument
        fields = ["id", "clinic", "source", "sender", "subject", "received_at", "status", "referral"]
        fields += ["matched_by", "reasons", "reason_words", "candidates", "step", "ended_at"]
        fields += ["rejected_because", "files"]
        read_only_fields = fields


class NewDocumentSerializer(InClinicSerializer):
    file = serializers.FileField(max_length=500)
    code = serializers.CharField(
        max_length=20, required=False, allow_blank=True, help_text="Of the referral."
    )
    sender = serializers.CharField(
        max_length=254, required=False, allow_blank=True, help_text="The institute."
    )

    def validate_file(self, file: "UploadedFile[bytes]") -> "UploadedFile[bytes]":
        if (file.size or 0) > settings.MAX_ATTACHMENT_BYTES:
            largest = settings.MAX_ATTACHMENT_BYTES // 2**20
            raise serializers.ValidationError(
                _("The file is larger than %(size)s MB. Send it in parts.") % {"size": largest}
            )
        return file

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if attrs.get("code"):
            mine = referrals_visible_to(asker(self.context["request"])).filter(clinic=attrs["clinic"])
            attrs["referral"] = mine.filter(code__in=find_codes(attrs["code"])).first()
            if attrs["referral"] is None:
                raise serializers.ValidationError({"code": [_("No referral of this clinic has this code.")]})
        return attrs


class MatchSerializer(serializers.Serializer[Any]):
    referral = VisibleField(referrals_visible_to)


class DocumentFilters(filters.FilterSet):  # type: ignore[misc]
    status = filters.MultipleChoiceFilter(choices=DocumentStatus.choices)
    clinic = filters.CharFilter("clinic__slug")
    patient = filters.UUIDFilter("referral__patient__public_id")
    referral = filters.UUIDFilter("referral__public_id")
    received_at = filters.IsoDateTimeFromToRangeFilter()

    class Meta:
        model = IncomingDocument
        fields = ["source"]


class DocumentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ClinicViewSet[IncomingDocument]):
    """What came in, as it came. A document is matched to its referral within seconds of its arrival."""

    serializer_class = DocumentSerializer
    filterset_class = DocumentFilters
    parser_classes = [JSONParser, MultiPartParser]

    def get_queryset(self) -> QuerySet[IncomingDocument]:
        return documents_visible_to(self.asker).prefetch_related("files")

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: FBT001, FBT002 - DRF's signature
        """A file has the type it has, whatever the client says it accepts."""
        return super().perform_content_negotiation(request, force or self.action == "download")

    @extend_schema(
        request={"multipart/form-data": NewDocumentSerializer},
        responses={
            201: DocumentSerializer,
            200: OpenApiResponse(DocumentSerializer, "The same file came before: that document."),
        },
    )
    def create(self, _request: Request) -> Response:
        """Send a file in. The same file for the same referral, or clinic, is the document there is already."""
        document, is_new = _received(self.checked(NewDocumentSerializer), now=timezone.now())
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return self.shown(document.public_id, status=code)

    @extend_schema(request=MatchSerializer, responses={200: DocumentSerializer, **REFUSALS})
    @action(detail=True, methods=["post"])
    def match(self, _request: Request, id: UUID) -> Response:  # noqa: A002 - the name in the address
        """Say of which referral an unmatched document, or a file that came with a message, is the result.

        The doctor has it at once, and the patient is told.
        """
        document, said = self.get_object(), self.checked(MatchSerializer)
        actions.match_by_hand(document, said["referral"], now=timezone.now(), by=self.asker)
        return self.shown(id)

    @extend_schema(request=BecauseSerializer, responses={200: DocumentSerializer, **REFUSALS})
    @action(detail=True, methods=["post"])
    def reject(self, _request: Request, id: UUID) -> Response:  # noqa: A002
        """Put an unmatched document aside, with the reason. It is kept."""
        document, said = self.get_object(), self.checked(BecauseSerializer)
        actions.reject(document, because=said["because"], now=timezone.now(), by=self.asker)
        return self.shown(id)

    @extend_schema(
        parameters=[OpenApiParameter("file", int, description="Position of one of `files`.")],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    @action(detail=True, filter_backends=[])
    def download(self, request: Request, id: UUID) -> FileResponse:  # noqa: A002, ARG002
        """The document as it came, or one file of it; with the type its bytes have, not its name."""
        document = self.get_object()
        if "file" not in request.query_params:
            suffix = Path(str(document.raw)).suffix
            return _as_download(document.raw, f"{document.public_id}{suffix}", "application/octet-stream")
        asked = request.query_params["file"]
        position = int(asked) if asked.isdecimal() and len(asked) <= DIGITS else 0
        found = get_object_or_404(files_visible_to(self.asker), document=document, position=position)
        return _as_download(found.content, found.name, found.content_type)


def _received(data: dict[str, Any], *, now: datetime) -> tuple[IncomingDocument, bool]:
    """The document, and whether it is new: what a file is for, and its bytes, are its identity."""
    content = data["file"].read()
    referral = data.get("referral")
    whose = referral.code if referral else f"clinic-{data['clinic'].pk}"
    arrival = Arrival(
        data["clinic"],
        Source.API,
        f"{whose}-{sha256(content).hexdigest()}",
        content,
        sender=data.get("sender") or (referral.performer if referral else ""),
        subject=data["file"].name,
        referral=referral,
    )
    document = receive(arrival, now=now)
    if document is not None:
        return document, True
    return IncomingDocument.objects.get(source=Source.API, source_id=arrival.source_id), False


def _as_download(content: FieldFile, name: str, content_type: str) -> FileResponse:
    """Never shown inside our own pages: a file from outside may be a page with a script (standards.md 5.5)."""
    try:
        stored = content.open("rb")
    except FileNotFoundError as error:
        raise NotFound from error
    answer = FileResponse(stored, as_attachment=True, filename=name or "document")
    answer["Content-Type"] = content_type or "application/octet-stream"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
