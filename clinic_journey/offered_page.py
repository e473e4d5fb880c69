"""The answer sheet for everybody, without a login: what a clinic offers, whether it is there and what it costs.

Only what may be shown to everybody, and of the stock only whether there is any.
"""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone, translation
from django.views.decorators.http import require_GET

from clinic_journey.language import NATIVE_NAMES
from inquiries.models import Offering
from inquiries.queries import Answer, answer_about, matching, offered_by
from patients.callers import A_MINUTE, count, source_of
from patients.models import Clinic, Language
from patients.queries import key_in, opening_hours

LONGEST = 200
PAGES_A_MINUTE = 60  # that one address may ask for; a person reads a few
PAGES_OF_ALL_HIDDEN = 20 * PAGES_A_MINUTE  # of all whom a proxy hides that we were not told of
TOO_MANY = 429


@require_GET
def offered(request: HttpRequest, clinic: str) -> HttpResponse:
    """Everything that may be shown, or what was asked for; one alone with its next free times."""
    now = timezone.now()
    if _asks_too_often(request):
        return HttpResponse(status=TOO_MANY, headers={"Retry-After": str(A_MINUTE)})
    place = get_object_or_404(Clinic, slug=clinic)
    language = request.GET.get("lang", "")
    known = language if language in Language.values else place.language
    text = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST]
    with translation.override(known), timezone.override(place.time_zone):
        answers = _answers(place, text, key_in(request.GET.get("offering", "")), now=now)
        context = {
            "clinic": place,
            "q": text,
            "answers": answers,
            "language": known,
            "languages": NATIVE_NAMES,
        }
        return render(request, "ask/offered.html", context)


def _asks_too_often(request: HttpRequest) -> bool:
    """Anybody can write the header that hides an address, so those who are hidden are counted too, as one."""
    source = source_of(request, "offered")
    return count(source or "offered:hidden") > (PAGES_A_MINUTE if source else PAGES_OF_ALL_HIDDEN)


def _answers(clinic: Clinic, text: str, chosen: int | None, *, now: datetime) -> list[Answer]:
    shown: list[Offering] = list(offered_by(clinic).filter(is_public=True))
    if chosen is not None:
        shown = [each for each in shown if each.pk == chosen]
    elif text:
        shown = matching(text, shown).fitting
    opening, is_alone = opening_hours(clinic, now=now), len(shown) == 1
    return [answer_about(each, clinic, opening=opening, with_times=is_alone, now=now) for each in shown]
