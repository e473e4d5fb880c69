"""Messages of patients as conversations: who waits for an answer of ours, since when, and over which ways we write.

A conversation waits while a step asks for an answer to what the patient wrote; that step has the owner and the
clock. So nothing here can be late that is not late in Today as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from journeys.models import Step, StepKind, StepStatus
from outreach.at_once import channels_at
from outreach.channels import by_machine
from outreach.door import ANSWERABLE
from outreach.models import Reply
from outreach.reach import ORDER
from patients.models import Channel, Clinic, ContactPoint, Patient, PatientContact

ANSWERED, NOTHING_TO_ANSWER = "answered", "nothing_to_answer"  # outcomes of the step that asks for an answer
OLDEST_CLOCK, LAST_ANSWERED = ("due_at", "pk"), ("-completed_at", "-pk")
WROTE = Reply.objects.filter(matter=OuterRef("pk"))


def matters_in(clinic: Clinic) -> QuerySet[Step]:
    """Every step that asks somebody to answer what was written; the oldest clock first."""
    waiting = Step.objects.filter(clinic=clinic, kind=StepKind.CALL, status=StepStatus.ACTIVE)
    return waiting.filter(Exists(WROTE)).order_by(*OLDEST_CLOCK)


def matters_of(patient: Patient) -> QuerySet[Step]:
    """What this patient waits for; the oldest clock first."""
    clinic = Clinic(pk=patient.clinic_id)
    return matters_in(clinic).filter(journey__patient=patient).select_related("journey", "template_step")


def waiting_in(clinic: Clinic) -> QuerySet[Step]:
    """One step a conversation, the first that is due; a number that nobody knows is one, too."""
    earlier = Q(due_at__lt=OuterRef("due_at")) | Q(due_at=OuterRef("due_at"), pk__lt=OuterRef("pk"))
    same = matters_in(clinic).filter(earlier, journey__patient=OuterRef("journey__patient")).order_by()
    return matters_in(clinic).filter(~Exists(same))


def asked_in(clinic: Clinic) -> QuerySet[Step]:
    """The same for a count on every page, hence the plainest: every matter, whoever wrote, and in no order."""
    waiting = Step.objects.filter(clinic=clinic, kind=StepKind.CALL, status=StepStatus.ACTIVE)
    return waiting.filter(asked_in__isnull=False).distinct()


def from_patients(steps: QuerySet[Step]) -> QuerySet[Step]:
    return steps.filter(journey__patient__isnull=False).select_related("journey__patient", "owner")


def from_unknown_numbers(clinic: Clinic) -> QuerySet[Step]:
    return matters_in(clinic).filter(journey__patient__isnull=True)


def answered_in(clinic: Clinic) -> QuerySet[Step]:
    """The last that was answered of each conversation in which nobody waits; what was answered last first."""
    ended = Step.objects.filter(
        Exists(WROTE), clinic=clinic, kind=StepKind.CALL, status=StepStatus.COMPLETED
    ).filter(journey__patient__isnull=False)
    since = Q(completed_at__gt=OuterRef("completed_at"))
    since |= Q(completed_at=OuterRef("completed_at"), pk__gt=OuterRef("pk"))
    patient = OuterRef("journey__patient")
    newer = ended.filter(since, journey__patient=patient)
    open_still = matters_in(clinic).filter(journey__patient=patient).order_by()
    return ended.filter(~Exists(newer), ~Exists(open_still)).order_by(*LAST_ANSWERED)


def last_words(steps: Iterable[Step]) -> dict[int, Reply]:
    """The newest words of each of these steps, in one query."""
    replies = Reply.objects.filter(matter__in=[step.pk for step in steps]).select_related("contact_point")
    return {reply.matter_id: reply for reply in replies.order_by("at", "pk") if reply.matter_id}


@dataclass(frozen=True)
class Way:
    """How an answer can go: one address on one channel."""

    tie: PatientContact
    channel: str

    @property
    def point(self) -> ContactPoint:
        return self.tie.contact_point

    @property
    def key(self) -> str:
        return f"{self.channel}-{self.tie.pk}"

    @property
    def label(self) -> str:
        return str(Channel(self.channel).label)


def ways_of(patient: Patient, replies: Iterable[Reply], *, now: datetime) -> list[Way]:
    """Where she wrote from comes first. Her other addresses follow, for when that way is shut.

    Where only approved words may begin, our own go as long as she has written from there within a day.
    """
    heard: dict[tuple[int | None, str], datetime] = {}
    for reply in replies:
        key = (reply.contact_point_id, reply.channel)
        heard[key] = max(heard.get(key, reply.at), reply.at)
    ties = patient.contacts.select_related("contact_point")
    ways = [Way(tie, channel) for tie in ties for channel in channels_at(tie)]
    asked = by_machine()

    def is_open(way: Way) -> bool:
        transport = asked.get(way.channel)
        last = heard.get((way.point.pk, way.channel))
        if transport is None:
            return False
        if transport.abilities.only_approved_words:
            return last is not None and last > now - ANSWERABLE
        return transport.abilities.can_write_first or last is not None

    def wrote_last(way: Way) -> tuple[float, int, int]:
        last = heard.get((way.point.pk, way.channel))
        return (-last.timestamp() if last else 0.0, way.tie.rank, ORDER.index(Channel(way.channel)))

    return sorted(filter(is_open, ways), key=wrote_last)
