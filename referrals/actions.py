"""What people do: refer with the visit held, send files in, say whose a document is, decide on a result."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Case, When
from django.utils.translation import gettext as _, gettext_noop

from appointments.actions import Visit, cancel, hold, note_why_held, relocate, settle
from appointments.models import Appointment, AppointmentStatus, Practitioner
from appointments.queries import is_above_held_share
from appointments.ties import HELD_FIRST, TELL_WITHIN, stop_telling, tell_apart
from appointments.visits import visit_of
from journeys.actions import (
    AdHoc,
    NewJourney,
    add_step,
    cancel_steps,
    complete_step,
    lock_journey,
    move_deadline,
    start_journey,
)
from journeys.clinic_time import soon
from journeys.models import Journey, Step, StepKind, StepStatus, Urgency
from patients.actions import RefusedError, StaleStateError, normal_phone
from patients.models import Channel, Patient
from referrals.arrivals import Arrival, receive
from referrals.intake.base import CODE_ALPHABET, CODE_LENGTH
from referrals.models import (
    Decision,
    DocumentStatus,
    IncomingDocument,
    Referral,
    ReferralStatus,
    Result,
    Source,
)
from referrals.passing import end_pass
from referrals.results import ENCLOSED, attach, waiting_step

BY_A_PERSON = "person"  # IncomingDocument.matched_by
IDENTIFIED, REJECTED = "identified", "rejected"  # outcomes of a step that finds whose a document is
REFERRED = "referred"  # the outcome of a step that asks for a referral
REVOCABLE = (ReferralStatus.DRAFT, ReferralStatus.ACTIVE, ReferralStatus.ON_HOLD)
REVOKED = "revoked"  # the outcome of a wait that nobody needs any more

# What a decision sets going; when a correction is decided otherwise, it stops before the patient hears both.
FOLLOWS_A_DECISION = (StepKind.TELL, StepKind.CONFIRM, StepKind.BOOK, StepKind.CALL, StepKind.REFER)
VISIT_MINUTES = 30  # of a visit the doctor sets where none was held
HOLD_ENDS_BEFORE = timedelta(hours=24)  # so that the time can still go to somebody else
NEAR = timedelta(hours=48)
HOLD_ENDS_BEFORE_NEAR = timedelta(hours=2)


class HeldShareError(RefusedError):
    """Not impossible, but it needs a reason, which is kept with the visit."""

    def __init__(self, visit: Visit) -> None:
        words = _(
            "A quarter of the week of %(name)s is held already. Choose another week, "
            "or say why this visit is held all the same."
        )
        super().__init__(words % {"name": visit.practitioner.name})


@dataclass(frozen=True, kw_only=True)
class NewReferral:
    """A request for a service outside, and the visit held until its result is here.

    Holding is the default: without `hold` it needs `hold_refused_because`, which the manager sees (S1.3).
    `answers` is the step of an earlier journey that asked for this referral.
    """

    patient: Patient
    requester: Practitioner
    service: str
    expected_at: datetime
    question: str = ""
    performer: str = ""
    performer_email: str = ""
    performer_phone: str = ""  # as it was typed
    urgency: str = Urgency.ROUTINE
    title: str = ""
    template_key: str = "imaging_treatment"
    hold: Visit | None = None
    hold_until: datetime | None = None
    hold_refused_because: str = ""
    hold_despite_because: str = ""  # asked for where a quarter of the doctor's week is held already
    request_key: str | None = None
    answers: Step | None = None


def refer(new: NewReferral, *, now: datetime, by: User | None = None) -> Referral:
    """Start the journey, promise the date and hold the visit, all or nothing; once per `request_key`."""
    made = _made_before(new)
    if made is not None:
        return made
    _check(new, now=now)
    try:
        with transaction.atomic():
            return _refer(new, now=now, by=by)
    except IntegrityError:
        made = _made_before(new)  # a second press of the button was quicker
        if made is None:
            raise
        return made


def _check(new: NewReferral, *, now: datetime) -> None:
    if new.patient.clinic_id != new.requester.clinic_id:
        raise RefusedError(_("This doctor works in another clinic. Choose a doctor of the patient's clinic."))
    if new.hold is not None and new.hold.patient.pk != new.patient.pk:
        raise RefusedError(_("The held visit is for another patient. Choose the time again."))
    if new.hold is None and not new.hold_refused_because.strip():
        raise RefusedError(_("Hold a visit now, or say why not."))
    if new.expected_at <= now:
        raise RefusedError(_("The result is expected in the past. Choose a date that is still to come."))


def _made_before(new: NewReferral) -> Referral | None:
    if not new.request_key:
        return None
    return Referral.objects.filter(clinic_id=new.patient.clinic_id, request_key=new.request_key).first()


def _refer(new: NewReferral, *, now: datetime, by: User | None) -> Referral:
    opening = NewJourney(
        new.template_key,
        title=new.title,
        urgency=new.urgency,
        doctor=new.requester.user,
        is_confidential=bool(new.answers and new.answers.journey.is_confidential),
    )
    journey = start_journey(new.patient, opening, now=now, by=by)
    waiting = journey.steps.filter(kind=StepKind.AWAIT_RESULT, status=StepStatus.ACTIVE).first()
    if waiting is None:
        raise RefusedError(_("This kind of journey waits for no result. Choose one that does."))
    move_deadline(waiting, new.expected_at, now=now, by=by)
    waiting.due_at = new.expected_at
    referral = Referral.objects.create(
        clinic_id=new.patient.clinic_id,
        patient=new.patient,
        journey=journey,
        step=waiting,
        requester=new.requester,
        code=_new_code(),
        service=new.service,
        question=new.question,
        performer=new.performer,
        performer_email=new.performer_email,
        performer_phone=_institute_phone(new),
        urgency=new.urgency,
        expected_at=new.expected_at,
        hold_refused_because="" if new.hold else new.hold_refused_because.strip()[:200],
        made_at=now,
        made_by=by,
        request_key=new.request_key or None,
    )
    if new.hold is not None:
        until = new.hold_until or hold_ends(new.hold.start, now=now)
        is_above = is_above_held_share(new.hold.practitioner, new.hold.start, new.hold.end)
        if is_above and not new.hold_despite_because.strip():
            raise HeldShareError(new.hold)
        held = hold(new.hold, awaits=waiting, until=until, now=now, by=by)
        if is_above:
            note_why_held(held, new.hold_despite_because.strip(), now=now, by=by)
        _tell_what_is_kept(waiting, new.patient, now=now, by=by)
    if new.answers is not None:
        complete_step(new.answers, REFERRED, now=now, by=by)
    return referral


def _tell_what_is_kept(waiting: Step, patient: Patient, *, now: datetime, by: User | None) -> None:
    """She gets the date in writing, with what comes before it. Whoever likes calls has heard it at the desk."""
    card = getattr(patient, "card", None)
    is_written_to = patient.contacts.exists() and not (card and card.channel == Channel.PHONE)
    if not is_written_to:
        return
    journey = waiting.journey
    told = AdHoc(
        StepKind.TELL,
        lambda: _("Tell the patient which time is kept"),
        soon(journey.clinic, TELL_WITHIN, now=now),
        message_key=HELD_FIRST,
    )
    add_step(journey, told, now=now, by=by)


def _institute_phone(new: NewReferral) -> str:
    typed = new.performer_phone.strip()
    return normal_phone(typed, region=new.patient.clinic.country) if typed else ""


def hold_ends(start: datetime, *, now: datetime) -> datetime:
    """Until when a visit at `start` may wait for its result, unless the desk says otherwise."""
    until = start - (HOLD_ENDS_BEFORE if start - now > NEAR else HOLD_ENDS_BEFORE_NEAR)
    return until if until > now else start


def _new_code() -> str:
    """With a digit in it: so it is known for a code also where somebody drops the hyphen."""
    while True:
        body = "".join(secrets.choice(CODE_ALPHABET) for _place in range(CODE_LENGTH))
        if any(sign.isdigit() for sign in body) and not Referral.objects.filter(code=f"R-{body}").exists():
            return f"R-{body}"


@transaction.atomic
def revoke(
    referral: Referral, *, because: str, now: datetime, by: User | None = None, is_told: bool = False
) -> None:
    """Take a request back: the wait ends, a held visit is given back, and the journey goes its way.

    The patient would go to the institute for nothing, so she hears of it, unless she has been told already.
    """
    if not because.strip():
        raise RefusedError(_("Say why the referral is taken back."))
    lock_journey(referral.journey_id)
    moved = Referral.objects.filter(pk=referral.pk, status__in=REVOCABLE).update(
        status=ReferralStatus.REVOKED, ended_because=because.strip()[:200]
    )
    if not moved:
        raise StaleStateError(_("The result came, or somebody took the referral back meanwhile."))
    waiting = waiting_step(referral)
    if waiting is None:
        return
    opened = []
    stop_telling(waiting.pk, now=now, by=by)  # first, or the journey would go on for it
    if waiting.status == StepStatus.ACTIVE:
        opened = complete_step(waiting, REVOKED, now=now, by=by, note=because)
    settle(waiting, opened, keep=False, now=now, by=by)
    if not is_told:
        tell_apart(
            waiting.journey_id,
            lambda: _("Tell the patient that the images are not needed any more"),
            "referral_revoked",
            now=now,
            by=by,
        )


def revoke_quietly(journey: Journey, *, because: str) -> None:
    """The journey ends for good: what it waited for is not waited for any more. Inside atomic(), under its lock."""
    waiting = Referral.objects.filter(journey=journey, status__in=REVOCABLE)
    waiting.update(status=ReferralStatus.REVOKED, ended_because=because[:200])


def receive_upload(referral: Referral, filename: str, content: bytes, *, now: datetime) -> IncomingDocument:
    """Keep a file put in through the referral's link; the same file sent again is the document we have."""
    source_id = f"{referral.code}-{sha256(content).hexdigest()}"
    arrival = Arrival(
        referral.clinic,
        Source.UPLOAD,
        source_id,
        content,
        sender=referral.performer,
        subject=filename,
        referral=referral,
    )
    document = receive(arrival, now=now)
    return document or IncomingDocument.objects.get(source=Source.UPLOAD, source_id=source_id)


