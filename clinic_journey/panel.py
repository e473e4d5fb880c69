"""What stands beside the queue for the chosen row: facts, what to say, the times, and what each outcome sets going."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import prefetch_related_objects
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext as _

from appointments.forms import ComesForm
from appointments.models import Appointment, Practitioner
from appointments.suggestions import doctor_for, times_for
from clinic_journey import desk
from clinic_journey.booking import can_book, can_keep
from clinic_journey.chosen import Chosen
from clinic_journey.outcomes import MESSAGE, OUTCOME_WORDS, OUTCOMES, Outcome
from clinic_journey.results_list import places_of
from clinic_journey.week_words import Suits, suiting
from clinic_journey.why import said
from journeys.models import Step, StepKind, StepStatus
from outreach.by_hand import NotNowReason, can_write_about, plan_of_message
from outreach.calls import task_to_be
from outreach.enough import Enough, enough_on
from outreach.followup import checks_an_address
from outreach.held import is_in_doubt
from outreach.models import Attempt, AttemptStatus, OutreachTask, Reply
from outreach.preview import Next, Window, if_no_answer, window_of
from outreach.queries import Script, outcome_words, script_for, visit_of, why_words
from outreach.reach import Reach
from outreach.to_mend import is_to_read
from outreach.told import phones_to_use
from patients.access import Here
from patients.models import Channel, Patient, PatientContact, PatientStatus
from patients.queries import first_phone

LEAD = timedelta(hours=1)  # nobody is offered a time sooner than that
TO_CHOOSE_FROM = 2  # times in a script: of more nobody remembers the first
ON_A_PAGE_OF_THEIRS = {StepKind.IDENTIFY, StepKind.COMPLAINT}
# These follow from something else that has its own screen, or change a visit.
NOT_BY_HAND = {
    "received",
    "referred",
    "revoked",
    "booked",
    "attended",
    "no_show",
    "cancelled",
    "identified",
    "rejected",
}


@dataclass(frozen=True)
class Reaching:
    """How the patient can be reached at this moment, and what follows if nobody answers."""

    number: str
    window: Window
    windows: list[Suits]
    tried: list[tuple[Attempt, str, str]]  # with how it ended, and why it was made so
    script: Script
    planned: str  # the next contact, where one is planned
    if_no_answer: str  # what follows that, or the call she can make now
    is_calling: bool  # the call is mine and has begun
    may_call: bool  # it has begun or may begin now, inside the agreed hours, and is not one too many
    may_write: bool  # there is a message about this step
    enough: Enough | None  # the limit that one more call would pass
    enough_to_write: Enough | None  # and a message, on the day on which it would leave
    is_in_doubt: bool  # it follows from a decision at which the doctor looks once more


@dataclass(frozen=True)
class Panel:
    reach: Reaching | None  # empty where the patient is not who is to be reached
    is_to_answer: bool  # what is asked for is an answer to words of the patient, or of nobody known
    visit: Appointment | None
    keeps: bool
    times: list[datetime]
    doctor: Practitioner | None
    comes: ComesForm | None  # when she can come, where a time may be chosen
    checks_an_address: bool  # on the patient's record
    is_to_read: bool  # by whoever looks after the server: no page of ours shows it
    endings: list[tuple[str, str]]
    place: str  # in Results: where it is decided, or the institute asked
    served_by: str  # the first name of somebody else who is with this patient
    seen: int
    request_key: str
    typed: str  # the outcome of a save that was refused
    chips: list[tuple[str, datetime]]
    reasons: list[tuple[str, str]]

    @property
    def is_ending_typed(self) -> bool:
        return self.typed in {code for code, _words in self.endings}

    @property
    def outcomes(self) -> list[Outcome]:
        """Those that can be true now: a call that may not be made has no outcome. What was typed keeps its field."""
        reach = self.reach
        if reach is None:
            return []
        possible = [
            each for each in OUTCOMES if reach.may_call or not each.needs_call or each.code == self.typed
        ]
        return [each for each in possible if reach.may_write or each.code != MESSAGE]


def panel_of(row: Chosen, here: Here, *, typed: str = "") -> Panel:
    patient, step = row.patient, row.step
    visit = visit_of(step.journey_id)
    doctor = visit.practitioner if visit else doctor_for(step.journey)
    keeps = can_keep(step, visit, now=here.now)
    card = getattr(patient, "card", None)
    # For the times, the window and the page.
    prefetch_related_objects([card] if card else [], "windows", "coming_windows")
    times: list[datetime] = []
    comes = None
    if patient and doctor and can_book(step, visit, now=here.now):
        doctor.clinic, comes = here.clinic, ComesForm(card=card)
        found = times_for(patient, doctor, after=here.now + LEAD, now=here.now)
        times = [start for start in found if not (keeps and visit and start == visit.start)]
    is_living = patient is not None and patient.status == PatientStatus.ACTIVE
    can_be_reached = is_living and step.kind != StepKind.REVIEW
    offered = [visit.start, *times] if keeps and visit else times
    return Panel(
        reach=reaching(row, patient, here, times=tuple(offered[:TO_CHOOSE_FROM]))
        if patient and can_be_reached
        else None,
        is_to_answer=(is_living or patient is None) and _asks_for_an_answer(step),
        visit=visit,
        keeps=keeps,
        times=times,
        doctor=doctor,
        comes=comes,
        checks_an_address=is_living and checks_an_address(step),
        is_to_read=is_to_read(step),
        endings=endings_of(step),
        place=places_of([step]).get(step.pk, ""),
        served_by=desk.turn_to(patient, here) if patient else "",
        seen=desk.newest_save(patient) if patient else 0,
        request_key=uuid.uuid4().hex,
        typed=typed,
        chips=chips(here),
        reasons=[(code, str(label)) for code, label in NotNowReason.choices],
    )


def _asks_for_an_answer(step: Step) -> bool:
    is_open_call = step.kind == StepKind.CALL and step.status == StepStatus.ACTIVE
    return is_open_call and Reply.objects.filter(matter=step).exists()


def reaching(row: Chosen, patient: Patient, here: Here, *, times: tuple[datetime, ...]) -> Reaching:
    """`times`: those that the script offers."""
    attempt = row.attempt
    card = getattr(patient, "card", None)
    window = window_of(patient, Channel.PHONE, now=here.now, clock=here.clock)
    calling = bool(
        attempt and attempt.status == AttemptStatus.SENDING and attempt.claimed_by_id == here.user.pk
    )
    task = row.planned.task if row.planned else task_to_be(row.step, patient, now=here.now)
    alone = row.step.journey.is_confidential
    reach = Reach.of(task, here.clock, now=here.now)  # reads the addresses that are asked for below
    tie = None
    if attempt is None:
        among = phones_to_use(task, now=here.now)
        tie = first_phone(patient, now=here.now, in_confidence=alone, purpose=task.purpose, among=among)
    number = attempt.contact_point.value if attempt else tie.contact_point.value if tie else ""
    due = bool(attempt and attempt.status == AttemptStatus.PLANNED and attempt.send_at <= here.now)
    enough = enough_on(here.now, task, reach)
    in_doubt = is_in_doubt(row.step)
    may_call = bool(number) and (calling or (not in_doubt and (due or (window.is_open and enough is None))))
    contact = row.planned if row.planned and not (tie and may_call) else _call_by_hand(task, tie, here)
    following = if_no_answer(contact, reach, now=here.now, clock=here.clock) if contact else None
    return Reaching(
        number=str(number),
        window=window,
        windows=suiting(card.windows.all()) if card else [],
        tried=[(each, outcome_words(each), why_words(each)) for each in _tried(row.step, patient)],
        planned=_planned_words(row.planned, here) if row.planned else "",
        script=script_for(attempt, now=here.now, times=times, reader=(get_language() or "en")[:2])
        if attempt
        else Script(),
        if_no_answer=next_words(following, here) if following else "",
        is_calling=calling,
        may_call=may_call,
        may_write=can_write_about(row.step) and not in_doubt,
        is_in_doubt=in_doubt,
        enough=enough,
        enough_to_write=_enough_to_write(task, reach, here),
    )


def _enough_to_write(task: OutreachTask, reach: Reach, here: Here) -> Enough | None:
    if not can_write_about(task.step):
        return None
    plan = plan_of_message(task, reach, not_before=here.now + desk.LEAVES_AFTER)
    return enough_on(plan.send_at, task, reach) if plan else None


def _call_by_hand(task: OutreachTask, tie: PatientContact | None, here: Here) -> Attempt | None:
    """The call that she can make though none is planned; it is not saved."""
    if tie is None:
        return None
    return Attempt(
        task=task,
        contact_point=tie.contact_point,
        patient=task.patient,
        channel=Channel.PHONE,
        send_at=here.now,
    )


def _planned_words(planned: Attempt, here: Here) -> str:
    if planned.send_at <= here.now:
        return _("%(channel)s, as soon as possible") % {"channel": planned.get_channel_display()}
    return next_words(Next(planned.channel, planned.send_at), here)


def next_words(following: Next, here: Here) -> str:
    """What planning would do, in words."""
    if following.at is None:
        reason = following.reason.label if following.reason else ""
        return _("a person decides: %(reason)s") % {"reason": reason}
    values = {"when": said(following.at, now=here.now), "channel": Channel(following.channel).label}
    return _("%(channel)s, %(when)s") % values


def _tried(step: Step, patient: Patient) -> list[Attempt]:
    done = [AttemptStatus.PLANNED, AttemptStatus.CANCELLED]
    about = Attempt.objects.filter(patient=patient, task__step__journey=step.journey_id).exclude(
        status__in=done
    )
    return list(about.select_related("contact_point").order_by("-send_at")[:6])


def endings_of(step: Step) -> list[tuple[str, str]]:
    """The outcomes a person may give a step by hand, in words."""
    codes = (
        step.template_step.outcomes
        if step.template_step
        else [step.ends_with or ("kept" if step.kind == StepKind.PROMISE else "done")]
    )
    by_hand = [code for code in codes if code not in NOT_BY_HAND and step.kind != StepKind.REVIEW]
    if step.kind in ON_A_PAGE_OF_THEIRS or (step.journey.patient is None and step.kind != StepKind.MEND):
        return []  # a document finds its patient, a question its answer, a complaint its end, on their own page
    if checks_an_address(step):
        return []  # the address ends it, on the patient's record
    return [(code, str(OUTCOME_WORDS.get(code, code))) for code in by_hand]


def chips(here: Here) -> list[tuple[str, datetime]]:
    """The times people ask to be called back at: in an hour, this evening, tomorrow at this hour."""
    local = localtime(here.now)
    evening = local.replace(hour=18, minute=0, second=0, microsecond=0)
    offered = [(_("in 1 hour"), local + LEAD)]
    if evening - local > LEAD:
        offered.append((_("today 18:00"), evening))
    tomorrow = (local.replace(tzinfo=None) + timedelta(days=1)).replace(second=0, microsecond=0)
    offered.append((_("tomorrow at this hour"), tomorrow.replace(tzinfo=local.tzinfo)))
    return offered
