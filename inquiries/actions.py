"""Every write about what is asked: the answer first, then who asks, who pays last."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from appointments.actions import Visit, book_for_step
from appointments.models import Practitioner
from appointments.queries import book_step_of
from inquiries.models import AskedBy, ForWhom, Inquiry, LostCause, Offering, Outcome
from journeys.actions import (
    AdHoc,
    NewJourney,
    cancel_journey,
    complete_step,
    open_unidentified,
    start_journey,
)
from journeys.chases import Promise
from journeys.clinic_time import due_within, soon
from journeys.deadlines import Limit, Unit
from journeys.models import StepKind, StepStatus
from patients.actions import (
    CardAnswers,
    NewPatient,
    RefusedError,
    StaleStateError,
    register_patient,
    save_card,
)
from patients.addresses import TieAnswers, change_tie
from patients.models import AddressKind, Channel, Clinic, MaySay, Patient, Relation
from patients.queries import opening_hours
from patients.windows import Hours, WeeklyWindow, intersect, open_intervals

FIRST_VISIT, ANOTHER_VISIT = "first_visit", "single_visit"  # of somebody new, of a patient we know
KEPT = "kept"
ANSWER_WITHIN = Limit(1, Unit.WORKING_HOURS)
CALL_WITHIN = Limit(1, Unit.WORKING_DAYS)  # of somebody who thinks about it and gave no hours
A_WHILE = timedelta(hours=1)  # nobody has thought about it sooner
CALL_AHEAD = timedelta(days=14)  # hours of hers that we are not here for by then are none
CALLED_ABOUT = ("phone", "may_call_back", "call_from", "call_until")  # what a promised call goes by
WON = (Outcome.BOOKED, Outcome.JOINED)
FOR_SOMEBODY_ELSE = (ForWhom.OTHER, ForWhom.CLIENT)


class AnswerFirstError(RefusedError):
    """Who pays is asked after the answer, never before (S3.2)."""

    code = "answer_first"

    def __init__(self) -> None:
        super().__init__(_("Answer the question first. Who pays is asked after that."))


@dataclass(frozen=True)
class Question:
    """Something was asked; of whom it comes nothing is known."""

    asked: str
    asked_at: datetime
    offering: Offering | None = None
    asked_by: str = AskedBy.PHONE
    request_key: str | None = None
    phone: str = ""  # as the telephone showed it; nobody was asked for it


@dataclass(frozen=True)
class Said:
    """What was answered, as it was said."""

    available: bool | None = None
    price: Decimal | None = None
    currency: str = ""
    next_at: datetime | None = None
    words: str = ""
    language: str = ""  # of the words

    def columns(self) -> dict[str, Any]:
        return {
            "said_available": self.available,
            "said_price": self.price,
            "said_currency": self.currency,
            "said_next_at": self.next_at,
            "said_words": self.words,
            "said_in": self.language,
        }


@dataclass(frozen=True)
class Caller:
    """Who asks, how to call back, and the time that was chosen; all of it may be left empty."""

    name: str = ""
    phone: str = ""
    for_whom: str = ""
    may_call_back: bool | None = None
    call_from: time | None = None
    call_until: time | None = None
    wants_at: datetime | None = None
    wants_with: Practitioner | None = None


def record_answer(
    clinic: Clinic, question: Question, said: Said, *, now: datetime, by: User | None
) -> Inquiry:
    """Asked and answered in one breath."""
    made = _inquiry(clinic, question, by, answered_at=now, **said.columns())
    return _once(made, lambda: made.save(force_insert=True))


def promise_answer(
    clinic: Clinic, question: Question, promise: Promise, *, now: datetime, by: User | None
) -> Inquiry:
    """We do not know: the answer has an owner and a time, as every promise has, in a matter that is nobody's yet."""
    made = _inquiry(clinic, question, by, outcome=Outcome.PROMISED)
    title = promise.words or question.asked
    step = AdHoc(StepKind.PROMISE, title, promise.due_at, role=promise.role, owner=promise.owner)

    def make() -> None:
        made.step = open_unidentified(clinic, step, now=now)
        made.save(force_insert=True)

    return _once(made, make)


def keep_question(clinic: Clinic, question: Question, *, now: datetime, by: User | None) -> Inquiry:
    """Asked where nobody could answer at once, e.g. on the web: the desk owes the answer within the hour."""
    promise = Promise("", soon(clinic, ANSWER_WITHIN, now=now))
    return promise_answer(clinic, question, promise, now=now, by=by)


def _inquiry(clinic: Clinic, question: Question, by: User | None, **known: Any) -> Inquiry:
    return Inquiry(
        clinic=clinic,
        asked=question.asked[:200],
        asked_by=question.asked_by,
        asked_at=question.asked_at,
        offering=question.offering,
        taken_by=by,
        request_key=question.request_key,
        phone=question.phone,
        **known,
    )


