"""REST: why patients are contacted, every attempt with its reasons, and how a call ended."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from journeys.actions import lock_journey
from outreach.calls import call_now, claim_call, record_outcome
from outreach.channels import PHONE
from outreach.channels.phone import CallOutcome
from outreach.models import Attempt, AttemptStatus, OutreachTask, TaskStatus
from outreach.queries import attempts_visible_to, outcome_words, tasks_visible_to, why_words
from outreach.trace import trace_of
from outreach.trace_words import Standing
from patients.actions import StaleStateError
from patients.models import Channel, Patient
from patients.queries import patients_visible_to
from patients.rest import REFUSALS, ClinicViewSet, InstantField


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    id = serializers.UUIDField(source="reference", help_text="What the provider gets as our reference.")
    address = serializers.CharField(source="contact_point.value")
    why = serializers.SerializerMethodField(help_text="Codes: why this way and this moment.")
    why_words = serializers.SerializerMethodField()
    outcome_words = serializers.SerializerMethodField()
    claimed_by = serializers.CharField(
        source="claimed_by.first_name", allow_null=True, default=None, help_text="Who is calling."
    )

    class Meta:
        model = Attempt
        fields = ["id", "channel", "address", "status", "send_at", "expires_at", "why", "why_words"]
        fields += ["claimed_by", "called_at", "sent_at", "ended_at", "outcome", "outcome_words", "error"]
        fields += ["language", "subject", "body"]
        read_only_fields = fields

    def get_why(self, attempt: Attempt) -> list[str]:
        codes = attempt.why.partition("|")[0].split()
        return [code.partition(":")[0] for code in codes]  # without the hours that were learned

    def get_why_words(self, attempt: Attempt) -> str:
        return why_words(attempt)

    def get_outcome_words(self, attempt: Attempt) -> str:
        return outcome_words(attempt)


class TaskSerializer(serializers.ModelSerializer[OutreachTask]):
    id = serializers.UUIDField(source="public_id")
    clinic = serializers.SlugField(source="clinic.slug")
    patient = serializers.UUIDField(source="patient.public_id")
    journey = serializers.UUIDField(source="step.journey.public_id")
    step = serializers.UUIDField(source="step.public_id", help_text="What the contact is about.")

    class Meta:
        model = OutreachTask
        fields = ["id", "clinic", "patient", "journey", "step", "message_key", "purpose", "status"]
        fields += ["opened_at", "plan_from", "deadline_at", "max_attempts", "ended_at", "outcome"]
        read_only_fields = fields


class TaskWithAttemptsSerializer(TaskSerializer):
    attempts = AttemptSerializer(many=True)

    class Meta(TaskSerializer.Meta):
        fields = [*TaskSerializer.Meta.fields, "attempts"]
        read_only_fields = fields


class OutcomeSerializer(serializers.Serializer[Any]):
    """How a call ended. "No answer" is silence, never a refusal."""

    outcome = serializers.ChoiceField(CallOutcome.choices)
    note = serializers.CharField(
        max_length=300, required=False, allow_blank=True, help_text="With `declined`: the patient's words."
    )
    call_again_at = InstantField(required=False, help_text="With `call_at`: the time the patient asked for.")
    because = serializers.CharField(
        max_length=200, required=False, help_text="Of a call outside the plan: why it was made."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["outcome"] == CallOutcome.DECLINED and not attrs.get("note", "").strip():
            words = _("Write the patient's own words; a guess is not a reason.")
            raise serializers.ValidationError({"note": [words]})
        if attrs["outcome"] == CallOutcome.CALL_AT and "call_again_at" not in attrs:
            words = _("Choose the time the patient asked for.")
            raise serializers.ValidationError({"call_again_at": [words]})
        return attrs


class TaskFilters(filters.FilterSet):  # type: ignore[misc]
    status = filters.MultipleChoiceFilter(choices=TaskStatus.choices)
    clinic = filters.CharFilter("clinic__slug")
    patient = filters.UUIDFilter("patient__public_id")
    journey = filters.UUIDFilter("step__journey__public_id")
    opened_at = filters.IsoDateTimeFromToRangeFilter()
    ended_at = filters.IsoDateTimeFromToRangeFilter()

    class Meta:
        model = OutreachTask
        fields = ["purpose", "message_key"]


class OutreachTaskViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ClinicViewSet[OutreachTask]):
    """Why patients are contacted, until when and how often at most. One task alone shows its attempts."""

    filterset_class = TaskFilters

    def get_serializer_class(self) -> type[TaskSerializer]:
        return TaskSerializer if self.action == "list" else TaskWithAttemptsSerializer

    def get_queryset(self) -> QuerySet[OutreachTask]:
        tasks = tasks_visible_to(self.asker).select_related("clinic")
        if self.action == "list":
            return tasks
        attempts = Attempt.objects.select_related("contact_point", "claimed_by").order_by("send_at", "pk")
        return tasks.prefetch_related(Prefetch("attempts", attempts))

    @extend_schema(request=OutcomeSerializer, responses={200: TaskWithAttemptsSerializer, **REFUSALS})
    @action(detail=True, methods=["post"])
    def outcome(self, _request: Request, id: UUID) -> Response:  # noqa: A002 - the name in the address
        """How a call about this task ended: the one that is under way, due, or was made for a reason."""
        task, said = self.get_object(), self.checked(OutcomeSerializer)
        because, now = said.pop("because", "").strip(), timezone.now()
        with transaction.atomic():  # a refused outcome leaves no call behind that nobody makes
            lock_journey(task.step.journey_id)  # before the attempt, as everywhere (outreach.followup)
            attempt = _call_of(task, because=because, now=now, by=self.asker)
            record_outcome(attempt, said.pop("outcome"), **said, now=now, by=self.asker)
        return self.shown(id)


def _call_of(task: OutreachTask, *, because: str, now: datetime, by: User) -> Attempt:
    """The asker's call that is under way, else the one that is due, claimed; else one made outside the plan."""
    if task.status != TaskStatus.OPEN:
        raise StaleStateError(_("This was settled meanwhile."))
    calls = attempts_visible_to(by).filter(task=task, channel=PHONE)
    mine = calls.filter(status=AttemptStatus.SENDING, claimed_by=by).first()
    if mine:
        return mine
    due = calls.filter(status=AttemptStatus.PLANNED, send_at__lte=now).first()
    if due:
        return claim_call(due, by=by, now=now)
    return call_now(task.step, by=by, now=now, because=because)


