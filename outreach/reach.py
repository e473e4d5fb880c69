"""By which ways the patients of some tasks may be reached, and what was tried: rows as planning wants them."""

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Self

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet, prefetch_related_objects

from journeys.models import Step, StepKind
from outreach.attested import Attested
from outreach.because import Because, Passed
from outreach.channels import BY_VOICE, FOR_A_MOMENT, in_use
from outreach.contact_models import PersonalContact
from outreach.gate import Gates
from outreach.learned import learn
from outreach.message_keys import READ_OUT
from outreach.models import WAITED_FOR, Attempt, AttemptStatus, OutreachTask
from outreach.offers import ABOUT_AN_OFFER
from outreach.planning import NOT_THIS_WAY, OTHER, SOON, Option, Past, Rules
from outreach.queries import CARRIED_OUT, LAST_TRIES, UNFINISHED, hours_for, tries_among, with_replies
from outreach.senders import down
from outreach.told import not_told, ties_to_use
from outreach.voice_rules import VoiceRules
from patients.country import profile_of
from patients.models import (
    AddressKind,
    AddressStatus,
    Channel,
    MaySay,
    Patient,
    PatientContact,
    Relation,
)
from patients.queries import (
    ClinicClock,
    caps_of,
    contact_windows_at,
    contact_windows_of,
    weekend_of,
    withdrawn,
)
from patients.told import ties_at, ties_of

REMEMBERED = timedelta(days=400)  # how far back a way of reaching somebody counts as tried
# A text first, then a voice (surfaces.md 2.3); only where the patient has asked for nothing.
# A machine's voice comes last.
ORDER = (Channel.SMS, Channel.PHONE, Channel.WHATSAPP, Channel.TELEGRAM, Channel.EMAIL, Channel.VOICE)
SERVES = {
    AddressKind.PHONE: (Channel.SMS, Channel.PHONE, Channel.VOICE),
    AddressKind.EMAIL: (Channel.EMAIL,),
    AddressKind.WHATSAPP: (Channel.WHATSAPP,),
    AddressKind.TELEGRAM: (Channel.TELEGRAM,),
}

SPOKEN_OF_ONLY = {StepKind.PROMISE, StepKind.AWAIT_RESULT, StepKind.REVIEW, StepKind.REFER}
NEWS = {StepKind.TELL, StepKind.CONFIRM, StepKind.PROMISE}


