"""REST: visits, held or booked, what happens to them, and the free times of a practitioner."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from appointments import actions, holds
from appointments.models import Appointment, AppointmentStatus, Practitioner
from appointments.offers import suiting_hours
from appointments.queries import appointments_visible_to, find_times, practitioners_visible_to
from appointments.visits import Visit
from journeys.queries import steps_visible_to
from patients.queries import patients_visible_to
from patients.rest import (
    IDEMPOTENCY_KEY,
    REFUSALS,
    BecauseSerializer,
    ClinicViewSet,
    ForPatientSerializer,
    InstantField,
    NumberedField,
    VisibleField,
    created,
)

LONGEST = 24 * 60
AHEAD, FARTHEST = timedelta(days=14), timedelta(days=60)
OFFERED, MOST = 3, 50
Body = serializers.Serializer[Any]


class PractitionerSerializer(serializers.ModelSerializer[Practitioner]):
    clinic = serializers.SlugField(source="clinic.slug")

    class Meta:
        model = Practitioner
        fields = ["id", "clinic", "name"]


class PractitionerViewSet(mixins.ListModelMixin, ClinicViewSet[Practitioner]):
    """Who receives in the asker's clinics. Practitioners are named by a number."""

    serializer_class = PractitionerSerializer

    def get_queryset(self) -> QuerySet[Practitioner]:
        return practitioners_visible_to(self.asker)


class AppointmentSerializer(serializers.ModelSerializer[Appointment]):
    id = serializers.UUIDField(source="public_id")
    clinic = serializers.SlugField(source="practitioner.clinic.slug")
    patient = serializers.UUIDField(source="patient.public_id")
    practitioner = PractitionerSerializer()
    step = serializers.UUIDField(
        source="step.public_id", allow_null=True, default=None, help_text="The step that the visit ends."
    )
    awaits = serializers.UUIDField(
        source="awaits.public_id", allow_null=True, default=None, help_text="The step that a hold waits for."
    )

    class Meta:
        model = Appointment
        fields = ["id", "clinic", "patient", "practitioner", "title", "start", "end", "status", "hold_until"]
        fields += ["awaits", "step", "confirmed_at", "ended_because", "made_at"]
        read_only_fields = fields


