"""“This is not me”: who holds the phone or the link is not the patient. Nothing more goes there for her, at once.

A person at the desk checks the address. The others of the family who share it are written to and called as before.
"""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _, gettext_lazy

from journeys.actions import AdHoc, add_step, complete_step, lock_journey
from journeys.clinic_time import soon
from journeys.models import OPEN_JOURNEYS, Journey, Step, StepKind, StepStatus, isolated
from outreach import followup
from outreach.answers import READ_WITHIN, for_staff, journey_of_a_question
from outreach.because import Because
from outreach.channels import BY_VOICE
from outreach.confidence import end_links
from outreach.decisions import note_stopped
from outreach.followup import REPLANNED
from outreach.matters import ASK, PAGE, open_matter
from outreach.models import NOT_ME, Attempt, AttemptStatus, OutreachTask, Reply, TaskStatus
from patients.actions import lock_patient
from patients.addresses import correct_tie, remove_tie, suspend_ties, trust_tie
from patients.models import ContactPoint, Patient, PatientContact
from patients.templatetags.phones import phone

NOBODYS_PAGE = gettext_lazy("the link is with somebody else")  # kept for staff
CHECKED = "address_checked"  # how the step of whoever checks the address ends


@dataclass(frozen=True)
class Denied:
    """At which addresses somebody said so, how and when."""

    points: tuple[ContactPoint, ...]
    channel: str
    at: datetime
    words: str = ""
    perhaps: tuple[ContactPoint, ...] = ()  # may be meant, too: a person looks at them, nothing stops there


@transaction.atomic
def not_hers(patient: Patient, denied: Denied, answered: Attempt, *, now: datetime) -> Step:
    """Stop all that is planned for her there, void the links that went there, and ask the desk to check it.

    `answered` is the message of ours that reached somebody else: it is taken as one that did not arrive, so she is
    told another way or by a person. Returned is the step of whoever checks; said twice, it is the same one.
    """
    about = answered.task.step.journey_id
    sent_there = Attempt.objects.filter(
        patient=patient, contact_point__in=denied.points, called_at__isnull=False
    )
    opened_by = {about, *sent_there.values_list("task__step__journey", flat=True)}
    locked = Journey.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=opened_by)
    journeys = {journey.pk: journey for journey in locked.select_related("clinic", "patient").order_by("pk")}
    lock_patient(patient.pk)
    is_news = bool(suspend_ties(patient, denied.points, now=now))
    if is_news:
        Journey.objects.filter(pk__in=journeys).update(link_version=F("link_version") + 1)
        _stop(patient, denied, now=now)
        _tell_her_otherwise(answered.task, now=now)
    step = _asked_already(patient, denied) or _ask(patient, denied, journeys[about], now=now)
    for point in denied.points:  # answers no attempt: nobody learns from it when she is best reached
        Reply.objects.create(
            clinic_id=patient.clinic_id,
            patient=patient,
            contact_point=point,
            channel=denied.channel,
            at=denied.at,
            body=denied.words,
            meaning=NOT_ME,
            step=step,
        )
    return step


def _stop(patient: Patient, denied: Denied, *, now: datetime) -> None:
    """What was planned there, and what a worker has claimed and not begun; a call that rings already goes on."""
    not_made = Q(status=AttemptStatus.PLANNED)
    not_made |= Q(status=AttemptStatus.SENDING, called_at__isnull=True, claimed_by__isnull=True)
    there = Attempt.objects.filter(not_made, patient=patient, contact_point__in=denied.points)
    stopped = followup.withdraw(there, REPLANNED, now=now)
    note_stopped(stopped, Because.NOT_HERS, now=now)
    tasks = {each.task_id for each in stopped}
    OutreachTask.objects.filter(pk__in=tasks, status=TaskStatus.OPEN).update(plan_from=now)


def _tell_her_otherwise(task: OutreachTask, *, now: datetime) -> None:
    """What that message told was told to somebody else. What she has settled since needs no word more."""
    if task.step.status == StepStatus.ACTIVE or task.outcome == followup.TOLD:
        followup.did_not_arrive(task, now=now)


