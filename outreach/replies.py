"""What people write back. Nothing is "invalid": it acts, or a person reads it within two working hours."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from appointments.actions import MOVED
from appointments.holds import MOVED_BY_RULE
from journeys.actions import lock_journey
from journeys.models import OPEN_JOURNEYS, Step, StepKind, StepStatus
from outreach.actions import hold_back, opt_out_at
from outreach.answer_words import ANOTHER_TIME, CANNOT_COME, CONFIRM, THANKS, meaning_of
from outreach.answers import answer, ask_of, journey_of_its_own
from outreach.asked_calls import INVITES_A_CALL, Heard, asked_call, promise_call, say_so
from outreach.asked_writing import asked_writing, write_as_asked
from outreach.at_once import is_silenced
from outreach.channels.inbound import Said
from outreach.enclosed import enclose
from outreach.held import MAYBE_STOP
from outreach.links_to_messengers import is_link, tie_to_messenger
from outreach.message_keys import READ_OUT
from outreach.models import NOT_ME, Attempt, OutreachTask, Reply, TaskStatus
from outreach.not_me import Denied, not_hers
from outreach.queries import visit_of
from outreach.said import START, STOP, asks_of, kept
from outreach.silenced import confirm_stop
from outreach.stop_words import Asks
from outreach.unknown_writers import ask_who_it_is
from outreach.written import put_out
from outreach.wrong_person import says_not_me
from patients.actions import RefusedError, lock_patient, record_consent
from patients.models import Clinic, ConsentStatus, ContactPoint, Patient, PatientStatus

CALL_AT, WRITE_AT = "call_at", "write_at"
# The question whether she comes, and the reminder of the visit.
ASKS_WHETHER = {StepKind.CONFIRM, StepKind.VISIT}
MOVES = {MOVED, MOVED_BY_RULE}
ABOUT_A_QUESTION = {CONFIRM, ANOTHER_TIME, CANNOT_COME}
ANSWERED_WITHIN = timedelta(days=3)  # after that nobody means the older question


def receive_reply(said: Said, *, now: datetime) -> str:
    """Find whose words these are and let them act. Returns what came of it, for the event's record.

    On a phone that a family shares they are about what was sent there last, or about the message that they answer. A
    person at the desk finds out whom a bare yes or no means where two were asked, and who wrote where nothing was sent
    and several are reached there.
    """
    if is_link(said):
        return "linked" if tie_to_messenger(said, now=now) else "link_is_void"
    point, last = _place_of(said)
    if said.stopped:
        return _switched_off(said, now=now)
    patient = last.patient.record_now if last else _only_one_at(point)
    if point is None or patient is None:
        return ask_who_it_is(said, point.clinic if point else _written_to(said), now=now)
    if last and _says_somebody_else(said, patient, point):
        return _from_somebody_else(said, patient, point, last, now=now)
    if last and _may_be_about_another(said, last):
        return ask_who_it_is(said, point.clinic, now=now)
    return _heard(said, patient, point, last, now=now)


def _says_somebody_else(said: Said, patient: Patient, point: ContactPoint) -> bool:
    """Whoever got our message there, be it written under any name: it keeps from her no more than a look does."""
    return says_not_me(said.text) and patient.contacts.filter(contact_point=point).exists()


@transaction.atomic
def _from_somebody_else(
    said: Said, patient: Patient, point: ContactPoint, last: Attempt, *, now: datetime
) -> str:
    """Where the words may mean STOP as well, a person reads that, with what came with them; it holds even if the
    address turns out to be hers.
    """
    not_hers(patient, Denied((point,), said.channel, said.at, kept(said, patient.clinic)), last, now=now)
    if asks_of(said) == Asks.MAYBE:  # alone, the word would say nothing of who writes
        _to_a_person(said, patient, point, None, now=now, meaning=MAYBE_STOP)
    else:
        denials = Reply.objects.filter(patient=patient, contact_point=point, meaning=NOT_ME)
        enclose(denials.latest("pk"), said, now=now)
    return NOT_ME


def _heard(said: Said, patient: Patient, point: ContactPoint, last: Attempt | None, *, now: datetime) -> str:
    asks, meaning = asks_of(said), meaning_of(said.text)
    if asks == Asks.STOP:
        return _stop(said, patient, point, last, now=now)
    if asks == Asks.START and said.may_act and is_silenced(patient, point, said.channel):
        return _start(said, patient, point, last, now=now)
    if last and meaning and said.may_act and _acts(said, meaning, patient, point, last, now=now):
        return meaning
    acts = (CALL_AT, _calls_at), (WRITE_AT, _writes_there)
    if asks == Asks.NOTHING and said.may_act:
        for what, act in acts:
            with suppress(RefusedError):  # our word to her may not go there: a person answers
                if act(said, patient, point, last, now=now):
                    return what
    if asks == Asks.MAYBE:
        _to_a_person(said, patient, point, last, now=now, meaning=MAYBE_STOP)
        hold_back(patient, point, said.channel, now=now)
        return MAYBE_STOP
    _to_a_person(said, patient, point, last, now=now)
    return "reply"


def _place_of(said: Said) -> tuple[ContactPoint | None, Attempt | None]:
    """The address it came from and the last message we sent there; a number may be known in several clinics.

    Where the provider says which message of ours is answered, it is that one and no later one. A message of ours
    that we do not know any more is none: then nobody can say what is meant.
    """
    points = ContactPoint.objects.filter(kind=said.kind, value=said.value)
    sent = Attempt.objects.filter(
        contact_point__in=points, channel=said.channel, called_at__isnull=False, called_at__lte=said.at
    )
    if said.reference:
        sent = sent.filter(reference=said.reference)
    elif said.answers:
        named = sent.filter(provider_reference=said.answers)
        sent = named if asks_of(said) != Asks.STOP or named.exists() else sent  # STOP is obeyed all the same
    last = (
        sent.select_related(
            "contact_point__clinic",
            "patient__clinic",
            "patient__merged_into__clinic",
            "task__step__journey__clinic",
            "task__step__journey__patient",
            "task__step__template_step",
        )
        .order_by("-called_at")
        .first()
    )
    return (last.contact_point if last else _known_in_one_clinic(points, said)), last


def _may_be_about_another(said: Said, last: Attempt) -> bool:
    """A bare yes or no on a phone of several patients, of whom more than one was asked there and has not answered."""
    is_named = bool(said.reference or said.answers)
    if (
        is_named
        or not said.may_act
        or meaning_of(said.text) not in ABOUT_A_QUESTION
        or not _asks_whether(last)
    ):
        return False
    asked_too = Attempt.objects.filter(
        contact_point=last.contact_point_id,
        channel=said.channel,
        called_at__lte=said.at,
        called_at__gt=said.at - ANSWERED_WITHIN,
        task__step__kind__in=ASKS_WHETHER,
        task__step__status=StepStatus.ACTIVE,
    ).exclude(patient=last.patient_id)
    heard = Reply.objects.filter(patient=OuterRef("patient"), at__gte=OuterRef("called_at"))
    return asked_too.exclude(Exists(heard)).exists()


def _asks_whether(last: Attempt) -> bool:
    return last.task.step.kind in ASKS_WHETHER and last.task.step.status == StepStatus.ACTIVE


def _known_in_one_clinic(points: QuerySet[ContactPoint], said: Said) -> ContactPoint | None:
    """The address as the clinic knows it to whom was written; where that is not clear, nobody's.

    The number that was written to tells the clinic, if it is one clinic's own. A number that stands in two
    clinics may be meant for either, and what is written to the one is none of the other's business.
    """
    known = points.filter(ties__isnull=False).select_related("clinic").distinct()
    clinic = _written_to(said)
    found = list(known.filter(clinic=clinic) if clinic else known[:2])
    return found[0] if len(found) == 1 else None


def _written_to(said: Said) -> Clinic | None:
    """The one clinic whose own number or address this is; an account that several clinics share names none."""
    if not said.to:
        return None
    own = Q(phone=said.to) | Q(email__iexact=said.to) | Q(intake_address__iexact=said.to)
    found = list(Clinic.objects.filter(own)[:2])
    return found[0] if len(found) == 1 else None


def _only_one_at(point: ContactPoint | None) -> Patient | None:
    if point is None:
        return None
    there = Patient.objects.filter(contacts__contact_point=point, status=PatientStatus.ACTIVE)
    found = list(there.select_related("clinic").distinct()[:2])
    return found[0] if len(found) == 1 else None


@transaction.atomic
def _stop(said: Said, patient: Patient, point: ContactPoint, last: Attempt | None, *, now: datetime) -> str:
    """The words are kept; this patient gets nothing more here, others on the same phone do."""
    lock_patient(patient.pk)  # of two at once, only the first is news
    _note_down(said, patient, point, last, step=last.task.step if last else None, meaning=STOP, now=now)
    is_news = not is_silenced(patient, point, said.channel)
    opt_out_at(patient, point, said.channel, now=now, words=kept(said, patient.clinic))
    if last:
        OutreachTask.objects.filter(pk=last.task_id, status=TaskStatus.OPEN).update(plan_from=now)
    if is_news:
        confirm_stop(patient, point, said.channel, now=now)
    return STOP


@transaction.atomic
def _start(said: Said, patient: Patient, point: ContactPoint, last: Attempt | None, *, now: datetime) -> str:
    """She wants our messages here again: a new line in the ledger, in her own words."""
    _note_down(said, patient, point, last, step=None, meaning=START, now=now)
    record_consent(
        patient, point, said.channel, ConsentStatus.GRANTED, now=now, words=kept(said, patient.clinic)
    )
    return START


@transaction.atomic
def _switched_off(said: Said, *, now: datetime) -> str:
    """Blocked at the messenger: nobody is reached there any more, whoever else used it."""
    for point in ContactPoint.objects.filter(kind=said.kind, value=said.value):
        ties = point.ties.select_related("patient")
        for tie in ties:
            opt_out_at(tie.patient, point, said.channel, now=now, words="blocked")
        if not ties:  # of whoever got an answer to a question, nothing else keeps it (strangers.py)
            Reply.objects.create(
                clinic_id=point.clinic_id, contact_point=point, channel=said.channel, at=said.at, meaning=STOP
            )
    return STOP


def _acts(
    said: Said, meaning: str, patient: Patient, point: ContactPoint, last: Attempt, *, now: datetime
) -> bool:
    """A short answer to what was asked there last. What cannot be done so any more is a person's, like all else."""
    step = last.task.step
    if meaning == THANKS:
        _note_down(said, patient, point, last, step=step, meaning=THANKS, now=now)
        return True
    if not _asks_whether(last):
        return False
    if meaning == CANNOT_COME and not _is_asked_about(last, now=now):
        return False
    try:
        with transaction.atomic():
            reply = answer(step, meaning, now=now, channel=said.channel, body=kept(said, patient.clinic))
    except RefusedError:
        return False
    Reply.objects.filter(pk=reply.pk).update(contact_point=point, attempt=last, at=said.at)
    return True


