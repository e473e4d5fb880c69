"""What waits behind the words of the bar, counted for every page of the staff in one statement.

Only what somebody else waits for and what costs little to count (docs/decisions/034): a page pays for it each time.
No list is counted beyond what a badge can say. Nothing is asked where a part of a page has no bar.
"""

from typing import Any

from django.db.models import F, IntegerField, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from clinic_journey.handover import waiting_handovers
from clinic_journey.worklist import BADGE
from journeys.models import Step, StepKind, StepStatus
from outreach.conversations import asked_in
from outreach.praise import not_seen
from patients.access import Here, place_of
from patients.models import Clinic

READ = 3 * BADGE  # of a patient with many matters a few are read


class Number(Subquery):
    """How many different ones some rows are about, as `who` says."""

    template = "(SELECT COUNT(DISTINCT counted.who) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def counts_of(here: Here, *, on_today: bool = False) -> dict[str, int]:
    """Today leads to what else the desk is to know."""
    columns = {"inbox": _conversations(here.clinic), "results": _each(_reviews(here.clinic))}
    if on_today:
        columns["thanks"] = _each(not_seen(here.clinic, here.user, now=here.now))
        columns["to_take_over"] = _each(waiting_handovers(here.clinic).exclude(by=here.user))
    found: Any = Clinic.objects.filter(pk=here.clinic.pk).values(**columns).get()
    counts: dict[str, int] = dict(found)
    return counts


def _conversations(clinic: Clinic) -> Number:
    """One a patient; a matter of nobody we know counts for itself."""
    return Number(asked_in(clinic).values(who=Coalesce(F("journey__patient"), F("pk") * -1))[:READ])


def _each(rows: QuerySet[Any]) -> Number:
    return Number(rows.order_by().values(who=F("pk"))[:BADGE])


def _reviews(clinic: Clinic) -> QuerySet[Step]:
    """Each result waits for a decision of its own, also where two are one patient's."""
    return Step.objects.filter(clinic=clinic, kind=StepKind.REVIEW, status=StepStatus.ACTIVE)


def context(request: HttpRequest) -> dict[str, object]:
    """Context processor."""

    def counts() -> dict[str, int]:
        here = place_of(request) if hasattr(request, "user") else None
        return counts_of(here, on_today=request.path_info.startswith("/today/")) if here else {}

    return {"bar": SimpleLazyObject(counts)}