def checks_of(patient: Patient) -> QuerySet[Step]:
    """The steps that ask to check an address of hers."""
    asked = Step.objects.filter(journey__patient=patient, kind=StepKind.CALL, status=StepStatus.ACTIVE)
    return asked.filter(replies__meaning=NOT_ME).distinct()


def _asked_already(patient: Patient, denied: Denied) -> Step | None:
    return checks_of(patient).filter(replies__contact_point__in=denied.points).first()


def _ask(patient: Patient, denied: Denied, journey: Journey, *, now: datetime) -> Step:
    def listed(points: tuple[ContactPoint, ...]) -> str:
        return isolated(", ".join(phone(point.value, journey.clinic.country) for point in points))

    named = {"name": isolated(patient.full_name), "address": listed(denied.points)}

    def title() -> str:
        said = _("Somebody at %(address)s says it is not %(name)s: check the number or address") % named
        if not denied.perhaps:
            return said
        also = _("The same link went to %(others)s") % {"others": listed(denied.perhaps)}
        return f"{said}. {also}"

    is_open = journey.status in OPEN_JOURNEYS and journey.patient_id == patient.pk
    where = journey if is_open else journey_of_a_question(journey, now=now)
    due_at = soon(journey.clinic, READ_WITHIN, now=now)
    return add_step(where, AdHoc(StepKind.CALL, title, due_at, ends_with=CHECKED), now=now)


def holder_says_no(journey: Journey, patient: Patient, *, now: datetime) -> None:
    """Whoever opened the link of this journey is not she. The last address it went to is taken for the one, and the
    desk looks at the others: one press leaves her reachable. Without any, as where it was shown at the desk, a person
    reads it.
    """
    sent = Attempt.objects.filter(task__step__journey=journey, called_at__isnull=False)
    sent = sent.exclude(channel__in=BY_VOICE).select_related("contact_point", "task__step", "task__patient")
    hers = set(patient.contacts.values_list("contact_point", flat=True))
    there = [each for each in sent.order_by("-called_at") if each.contact_point_id in hers]
    if there:
        last, *others = {each.contact_point_id: each.contact_point for each in there}.values()
        not_hers(patient, Denied((last,), PAGE, now, perhaps=tuple(others)), there[0], now=now)
    else:
        open_matter(journey, ASK, for_staff(journey, NOBODYS_PAGE), now=now)


@transaction.atomic
def is_hers(tie: PatientContact, *, now: datetime, by: User) -> None:
    """The desk has checked: it is the patient's. Calls and messages may go there again."""
    trust_tie(tie)
    end_checks(tie, now=now, by=by)


@transaction.atomic
def remove_address(tie: PatientContact, *, now: datetime, by: User) -> None:
    """Taken off the list, it is checked by nobody any more, and opens nothing that is kept from the parents."""
    _lock_checks(tie)
    end_links(tie, only_kept=True)
    remove_tie(tie)
    end_checks(tie, now=now, by=by)


@transaction.atomic
def correct_address(tie: PatientContact, text: str, *, now: datetime, by: User) -> None:
    """Other digits take its place, which nobody has doubted."""
    _lock_checks(tie)
    end_links(tie, only_kept=True)
    correct_tie(tie, text, now=now)
    end_checks(tie, now=now, by=by)


def _lock_checks(tie: PatientContact) -> None:
    """Their journeys, which are locked before the patient, as everywhere."""
    for journey in sorted(set(checks_of(tie.patient).values_list("journey", flat=True))):
        lock_journey(journey)


def end_checks(tie: PatientContact, *, now: datetime, by: User) -> None:
    """It was trusted, corrected or taken off the list: nobody has to check it any more."""
    for step in checks_of(tie.patient).filter(replies__contact_point=tie.contact_point_id):
        if _nothing_left_to_check(step, tie):
            complete_step(step, CHECKED, now=now, by=by)


def _nothing_left_to_check(step: Step, tie: PatientContact) -> bool:
    asked = Reply.objects.filter(step=step, meaning=NOT_ME).values("contact_point")
    left = PatientContact.objects.filter(
        patient=tie.patient_id, contact_point__in=asked, suspended_at__isnull=False
    )
    return not left.exclude(pk=tie.pk).exists()
