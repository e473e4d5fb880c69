"""For managers: at which hours of which days people were reached, by channel."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from clinic_journey.reports.reach_times import AGREED, OTHERS, Cell, Picture, pictures
from patients.access import Here, for_staff
from patients.models import MANAGERS, Channel
from patients.queries import first_weekday_of

ONLY = (AGREED, OTHERS)


@dataclass(frozen=True)
class Table:
    """One picture with its words."""

    title: str
    picture: Picture
    rows: list[tuple[str, list[Cell]]]


@require_GET
@for_staff(*MANAGERS)
def reach(request: HttpRequest, here: Here) -> HttpResponse:
    only = request.GET.get("only", "")
    only = only if only in ONLY else ""
    context = {"tab": "reach", "only": only, "tables": shown(here, only)}
    return render(request, "reports/reach.html", context)


def shown(here: Here, only: str) -> list[Table]:
    """Nonsense asks for all tries."""
    first = first_weekday_of(here.clinic)
    found = pictures(here.clinic, only if only in ONLY else "", first_weekday=first, now=here.now)
    return [_table(each) for each in found]


def _table(picture: Picture) -> Table:
    title = str(Channel(picture.channel).label) if picture.channel else _("All channels")
    return Table(title, picture, [(str(WEEKDAYS[weekday]), cells) for weekday, cells in picture.rows])
