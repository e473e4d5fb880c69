"""REST: who waits for a time, and what for. Joining and answering are done at the desk and on the patient's page."""

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from rest_framework import mixins, serializers

from appointments.waiting import entries_visible_to
from appointments.waiting_models import WaitlistEntry, WaitStatus
from patients.rest import ClinicViewSet


class WaitingSerializer(serializers.ModelSerializer[WaitlistEntry]):
    id = serializers.UUIDField(source="public_id")
    clinic = serializers.SlugField(source="patient.clinic.slug")
    patient = serializers.UUIDField(source="patient.public_id")
    practitioner = serializers.IntegerField(
        source="practitioner_id", allow_null=True, help_text="None: any practitioner."
    )
    appointment = serializers.UUIDField(
        source="appointment.public_id",
        allow_null=True,
        default=None,
        help_text="The visit that is kept until a sooner one is found; of one who was placed, the visit found.",
    )
    step = serializers.UUIDField(
        source="step.public_id", allow_null=True, default=None, help_text="The step that asks for a visit."
    )

    class Meta:
        model = WaitlistEntry
        fields = ["id", "clinic", "patient", "practitioner", "minutes", "earliest_on", "latest_on"]
        fields += ["appointment", "step", "status", "since_at", "ended_at", "wants_no_more"]
        read_only_fields = fields


class WaitingFilters(filters.FilterSet):  # type: ignore[misc]
    status = filters.MultipleChoiceFilter(choices=WaitStatus.choices)
    clinic = filters.CharFilter("clinic__slug")
    patient = filters.UUIDFilter("patient__public_id")

    class Meta:
        model = WaitlistEntry
        fields: list[str] = []


class WaitingViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ClinicViewSet[WaitlistEntry]):
    """The waiting list, also those who have left it."""

    serializer_class = WaitingSerializer
    filterset_class = WaitingFilters

    def get_queryset(self) -> QuerySet[WaitlistEntry]:
        return entries_visible_to(self.asker)