@transaction.atomic
def match_by_hand(document: IncomingDocument, referral: Referral, *, now: datetime, by: User) -> Result:
    """A person says whose document it is; the search for its owner ends.

    For a file that came with a patient's words nobody searches; then the person says that it is the result.
    """
    if referral.clinic_id != document.clinic_id:
        raise RefusedError(_("This referral belongs to another clinic."))
    if referral.status in {ReferralStatus.DRAFT, ReferralStatus.ENTERED_IN_ERROR}:
        raise RefusedError(_("This referral was never sent out. Choose another."))
    if IncomingDocument.objects.filter(ENCLOSED, pk=document.pk).exists():
        if not any(file.may_be_a_result for file in document.files.all()):
            raise RefusedError(_("This is no file that a doctor could look at. Ask for a picture or a PDF."))
    else:
        _end_search(document, IDENTIFIED, now=now, by=by)
    return attach(document, referral, matched_by=BY_A_PERSON, now=now, by=by)


@transaction.atomic
def reject(document: IncomingDocument, *, because: str, now: datetime, by: User) -> None:
    """A person says that a document is no result of ours, and why. It is kept."""
    if not because.strip():
        raise RefusedError(_("Say why this document is put aside."))
    _end_search(document, REJECTED, now=now, by=by, note=because)
    IncomingDocument.objects.filter(pk=document.pk).update(
        status=DocumentStatus.REJECTED, rejected_because=because.strip()[:200], ended_at=now, ended_by=by
    )


