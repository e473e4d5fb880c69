"""A patient who writes when to call: the promise with its owner and time, and our word to her that it is made."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from journeys.chases import Promise, promise_once
from journeys.models import Step
from outreach.at_once import refuse_to_write
from outreach.call_words import Moment, moment_of, wish_in
from outreach.conversations import Way
from outreach.rendering import CannotRender, Facts, Texts
from outreach.told import may_be_answered
from outreach.written import Written, put_out
from patients.actions import RefusedError, refuse_unless_active
from patients.models import ContactPoint, Patient
from patients.queries import opening_hours

CALL_PROMISED = "call_promised"
INVITES_A_CALL = frozenset({"recall", "welcome"})  # our messages that ask for a good hour


@dataclass(frozen=True)
class Heard:
    """Where she wrote from: our word goes back there."""

    point: ContactPoint
    channel: str


def asked_call(text: str, patient: Patient, *, now: datetime, invited: bool = False) -> Moment | None:
    """By when the words ask to be called, inside the clinic's day; None where they ask for no call."""
    wish = wish_in(text, invited=invited)
    return moment_of(wish, opening_hours(patient.clinic, now=now), now=now) if wish else None


@transaction.atomic
def promise_call(
    patient: Patient, by: datetime, words: str, *, about: Step | None, now: datetime
) -> tuple[Step, bool]:
    """Whoever is at the desk keeps it, who reads her own words; and whether it is a new one.

    The same wish again, in whatever words, is the same promise: she hears from us at that time.
    """
    where = about.journey if about else None
    return promise_once(patient, Promise(words, by), Q(due_at=by), journey=where, now=now)


def say_so(patient: Patient, promised: Step, heard: Heard, *, now: datetime) -> bool:
    """In her language, to where she wrote from. Where nothing may be written, the call itself is the answer, as where
    a parent writes who is told nothing any more: the desk reads who it was.
    """
    tie = patient.contacts.filter(contact_point=heard.point).select_related("contact_point").first()
    if tie is None or not may_be_answered(patient, tie, promised.journey, now=now):
        return False
    tie.patient = patient
    facts = Facts(patient.given_name, "", variant=patient.gender, by=promised.due_at)
    texts = Texts([CALL_PROMISED], [patient.clinic_id])
    try:
        refuse_to_write(tie, heard.channel, now=now)
        refuse_unless_active(patient.pk)
        rendered = texts.render(CALL_PROMISED, heard.channel, patient.language, facts, patient.clinic)
        with transaction.atomic():
            put_out(promised.journey, patient, Written(Way(tie, heard.channel), rendered.body), now=now)
    except (RefusedError, CannotRender):
        return False
    return True
