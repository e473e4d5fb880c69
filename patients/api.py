"""REST: patients, how they may be reached, and the service card."""

from datetime import datetime, time
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _, gettext_lazy
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from patients.actions import (
    CardAnswers,
    Coming,
    NewPatient,
    RefusedError,
    normal_phone,
    register_patient,
    save_card,
    save_coming,
)
from patients.coming import plain
from patients.identity import normalise_national_id
from patients.models import (
    Channel,
    Clinic,
    ContactWindow,
    Gender,
    Language,
    Patient,
    PatientContact,
    ServiceCard,
)
from patients.queries import first_phone, patients_visible_to, search_patients
from patients.rest import IDEMPOTENCY_KEY, REFUSALS, ClinicViewSet, NewSerializer, created


class AlreadyRegisteredError(RefusedError):
    """The ID belongs to a record the clinic has."""

    code = "already_registered"

    def __init__(self, patient: Patient) -> None:
        super().__init__(_("A patient with this ID is registered already."))
        self.patient = patient


class WindowSerializer(serializers.ModelSerializer[ContactWindow]):
    """Hours of a weekday: to be reached, or to come."""

    weekday = serializers.IntegerField(min_value=0, max_value=6, help_text="Monday is 0.")

    class Meta:
        model = ContactWindow
        fields = ["weekday", "start", "end"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["start"] >= attrs["end"]:
            raise serializers.ValidationError(_("A window ends after it starts; past midnight it is two."))
        return attrs


class CardSerializer(serializers.ModelSerializer[ServiceCard]):
    windows = WindowSerializer(many=True, help_text="When a contact suits; none: any hour, or not told.")
    coming_windows = WindowSerializer(many=True, help_text="When the patient can come; none: any hour.")

    class Meta:
        model = ServiceCard
        fields = ["channel", "windows", "may_tell", "told_at", "coming_windows", "coming_told_at"]


class ContactSerializer(serializers.ModelSerializer[PatientContact]):
    kind = serializers.CharField(source="contact_point.kind")
    value = serializers.CharField(source="contact_point.value")
    status = serializers.CharField(source="contact_point.status")

    class Meta:
        model = PatientContact
        fields = ["kind", "value", "status", "relation", "rank", "place"]
        fields += ["may_be_called", "may_leave_voicemail", "may_say", "suspended_at", "other_parent"]


class PatientSerializer(serializers.ModelSerializer[Patient]):
    id = serializers.UUIDField(source="public_id")
    clinic = serializers.SlugField(source="clinic.slug")
    contacts = ContactSerializer(many=True)
    card = CardSerializer(allow_null=True, default=None)

    class Meta:
        model = Patient
        fields = ["id", "clinic", "given_name", "family_name", "birth_date", "national_id", "gender"]
        fields += ["language", "time_zone", "status", "since_on", "contacts", "card"]
        read_only_fields = fields


class NewPatientSerializer(NewSerializer):
    given_name = serializers.CharField(max_length=80)
    family_name = serializers.CharField(max_length=80, required=False, allow_blank=True)
    birth_date = serializers.DateField(required=False, allow_null=True)
    national_id = serializers.CharField(max_length=32, required=False, allow_blank=True)
    language = serializers.ChoiceField(Language.choices, required=False)
    gender = serializers.ChoiceField(Gender.choices, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=40, required=False, allow_blank=True)
    email = serializers.EmailField(required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if attrs.get("phone"):
            attrs["phone"] = self._as_dialled(attrs["phone"], attrs["clinic"])
        if not attrs.get("phone") and not attrs.get("email"):
            words = _("Write a phone number or an e-mail, so that we can reach the patient.")
            raise serializers.ValidationError({"phone": [words]})
        attrs.setdefault("language", attrs["clinic"].language)
        return attrs

    def _as_dialled(self, text: str, clinic: Clinic) -> str:
        try:
            return normal_phone(text, region=clinic.country)
        except RefusedError as refusal:
            raise serializers.ValidationError({"phone": [str(refusal)]}) from refusal


class CardAnswersSerializer(serializers.Serializer[CardAnswers]):
    """What the patient has just said; what is left out stays as it was told before."""

    channel = serializers.ChoiceField(Channel.choices, required=False)
    windows = WindowSerializer(
        many=True, required=False, help_text="All of them, in the patient's time zone; none means any hour."
    )
    coming_windows = WindowSerializer(
        many=True,
        required=False,
        help_text="When the patient can come, all of them, by the clinic's clock; none means any hour.",
    )
    language = serializers.ChoiceField(Language.choices, required=False)
    may_leave_voicemail = serializers.BooleanField(required=False)
    may_tell = serializers.CharField(max_length=120, required=False, allow_blank=True)

    def validate_windows(self, windows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        ordered = sorted(windows, key=lambda window: (window["weekday"], window["start"]))
        for before, after in pairwise(ordered):
            if before["weekday"] == after["weekday"] and after["start"] < before["end"]:
                raise serializers.ValidationError(_("Two windows of one day overlap."))
        return ordered

    validate_coming_windows = validate_windows


class PatientFilters(filters.FilterSet):  # type: ignore[misc]
    q = filters.CharFilter(
        method="search", label=gettext_lazy("Words of the name, a number, an address or an ID.")
    )
    clinic = filters.CharFilter("clinic__slug")

    class Meta:
        model = Patient
        fields = ["status", "language"]

    def search(self, patients: QuerySet[Patient], _name: str, text: str) -> QuerySet[Patient]:
        return search_patients(patients, text)


class PatientViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ClinicViewSet[Patient]):
    """Patients of the asker's clinics; records merged into another are left out."""

    serializer_class = PatientSerializer
    filterset_class = PatientFilters

    def get_queryset(self) -> QuerySet[Patient]:
        patients = patients_visible_to(self.asker).select_related("card")
        return patients.prefetch_related("contacts__contact_point", "card__windows", "card__coming_windows")

    @extend_schema(
        request=NewPatientSerializer, responses=created(PatientSerializer), parameters=[IDEMPOTENCY_KEY]
    )
    def create(self, _request: Request) -> Response:
        """Register a patient. An ID that the clinic knows is refused with the record it belongs to."""
        now = timezone.now()
        data = self.checked(NewPatientSerializer)
        known = {name: value for name, value in data.items() if name not in {"clinic", "request_key"}}
        new = NewPatient(**known)
        return self.create_once(data, lambda: _register(data["clinic"], new, now=now), now=now)

    @extend_schema(request=CardAnswersSerializer, responses={200: PatientSerializer, **REFUSALS})
    @action(detail=True, methods=["patch"])
    def card(self, _request: Request, id: UUID) -> Response:  # noqa: A002 - the name in the address
        """Write what the patient said about how and when to be reached, and when to come; what is left out stays."""
        patient, said, now = self.get_object(), self.checked(CardAnswersSerializer), timezone.now()
        if said.keys() == {"coming_windows"}:  # how she is reached was not asked, and is no newer for it
            save_coming(patient, Coming(_as_told(said["coming_windows"])), now=now)
        else:
            save_card(patient, _answers(patient, said, now=now), now=now, by=self.asker)
        return self.shown(id)


def _register(clinic: Clinic, new: NewPatient, *, now: datetime) -> UUID:
    try:
        with transaction.atomic():
            return register_patient(clinic, new, now=now).public_id
    except (RefusedError, IntegrityError):  # refused, or somebody registered the same ID this moment
        same = Patient.objects.filter(clinic=clinic, national_id=normalise_national_id(new.national_id))
        known = same.exclude(national_id="").select_related("merged_into").first()
        if known is None:
            raise
        raise AlreadyRegisteredError(known.record_now) from None


def _answers(patient: Patient, said: dict[str, Any], *, now: datetime) -> CardAnswers:
    """The card as it stands, with what was said over it."""
    card: ServiceCard | None = getattr(patient, "card", None)
    phone = first_phone(patient, now=now)
    channel = said.get("channel") or (card.channel if card else "")
    if not channel:
        raise serializers.ValidationError({"channel": [_("Say how the patient wants to be reached.")]})
    windows = _as_told(said["windows"]) if "windows" in said else plain(card.windows.all() if card else ())
    return CardAnswers(
        channel=channel,
        windows=windows,
        language=said.get("language", ""),
        may_leave_voicemail=said.get("may_leave_voicemail", bool(phone and phone.may_leave_voicemail)),
        may_tell=said.get("may_tell", card.may_tell if card else ""),
        days_told="windows" in said or bool(card and card.days_told),
        hours_told="windows" in said or bool(card and card.hours_told),
        coming=Coming(_as_told(said["coming_windows"])) if "coming_windows" in said else None,
    )


def _as_told(windows: list[dict[str, Any]]) -> tuple[tuple[int, time, time], ...]:
    return tuple((window["weekday"], window["start"], window["end"]) for window in windows)