def _is_asked_about(last: Attempt, *, now: datetime) -> bool:
    """Whether that message asked if she comes, and to the visit as it still stands: no other is given away."""
    visit = visit_of(last.task.step.journey_id)
    if last.task.message_key not in READ_OUT or visit is None or last.called_at is None:
        return False
    changed = visit.made_at > last.called_at or visit.events.filter(what__in=MOVES, at__gt=last.called_at)
    return visit.start > now and not changed


@transaction.atomic
def _calls_at(
    said: Said, patient: Patient, point: ContactPoint, last: Attempt | None, *, now: datetime
) -> bool:
    """“Call me at six” is a promise at six, with an owner; what leaves anything open is read by a person."""
    about = last.task.step if last and last.patient_id == patient.pk else None
    invited = last is not None and last.task.message_key in INVITES_A_CALL
    moment = asked_call(said.text, patient, now=now, invited=invited)
    if moment is None or not moment.is_sure:
        return False
    promised, is_new = promise_call(patient, moment.by, kept(said, patient.clinic), about=about, now=now)
    _note_down(said, patient, point, last, step=promised, meaning=CALL_AT, now=now)
    if is_new:
        say_so(patient, promised, Heard(point, said.channel), now=now)
    return True


@transaction.atomic
def _writes_there(
    said: Said, patient: Patient, point: ContactPoint, last: Attempt | None, *, now: datetime
) -> bool:
    """“Write me on WhatsApp after five” is her card from now on; what she was written about comes that way."""
    asked = asked_writing(said.text, patient, Heard(point, said.channel), now=now)
    if asked is None:
        return False
    about = last.task.step if last and last.patient_id == patient.pk else None
    journey = lock_journey(about.journey_id) if about else None
    if journey is None or journey.status not in OPEN_JOURNEYS:
        journey = journey_of_its_own(patient, now=now)
    write_as_asked(patient, asked, now=now)
    if last and about:
        OutreachTask.objects.filter(pk=last.task_id, status=TaskStatus.OPEN).update(plan_from=now)
    _note_down(said, patient, point, last, step=about, meaning=WRITE_AT, now=now)
    put_out(journey, patient, asked.confirmed, now=now)
    return True


