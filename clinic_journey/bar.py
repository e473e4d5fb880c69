"""What waits behind each word of the bar, counted for every page of the staff in one statement.

No list is counted beyond what a badge can say. Nothing is asked where a part of a page has no bar.
"""

from typing import Any

from django.db.models import Exists, F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from clinic_journey import desk
from clinic_journey.handover import waiting_handovers
from clinic_journey.models import AsideKind
from clinic_journey.worklist import BADGE, ROLES, steps_by_hand
from inquiries.queries import promised_answers
from journeys.models import OwnerRole, Step, StepKind, StepStatus
from outreach.conversations import asked_in
from outreach.models import Attempt
from outreach.praise import not_seen
from outreach.queries import attempts_visible_to, calls_until
from patients.access import Here, place_of
from patients.models import Clinic, Role

READ = 3 * BADGE  # of a patient with many matters a few are read


class Patients(Subquery):
    """How many patients some rows are about, as `who` says; a row about nobody we know counts for itself."""

    template = "(SELECT COUNT(DISTINCT counted.who) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def counts_of(here: Here, *, on_today: bool = False) -> dict[str, int]:
    """Today counts its own rows, and leads to what else the desk is to know."""
    columns = {
        "inbox": _about(asked_in(here.clinic)),
        "results": _each(_reviews(here.clinic)),
        "questions": _about(promised_answers(here.clinic)),
        "thanks": _each(not_seen(here.clinic, here.user, now=here.now)),
    }
    if on_today:
        columns["to_take_over"] = _each(waiting_handovers(here.clinic).exclude(by=here.user))
    else:
        columns |= _today(here)
    found: Any = Clinic.objects.filter(pk=here.clinic.pk).values(**columns).get()
    counts: dict[str, int] = dict(found)
    counts["today"] = counts.pop("by_hand", 0) + counts.pop("calls", 0)
    return counts


def _about(steps: QuerySet[Step]) -> Patients:
    return Patients(steps.values(who=Coalesce(F("journey__patient"), F("pk") * -1))[:READ])


def _each(rows: QuerySet[Any]) -> Patients:
    return Patients(rows.order_by().values(who=F("pk"))[:BADGE])


def _reviews(clinic: Clinic) -> QuerySet[Step]:
    """Each result waits for a decision of its own, also where two are one patient's."""
    return Step.objects.filter(clinic=clinic, kind=StepKind.REVIEW, status=StepStatus.ACTIVE)


def _today(here: Here) -> dict[str, Patients]:
    """As Today lists them under "Now": calls that are due, and what a person does for everybody else.

    Whoever is parked with one matter is taken as parked with all of them.
    """
    parked = desk.aside_of(here).filter(kind=AsideKind.PARKED)

    def whose(patient: str) -> Exists:
        return Exists(parked.filter(step__journey__patient=OuterRef(patient)))

    steps = steps_by_hand(here).exclude(Exists(parked.filter(step=OuterRef("pk"))))
    steps = steps.exclude(whose("journey__patient"))
    if OwnerRole.RECEPTIONIST not in ROLES[Role(here.role)]:
        return {"by_hand": _about(steps)}
    calls = attempts_visible_to(here.user).filter(clinic=here.clinic)
    calls = calls_until(calls, now=here.now, until=here.now).exclude(whose("patient"))
    others = steps.exclude(Exists(calls.order_by().filter(patient=OuterRef("journey__patient"))))
    return {"by_hand": _about(others), "calls": _called(calls)}


def _called(calls: QuerySet[Attempt]) -> Patients:
    return Patients(calls.values(who=F("patient"))[:READ])


def context(request: HttpRequest) -> dict[str, object]:
    """Context processor. Today itself shows how many there are, and changes that number while one looks."""

    def counts() -> dict[str, int]:
        here = place_of(request) if hasattr(request, "user") else None
        return counts_of(here, on_today=request.path_info.startswith("/today/")) if here else {}

    return {"bar": SimpleLazyObject(counts)}
