"""A person answers what a patient wrote: her own words, to where the patient wrote from, at once and once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from journeys.actions import AdHoc, add_step, complete_step, lock_journey
from journeys.models import Journey, Step, StepKind, StepStatus
from outreach.answers import journey_of_its_own
from outreach.at_once import refuse_to_write
from outreach.channels import by_machine
from outreach.conversations import ANSWERED, NOTHING_TO_ANSWER, Way, matters_of
from outreach.followup import NOT_NEEDED
from outreach.models import ANSWER, NEW_LINK, STOPPED, Attempt, OutreachTask, Reply, TaskStatus
from patients.actions import RefusedError, StaleStateError, lock_patient, refuse_unless_active
from patients.models import Patient, PatientContact, Relation
from patients.told import is_surely_hers

LEAVES_WITHIN = timedelta(hours=1)  # else it is back with a person
LONGEST = 1000  # letters; a longer one is a letter, and hardly read on a phone


@dataclass(frozen=True)
class Written:
    """The words, and the way they go; `key`: what they are, if not an answer."""

    way: Way
    words: str
    key: str = ANSWER


@transaction.atomic
def write_back(
    patient: Patient, written: Written, *, heard: int | None = None, now: datetime, by: User
) -> Step:
    """Put the answer into the outbox, due now; whatever the patient waited for in writing is answered by it.

    The answer has a step of its own, which ends when it has left and comes back to a person when it cannot. Where
    any of what it answers is kept from the parents, the answer is, too.
    `heard`: the newest of her messages that was read before; None where a page does not say.
    """
    _refuse(written, now=now)
    matters = matters_read(patient, heard)
    refuse_unless_active(patient.pk)
    asked_in = sorted((matter.journey for matter in matters), key=lambda each: not each.is_confidential)
    journey = asked_in[0] if asked_in else journey_of_its_own(patient, now=now)
    step = put_out(journey, patient, written, now=now, by=by)
    end_matters(matters, ANSWERED, now=now, by=by)
    return step


def matters_read(patient: Patient, heard: int | None) -> list[Step]:
    """What is answered now, under the locks, in the house's order. Words that nobody has read are not among it."""
    waiting = list(matters_of(patient).select_related("about"))
    journeys = {each.journey_id for step in waiting for each in (step, step.about) if each}
    for key in sorted(journeys):
        lock_journey(key)
    lock_patient(patient.pk)
    matters = list(matters_of(patient))
    unread = Reply.objects.filter(matter__in=matters, patient=patient, clinic=patient.clinic_id)
    if heard is not None and unread.filter(pk__gt=heard).exists():
        raise StaleStateError(_("The patient has written again meanwhile. Read it first."))
    return [matter for matter in matters if matter.journey_id in journeys]


def end_matters(matters: Sequence[Step], outcome: str, *, now: datetime, by: User) -> None:
    """The matters, and an answer of ours before that never left: nobody waits for that one any more."""
    for matter in matters:
        complete_step(matter, outcome, now=now, by=by)
    never_left = Step.objects.filter(
        pk__in=[matter.about_id for matter in matters],
        kind=StepKind.TELL,
        template_step=None,
        status=StepStatus.ACTIVE,
        outreach_tasks__message_key=ANSWER,
    )
    for step in never_left.exclude(outreach_tasks__status=TaskStatus.OPEN).distinct():
        complete_step(step, NOT_NEEDED, now=now, by=by)


def put_out(
    journey: Journey,
    patient: Patient,
    written: Written,
    *,
    now: datetime,
    by: User | None = None,
    at: datetime | None = None,
) -> Step:
    """Into the outbox, due now or `at`, with a step that sees to it that it leaves. Inside atomic()."""
    if journey.is_confidential and not is_surely_hers(written.way.tie):
        raise RefusedError(_words_of_confidence(written.way.tie))
    named = {"name": patient.full_name}
    leaves_by = (at or now) + LEAVES_WITHIN

    def title() -> str:
        if written.key == STOPPED:
            return _("Tell %(name)s that our messages stop") % named
        if written.key == NEW_LINK:
            return _("Send %(name)s a new link") % named
        return _("Our answer to %(name)s") % named

    step = add_step(journey, AdHoc(StepKind.TELL, title, leaves_by), now=now, by=by)
    task = OutreachTask.objects.create(
        clinic_id=patient.clinic_id,
        patient=patient,
        step=step,
        message_key=written.key,
        opened_at=now,
        deadline_at=leaves_by,
        max_attempts=1,
    )
    Attempt.objects.create(
        task=task,
        clinic_id=patient.clinic_id,
        patient=patient,
        contact_point=written.way.point,
        channel=written.way.channel,
        send_at=at or now,
        expires_at=leaves_by,
        language=patient.language,
        subject=_subject(patient),
        body=written.words,
    )
    return step


def _words_of_confidence(tie: PatientContact) -> str:
    if tie.relation != Relation.SELF:
        return _("This matter is kept from the parents: write to the patient's own address, or call.")
    return _(
        "This matter is kept from the parents, and others are reached at this address, too. Confirm on the record that"
        " it is the patient's alone, or choose another."
    )


def _refuse(written: Written, *, now: datetime) -> None:
    if not written.words:
        raise RefusedError(_("Write the words."))
    longest = by_machine()[written.way.channel].abilities.longest or LONGEST
    if len(written.words) > min(longest, LONGEST):
        raise RefusedError(_("This is too long to be read on a phone. Shorten it, or call."))
    refuse_to_write(written.way.tie, written.way.channel, now=now)


def _subject(patient: Patient) -> str:
    """Of an e-mail; nothing about health stands in it."""
    return patient.clinic.sender_name or patient.clinic.name


@transaction.atomic
def leave_unanswered(patient: Patient, *, heard: int | None = None, now: datetime, by: User) -> Step:
    """She has written, and nothing is to be said to it: thanks, or what was settled otherwise."""
    matters = matters_read(patient, heard)
    if not matters:
        raise StaleStateError(_("This was done by somebody else meanwhile."))
    end_matters(matters, NOTHING_TO_ANSWER, now=now, by=by)
    return matters[0]
