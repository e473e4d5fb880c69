"""For managers: what the clinic holds itself to, how it keeps it, and each time it did not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from clinic_journey.reports.local_days import ONE_DAY, begins, local_day
from clinic_journey.reports.parts import part
from clinic_journey.reports.standards import (
    DAYS,
    Kept,
    Share,
    kept_now,
    newest_breaches,
    share_of,
    standards_of,
    standards_visible_to,
    unknown_to_us,
    verdicts,
    within,
)
from clinic_journey.reports.standards_actions import add_standard, change_standard, load_standards
from clinic_journey.reports.standards_cases import Span
from clinic_journey.reports.standards_forms import OwnStandardForm, StandardForm
from clinic_journey.reports.standards_measures import MEASURES
from clinic_journey.reports.standards_models import Standard
from clinic_journey.reports.standards_told import Told, kept_of, of_value
from clinic_journey.reports.standards_verdict import Verdict
from clinic_journey.reports.standards_words import limit_words
from clinic_journey.reports.stuck import choices
from clinic_journey.reports.stuck_asked import doctors_of, told_in
from patients import audit
from patients.access import Here, for_staff
from patients.actions import RefusedError
from patients.models import MANAGERS, Patient
from patients.queries import day_in, patients_of

PAGE = 25
WEEK = 7
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ONE_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Row:
    """One standard in the list, in words."""

    kept: Kept
    limit: str
    next_name: Patient | None


@dataclass(frozen=True)
class Breach:
    verdict: Verdict
    patient: Patient | None

    @property
    def is_open(self) -> bool:
        return self.verdict.case.done_at is None


@require_http_methods(["GET", "POST"])
@for_staff(*MANAGERS)
def standards(request: HttpRequest, here: Here) -> HttpResponse:
    """All of them with today and 28 days; a press brings those that this clinic lacks."""
    if request.method == "POST":
        load_standards([here.clinic])
        messages.success(request, _("The standards are there. Make each as strict as you are."))
        return redirect("standards")
    listed = list(standards_of(here.clinic))
    kept = part(lambda: kept_now(here.clinic, now=here.now, only=listed))
    rows = None if kept is None else _rows(kept, here)
    context = {
        "rows": rows,
        "off": [each for each in listed if not each.is_on],
        "unknown": list(unknown_to_us(here.clinic)),
        "tab": "standards",
    }
    return render(request, "reports/standards.html", context)


@require_http_methods(["GET", "POST"])
@for_staff(*MANAGERS)
def own_standard(request: HttpRequest, here: Here) -> HttpResponse:
    """A standard of the clinic itself, made of one of the measures."""
    form = OwnStandardForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            added = add_standard(here.clinic, form.standard())
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Added. The 28 days before are counted by it as well."))
            return redirect("standard", added.pk)
    context = {"form": form, "tab": "standards"}
    return render(request, "reports/standard_own.html", context, status=422 if form.is_bound else 200)


def _rows(kept: Sequence[Kept], here: Here) -> list[Row]:
    next_ones = named(here, [each.next_breach for each in kept if each.next_breach])
    audit.shows(rows=len(next_ones))
    return [Row(each, limit_words(each.standard.limit), _next_of(each, next_ones)) for each in kept]


def named(here: Here, verdicts: Iterable[Verdict]) -> dict[int, Patient]:
    """The patients of some cases, by key, in one query."""
    keys = {each.case.patient_id for each in verdicts if each.case.patient_id}
    return patients_of(here.clinic).in_bulk(keys)


def _next_of(kept: Kept, patients: dict[int, Patient]) -> Patient | None:
    verdict = kept.next_breach
    return patients.get(verdict.case.patient_id or 0) if verdict else None


@require_http_methods(["GET", "POST"])
@for_staff(*MANAGERS)
def standard(request: HttpRequest, here: Here, standard_id: int) -> HttpResponse:
    """One standard: its days, every breach by name, and how strict it is."""
    found = get_object_or_404(
        standards_visible_to(here.user), pk=standard_id, clinic=here.clinic, measure__in=_known(here)
    )
    form = StandardForm(found, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            change_standard(found, form.strictness())
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Saved. The days before are counted by it as well."))
            return redirect("standard", found.pk)
    context = {**_shown(request, here, found), "form": form, "tab": "standards"}
    status = 422 if request.method == "POST" else 200
    return render(request, "reports/standard.html", context, status=status)


def _known(here: Here) -> list[str]:
    return list(standards_of(here.clinic).values_list("measure", flat=True))


def _shown(request: HttpRequest, here: Here, found: Standard) -> dict[str, object]:
    """A measure that cannot be read says so; how strict it is can be changed all the same."""
    on, told = day_in(request.GET.get("day", "")), told_in(request.GET.get("by", ""))
    counted = part(lambda: _counted(found, here, on, told))
    breaches, after = _page(newest_breaches(counted or []), request.GET.get("after", ""))
    patients = named(here, breaches)
    audit.shows(rows=len(breaches))
    kept = part(lambda: _kept(found, here, told))
    return {
        "standard": found,
        "has_failed": counted is None,
        "kept": kept,
        "weeks": in_weeks(kept.days) if kept else [],
        "limit": limit_words(found.limit),
        "counts": MEASURES[found.measure].counts,
        "on": on,
        "by": ":".join(told) if told[0] else "",
        "choices": choices(doctors_of(here)),
        "breaches": [Breach(each, patients.get(each.case.patient_id or 0)) for each in breaches],
        "after": after,
        "by_whom": _by_whom(found, counted or []),
    }


def _counted(found: Standard, here: Here, on: date | None, told: Told) -> list[Verdict]:
    span = _span(here, on)
    return of_value(within(verdicts(found, here.clinic, span), span), told, here.clinic)


def _kept(found: Standard, here: Here, told: Told) -> Kept | None:
    """Everybody's as each night has counted them; of some patients as it happened."""
    if told[0]:
        return kept_of(found, _counted(found, here, None, told), here) if found.is_on else None
    kept = kept_now(here.clinic, now=here.now, only=[found])
    return kept[0] if kept else None