def _end_search(document: IncomingDocument, outcome: str, *, now: datetime, by: User, note: str = "") -> None:
    """Whoever ends the step has the document: a second person, or a second press, is told so."""
    unmatched = IncomingDocument.objects.filter(pk=document.pk, status=DocumentStatus.UNMATCHED)
    row = unmatched.select_related("step").first()
    if row is None or row.step is None:
        raise StaleStateError(_("Somebody has dealt with this document meanwhile."))
    complete_step(row.step, outcome, now=now, by=by, note=note)


@dataclass(frozen=True)
class OtherTime:
    """When the doctor wants to see the patient instead; 0 minutes: as long as the visit that was held."""

    start: datetime
    minutes: int = 0


def keeps_visit(choice: Decision, at: OtherTime | None = None) -> bool:
    return choice == Decision.TREAT or (choice == Decision.TREAT_OTHER and at is not None)


def outcome_of(choice: Decision, at: OtherTime | None = None) -> str:
    """What the review ends with: a visit that the doctor has moved is told as one that was kept."""
    return Decision.TREAT.value if keeps_visit(choice, at) else choice.value


@transaction.atomic
def record_review(
    result: Result,
    decision: str,
    *,
    now: datetime,
    by: User,
    note: str = "",
    at: OtherTime | None = None,
) -> Result:
    """The doctor decides, once, on all files of this review; the held visit is settled along with it.

    TREAT books what was held. TREAT_OTHER with a time moves it there and books it, and the patient is told
    as after TREAT; without one the desk finds a time. Everything else gives the time back.
    """
    review = Step.objects.select_related("template_step", "journey").filter(results=result).first()
    if review is None:
        raise StaleStateError(_("This was decided meanwhile."))
    lock_journey(review.journey_id)
    choice = Decision(decision)
    decided = Result.objects.filter(review=review, decision="").update(
        decision=choice, decided_at=now, decided_by=by, note=note
    )
    if not decided:
        raise StaleStateError(_decided_already(result))
    end_pass(review, now=now)
    keep = keeps_visit(choice, at)
    _stop_what_an_earlier_decision_began(result, choice, keep_visit=keep, now=now, by=by)
    if choice == Decision.TREAT and visit_in_hand(review) is None:
        raise RefusedError(_("No visit is held any more. Choose another time, or let the desk book."))
    if choice == Decision.TREAT_OTHER and at is not None:
        _set_visit(result.referral, review, at, now=now, by=by)
    opened = complete_step(review, outcome_of(choice, at), now=now, by=by, note=note)
    if note:  # reception reads it where the work is, not in the review
        Step.objects.filter(pk__in=[step.pk for step in opened]).update(note=note)
    settle(review, opened, keep=keep, now=now, by=by)
    result.refresh_from_db()
    return result