class WaySerializer(serializers.Serializer[Any]):
    channel = serializers.ChoiceField(Channel.choices)
    address = serializers.CharField()
    code = serializers.CharField(help_text="The rule that kept us from it.")
    words = serializers.CharField()


class LineSerializer(serializers.Serializer[Any]):
    """One thing that was decided or happened; a refused contact and one that was put off are lines, too."""

    at = serializers.DateTimeField()
    kind = serializers.CharField(
        help_text="planned, stopped, put_off, handed_over; or the attempt's status: sent, delivered, failed, unknown."
    )
    what = serializers.CharField(help_text="The same in words.")
    channel = serializers.CharField(allow_blank=True)
    address = serializers.CharField(allow_blank=True)
    codes = serializers.ListField(
        child=serializers.CharField(), help_text="Why now and this way; the rules that moved or stopped it."
    )
    words = serializers.CharField(allow_blank=True)
    until = serializers.DateTimeField(allow_null=True, help_text="When it is to be.")
    passed = WaySerializer(many=True, help_text="The ways that were not taken.")


class StepTraceSerializer(serializers.Serializer[Any]):
    step = serializers.UUIDField(source="step.public_id")
    name = serializers.CharField(source="step.name")
    journey = serializers.UUIDField(source="step.journey.public_id")
    standing = serializers.ChoiceField(Standing.choices, help_text="How it stands with its message now.")
    standing_words = serializers.CharField(source="standing.label")
    because = serializers.CharField(allow_blank=True, help_text="What holds it up now, in words.")
    at = serializers.DateTimeField(allow_null=True, help_text="When it goes on, or when it ended.")
    lines = LineSerializer(many=True)


class PatientTraceSerializer(serializers.Serializer[Any]):
    patient = serializers.UUIDField()
    steps = StepTraceSerializer(many=True)


class MessageTraceViewSet(ClinicViewSet[Patient]):
    """Why did this patient get a message, or none? By the patient's id: each step with every decision about it."""

    serializer_class = PatientTraceSerializer

    def get_queryset(self) -> QuerySet[Patient]:
        return patients_visible_to(self.asker)

    @extend_schema(responses=PatientTraceSerializer)
    def retrieve(self, _request: Request, id: UUID) -> Response:  # noqa: A002 - the name in the address
        """The open steps and the last that have ended, the answer for each, and its trace."""
        patient = self.get_object()
        steps = trace_of(patient, now=timezone.now())
        return Response(PatientTraceSerializer({"patient": id, "steps": steps}).data)