class Reach:
    """Read once for a batch, in a number of queries that does not grow with it."""

    @classmethod
    def among(cls, tasks: Iterable[int] | QuerySet[OutreachTask], *, now: datetime) -> Self:
        chosen = tasks if isinstance(tasks, QuerySet) else OutreachTask.objects.filter(pk__in=tasks)
        chosen = chosen.select_related(
            "patient__clinic", "patient__card", "step__journey__clinic", "step__template_step", "step__about"
        ).prefetch_related(contact_windows_at("patient__card__windows"), ties_at("patient__contacts"))
        return cls(list(chosen), now=now)

    @classmethod
    def of(cls, task: OutreachTask, clock: ClinicClock, *, now: datetime) -> Self:
        """Of one task that is loaded already, or that a contact would have: it need not be saved."""
        card = getattr(task.patient, "card", None)
        prefetch_related_objects([task.patient], ties_at("contacts"))
        prefetch_related_objects([card] if card else [], "windows")
        return cls([task], now=now, clock=clock)

    def __init__(self, tasks: list[OutreachTask], *, now: datetime, clock: ClinicClock | None = None) -> None:
        self.now, self.tasks = now, tasks
        patients = {task.patient_id for task in self.tasks}
        clinics = {task.clinic_id: task.patient.clinic for task in self.tasks}
        self._clock = clock or ClinicClock(clinics.values(), now=now)
        self._withdrawn = set(
            withdrawn(patient__in=patients).values_list(
                "patient_id", "contact_point_id", "channel", "purpose"
            )
        )
        self._gates, self._down = Gates(clinics.values()), down()
        self._voice, self._attested = VoiceRules(patients), Attested(self.tasks)
        made = _attempts_with(patients, now=now)
        self.unfinished = {each.task_id: each for each in made if each.status in UNFINISHED}
        self.under_way = set(self.unfinished)
        self._tried = _by_patient(each for each in made if each.status not in UNFINISHED)
        self._coming = _by_patient(each for each in self.unfinished.values() if not each.is_asked_for)  # type: ignore[attr-defined]
        by_law = {pk for pk, clinic in clinics.items() if profile_of(clinic.country).caps_are_law}
        self._rung = rung_by_hand(
            {task.patient_id for task in self.tasks if task.clinic_id in by_law}, now=now
        )
        self._made: dict[int, list[Attempt]] = {}
        for attempt in made:
            if attempt.called_at and attempt.status not in UNFINISHED:
                self._made.setdefault(attempt.patient_id, []).append(attempt)

    def options(self, task: OutreachTask, channels: Iterable[str] = ()) -> Iterable[Option]:
        """Each usable address on each channel that is on, or on these alone; what the patient asked for first.

        A channel whose sender is down is left out, unless it is the only way there is.
        """
        patient = task.patient
        card = getattr(patient, "card", None)
        asked = (card.channel or None) if card and card.told_at else None
        wanted: list[str] = _in_order(asked) if can_be_written(task.step) else [Channel.PHONE]
        if channels:
            wanted = [channel for channel in _in_order(asked) if channel in channels]
        found = list(self._each_way(task, wanted, asked))
        return [option for option in found if option.channel not in self._down] or found

    def _each_way(self, task: OutreachTask, wanted: list[str], asked: str | None) -> Iterator[Option]:
        patient = task.patient
        ties = ties_to_use(task, now=self.now)
        for preference, channel in enumerate(wanted):
            if channel not in in_use():
                continue
            hours = hours_for(patient, channel, self._clock)
            for tie in ties:
                if channel in channels_of(tie.contact_point.kind) and not self._bar(task, tie, channel):
                    rank = preference * 10 + tie.rank
                    yield Option(channel, tie.contact_point_id, hours, rank, channel == asked)

    def _bar(self, task: OutreachTask, tie: PatientContact, channel: str) -> Because | None:
        """The rule that keeps this task from this address on this channel, if one does.

        A bad address is not tried; an opt-out holds for this patient, on this address and channel only. So does
        what may be done there: never called at work, nothing written where only a call back may be asked.
        """
        calls = channel == Channel.PHONE
        key = (task.patient_id, tie.contact_point_id, channel, str(task.purpose))
        bars: tuple[tuple[Because, Callable[[], bool]], ...] = (
            (Because.BAD_ADDRESS, lambda: tie.contact_point.status == AddressStatus.BAD),
            (Because.NOT_HERS, lambda: tie.suspended_at is not None),
            (Because.CONSENT, lambda: key in self._withdrawn),
            (Because.NOT_CALLED, lambda: channel in BY_VOICE and not tie.may_be_called),
            (Because.SOMEBODY_ELSE, lambda: not calls and tie.relation == Relation.OTHER),
            (Because.CALL_BACK_ONLY, lambda: not calls and tie.may_say != MaySay.EVERYTHING),
            (Because.NOT_READ_OUT, lambda: channel == Channel.VOICE and task.message_key not in READ_OUT),
        )
        bar = next((rule for rule, holds in bars if holds()), None)
        bar = bar or (None if calls else self._gates.bar(tie.contact_point, channel))
        bar = bar or self._attested.bar(task, tie.contact_point_id, channel)
        return bar or (self._voice.bar(task, tie.contact_point_id) if channel == Channel.VOICE else None)

    def passed_over(self, task: OutreachTask) -> list[Passed]:
        """Each way to this patient that may not be used now, with the rule that keeps us from it."""
        patient, usable = task.patient, ties_to_use(task, now=self.now)
        past = [past for task_id, past in self._tried.get(patient.pk, []) if task_id == task.pk]
        unfit = {(each.channel, each.contact_point) for each in past if each.outcome in NOT_THIS_WAY}
        found = []
        for tie in ties_of(patient):
            for channel in channels_of(tie.contact_point.kind):
                if channel == Channel.VOICE and channel not in in_use():
                    continue  # most clinics never set it up, and nobody misses it
                way = (str(channel), tie.contact_point_id)
                rule: Because | None
                if channel not in in_use():
                    rule = Because.CHANNEL_OFF
                elif channel != Channel.PHONE and not can_be_written(task.step):
                    rule = Because.CALLS_ONLY
                else:
                    rule = not_told(task, tie, usable)
                rule = rule or (Because.REFUSED_HERE if way in unfit else self._bar(task, tie, channel))
                if rule is None and channel in self._down:
                    rule = Because.SENDER_DOWN
                found += [Passed(*way, rule)] if rule else []
        return found

    def past(self, task: OutreachTask) -> list[Past]:
        """This task's own attempts as they were; the patient's other contacts only as far as the caps count them.

        News does not wait for the caps: that something arrived, was decided or is late is told the same day. Only
        where they are the law, it keeps to them.
        """
        tried = self._tried.get(task.patient_id, [])
        own = [past for task_id, past in tried if task_id == task.pk]
        if _is_news(task.step) and not profile_of(task.patient.clinic.country).caps_are_law:
            return own
        known = [*tried, *self._coming.get(task.patient_id, [])]
        others = (past for task_id, past in known if task_id != task.pk)
        counted = (Past(past.channel, past.contact_point, past.at, OTHER) for past in others)
        return [*own, *counted, *self._rung.get(task.patient_id, [])]

    def remember(self, attempt: Attempt) -> None:
        """Planned a moment ago: the patient's next task in this batch has to leave room for it."""
        self._coming.setdefault(attempt.patient_id, []).append((attempt.task_id, _past_of(attempt)))

    def rules(self, task: OutreachTask) -> Rules:
        patient = task.patient
        a_day, a_week = caps_of(patient.clinic, is_news=_is_news(task.step))
        learned = None if task.message_key in ABOUT_AN_OFFER else self._learned(patient)
        weekend = weekend_of(patient.clinic)
        return Rules(patient.zone, weekend, task.max_attempts, a_day, a_week, learned=learned)

    def _learned(self, patient: Patient) -> tuple[int, int] | None:
        """When she mostly answers; only where she has not told us her hours, be it that any hour suits."""
        card = getattr(patient, "card", None)
        if card and (card.hours_told or contact_windows_of(card)):
            return None
        tries = tries_among(self._made.get(patient.pk, [])[-LAST_TRIES:])
        return learn(tries, zone=patient.zone).band


