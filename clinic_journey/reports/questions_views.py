"""For managers: whether who pays makes anybody wait for an answer, why people went elsewhere, what we did not know."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET

from clinic_journey.reports.answer_times import ENOUGH, longer, within
from clinic_journey.reports.map import MEDIAN, P90
from clinic_journey.reports.parts import part
from clinic_journey.why import took_words
from inquiries.gaps import could_not_answer, lost_by_cause
from inquiries.models import Inquiry, LostCause, Payer
from inquiries.queries import answered_within, inquiries_visible_to
from patients.access import Here, for_staff
from patients.models import MANAGERS

COUNTED = timedelta(days=90)
VERDICTS: dict[int | None, str | Promise] = {
    1: gettext_lazy("Who pays without insurance waited longer for an answer, and that is more than chance."),
    -1: gettext_lazy(
        "Who comes through insurance waited longer for an answer, and that is more than chance."
    ),
    0: gettext_lazy("Who pays made no difference to how long an answer took, as far as the numbers tell."),
}


@dataclass(frozen=True)
class Payers:
    """How long an answer took, by who pays: to see that it is one queue."""

    rows: list[tuple[str, int, str, str]]  # who pays, how many were answered, half and nine in ten within
    verdict: str


@require_GET
@for_staff(*MANAGERS)
def questions(request: HttpRequest, here: Here) -> HttpResponse:
    mine = asked_lately(here)
    context = {
        "tab": "questions",
        "payers": part(lambda: payers_of(answered_within(mine))),
        "lost": part(lambda: [(str(LostCause(because).label), n) for because, n in lost_by_cause(mine)]),
        "gaps": part(lambda: could_not_answer(mine)),
    }
    return render(request, "reports/questions.html", context)


def asked_lately(here: Here) -> QuerySet[Inquiry]:
    return inquiries_visible_to(here.user).filter(clinic=here.clinic, asked_at__gte=here.now - COUNTED)


def payers_of(took: dict[str, list[timedelta]]) -> Payers:
    words = {**{each.value: str(each.label) for each in Payer}, "": _("nobody asked who pays")}
    rows = [
        (
            words[payer], len(took[payer]), took_words(within(took[payer], MEDIAN)),
            took_words(within(took[payer], P90)),
        )
        for payer in words if payer in took
    ]  # fmt: skip
    found = longer(took.get(Payer.ALONE, []), took.get(Payer.INSURED, []))
    few = _("Too few answers yet to tell whether who pays makes a difference: it takes %(n)s of each.")
    return Payers(rows, few % {"n": ENOUGH} if found is None else str(VERDICTS[found]))
