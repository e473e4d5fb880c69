"""The managers' first page: the numbers that matter, each one click from its names."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clinic_journey.reports.money import at_risk
from clinic_journey.reports.money_actions import set_visit_value
from clinic_journey.reports.money_forms import VisitValueForm
from clinic_journey.reports.numbers import (
    COUNTED,
    Figure,
    beyond_the_limit,
    both_spans,
    called_unchanged,
    nothing_planned,
    of_share,
    up_to,
)
from clinic_journey.reports.numbers_names import LISTS, page_of
from clinic_journey.reports.numbers_silent import silent_by_cause
from clinic_journey.reports.numbers_words import NUMBERS, Words, figure_words
from clinic_journey.reports.parts import part
from clinic_journey.reports.standards import Kept, kept_now, standards_of
from patients import audit
from patients.access import Here, for_staff
from patients.models import MANAGERS

NAMED_ELSEWHERE = {"chases": "ledgers"}


@dataclass(frozen=True)
class Number:
    """One number on the page."""

    key: str
    words: Words
    lately: Figure
    before: Figure
    names: str  # the address of those behind it
    has_failed: bool = False

    @property
    def said(self) -> tuple[str, str]:
        return figure_words(self.lately, self.words.unit), figure_words(self.before, self.words.unit)

    @property
    def rests_on(self) -> tuple[str, str]:
        return str(self.words.of % {"n": self.lately.n}), str(self.words.of % {"n": self.before.n})


@require_GET
@for_staff(*MANAGERS)
def reports(request: HttpRequest, here: Here) -> HttpResponse:
    """In a number of statements that no data makes grow."""
    value = part(lambda: [at_risk(here.clinic, now=here.now)])
    risk = value[0] if value else None
    context = {
        "tab": "reports",
        "numbers": part(lambda: numbers_of(here)),
        "nothing_planned": part(lambda: up_to(nothing_planned(here.clinic))),
        "unchanged": part(lambda: up_to(called_unchanged(here.clinic, now=here.now))),
        "beyond": part(lambda: up_to(beyond_the_limit(here.clinic, now=here.now))),
        "silent": part(lambda: silent_by_cause(here)),
        "risk": risk,
        "risk_failed": value is None,
        "value_form": VisitValueForm(here.clinic, risk.value if risk else None),
    }
    return render(request, "reports/reports.html", context)


def numbers_of(here: Here) -> list[Number]:
    """In the order of the words; a standard that the clinic does not count has no number."""
    shared = {"told_arrived", *NUMBERS}
    ours = standards_of(here.clinic).filter(is_on=True, is_own=False)
    listed = [each for each in ours if each.measure in shared]
    kept = {each.standard.measure: each for each in kept_now(here.clinic, now=here.now, only=listed)}
    return [number for key in NUMBERS if (number := _number(key, kept, here)) is not None]


def _number(key: str, kept: dict[str, Kept], here: Here) -> Number | None:
    if key in COUNTED:
        spans = part(lambda: both_spans(key, here.clinic, now=here.now))
        lately, before = spans or (Figure(None, 0), Figure(None, 0))
        return Number(key, NUMBERS[key], lately, before, _names(key, kept), has_failed=spans is None)
    if key not in kept:
        return None
    share = kept[key]
    address = reverse("standard", args=[share.standard.pk])
    lately, before = of_share(share.lately), of_share(share.before)
    return Number(key, NUMBERS[key], lately, before, address, share.has_failed)


def _names(key: str, kept: dict[str, Kept]) -> str:
    if key in LISTS:
        return f"{reverse('report_names')}?number={key}"
    if key == "told":
        return reverse("standard", args=[kept["told_arrived"].standard.pk]) if "told_arrived" in kept else ""
    return reverse(NAMED_ELSEWHERE[key])


@require_GET
@for_staff(*MANAGERS)
def names(request: HttpRequest, here: Here) -> HttpResponse:
    listed = LISTS.get(request.GET.get("number", "nothing_planned"))
    if listed is None:
        raise Http404
    lines, more = page_of(listed, here, request.GET.get("after", ""))
    audit.shows(rows=len(lines))
    context = {"tab": "reports", "listed": listed, "lines": lines, "more": more}
    return render(request, "reports/names.html", {**context, "number": request.GET.get("number", "")})


@require_POST
@for_staff(*MANAGERS)
def visit_value(request: HttpRequest, here: Here) -> HttpResponse:
    """What a visit is worth on average, where no price says it."""
    form = VisitValueForm(here.clinic, None, request.POST)
    if not form.is_valid():
        messages.error(request, _("Write an amount above nothing, and its currency."))
        return redirect("reports")
    set_visit_value(here.clinic, form.cleaned_data["amount"], form.cleaned_data["currency"])
    messages.success(request, _("Saved."))
    return redirect("reports")