def _is_news(step: Step) -> bool:
    """What is told once more is as pressing as it was when it was told first."""
    told = step.about if step.is_told_again and step.about else step
    return told.kind in NEWS


def counted_by_law(patient: Patient, *, now: datetime) -> list[Past]:
    """All contacts with her that fill a day of the law's."""
    made = _attempts_with([patient.pk], now=now)
    filling = (each for each in made if each.status not in UNFINISHED or not each.is_asked_for)  # type: ignore[attr-defined]
    return [*map(_past_of, filling), *rung_by_hand({patient.pk}, now=now).get(patient.pk, [])]


def rung_by_hand(patients: Collection[int], *, now: datetime) -> dict[int, list[Past]]:
    """Calls that no attempt stands for, as the caps of the law count them."""
    found: dict[int, list[Past]] = {}
    if patients:
        rung = PersonalContact.objects.filter(patient__in=patients, called_at__gte=now - 2 * SOON)
        for patient_id, at in rung.values_list("patient", "called_at"):
            found.setdefault(patient_id, []).append(Past(Channel.PHONE, 0, at or now, OTHER))
    return found


def can_be_written(step: Step) -> bool:
    """Whether there are words for a message. A person's own call and what concerns an institute have none."""
    if step.kind in SPOKEN_OF_ONLY:
        return bool(step.message_key or step.about_id)
    return step.kind != StepKind.CALL


def _in_order(asked: str | None) -> list[str]:
    return [*([asked] if asked else []), *(channel for channel in ORDER if channel != asked)]


def channels_of(kind: str) -> list[Channel]:
    """The channels that an address of this kind serves."""
    return list(SERVES[AddressKind(kind)])


def message_channel_for(patient: Patient) -> Channel | None:
    """The first channel for messages that is on and for which the patient has a working address."""
    ties = patient.contacts.filter(may_say=MaySay.EVERYTHING, suspended_at__isnull=True)
    ties = ties.select_related("contact_point")
    points = [tie.contact_point for tie in ties]
    kinds = {point.kind for point in points if point.status != AddressStatus.BAD}
    possible = (channel for kind in kinds for channel in channels_of(kind) if channel not in BY_VOICE)
    return min((channel for channel in possible if channel in in_use()), key=ORDER.index, default=None)


def _attempts_with(patients: Iterable[int], *, now: datetime) -> list[Attempt]:
    """What was tried with these patients, and what they will get or get at this moment: it fills their days too.

    What never left, because our own channel was down for a moment, has reached and disturbed nobody. What she
    waits for fills no day either; it is among the unfinished, so that its own task is not planned twice.
    """
    carried_out = Q(status__in=CARRIED_OUT, send_at__gte=now - REMEMBERED)
    kept_back = Q(status=AttemptStatus.FAILED, outcome__in=FOR_A_MOMENT)
    asked_for = Q(task__message_key__in=WAITED_FOR)  # by her; it disturbed nobody
    rows = Attempt.objects.filter(
        Q(status__in=UNFINISHED) | carried_out & ~kept_back & ~asked_for, patient__in=patients
    )
    rows = rows.annotate(is_asked_for=ExpressionWrapper(asked_for, BooleanField()))
    return list(with_replies(rows).order_by("send_at"))


def _by_patient(attempts: Iterable[Attempt]) -> dict[int, list[tuple[int, Past]]]:
    """Each contact with its task."""
    found: dict[int, list[tuple[int, Past]]] = {}
    for attempt in attempts:
        found.setdefault(attempt.patient_id, []).append((attempt.task_id, _past_of(attempt)))
    return found


def _past_of(attempt: Attempt) -> Past:
    if attempt.status in UNFINISHED:
        return Past(attempt.channel, attempt.contact_point_id, attempt.send_at, OTHER)
    at = attempt.sent_at or attempt.called_at or attempt.send_at
    outcome = attempt.outcome or AttemptStatus.SENT.value
    return Past(attempt.channel, attempt.contact_point_id, at, outcome)
