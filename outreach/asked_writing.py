"""A patient who writes how to write to her: her card in her own words, the plan by it, and our word to her."""

from dataclasses import dataclass
from datetime import datetime, time

from django.db import transaction

from outreach.asked_calls import Heard
from outreach.at_once import refuse_to_write
from outreach.by_card import plan_by_card
from outreach.call_words import wish_in, written_from
from outreach.conversations import Way
from outreach.models import WAITED_FOR, OutreachTask, TaskStatus
from outreach.reach import can_be_written, channels_of
from outreach.rendering import CannotRender, Facts, Texts
from outreach.written import Written
from patients.actions import CardAnswers, RefusedError, lock_patient, refuse_unless_active, save_card
from patients.models import ContactWindow, Patient, Relation, ServiceCard
from patients.queries import opening_hours

WRITTEN_AS_ASKED = "written_as_asked"
WEEK = range(7)


@dataclass(frozen=True)
class Asked:
    """On which channel, where an address of her own serves it, and from which hour on; `confirmed`: our word to her."""

    channel: str
    since: time
    confirmed: Written


def asked_writing(text: str, patient: Patient, heard: Heard, *, now: datetime) -> Asked | None:
    """None where anything is left open, nothing waits to be written, or a message may not leave: a person reads it.

    The identity with a messenger is the one she gave us, never guessed from her number.
    """
    wish = wish_in(text)
    since = written_from(wish, opening_hours(patient.clinic, now=now)) if wish else None
    if wish is None or since is None or not wish.channel or not _waits_for_words(patient):
        return None
    own = list(patient.contacts.filter(relation=Relation.SELF).select_related("contact_point"))
    here = next((tie for tie in own if tie.contact_point == heard.point), None)
    there = next((tie for tie in own if wish.channel in channels_of(tie.contact_point.kind)), None)
    if here is None or there is None:
        return None
    facts = Facts(patient.given_name, "", variant=patient.gender, channel=wish.channel, hour=since)
    texts = Texts([WRITTEN_AS_ASKED], [patient.clinic_id])
    try:
        for tie, channel in ((here, heard.channel), (there, wish.channel)):
            tie.patient = patient
            refuse_to_write(tie, channel, now=now)
        refuse_unless_active(patient.pk)
        said = texts.render(WRITTEN_AS_ASKED, heard.channel, patient.language, facts, patient.clinic)
    except (RefusedError, CannotRender):
        return None
    return Asked(wish.channel, since, Written(Way(here, heard.channel), said.body))


def _waits_for_words(patient: Patient) -> bool:
    """Whether anything of ours is still to come; else she would wait for a message that nobody writes."""
    tasks = OutreachTask.objects.filter(patient=patient, status=TaskStatus.OPEN)
    return any(
        can_be_written(task.step) for task in tasks.exclude(message_key__in=WAITED_FOR).select_related("step")
    )


@transaction.atomic
def write_as_asked(patient: Patient, asked: Asked, *, now: datetime) -> ServiceCard:
    """As if she had changed it on her own page: her days stay, and what is planned for her follows."""
    lock_patient(patient.pk)
    card = ServiceCard.objects.filter(patient=patient).first()
    days = {row.weekday for row in ContactWindow.objects.filter(card=card)} if card else set()
    answers = CardAnswers(
        asked.channel,
        tuple((day, asked.since, time.max) for day in sorted(days or WEEK)),
        may_leave_voicemail=None,
        may_tell=card.may_tell if card else "",
        days_told=card.days_told if card else False,
    )
    saved = save_card(patient, answers, now=now, by=None)
    plan_by_card(patient, saved, now=now)
    return saved
