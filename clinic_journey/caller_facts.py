"""What the caller card knows about one patient, read in a number of queries that does not grow."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from django.db.models import Max, OuterRef, Subquery
from django.utils import translation

from appointments.models import Appointment
from clinic_journey.caller_line import Clock, Story, apology, line
from journeys.chases import fault_among
from journeys.models import (
    OPEN_JOURNEYS,
    TOLD_AGAIN,
    EventKind,
    Journey,
    Step,
    StepEvent,
    StepKind,
    StepStatus,
)
from outreach.models import NUMBER_TEST, WAITED_FOR
from outreach.queries import LIVE_VISITS, visits_of
from patients.models import Clinic, Patient
from referrals.models import Referral, ReferralStatus

MOST = 20  # open journeys of one patient
SORRY_FOR = timedelta(hours=1)  # how long the words for a logged chase stay on the card
NEWS = {StepKind.TELL, StepKind.CONFIRM, StepKind.CALL}
NO_WORD_OF_OURS = {
    StepKind.AWAIT_RESULT,
    StepKind.AWAIT_PATIENT,
    StepKind.REVIEW,
    StepKind.PROMISE,
    StepKind.VISIT,
    StepKind.RECALL,
    StepKind.THANK,
}


@dataclass
class ToldStep:
    """A step with the instant at which the patient last heard from us about it."""

    step: Step
    told_at: datetime | None


@dataclass
class Told:
    """A journey, as it is told: its story, and the line in the reader's language."""

    journey: Journey | None
    story: Story
    line: str = ""


@dataclass
class Card:
    """The caller card of one patient; `sorry` holds the words in the reader's language and in hers."""

    patient: Patient
    stories: list[Told]
    fault: Step | None
    chased: StepEvent | None = None
    sorry: list[tuple[str, str]] = field(default_factory=list)  # (language, words)

    @property
    def first(self) -> Told:
        return self.stories[0]


def card_of(patient: Patient, clinic: Clinic, *, now: datetime) -> Card:
    """The most pressing journey first; a patient with nothing open has one line all the same."""
    clock = Clock(now, clinic.time_zone)
    journeys = list(
        patient.journeys.filter(status__in=OPEN_JOURNEYS)
        .exclude(template=None, steps__outreach_tasks__message_key=NUMBER_TEST)
        .select_related("template")
        .order_by("-opened_at")[:MOST]
    )
    steps = _steps_of(journeys)
    visits = visits_of([journey.pk for journey in journeys])
    referrals = _referrals_of(journeys)
    told = [
        Told(
            journey,
            story_of(
                [each for each in steps if each.step.journey_id == journey.pk],
                [each for each in referrals if each.journey_id == journey.pk],
                visits.get(journey.pk),
            ),
        )
        for journey in journeys
    ]
    if not visits:
        told.append(Told(None, _visit_without_journey(patient, now=now)))
    told = _worth_saying(told, now=now)
    for each in told:
        each.line = line(each.story, clock)
    active = [each for each in steps if each.step.status == StepStatus.ACTIVE]
    known = frozenset(each.step.pk for each in active if each.told_at)
    fault = fault_among([each.step for each in active], told=known, now=now)
    return _with_sorry(Card(patient, told, fault), clock)


def _worth_saying(told: list[Told], *, now: datetime) -> list[Told]:
    """In the order of what presses; an empty story is only said when there is no other."""
    ordered = sorted(told, key=lambda each: each.story.pressing(now))
    return [each for each in ordered if each.story != Story()] or ordered[:1]


def _steps_of(journeys: Sequence[Journey]) -> list[ToldStep]:
    contacted = StepEvent.objects.filter(step=OuterRef("pk"), kind=EventKind.CONTACTED).order_by("-at")
    rows = (
        Step.objects.filter(journey__in=journeys, status__in=[StepStatus.ACTIVE, StepStatus.COMPLETED])
        .exclude(outreach_tasks__message_key__in=WAITED_FOR)  # it tells her none of our news
        .exclude(TOLD_AGAIN)  # what one parent knows is not told to nobody
        .annotate(told_at=Subquery(contacted.values("at")[:1]))
        .select_related("template_step", "owner", "journey")
    )
    return [ToldStep(row, row.told_at) for row in rows]


