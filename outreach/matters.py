"""What a patient asks or tells on her own page, without being asked: it is at the desk, with an owner and a clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from appointments.models import Appointment, AppointmentStatus
from journeys import deadlines
from journeys.actions import AdHoc, add_step, lock_journey, record_events
from journeys.clinic_time import soon
from journeys.models import (
    OPEN_JOURNEYS,
    EventKind,
    Journey,
    Step,
    StepKind,
    StepStatus,
    Words,
    in_each_language,
    isolated,
)
from outreach.answers import READ_WITHIN, journey_of_a_question, to_answer, whose
from outreach.confidence import told_with
from outreach.models import Reply
from patients.models import Patient

PAGE = "page"  # the channel of what is said there
ASK, WORRIED = "ask", "worried"
WELL, SO_SO, BADLY = "going_well", "going_so_so", "going_badly"
FEELINGS = (WELL, SO_SO, BADLY)
WAITING = (StepStatus.ACTIVE, StepStatus.ON_HOLD)
WORRY_WITHIN = deadlines.Limit(1, deadlines.Unit.WORKING_HOURS)
ONE_DAY, MONTH = timedelta(days=1), timedelta(days=30)
SHOWN_ANSWERED = timedelta(days=7)
SHOWN = 3


@transaction.atomic
def open_matter(journey: Journey, meaning: str, words: str, *, now: datetime) -> Step:
    """Her words are with a person, by a time that she is told. The same words again open nothing new.

    The step is about no other: it ends when somebody has answered, not when something else is done.
    """
    locked, patient = lock_journey(journey.pk), whose(journey)
    title = _title(meaning, patient.full_name if patient else "", words)
    open_already = _same(patient, in_each_language(title))
    if open_already:
        return open_already
    where = locked if locked.status in OPEN_JOURNEYS else journey_of_a_question(journey, now=now)
    due_at = soon(locked.clinic, WORRY_WITHIN if meaning == WORRIED else READ_WITHIN, now=now)
    step = add_step(where, AdHoc(StepKind.CALL, title, due_at), now=now)
    _write_down(step, patient, meaning, words, now=now, is_matter=True)
    return step


@transaction.atomic
def record_feeling(journey: Journey, feeling: str, words: str = "", *, now: datetime) -> None:
    """How it was, or is going, by one tap; noted once a day each, her words always. Where it goes badly, a person
    asks her each time.
    """
    locked, patient = lock_journey(journey.pk), whose(journey)
    today = Reply.objects.filter(patient=patient, channel=PAGE, meaning=feeling, at__gt=now - ONE_DAY)
    visit = stage_to_ask(patient, shown=journey, now=now) if patient else None
    about = visit.step if visit else locked.steps.order_by("-opened_at", "-pk").first()
    if about and (words or not today.exists()):
        record_events([about], EventKind.NOTED, now=now, detail=feeling)
        if feeling != BADLY:
            _write_down(about, patient, feeling, words, now=now)
    if feeling == BADLY:
        open_matter(journey, BADLY, words, now=now)


def stage_to_ask(patient: Patient, *, shown: Journey, now: datetime) -> Appointment | None:
    """The visit that we ask about: a stage that ended lately, and no answer within a month. Never by a bill.

    `shown`: the journey whose page asks, which is silent about what is kept from the parents elsewhere.
    """
    told = Reply.objects.filter(patient=patient, channel=PAGE, meaning__in=FEELINGS, at__gt=now - MONTH)
    if told.exists():
        return None
    over = Appointment.objects.filter(
        told_with(shown, "step__journey__"),
        patient=patient,
        status=AppointmentStatus.FULFILLED,
        end__gt=now - MONTH,
        step__isnull=False,
    )
    return over.select_related("step").order_by("-end").first()


def _title(meaning: str, name: str, words: str) -> Words:
    named = {"name": isolated(name), "words": isolated(words)}

    def title() -> str:
        if meaning == BADLY and words:
            return _("%(name)s is not happy: %(words)s") % named
        if meaning == BADLY:
            return _("Ask %(name)s what is not going well") % named
        if meaning == WORRIED:
            said = _("%(name)s is worried: %(words)s") if words else _("%(name)s is worried. Call and listen")
            return said % named
        return to_answer(words)

    return title


def _same(patient: Patient | None, names: dict[str, str]) -> Step | None:
    calls = Step.objects.filter(journey__patient=patient, kind=StepKind.CALL, status=StepStatus.ACTIVE)
    return next((step for step in calls if step.names == names), None)


def _write_down(
    step: Step, patient: Patient | None, meaning: str, words: str, *, now: datetime, is_matter: bool = False
) -> None:
    """`is_matter`: the step is that of whoever answers it, so that it waits in the inbox, too."""
    Reply.objects.create(
        clinic_id=step.clinic_id,
        patient=patient,
        channel=PAGE,
        at=now,
        body=words,
        meaning=meaning,
        step=step,
        matter=step if is_matter else None,
    )


@dataclass(frozen=True)
class Matter:
    """What she asked or told, who has it, and by when she hears."""

    meaning: str
    words: str
    at: datetime
    step: Step

    @property
    def is_answered(self) -> bool:
        return self.step.status == StepStatus.COMPLETED

    def is_late(self, now: datetime) -> bool:
        return not self.is_answered and self.step.due_at is not None and self.step.due_at <= now


def matters_of(patient: Patient, *, now: datetime) -> list[Matter]:
    """All that wait for our word, then a few of those answered lately; the newest first.

    What she pressed that somebody has to call her about, such as "none of these times", waits like her words.
    """
    lately = Q(matter__status=StepStatus.COMPLETED, matter__completed_at__gt=now - SHOWN_ANSWERED)
    here = Reply.objects.filter(patient=patient, channel=PAGE, matter__kind=StepKind.CALL)
    said = here.filter(lately | Q(matter__status__in=WAITING)).order_by("-at", "-pk")
    found: dict[int, Matter] = {}
    for reply in said.select_related("matter__owner", "matter__about__owner", "matter__journey"):
        if reply.matter:  # pressed twice it is one, and we owe an answer since the first
            found[reply.matter.pk] = Matter(reply.meaning, reply.body, reply.at, reply.matter)
    waiting = [matter for matter in found.values() if not matter.is_answered]
    return waiting + [matter for matter in found.values() if matter.is_answered][:SHOWN]
