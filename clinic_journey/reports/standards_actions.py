"""Writes of standards: loading what we ship, a manager's own strictness, and each night's count of the days before."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from clinic_journey.reports.local_days import ONE_DAY, begins, local_day
from clinic_journey.reports.standards import (
    DAYS,
    Share,
    counted_by_day,
    verdicts,
    within,
)
from clinic_journey.reports.standards_cases import Span
from clinic_journey.reports.standards_file import StandardSpec, read_standards
from clinic_journey.reports.standards_measures import MEASURES
from clinic_journey.reports.standards_models import Standard, StandardDay
from journeys.deadlines import Limit
from patients.actions import RefusedError
from patients.models import Clinic

COUNTED_ANEW = 2 * DAYS  # days: what was corrected since is right by the next morning
MOST_OWN = 12
AFTER_OURS = 1000  # the position of those of the clinic itself
OURS = ("measure", "source", "foundation", "position", "names", "routines")


@transaction.atomic
def load_standards(clinics: Iterable[Clinic], specs: list[StandardSpec] | None = None) -> int:
    """Give each clinic the standards it lacks, and all of them our newest words; how strict they are stays."""
    wanted = read_standards() if specs is None else specs
    made = [_standard(clinic, spec, nth) for clinic in clinics for nth, spec in enumerate(wanted)]
    known = set(Standard.objects.values_list("clinic", "key"))
    fresh = [each for each in made if (each.clinic_id, each.key) not in known]
    Standard.objects.bulk_create(
        made, update_conflicts=True, unique_fields=["clinic", "key"], update_fields=OURS
    )
    return len(fresh)


def _standard(clinic: Clinic, spec: StandardSpec, position: int) -> Standard:
    return Standard(
        clinic=clinic,
        key=spec.key,
        measure=spec.measure,
        source=spec.source,
        foundation=spec.foundation,
        position=position,
        names=dict(spec.names),
        routines=dict(spec.routines),
        limit_amount=spec.limit.amount if spec.limit else None,
        limit_unit=spec.limit.unit if spec.limit else "",
        goal=spec.goal,
    )


@dataclass(frozen=True)
class Strictness:
    """What a manager decides about a standard. One that is not counted says why."""

    goal: int
    is_on: bool
    limit: Limit | None = None
    off_because: str = ""
    routine: str = ""  # the clinic's own words for the two minutes a day


@transaction.atomic
def change_standard(standard: Standard, new: Strictness) -> None:
    """With another limit the days before are counted anew: none is shown by two measures at once."""
    clinic = Clinic.objects.select_for_update(no_key=True).get(pk=standard.clinic_id)
    locked = Standard.objects.select_for_update().get(pk=standard.pk)
    limit = new.limit if MEASURES[locked.measure].has_limit else None
    if locked.is_own:
        _refuse_twice(clinic, locked.measure, limit, besides=locked)
    Standard.objects.filter(pk=locked.pk).update(
        goal=new.goal,
        is_on=new.is_on,
        off_because="" if new.is_on else new.off_because,
        own_routine=new.routine,
        limit_amount=limit.amount if limit else None,
        limit_unit=limit.unit if limit else "",
    )
    if locked.limit != limit:
        StandardDay.objects.filter(standard=locked).delete()


@dataclass(frozen=True)
class OwnStandard:
    """A standard of the clinic itself: one of the measures there are, with its own name and limit."""

    name: str
    measure: str
    goal: int
    foundation: int
    limit: Limit | None = None
    routine: str = ""


@transaction.atomic
def add_standard(clinic: Clinic, own: OwnStandard) -> Standard:
    """What it is asked about after comes with its measure. The page counts each live, so there is an end to them."""
    Clinic.objects.select_for_update(no_key=True).get(pk=clinic.pk)
    measure = MEASURES[own.measure]
    limit = own.limit if measure.has_limit else None
    _refuse_twice(clinic, own.measure, limit)
    if Standard.objects.filter(clinic=clinic, is_own=True).count() >= MOST_OWN:
        raise RefusedError(_("%(n)s standards of your own are the most.") % {"n": MOST_OWN})
    return Standard.objects.create(
        clinic=clinic, key=f"own-{uuid4().hex[:12]}", measure=own.measure, source=measure.source,
        foundation=own.foundation, position=AFTER_OURS, names={clinic.language: own.name}, goal=own.goal,
        limit_amount=limit.amount if limit else None, limit_unit=limit.unit if limit else "",
        own_routine=own.routine, is_own=True,
    )  # fmt: skip


def _refuse_twice(
    clinic: Clinic, measure: str, limit: Limit | None, *, besides: Standard | None = None
) -> None:
    theirs = Standard.objects.filter(clinic=clinic, is_own=True, measure=measure)
    if any(each.limit == limit for each in theirs if each != besides):
        raise RefusedError(_("A standard of your own counts just this already."))


def rebuild_days(clinic: Clinic, *, now: datetime, days: int = COUNTED_ANEW) -> int:
    """Count the last days before today anew from what happened, a transaction for each standard; how many rows."""
    keys = list(Standard.objects.filter(clinic=clinic, measure__in=MEASURES).values_list("pk", flat=True))
    return sum(_rebuild(key, clinic, now=now, days=days) for key in keys)


@transaction.atomic
def _rebuild(key: int, clinic: Clinic, *, now: datetime, days: int) -> int:
    """Under the standard's lock, so that a change of its limit and this night do not mix."""
    standard = Standard.objects.select_for_update().filter(pk=key).first()
    if standard is None:
        return 0
    zone, today = clinic.time_zone, local_day(now, clinic.time_zone)
    asked = [today - ONE_DAY * n for n in range(days, 0, -1)]
    span = Span(begins(zone, asked[0]), begins(zone, today), now)
    shares = counted_by_day(within(verdicts(standard, clinic, span), span), zone)
    rows = [_day(standard, on, shares.get(on, Share()), now=now) for on in asked]
    StandardDay.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["standard", "on"],
        update_fields=["met", "counted", "written_at"],
        batch_size=200,
    )
    return len(rows)


def _day(standard: Standard, on: date, share: Share, *, now: datetime) -> StandardDay:
    return StandardDay(standard=standard, on=on, met=share.met, counted=share.counted, written_at=now)