def _by_whom(found: Standard, counted: Sequence[Verdict]) -> tuple[Share, Share] | None:
    """People and the machine apart, where both do it (N7)."""
    if found.measure != "kept_window":
        return None
    people = share_of(each for each in counted if each.case.by_person)
    return people, share_of(each for each in counted if not each.case.by_person)


def _span(here: Here, on: date | None) -> Span:
    """The day asked for, else the last 28."""
    zone = here.clinic.time_zone
    today = local_day(here.now, zone)
    first = on or today - ONE_DAY * (DAYS - 1)
    return Span(begins(zone, first), begins(zone, (on or today) + ONE_DAY), here.now)


def _page(found: Sequence[Verdict], after: str) -> tuple[list[Verdict], str]:
    """The breaches after the one last seen, and the mark to go on from if there are more."""
    left = [each for each in found if not after or _mark(each) < _mark_in(after)]
    page = list(left[:PAGE])
    return page, ".".join(map(str, _mark(page[-1]))) if len(left) > PAGE else ""


def _mark(verdict: Verdict) -> tuple[int, int]:
    return ((verdict.at or EPOCH) - EPOCH) // ONE_MICROSECOND, verdict.case.key


def _mark_in(text: str) -> tuple[int, int]:
    """Nonsense is a mark after which nothing comes."""
    at, _dot, key = text.partition(".")
    is_mark = at.isascii() and at.isdecimal() and key.isascii() and key.isdecimal()
    return (int(at), int(key)) if is_mark else (0, 0)


def in_weeks(days: Sequence[tuple[date, Share]]) -> list[Sequence[tuple[date, Share]]]:
    return [days[first : first + WEEK] for first in range(0, len(days), WEEK)]
