"""Thanks reach whom they are for, and the manager once a month: from what was written, never from a ranking (S2.3)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.dates import MONTHS
from django.utils.translation import gettext as _

from appointments.models import Practitioner
from journeys import deadlines
from journeys.actions import AdHoc, open_unidentified
from journeys.clinic_time import soon
from journeys.ledgers import HELD, promises_over
from journeys.models import OwnerRole, Step, StepKind
from outreach.matters import PAGE
from outreach.models import Reply
from outreach.praise_models import Praise, PraiseKind
from outreach.written import end_matters, matters_read
from patients.actions import RefusedError, StaleStateError, lock_patient
from patients.identity import fold_name
from patients.models import MANAGERS, Clinic, Membership, Patient
from patients.queries import User as AnyUser

THANKS = "thanks"  # the outcome of a message that needs no other answer, and what it means
ONE_DAY = timedelta(days=1)
MONTH = timedelta(days=31)
THANKED_WITHIN = deadlines.Limit(3, deadlines.Unit.WORKING_DAYS)


def members_of(clinic: Clinic) -> QuerySet[Membership]:
    working = Membership.objects.filter(clinic=clinic, user__is_active=True)
    return working.select_related("user").order_by("user__first_name", "user__username")


def praise_visible_to(user: AnyUser) -> QuerySet[Praise]:
    """What was written of herself, and all of it in the clinics that she manages."""
    places = Membership.objects.filter(user=user.pk)
    own = Q(to=user.pk, clinic__in=places.values("clinic"))
    managed = Q(clinic__in=places.filter(role__in=MANAGERS).values("clinic"))
    return Praise.objects.filter(own | managed).select_related("clinic", "patient", "by", "to")


@transaction.atomic
def thank(patient: Patient, words: str, named: str = "", *, now: datetime) -> Praise | None:
    """From her own page: with whomever she named, if that is one of us. The same words again are the same thanks."""
    said = words.strip()
    if not said:
        return None
    lock_patient(patient.pk)  # pressed twice it is one
    same = Praise.objects.filter(patient=patient, words=said, at__gt=now - ONE_DAY).first()
    if same:
        return same
    clinic = patient.clinic
    Reply.objects.create(clinic=clinic, patient=patient, channel=PAGE, at=now, body=said, meaning=THANKS)
    return Praise.objects.create(
        clinic=clinic,
        kind=PraiseKind.THANKS,
        words=said,
        at=now,
        named=named.strip()[:120],
        to=who_is_meant(clinic, named),
        patient=patient,
    )


def who_is_meant(clinic: Clinic, named: str) -> User | None:
    """Exactly one of us, by first name, whole name, or the name on the door; else a person says who."""
    wanted = set(fold_name(named).split())
    if not wanted:
        return None
    doors = Practitioner.objects.filter(clinic=clinic, user__isnull=False).values_list("user", "name")
    names = [(each.user_id, each.user.get_full_name()) for each in members_of(clinic)] + list(doors)
    meant = {user for user, name in names if wanted <= set(fold_name(name).split())}
    return User.objects.get(pk=meant.pop()) if len(meant) == 1 else None


@transaction.atomic
def thanks_from_messages(
    patient: Patient, to: User | None, *, heard: int | None, now: datetime, by: User
) -> Praise:
    """What she wrote are thanks: nobody owes an answer to them, and whom they are for reads them."""
    matters = matters_read(patient, heard)
    words = "\n".join(
        Reply.objects.filter(matter__in=matters).order_by("at", "pk").values_list("body", flat=True)
    )
    if not matters or not words.strip():
        raise StaleStateError(_("This was done by somebody else meanwhile."))
    end_matters(matters, THANKS, now=now, by=by)
    return Praise.objects.create(
        clinic_id=patient.clinic_id,
        kind=PraiseKind.THANKS,
        words=words.strip(),
        at=now,
        to=to,
        patient=patient,
        by=by,
    )


def note_extra(clinic: Clinic, to: User, words: str, *, now: datetime, by: User) -> Praise:
    """A colleague did more than had to be done, and somebody saw it."""
    if not words.strip():
        raise RefusedError(_("Write what your colleague did."))
    if to.pk == by.pk:
        raise RefusedError(_("What you did yourself, a colleague writes down."))
    return Praise.objects.create(
        clinic=clinic, kind=PraiseKind.EXTRA, words=words.strip(), at=now, to=to, by=by
    )


def say_whom(praise: Praise, to: User) -> None:
    """Thanks that named nobody, or somebody we could not find, reach whom they are for."""
    if not Praise.objects.filter(pk=praise.pk, to=None).update(to=to):
        raise StaleStateError(_("This was done by somebody else meanwhile."))


def not_seen(clinic: Clinic, user: User, *, now: datetime) -> QuerySet[Praise]:
    """What has been written for her in a month that she has not read yet."""
    return Praise.objects.filter(clinic=clinic, to=user, seen_at=None, at__gt=now - MONTH, at__lte=now)


@dataclass(frozen=True)
class Figures:
    """Of the clinic, or of one person who looks at her own; never of somebody else."""

    thanks: int
    extra: int
    due: int  # promises of which it is known whether they held
    kept: int  # of them, in time


def figures(clinic: Clinic, *, now: datetime, of: User | None = None) -> Figures:
    """Of the last month; `of`: her own."""
    lately = Praise.objects.filter(clinic=clinic, at__gt=now - MONTH)
    promises = promises_over(clinic, since=now - MONTH, now=now)
    if of is not None:
        lately, promises = lately.filter(to=of), promises.filter(owner=of)
    by_kind = lately.aggregate(thanks=Count("pk", Q(kind="thanks")), extra=Count("pk", Q(kind="extra")))
    counted = promises.aggregate(due=Count("pk"), kept=Count("pk", HELD))
    return Figures(by_kind["thanks"], by_kind["extra"], counted["due"], counted["kept"])


def prompt_recognition(*, now: datetime) -> int:
    """On each clinic's list of the manager: thank people for what was written in this month. Once a month each."""
    seen = Praise.objects.filter(at__gt=now - MONTH).values("clinic")
    return sum(_prompt(pk, now=now) for pk in Clinic.objects.filter(pk__in=seen).values_list("pk", flat=True))


@transaction.atomic
def _prompt(clinic_id: int, *, now: datetime) -> bool:
    clinic = Clinic.objects.select_for_update().get(pk=clinic_id)  # two workers, one step
    asked = Step.objects.filter(clinic=clinic, kind=StepKind.THANK, journey__patient=None)
    if asked.filter(opened_at__gt=now - MONTH + ONE_DAY * 4).exists():
        return False
    lately = Praise.objects.filter(clinic=clinic, at__gt=now - MONTH).values_list("kind", flat=True)
    kinds = list(lately)
    said = {"thanks": kinds.count("thanks"), "extra": kinds.count("extra"), "month": now.month}

    def title() -> str:
        month = {**said, "month": MONTHS[said["month"]]}
        return _("Thank colleagues, %(month)s: patients' thanks %(thanks)s, extra steps %(extra)s") % month

    due_at = soon(clinic, THANKED_WITHIN, now=now)
    open_unidentified(clinic, AdHoc(StepKind.THANK, title, due_at, role=OwnerRole.MANAGER), now=now)
    return True