def _to_a_person(
    said: Said,
    patient: Patient,
    point: ContactPoint,
    last: Attempt | None,
    *,
    now: datetime,
    meaning: str = "",
) -> None:
    if last and last.patient_id == patient.pk:  # not a record that was merged since
        reply = answer(
            last.task.step, meaning, now=now, channel=said.channel, body=kept(said, patient.clinic)
        )
        Reply.objects.filter(pk=reply.pk).update(contact_point=point, attempt=last, at=said.at)
        enclose(reply, said, now=now)
        return
    with transaction.atomic():
        matter = ask_of(patient, kept(said, patient.clinic), now=now)
        _note_down(said, patient, point, last, step=matter, matter=matter, meaning=meaning, now=now)


def _note_down(
    said: Said,
    patient: Patient,
    point: ContactPoint,
    last: Attempt | None,
    *,
    step: Step | None,
    now: datetime,
    **more: Any,
) -> None:
    """`more`: what it means, and the matter that it is where a person has to answer."""
    reply = Reply.objects.create(
        clinic_id=point.clinic_id,
        patient=patient,
        attempt=last,
        contact_point=point,
        channel=said.channel,
        at=said.at,
        body=kept(said, patient.clinic),
        step=step,
        **more,
    )
    enclose(reply, said, now=now)