def _referrals_of(journeys: Sequence[Journey]) -> list[Referral]:
    known = [ReferralStatus.ACTIVE, ReferralStatus.ON_HOLD, ReferralStatus.COMPLETED]
    return list(
        Referral.objects.filter(journey__in=journeys, status__in=known)
        .annotate(last_received_at=Max("results__received_at"))
        .select_related("requester")
        .order_by("made_at")
    )


def story_of(steps: Sequence[ToldStep], referrals: Sequence[Referral], visit: Appointment | None) -> Story:
    """The facts of one journey out of its rows."""
    active = [each for each in steps if each.step.status == StepStatus.ACTIVE and each.step.due_at]
    done = [each.step for each in steps if each.step.completed_at]
    arrived = [at for at in (getattr(each, "last_received_at", None) for each in referrals) if at]
    reviews = [each.step for each in active if each.step.kind == StepKind.REVIEW]
    decided = _last(step.completed_at for step in done if step.kind == StepKind.REVIEW)
    untold = [each for each in active if each.step.kind in NEWS and not each.told_at]
    waiting = [each.step for each in active if each.step.kind not in NO_WORD_OF_OURS and not each.told_at]
    story = Story(
        expected_at=_expected(active, referrals),
        arrived_at=_last(arrived),
        decides_by=_first(step.due_at for step in reviews),
        decided_at=None if reviews else decided,
        untold_since=_first(each.step.opened_at for each in untold),
        promised_by=_first(each.step.due_at for each in active if each.step.kind == StepKind.PROMISE),
        next_by=_first(step.due_at for step in waiting),
        visit_at=visit.start if visit else None,
        is_held=bool(visit and visit.status == "pending"),
        check_up_at=_first(each.step.due_at for each in active if each.step.kind == StepKind.RECALL),
    )
    return replace(story, doctor=_doctor(reviews, referrals), told_at=_told_at(steps, story))


def _expected(active: Sequence[ToldStep], referrals: Sequence[Referral]) -> datetime | None:
    """When the institute is to have sent it: as the referral says, else the step that waits."""
    waiting = {each.step.pk: each.step.due_at for each in active if each.step.kind == StepKind.AWAIT_RESULT}
    promised = {each.step_id: each.expected_at for each in referrals if each.step_id in waiting}
    return _first(promised.get(key, due_at) for key, due_at in waiting.items())


def _told_at(steps: Sequence[ToldStep], story: Story) -> datetime | None:
    """When she last heard from us of what is known by now."""
    since = story.decided_at or story.arrived_at
    if since is None:
        return None
    told = [each.told_at or each.step.completed_at for each in steps if each.step.kind in NEWS]
    return _last(at for at in told if at and at >= since)


def _doctor(reviews: Sequence[Step], referrals: Sequence[Referral]) -> str:
    names = [step.owner.get_full_name() for step in reviews if step.owner]
    return next((name for name in names if name), referrals[-1].requester.name if referrals else "")


def _visit_without_journey(patient: Patient, *, now: datetime) -> Story:
    visit = patient.appointments.filter(status__in=LIVE_VISITS, end__gt=now).order_by("start").first()
    return Story(visit_at=visit.start, is_held=visit.status == "pending") if visit else Story()


def _with_sorry(card: Card, clock: Clock) -> Card:
    """The words for a patient who had to ask a moment ago, beside each other in both languages."""
    recent = StepEvent.objects.filter(
        step__journey__patient=card.patient, kind=EventKind.CHASED, at__gt=clock.now - SORRY_FOR
    )
    card.chased = recent.select_related("step__template_step", "step__journey").order_by("-at").first()
    if card.chased is None:
        return card
    at_fault = card.chased.step.journey_id
    story = next(
        (each.story for each in card.stories if each.journey and each.journey.pk == at_fault),
        card.first.story,
    )
    reader = translation.get_language() or "en"
    for language in dict.fromkeys([reader, card.patient.language]):
        with translation.override(language):
            card.sorry.append((language, apology(story, clock)))
    return card


def _first(found: Iterable[datetime | None]) -> datetime | None:
    return min((at for at in found if at), default=None)


def _last(found: Iterable[datetime | None]) -> datetime | None:
    return max((at for at in found if at), default=None)
