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


@dataclass(frozen=True)
class Table:
    """One picture with its words."""

    title: str
    picture: Picture
    rows: list[tuple[str, list[Cell]]]


@require_GET
@for_staff(*MANAGERS)
def reach(request: HttpRequest, here: Here) -> HttpResponse:
    asked = request.GET.get("only", "")
    only = asked if asked in (AGREED, OTHERS) else ""
    first = first_weekday_of(here.clinic)
    shown = pictures(here.clinic, only, first_weekday=first, now=here.now)
    context = {"tab": "reach", "only": only, "tables": [_table(each) for each in shown]}
    return render(request, "reports/reach.html", context)


def _table(picture: Picture) -> Table:
    title = str(Channel(picture.channel).label) if picture.channel else _("All channels")
    return Table(title, picture, [(str(WEEKDAYS[weekday]), cells) for weekday, cells in picture.rows])
