"""For managers: what patients had to ask for, step by step, and which promises did not hold."""

from datetime import timedelta
from typing import TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from journeys.ledgers import (
    broken_promises,
    chases_by_week,
    chases_visible_to,
    promises_by_team,
    promises_visible_to,
)
from patients import audit
from patients.access import Here, for_staff
from patients.models import MANAGERS
from patients.queries import beyond, key_in

PAGE = 25
COUNTED = timedelta(weeks=8)
Row = TypeVar("Row", bound=Model)


@require_GET
@for_staff(*MANAGERS)
def ledgers(request: HttpRequest, here: Here) -> HttpResponse:
    """Two lists, newest first, each paged by key; the counts of the last eight weeks beside them."""
    chases = chases_visible_to(here.user).filter(clinic=here.clinic)
    promises = promises_visible_to(here.user).filter(clinic=here.clinic)
    broken = broken_promises(promises, now=here.now).order_by("-due_at", "-pk")
    chase_page, more_chases = _page(chases, request.GET.get("chase", ""), "at")
    broken_page, more_broken = _page(broken, request.GET.get("promise", ""), "due_at")
    audit.shows(rows=len(chase_page) + len(broken_page))
    since = here.now - COUNTED
    context = {
        "chases": chase_page,
        "more_chases": more_chases,
        "broken": broken_page,
        "more_broken": more_broken,
        "weeks": chases_by_week(here.clinic, since=since, until=here.now),
        "teams": promises_by_team(here.clinic, since=since, now=here.now),
    }
    return render(request, "ledgers/ledgers.html", context)


def _page(rows: QuerySet[Row], after: str, column: str) -> tuple[list[Row], int | None]:
    """The rows after a key, newest first, and the key to go on from if there are more."""
    key = key_in(after)
    last = rows.filter(pk=key).first() if key is not None else None
    found = list(beyond(rows, last, f"-{column}", "-pk")[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None
