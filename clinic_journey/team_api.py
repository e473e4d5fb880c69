"""REST: thanks and extra steps as they were written, and the change of a shift. Nobody is counted or compared."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from clinic_journey.handover import LONGEST, hand_over, handovers_visible_to, still_open, take_over
from clinic_journey.models import Handover
from journeys.models import Step
from outreach.praise import praise_visible_to
from outreach.praise_models import Praise, PraiseKind
from patients import audit
from patients.access import Here
from patients.models import Clinic, Membership
from patients.rest import IDEMPOTENCY_KEY, REFUSALS, ClinicViewSet, NewSerializer, created


class PraiseSerializer(serializers.ModelSerializer[Praise]):
    id = serializers.UUIDField(source="public_id")
    clinic = serializers.SlugField(source="clinic.slug")
    patient = serializers.UUIDField(source="patient.public_id", allow_null=True, default=None)
    to = serializers.CharField(
        source="to.username", allow_null=True, default=None, help_text="Empty: for all, or not yet known."
    )
    by = serializers.CharField(
        source="by.username", allow_null=True, default=None, help_text="The colleague who wrote it down."
    )

    class Meta:
        model = Praise
        fields = ["id", "clinic", "kind", "words", "at", "named", "to", "by", "patient"]
        read_only_fields = fields


class PraiseFilters(filters.FilterSet):  # type: ignore[misc]
    clinic = filters.CharFilter("clinic__slug")
    kind = filters.ChoiceFilter(choices=PraiseKind.choices)
    at = filters.IsoDateTimeFromToRangeFilter()

    class Meta:
        model = Praise
        fields: list[str] = []


class PraiseViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ClinicViewSet[Praise]):
    """Thanks of patients and extra steps that colleagues saw: one's own, and all for who manages the clinic."""

    serializer_class = PraiseSerializer
    filterset_class = PraiseFilters

    def get_queryset(self) -> QuerySet[Praise]:
        return praise_visible_to(self.asker)


class OpenStepSerializer(serializers.ModelSerializer[Step]):
    id = serializers.UUIDField(source="public_id")
    patient = serializers.UUIDField(source="journey.patient.public_id", allow_null=True, default=None)

    class Meta:
        model = Step
        fields = ["id", "kind", "name", "due_at", "patient"]
        read_only_fields = fields


class StillOpenSerializer(serializers.Serializer[Any]):
    own = OpenStepSerializer(many=True, help_text="Of whoever hands over, due in two days.")
    late = serializers.IntegerField(help_text="Steps of the desk and the manager, whoever has them.")
    messages = serializers.IntegerField(help_text="Patients who wait for an answer in writing.")


class HandoverSerializer(serializers.ModelSerializer[Handover]):
    id = serializers.UUIDField(source="public_id")
    clinic = serializers.SlugField(source="clinic.slug")
    by = serializers.CharField(source="by.username")
    taken_by = serializers.CharField(source="taken_by.username", allow_null=True, default=None)

    class Meta:
        model = Handover
        fields = ["id", "clinic", "words", "by", "made_at", "taken_by", "taken_at"]
        read_only_fields = fields


class WaitingHandoverSerializer(HandoverSerializer):
    still_open = serializers.SerializerMethodField(help_text="As it is now; of one that was taken, nothing.")

    class Meta(HandoverSerializer.Meta):
        fields = [*HandoverSerializer.Meta.fields, "still_open"]
        read_only_fields = fields

    @extend_schema_field(StillOpenSerializer(allow_null=True))
    def get_still_open(self, handover: Handover) -> dict[str, Any] | None:
        if handover.taken_at:
            return None
        found = still_open(handover.clinic, handover.by, now=timezone.now())
        audit.shows(rows=len(found.own))
        return dict(StillOpenSerializer(found).data)


class NewHandoverSerializer(NewSerializer):
    """What the next shift has to know; what is open the system lists by itself."""

    words = serializers.CharField(max_length=LONGEST)


class HandoverFilters(filters.FilterSet):  # type: ignore[misc]
    clinic = filters.CharFilter("clinic__slug")
    is_waiting = filters.BooleanFilter("taken_at", lookup_expr="isnull")

    class Meta:
        model = Handover
        fields: list[str] = []


class HandoverViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ClinicViewSet[Handover]):
    """Notes from one shift to the next; one alone says what is still open."""

    filterset_class = HandoverFilters

    def get_queryset(self) -> QuerySet[Handover]:
        return handovers_visible_to(self.asker)

    def get_serializer_class(self) -> type[HandoverSerializer]:
        return WaitingHandoverSerializer if self.action == "retrieve" else HandoverSerializer

    @extend_schema(
        request=NewHandoverSerializer, responses=created(HandoverSerializer), parameters=[IDEMPOTENCY_KEY]
    )
    def create(self, _request: Request) -> Response:
        """Hand over what I have open, with a note."""
        now, data = timezone.now(), self.checked(NewHandoverSerializer)
        here = self._here(data["clinic"], now=now)
        return self.create_once(data, lambda: hand_over(data["words"], here=here).public_id, now=now)

    @extend_schema(request=None, responses={200: HandoverSerializer, **REFUSALS})
    @action(detail=True, methods=["post"])
    def take(self, _request: Request, id: UUID) -> Response:  # noqa: A002 - the name in the address
        """Read and taken over: what whoever went still owned is the asker's, where her role does it."""
        found = self.get_object()
        take_over(found, here=self._here(found.clinic, now=timezone.now()))
        return self.shown(id)

    def _here(self, clinic: Clinic, *, now: datetime) -> Here:
        role = Membership.objects.values_list("role", flat=True).get(user=self.asker, clinic=clinic)
        return Here(self.asker, clinic, role, now)