def _once(made: Inquiry, make: Callable[[], None]) -> Inquiry:
    """Pressed twice it is one question: the second finds what the first has made, and leaves nothing behind."""
    try:
        with transaction.atomic():
            make()
    except IntegrityError:
        same = Inquiry.objects.filter(clinic=made.clinic, request_key=made.request_key).first()
        if made.request_key is None or same is None:
            raise
        return same
    return made


@transaction.atomic
def answer_later(inquiry: Inquiry, said: Said, offering: Offering | None, *, now: datetime, by: User) -> None:
    """The answer that was still owed; the promise is kept by it."""
    answered: dict[str, Any] = {"answered_at": now, "outcome": Outcome.OPEN, **said.columns()}
    if offering is not None:
        answered["offering"] = offering
    open_still = Inquiry.objects.filter(pk=inquiry.pk, answered_at__isnull=True)
    if not open_still.exclude(outcome=Outcome.LOST).update(**answered):
        raise StaleStateError(_("This question has been answered meanwhile."))
    if inquiry.step is not None and inquiry.step.status == StepStatus.ACTIVE:
        complete_step(inquiry.step, KEPT, now=now, by=by)
    inquiry.refresh_from_db()


@transaction.atomic
def note_caller(
    inquiry: Inquiry, caller: Caller, *, now: datetime, by: User, only: Iterable[str] = ()
) -> None:
    """Who asks; there was an answer or a promise before, else there would be no inquiry.

    Once she is our patient her number and her visit stand in her record, and here as they were told. `only`: what
    was told this time; the rest stays as somebody else may have written it meanwhile.
    """
    told = {name: getattr(caller, name) for name in only or vars(caller)}
    try:
        with transaction.atomic():
            noted = Inquiry.objects.filter(pk=inquiry.pk, patient__isnull=True).update(**told)
    except IntegrityError as clash:  # hours of a call that somebody else has written not to make
        raise StaleStateError(_("This was done by somebody else meanwhile.")) from clash
    if not noted:
        raise StaleStateError(_("There is a record now; change it there."))
    is_as_before = all(getattr(inquiry, name) == told[name] for name in CALLED_ABOUT if name in told)
    inquiry.refresh_from_db()
    if inquiry.outcome == Outcome.WILL_THINK and not is_as_before:
        _end_promise(inquiry, str(Outcome.WILL_THINK.label), now=now, by=by)
        _promise_call(inquiry, now=now)


def note_payer(inquiry: Inquiry, payer: str | None = None, insurance: str | None = None) -> None:
    """Last of all. What is not told stays."""
    told = {name: value for name, value in (("payer", payer), ("insurance", insurance)) if value is not None}
    answered = Inquiry.objects.filter(pk=inquiry.pk, answered_at__isnull=False)
    if not answered.update(**told):
        raise AnswerFirstError
    inquiry.refresh_from_db()


@transaction.atomic
def will_think(inquiry: Inquiry, *, now: datetime) -> None:
    """Who may be called meanwhile is promised a call, so that nobody who thinks is forgotten."""
    open_still = Inquiry.objects.filter(pk=inquiry.pk, answered_at__isnull=False).exclude(outcome__in=WON)
    if not open_still.update(outcome=Outcome.WILL_THINK, lost_because="", lost_words=""):
        raise RefusedError(_("Answer the question first."))
    inquiry.refresh_from_db()
    _promise_call(inquiry, now=now)


def _promise_call(inquiry: Inquiry, *, now: datetime) -> None:
    """Once, to a number that was told, where we may call."""
    if not inquiry.may_call_back or not inquiry.phone or inquiry.owes_a_call:
        return
    start, end = inquiry.call_from, inquiry.call_until
    hours = f", {start:%H:%M}–{end:%H:%M}" if start and end else ""

    def title() -> str:
        return _("Call %(name)s back") % {"name": inquiry.name or inquiry.phone} + hours

    call = AdHoc(StepKind.PROMISE, title, _call_by(inquiry, now=now))
    step = open_unidentified(inquiry.clinic, call, now=now)
    Inquiry.objects.filter(pk=inquiry.pk).update(step=step)
    inquiry.refresh_from_db()


def _call_by(inquiry: Inquiry, *, now: datetime) -> datetime:
    """The end of the first of her hours in which we are here; within a working day where she gave none."""
    opening = opening_hours(inquiry.clinic, now=now)
    if inquiry.call_from and inquiry.call_until:
        daily = [WeeklyWindow(weekday, inquiry.call_from, inquiry.call_until) for weekday in range(7)]
        hers = Hours.of(opening.zone, daily, {})
        ours, theirs = (
            open_intervals(each, now + A_WHILE, now + A_WHILE + CALL_AHEAD) for each in (opening, hers)
        )
        if both := intersect(ours, theirs):
            return both[0].end
    return due_within(CALL_WITHIN, opening, now=now)


def called(inquiry: Inquiry, *, now: datetime, by: User) -> None:
    """The call that was promised to somebody who thinks about it; how it ended is said beside it."""
    if inquiry.step is None or not inquiry.owes_a_call:
        raise StaleStateError(_("This was done by somebody else meanwhile."))
    complete_step(inquiry.step, KEPT, now=now, by=by)