class NewAppointmentSerializer(ForPatientSerializer):
    """With `hold_until` the time is held until then; without, the visit is booked."""

    practitioner = NumberedField(practitioners_visible_to)
    start = InstantField()
    minutes = serializers.IntegerField(min_value=1, max_value=LONGEST)
    title = serializers.CharField(max_length=120, required=False, allow_blank=True)
    hold_until = InstantField(required=False)
    awaits = VisibleField(
        steps_visible_to, required=False, help_text="Of a hold: it is settled when this step ends."
    )
    step = VisibleField(
        steps_visible_to,
        required=False,
        help_text="The step that asks for this visit; it ends “booked”, or the visit it has is moved.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        is_hold, awaits, step = "hold_until" in attrs, attrs.get("awaits"), attrs.get("step")
        if awaits and not is_hold:
            raise serializers.ValidationError({"hold_until": [_("Say until when the time is held.")]})
        if step and is_hold:
            raise serializers.ValidationError({"step": [_("A visit that a step asks for is not held.")]})
        for name, asked in (("awaits", awaits), ("step", step)):
            if asked and asked.journey.patient_id != attrs["patient"].pk:
                raise serializers.ValidationError({name: [_("This step concerns another patient.")]})
        return attrs


class MoveSerializer(serializers.Serializer[Any]):
    start = InstantField()
    practitioner = NumberedField(practitioners_visible_to, required=False)
    because = serializers.CharField(max_length=200, required=False, allow_blank=True)


class WantedSerializer(serializers.Serializer[Any]):
    """What is looked for. With `patient` only times at which the patient can come and we are open."""

    practitioner = NumberedField(practitioners_visible_to)
    minutes = serializers.IntegerField(min_value=1, max_value=LONGEST)
    after = InstantField(required=False, help_text="From now on, if left out.")
    before = InstantField(required=False, help_text="Two weeks later, if left out; 60 days later at most.")
    patient = VisibleField(patients_visible_to, required=False)
    limit = serializers.IntegerField(min_value=1, max_value=MOST, default=OFFERED)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """As when the visit is booked: nobody is offered a time that would be refused."""
        patient = attrs.get("patient")
        if patient and patient.clinic_id != attrs["practitioner"].clinic_id:
            words = _("The patient and the practitioner belong to different clinics.")
            raise serializers.ValidationError({"practitioner": [words]})
        return attrs


class FreeTimesSerializer(serializers.Serializer[Any]):
    starts = serializers.ListField(child=serializers.DateTimeField())


class AppointmentFilters(filters.FilterSet):  # type: ignore[misc]
    status = filters.MultipleChoiceFilter(choices=AppointmentStatus.choices)
    clinic = filters.CharFilter("clinic__slug")
    patient = filters.UUIDFilter("patient__public_id")
    practitioner = filters.NumberFilter("practitioner", max_value=2**31)
    journey = filters.UUIDFilter(method="of_journey")
    start = filters.IsoDateTimeFromToRangeFilter()
    made_at = filters.IsoDateTimeFromToRangeFilter()

    class Meta:
        model = Appointment
        fields: list[str] = []

    def of_journey(self, visits: QuerySet[Appointment], _name: str, journey: UUID) -> QuerySet[Appointment]:
        return visits.filter(Q(step__journey__public_id=journey) | Q(awaits__journey__public_id=journey))


class AppointmentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ClinicViewSet[Appointment]):
    """Visits. A visit that is `pending` is held: its time is taken until what it awaits is settled."""

    serializer_class = AppointmentSerializer
    filterset_class = AppointmentFilters

    def get_queryset(self) -> QuerySet[Appointment]:
        return appointments_visible_to(self.asker)

    @extend_schema(
        request=NewAppointmentSerializer,
        responses=created(AppointmentSerializer),
        parameters=[IDEMPOTENCY_KEY],
    )
    def create(self, _request: Request) -> Response:
        """Hold or book a time. If it is taken, the refusal names who has it and the next free times."""
        now = timezone.now()
        data = self.checked(NewAppointmentSerializer)
        return self.create_once(data, lambda: self._make(data, now=now), now=now)

    def _make(self, data: dict[str, Any], *, now: datetime) -> UUID:
        visit = Visit(
            data["patient"], data["practitioner"], data["start"], data["minutes"], data.get("title", "")
        )
        if "hold_until" in data:
            until, awaits = data["hold_until"], data.get("awaits")
            made = actions.hold(visit, awaits=awaits, until=until, now=now, by=self.asker)
        elif "step" in data:
            made = actions.book_for_step(data["step"], visit, now=now, by=self.asker)
        else:
            made = actions.book_alone(visit, now=now, by=self.asker)
        return made.public_id

    @extend_schema(parameters=[WantedSerializer], responses=FreeTimesSerializer)
    @action(detail=False, url_path="free-times", filter_backends=[], pagination_class=None)
    def free_times(self, request: Request) -> Response:
        """The first starts at which a visit of that length fits; they do not overlap."""
        now = timezone.now()
        wanted = self.checked(WantedSerializer, request.query_params)
        after = max(wanted.get("after", now), now)
        before = min(wanted.get("before", after + AHEAD), after + FARTHEST)
        starts = find_times(
            wanted["practitioner"],
            wanted["minutes"],
            after=after,
            before=before,
            within=suiting_hours(wanted["patient"], now=now) if "patient" in wanted else (),
            limit=wanted["limit"],
        )
        return Response(FreeTimesSerializer({"starts": starts}).data)

    @extend_schema(request=None, responses={200: AppointmentSerializer, **REFUSALS})
    @action(detail=True, methods=["post"])
    def confirm(self, _request: Request, id: UUID) -> Response:  # noqa: A002 - the name in the address
        """The patient says yes to the time. Saying it twice is no error."""
        return self._act(id, actions.confirm)

    @extend_schema(request=None, responses={200: AppointmentSerializer, **REFUSALS})
    @action(detail=True, methods=["post"])
    def book(self, _request: Request, id: UUID) -> Response:  # noqa: A002
        """Book a hold that waits for no step; one that does is settled when that step ends."""
        return self._act(id, holds.keep)

    @extend_schema(request=None, responses={200: AppointmentSerializer, **REFUSALS})
    @action(detail=True, methods=["post"])
    def arrive(self, _request: Request, id: UUID) -> Response:  # noqa: A002
        """The patient is here."""
        return self._act(id, actions.arrive)

    @extend_schema(request=None, responses={200: AppointmentSerializer, **REFUSALS})
    @action(detail=True, methods=["post"])
    def fulfil(self, _request: Request, id: UUID) -> Response:  # noqa: A002
        """The visit took place; what follows it in the journey opens."""
        return self._act(id, actions.fulfil)

    @extend_schema(request=None, responses={200: AppointmentSerializer, **REFUSALS})
    @action(detail=True, methods=["post"], url_path="no-show")
    def no_show(self, _request: Request, id: UUID) -> Response:  # noqa: A002
        """The patient did not come; the time is given back and the journey asks for another date."""
        return self._act(id, actions.no_show)

    @extend_schema(request=MoveSerializer, responses={200: AppointmentSerializer, **REFUSALS})
    @action(detail=True, methods=["post"])
    def move(self, _request: Request, id: UUID) -> Response:  # noqa: A002
        """Another time, or another practitioner; the patient has to confirm anew."""
        return self._act(id, actions.move, MoveSerializer)

    @extend_schema(request=BecauseSerializer, responses={200: AppointmentSerializer, **REFUSALS})
    @action(detail=True, methods=["post"])
    def cancel(self, _request: Request, id: UUID) -> Response:  # noqa: A002
        """Give the time back; the journey of a booked visit asks for another date."""
        return self._act(id, actions.cancel, BecauseSerializer)

    def _act(self, public_id: UUID, act: Callable[..., None], body: type[Body] | None = None) -> Response:
        visit = self.get_object()
        said = self.checked(body) if body else {}
        act(visit, **said, now=timezone.now(), by=self.asker)
        return self.shown(public_id)
