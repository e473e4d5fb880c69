"""REST: complaints, by the rules of the screens: put in our own words, found right, answered, last what changed."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from clinic_journey.complaints import LONGEST, ask_member
from outreach import complaints
from outreach.complaint_models import BY_HAND, CameBy, Complaint, Understood
from outreach.praise import members_of
from patients.models import MANAGERS
from patients.queries import clinics_visible_to, works_as
from patients.rest import IDEMPOTENCY_KEY, REFUSALS, ClinicViewSet, ForPatientSerializer, created

Body = serializers.Serializer[Any]
BY_A_PERSON = (Understood.READER, Understood.TOLD_US)  # the patient says it on the own page


class ReceivedSerializer(serializers.ModelSerializer[Complaint]):
    """That it is written down: all that whoever wrote it needs to know."""

    id = serializers.UUIDField(source="public_id")
    clinic = serializers.SlugField(source="clinic.slug")
    patient = serializers.UUIDField(source="patient.public_id")

    class Meta:
        model = Complaint
        fields = ["id", "clinic", "patient", "came_at"]
        read_only_fields = fields


class ComplaintSerializer(ReceivedSerializer):
    journey = serializers.UUIDField(source="journey.public_id", help_text="Its steps have the clocks.")
    stage = serializers.ChoiceField(
        ["restate", "understood", "answer", "change", ""],
        help_text="What is to be done next; empty when all is told.",
    )
    reader = serializers.CharField(
        source="reader.username", allow_null=True, default=None, help_text="Who was asked to read both."
    )

    class Meta(ReceivedSerializer.Meta):
        fields = [*ReceivedSerializer.Meta.fields, "journey", "words", "came_by", "stage"]
        fields += ["restated", "restated_at", "reader", "understood_at", "understood_by"]
        fields += ["answer", "answered_at", "change", "changed_at", "is_changed", "is_published"]
        read_only_fields = fields


class NewComplaintSerializer(ForPatientSerializer):
    """As it was said, in the patient's words."""

    words = serializers.CharField(max_length=LONGEST)
    came_by = serializers.ChoiceField([(each.value, each.label) for each in BY_HAND], default=CameBy.DESK)


class WordsSerializer(Body):
    words = serializers.CharField(max_length=LONGEST)


class ReaderSerializer(Body):
    reader = serializers.CharField(max_length=150, help_text="The user name of a colleague in this clinic.")


class UnderstoodSerializer(Body):
    """Who found that our words say what was meant. `seen`: our words as they were read."""

    by = serializers.ChoiceField([(each.value, each.label) for each in BY_A_PERSON])
    seen = serializers.CharField(max_length=LONGEST)


class OtherwiseSerializer(Body):
    """What is meant instead. `seen`: our words as they were read."""

    seen = serializers.CharField(max_length=LONGEST)
    words = serializers.CharField(max_length=LONGEST, required=False, allow_blank=True, default="")


class ChangeSerializer(WordsSerializer):
    """What is different now, or why nothing is. `is_published`: told to everybody, without who complained."""

    is_changed = serializers.BooleanField()
    is_published = serializers.BooleanField(default=False)