def _end_promise(inquiry: Inquiry, reason: str, *, now: datetime, by: User) -> None:
    """Nobody waits for it any more."""
    step = inquiry.step
    if step is not None and step.status == StepStatus.ACTIVE:
        cancel_journey(step.journey, reason=reason, now=now, by=by)
        step.refresh_from_db()


@transaction.atomic
def lose(inquiry: Inquiry, because: LostCause, words: str = "", *, now: datetime, by: User) -> None:
    """Went elsewhere; a promise that nobody waits for any more ends with it."""
    open_still = Inquiry.objects.filter(pk=inquiry.pk).exclude(outcome__in=WON)
    lost = {"outcome": Outcome.LOST, "lost_because": because, "lost_words": words[:200]}
    if not because or not open_still.update(**lost):
        raise RefusedError(_("Choose why they went elsewhere."))
    inquiry.refresh_from_db()
    _end_promise(inquiry, str(because.label), now=now, by=by)


@transaction.atomic
def not_for_us(
    clinic: Clinic, question: Question, said: Said, advice: str, *, now: datetime, by: User
) -> Inquiry:
    """Answered with what else to do: it is not done here, so whoever asked goes elsewhere, well advised."""
    inquiry = record_answer(clinic, question, said, now=now, by=by)
    if inquiry.outcome == Outcome.OPEN:
        lose(inquiry, LostCause.NOT_OFFERED, advice, now=now, by=by)
    return inquiry


@transaction.atomic
def wrong_place(clinic: Clinic, question: Question, said: Said, *, now: datetime, by: User) -> Inquiry:
    """Answered with where to turn; nothing of it is lost to us, as it never was ours."""
    inquiry = record_answer(clinic, question, said, now=now, by=by)
    open_still = Inquiry.objects.filter(pk=inquiry.pk, outcome=Outcome.OPEN)
    open_still.update(outcome=Outcome.REFERRED)
    inquiry.refresh_from_db()
    return inquiry


@transaction.atomic
def convert(
    inquiry: Inquiry, known: Patient | None, new: NewPatient | None, *, now: datetime, by: User
) -> Inquiry:
    """Who asked becomes our patient, with a first visit ahead, at the time that was chosen if there is one."""
    locked = Inquiry.objects.select_for_update(no_key=True, of=("self",)).get(pk=inquiry.pk)
    if locked.answered_at is None:
        raise RefusedError(_("Answer the question first."))
    if locked.patient_id is not None:
        inquiry.refresh_from_db()
        return inquiry
    patient = known or _registered(locked, new, now=now, by=by)
    title = locked.offering.name if locked.offering else locked.asked
    doctor = locked.wants_with.user if locked.wants_with else None
    way = NewJourney(ANOTHER_VISIT if known else FIRST_VISIT, title[:120], doctor=doctor)
    journey = start_journey(patient, way, now=now, by=by)
    step = book_step_of(journey)
    outcome = Outcome.JOINED
    if step and locked.wants_at and locked.wants_with:
        book_for_step(step, _visit(locked, patient, locked.wants_at, locked.wants_with), now=now, by=by)
        outcome = Outcome.BOOKED
    _end_promise(locked, str(outcome.label), now=now, by=by)
    won = {"patient": patient, "journey": journey, "outcome": outcome, "lost_because": "", "lost_words": ""}
    Inquiry.objects.filter(pk=locked.pk).update(**won)
    inquiry.refresh_from_db()
    return inquiry


def _registered(inquiry: Inquiry, new: NewPatient | None, *, now: datetime, by: User) -> Patient:
    """The hours in which she may be called are the first thing on her card."""
    if new is None:
        raise RefusedError(_("Write the name first."))
    patient = register_patient(inquiry.clinic, new, now=now)
    _say_whose_number(patient, inquiry)
    start, end = inquiry.call_from, inquiry.call_until
    if inquiry.may_call_back and start and end:
        windows = tuple((weekday, start, end) for weekday in range(7))
        save_card(
            patient, CardAnswers(Channel.PHONE, windows, days_told=False, hours_told=True), now=now, by=by
        )
    return patient


def _say_whose_number(patient: Patient, inquiry: Inquiry) -> None:
    """Who asked for somebody else gave a number of her own: it is not the patient's, and little is said there."""
    answers = TieAnswers(may_be_called=inquiry.may_call_back is not False)
    if inquiry.for_whom in FOR_SOMEBODY_ELSE:
        answers = replace(answers, relation=Relation.OTHER, may_say=MaySay.CALL_BACK)
    for tie in patient.contacts.filter(contact_point__kind=AddressKind.PHONE):
        change_tie(tie, answers)


def _visit(inquiry: Inquiry, patient: Patient, at: datetime, doctor: Practitioner) -> Visit:
    kind = inquiry.offering.visit_type if inquiry.offering else None
    minutes = kind.minutes if kind else doctor.clinic.cell_minutes
    return Visit(patient, doctor, at, minutes, inquiry.offering.name if inquiry.offering else "", kind)
