"""One standard told apart by whose patients they are: by doctor, language or channel, counted as it happened."""

from collections.abc import Sequence
from datetime import date

from django.db.models import Exists, OuterRef, Q

from clinic_journey.reports.local_days import FOUR_WEEKS, ONE_DAY, local_day
from clinic_journey.reports.stages import NOBODY
from clinic_journey.reports.stages_models import Dimension
from clinic_journey.reports.standards import Kept, Share, counted_by_day
from clinic_journey.reports.standards_models import Standard
from clinic_journey.reports.standards_verdict import Verdict
from journeys.models import Journey
from patients.access import Here
from patients.models import Clinic
from patients.queries import patients_of

BATCH = 500  # parameters of one statement
Told = tuple[str, str]


def of_value(found: Sequence[Verdict], told: Told, clinic: Clinic) -> list[Verdict]:
    """Those about patients of this kind; everybody's where none is asked for."""
    if not told[0]:
        return list(found)
    keys = sorted({each.case.patient_id for each in found if each.case.patient_id})
    mine: set[int] = set()
    for nth in range(0, len(keys), BATCH):
        some = patients_of(clinic).filter(_is_of(told), pk__in=keys[nth : nth + BATCH])
        mine.update(some.values_list("pk", flat=True))
    return [each for each in found if each.case.patient_id in mine]


def _is_of(told: Told) -> Q:
    """A doctor's patients are those whose journey the doctor leads."""
    dimension, value = told
    if dimension == Dimension.LANGUAGE:
        return Q(language=value)
    if dimension == Dimension.CHANNEL:
        empty = Q(card__isnull=True) | Q(card__channel="")
        return empty if value == NOBODY else Q(card__channel=value)
    led = Journey.objects.filter(patient=OuterRef("pk"))
    if value == NOBODY:
        return ~Q(Exists(led.filter(doctor__isnull=False)))
    return Q(Exists(led.filter(doctor=int(value))))


def kept_of(standard: Standard, counted: Sequence[Verdict], here: Here) -> Kept:
    """The last 28 days of these cases alone; of the days before them nothing is counted."""
    shares = counted_by_day(counted, here.clinic.time_zone)
    days = [(on, shares.get(on, Share())) for on in last_days(here)]
    return Kept(standard, days[-1][1], days, Share(), None)


def last_days(here: Here) -> list[date]:
    today = local_day(here.now, here.clinic.time_zone)
    return [today - ONE_DAY * n for n in range(FOUR_WEEKS - 1, -1, -1)]
