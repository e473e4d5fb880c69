"""What an adolescent's journey keeps from her parents: set at the desk, held wherever somebody is told."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from journeys.actions import lock_journey
from journeys.models import Journey
from outreach import followup
from outreach.anew import plan_anew
from outreach.because import Because
from outreach.decisions import note_stopped
from outreach.followup import REPLANNED
from outreach.models import Attempt, AttemptStatus
from patients.actions import RefusedError
from patients.addresses import TieAnswers, change_tie
from patients.country import profile_of
from patients.models import MaySay, PatientContact, Relation
from patients.told import SURELY_HERS, may_keep_from_parents

HER_OWN = PatientContact.objects.filter(
    SURELY_HERS, patient=OuterRef("patient"), contact_point=OuterRef("contact_point")
)


def told_with(shown: Journey, journey: str = "") -> Q:
    """What this journey's page may tell besides: a parent who has its link hears of nothing kept from her."""
    return Q() if shown.is_confidential else Q(**{f"{journey}is_confidential": False})


@transaction.atomic
def keep_from_parents(journey: Journey, *, now: datetime) -> None:
    """From this moment only she is told of it. Links that went to a parent end, and what was to reach one is planned
    another way.
    """
    held = lock_journey(journey.pk)
    patient = held.patient
    if patient is None or not may_keep_from_parents(
        patient, on=now.astimezone(ZoneInfo(patient.zone)).date()
    ):
        age = profile_of(held.clinic.country).confidential_age
        raise RefusedError(
            _(
                "The country's rules let a matter be kept from the parents from the age of %(age)s, until majority."
            )
            % {"age": age}
        )
    Journey.objects.filter(pk=held.pk, is_confidential=False).update(
        is_confidential=True, link_version=F("link_version") + 1
    )
    planned = Attempt.objects.filter(task__step__journey=held, status=AttemptStatus.PLANNED)
    stopped = followup.withdraw(planned.exclude(Exists(HER_OWN)), REPLANNED, now=now)
    note_stopped(stopped, Because.IN_CONFIDENCE, now=now)
    for attempt in stopped:
        followup.plan_again(attempt.task, at=now)


def tell_parents_again(journey: Journey) -> None:
    """At her own word; parents are told what comes from now on."""
    Journey.objects.filter(pk=journey.pk).update(is_confidential=False)


@transaction.atomic
def change_address(tie: PatientContact, answers: TieAnswers, *, now: datetime) -> None:
    """As the desk says whose it is and what may be said there.

    Whoever is told nothing more, as the one of two parents, has a link that opens nothing more, and what was planned
    there goes another way.
    """
    is_silent = answers.may_say == MaySay.NOTHING and tie.may_say != MaySay.NOTHING
    if is_silent:
        end_links(tie)
    else:
        end_links_unless_hers(tie, answers.relation, now=now)
    change_tie(tie, answers)
    if is_silent:
        there = Attempt.objects.filter(patient=tie.patient_id, contact_point=tie.contact_point_id)
        plan_anew(there.filter(status=AttemptStatus.PLANNED), Because.NOTHING_SAID, now=now)


def end_links_unless_hers(tie: PatientContact, relation: str, *, now: datetime) -> None:
    """What was taken for hers and is not opens nothing that is kept; a parent's, once she is of age, nothing at all."""
    if tie.relation != Relation.SELF or relation == Relation.SELF:
        return
    on = now.astimezone(ZoneInfo(tie.patient.zone)).date()
    end_links(tie, only_kept=relation != Relation.PARENT or tie.patient.is_minor(on=on))


def end_links(tie: PatientContact, *, only_kept: bool = False) -> None:
    """Links that went to this address; `only_kept`: of what is kept from the parents. A new one goes to whoever is
    told. Inside atomic().
    """
    there = Attempt.objects.filter(patient=tie.patient_id, contact_point=tie.contact_point_id)
    journeys = Journey.objects.filter(patient=tie.patient_id)
    end_links_sent(there, journeys.filter(is_confidential=True) if only_kept else journeys)


def end_links_sent(attempts: QuerySet[Attempt], journeys: QuerySet[Journey]) -> None:
    """The links of those journeys of which one of these attempts has told."""
    sent = attempts.filter(task__step__journey=OuterRef("pk"), called_at__isnull=False)
    journeys.filter(Exists(sent)).update(link_version=F("link_version") + 1)