class ComplaintFilters(filters.FilterSet):  # type: ignore[misc]
    clinic = filters.CharFilter("clinic__slug")
    patient = filters.UUIDFilter("patient__public_id")
    came_at = filters.IsoDateTimeFromToRangeFilter()
    is_over = filters.BooleanFilter("changed_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = Complaint
        fields: list[str] = []


SHOWN = {200: ComplaintSerializer, **REFUSALS}


class ComplaintViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ClinicViewSet[Complaint]):
    """For who manages the clinic, and of one complaint for its second reader. Anybody at work writes one down."""

    filterset_class = ComplaintFilters

    def get_queryset(self) -> QuerySet[Complaint]:
        if self.action == "create":
            mine = clinics_visible_to(self.asker).values("pk")
            return Complaint.objects.filter(clinic__in=mine).select_related("clinic", "patient")
        return complaints.complaints_visible_to(self.asker)

    def get_serializer_class(self) -> type[ReceivedSerializer]:
        return ReceivedSerializer if self.action == "create" else ComplaintSerializer

    @extend_schema(
        request=NewComplaintSerializer, responses=created(ReceivedSerializer), parameters=[IDEMPOTENCY_KEY]
    )
    def create(self, _request: Request) -> Response:
        """Write down what a patient complains of. The same words of the same patient are one complaint."""
        now, data = timezone.now(), self.checked(NewComplaintSerializer)

        def make() -> UUID:
            came_by = CameBy(data["came_by"])
            return complaints.complain(
                data["patient"], data["words"], came_by, now=now, by=self.asker
            ).public_id

        return self.create_once(data, make, now=now)

    @extend_schema(request=WordsSerializer, responses=SHOWN)
    @action(detail=True, methods=["post"])
    def restate(self, _request: Request, id: UUID) -> Response:  # noqa: A002 - the name in the address
        """Say in our own words what is meant; from here on the patient is asked whether it is so."""
        words = self.checked(WordsSerializer)["words"]
        complaints.restate(self._managed(), words, now=timezone.now(), by=self.asker)
        return self.shown(id)

    @extend_schema(request=ReaderSerializer, responses=SHOWN)
    @action(detail=True, methods=["post"])
    def reader(self, _request: Request, id: UUID) -> Response:  # noqa: A002
        """Ask a colleague to read the complaint beside our words."""
        found, name = self._managed(), self.checked(ReaderSerializer)["reader"]
        member = members_of(found.clinic).filter(user__username=name).first()
        ask_member(found, member, now=timezone.now(), by=self.asker)
        return self.shown(id)

    @extend_schema(request=UnderstoodSerializer, responses=SHOWN)
    @action(detail=True, methods=["post"])
    def understood(self, _request: Request, id: UUID) -> Response:  # noqa: A002
        """Our words say what was meant: a second reader says so for herself, a manager for the patient too."""
        found, said = self.get_object(), self.checked(UnderstoodSerializer)
        how = Understood(said["by"])
        if how != Understood.READER or found.reader_id != self.asker.pk:
            self._managed()
        complaints.find_understood(found, how, seen=said["seen"], now=timezone.now(), by=self.asker)
        return self.shown(id)

    @extend_schema(request=OtherwiseSerializer, responses=SHOWN)
    @action(detail=True, methods=["post"])
    def otherwise(self, _request: Request, **_id: UUID) -> Response:
        """It was meant otherwise: what is said now stands beside the first words, and is put in ours anew."""
        found, said = self.get_object(), self.checked(OtherwiseSerializer)
        if found.reader_id != self.asker.pk:
            self._managed()
        complaints.find_misunderstood(
            found, said["words"], seen=said["seen"], now=timezone.now(), by=self.asker
        )
        # whoever was asked to read it is not asked any more, and need not see it either
        return Response(ComplaintSerializer(found).data)

    @extend_schema(request=WordsSerializer, responses=SHOWN)
    @action(detail=True, methods=["post"])
    def answer(self, _request: Request, id: UUID) -> Response:  # noqa: A002
        """Answer what was found understood; before that it is refused."""
        words = self.checked(WordsSerializer)["words"]
        complaints.answer_complaint(self._managed(), words, now=timezone.now(), by=self.asker)
        return self.shown(id)

    @extend_schema(request=ChangeSerializer, responses=SHOWN)
    @action(detail=True, methods=["post"])
    def change(self, _request: Request, id: UUID) -> Response:  # noqa: A002
        """Say what is different now, or why nothing is: then all is told."""
        change = complaints.Change(**self.checked(ChangeSerializer))
        complaints.tell_change(self._managed(), change, now=timezone.now(), by=self.asker)
        return self.shown(id)

    def _managed(self) -> Complaint:
        found = self.get_object()
        if not works_as(self.asker, found.clinic, *MANAGERS):
            raise PermissionDenied
        return found