def _decided_already(result: Result) -> str:
    row = Result.objects.select_related("decided_by").get(pk=result.pk)
    who = row.decided_by.get_full_name() if row.decided_by else ""
    return _("Already decided: %(decision)s (%(who)s).") % {
        "decision": row.get_decision_display(),
        "who": who or _("unknown"),
    }


def _stop_what_an_earlier_decision_began(
    result: Result, choice: Decision, *, keep_visit: bool, now: datetime, by: User
) -> None:
    earlier = (
        Result.objects.filter(referral=result.referral_id, decided_at__isnull=False)
        .exclude(review=result.review_id)
        .order_by("-decided_at")
        .first()
    )
    if earlier is None or earlier.decision == choice:
        return
    journey_id = result.referral.journey_id
    if not keep_visit:
        booked = Appointment.objects.filter(step__journey=journey_id, status=AppointmentStatus.BOOKED)
        for visit in booked.select_related("step", "practitioner"):
            cancel(visit, because=gettext_noop("the doctor decided anew"), now=now, by=by)
    begun = Step.objects.filter(
        journey=journey_id,
        status=StepStatus.ACTIVE,
        kind__in=FOLLOWS_A_DECISION,
        opened_at__gte=earlier.decided_at,
    )
    cancel_steps(list(begun), now=now, by=by, detail=_("the doctor decided anew"))


def visit_in_hand(review: Step) -> Appointment | None:
    """The visit this review decides about: the one held for it, else, after a correction, the one booked."""
    held = Appointment.objects.filter(awaits=review, status=AppointmentStatus.PENDING)
    booked = Appointment.objects.filter(step__journey=review.journey_id, status=AppointmentStatus.BOOKED)
    # Each of the two by an index of its own; one condition for both would read the whole table.
    visits = Appointment.objects.filter(pk__in=held.values("pk").union(booked.values("pk")))
    held_first = Case(When(status=AppointmentStatus.PENDING, then=0), default=1)
    with_names = visits.select_related("patient", "practitioner__clinic", "step")
    return with_names.order_by(held_first, "start").first()


def _set_visit(referral: Referral, review: Step, at: OtherTime, *, now: datetime, by: User) -> None:
    visit = visit_in_hand(review)
    if visit is not None:
        there = visit_of(visit)
        there = replace(there, start=at.start, minutes=at.minutes or there.minutes)
        relocate(visit, there, now=now, by=by, because=gettext_noop("the doctor chose another time"))
        return
    journey = review.journey
    title = journey.title or referral.service
    wanted = Visit(referral.patient, referral.requester, at.start, at.minutes or VISIT_MINUTES, title=title)
    hold(wanted, awaits=review, until=at.start, now=now, by=by)
