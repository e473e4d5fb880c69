"""The door of a patient's own page: a link is exchanged for a short visit, whose address is worth nothing alone.

GET of the link only signs a cookie and leads on; nothing is stored, so scanners and previews change nothing
(standards.md 5.3). The cookie belongs to one journey: links of two children on one phone never mix.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods

from clinic_journey.language import NATIVE_NAMES
from journeys.models import Journey
from outreach.links import is_readable, journey_for
from outreach.new_links import send_new_link
from patients.models import Clinic, Patient, PatientStatus

LASTS = timedelta(hours=1)  # since the page was last used; then she is asked again who she is
OPEN_FOR = timedelta(days=1)  # since then, too: what she writes in a tab left open must not meet a door
SALT = "clinic_journey.patient_door"


@dataclass(frozen=True)
class Visitor:
    """Who has opened the page of a journey: with the link alone, or having said who she is."""

    journey: Journey
    patient: Patient  # the record she has now
    is_known: bool
    now: datetime

    @property
    def path(self) -> str:
        return reverse("patient_page", args=[self.journey.public_id])

    def frame(self) -> dict[str, object]:
        """What each of her pages needs around its content."""
        return {
            "patient": self.patient,
            "clinic": self.journey.clinic,
            "page_path": self.path,
            "languages": list(NATIVE_NAMES.items()),
            "language": translation.get_language(),
            "demo": settings.DEMO,
        }

    def back(self, said: str = "") -> HttpResponse:
        """To the page, after something was done there."""
        words = f"&said={said}" if said else ""
        return redirect(f"{self.path}?lang={translation.get_language()}{words}")


PageView = Callable[[HttpRequest, Visitor], HttpResponse]


@require_http_methods(["GET", "HEAD", "POST"])
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """From the link in a message to the page; bad links look alike, and what a press there sends is seen by nobody."""
    now = timezone.now()
    journey = journey_for(token, now=now)
    if journey is None or _reader(journey) is None:
        is_pressed = request.method == "POST"
        if is_pressed:
            send_new_link(token, now=now)
        shown = {"clinic": _only_clinic(), "is_pressed": is_pressed}
        return private(render(request, "patient_page/gone.html", shown, status=200 if is_pressed else 404))
    asked = request.GET.urlencode()
    path = reverse("patient_page", args=[journey.public_id])
    answer = redirect(f"{path}?{asked}" if asked else path)
    let_in(answer, journey, is_known=bool(_seen(request, journey)))
    return private(answer)


def with_page(view: PageView) -> Callable[[HttpRequest, UUID], HttpResponse]:
    """The page of whoever came through the link, in the patient's language and the clinic's time."""

    @wraps(view)
    def opened(request: HttpRequest, journey_id: UUID) -> HttpResponse:
        now = timezone.now()
        found = Journey.objects.select_related(
            "clinic", "patient__clinic", "patient__merged_into__clinic", "template"
        ).filter(public_id=journey_id, patient__isnull=False)
        journey = found.first()
        is_known = _seen(request, journey) if journey and is_readable(journey, now=now) else None
        patient = _reader(journey) if journey else None
        if journey is None or patient is None or is_known is None:
            words = request.POST.get("body") or request.POST.get("words")  # hers, to be copied
            shown = {"words": words, "clinic": _only_clinic()}
            return private(render(request, "patient_page/closed.html", shown, status=404))
        wanted = request.GET.get("lang", patient.language)
        language = wanted if wanted in NATIVE_NAMES else patient.language
        with translation.override(language), timezone.override(journey.clinic.time_zone):
            answer = view(request, Visitor(journey, patient, is_known, now))
            if _cookie(journey) not in answer.cookies:
                let_in(answer, journey, is_known=is_known)
            return private(answer)

    return opened


def _only_clinic() -> Clinic | None:
    """Whom to call where a page does not open. Of several clinics none is named: bad links look alike."""
    first = list(Clinic.objects.order_by("pk")[:2])
    return first[0] if len(first) == 1 else None


def _reader(journey: Journey) -> Patient | None:
    """The record she has now; None where she has died: nobody of her family is greeted with her name."""
    patient = journey.patient.record_now if journey.patient else None
    return None if patient is None or patient.status == PatientStatus.DECEASED else patient


def let_in(answer: HttpResponse, journey: Journey, *, is_known: bool) -> None:
    """What the link shows for a day from here, what is hers alone for an hour; a revoked link ends both."""
    answer.set_cookie(
        _cookie(journey),
        signing.dumps([*_void_by(journey), is_known], salt=SALT),
        max_age=OPEN_FOR,
        path="/p/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _seen(request: HttpRequest, journey: Journey) -> bool | None:
    """Whether the visitor has said who she is; None for one who did not come through the link."""
    kept = _kept(request, journey, OPEN_FOR)
    if kept is None:
        return None
    *of, is_known = kept
    if of != _void_by(journey):
        return None
    return bool(is_known) and _kept(request, journey, LASTS) is not None


def _kept(request: HttpRequest, journey: Journey, lasts: timedelta) -> list[object] | None:
    try:
        kept: list[object] = signing.loads(
            request.COOKIES.get(_cookie(journey), ""), salt=SALT, max_age=lasts
        )
    except signing.BadSignature:
        return None
    return kept


def _cookie(journey: Journey) -> str:
    return f"page_{journey.public_id.hex}"


def _void_by(journey: Journey) -> list[object]:
    """What a visit was opened for; when one of these changes, it is over."""
    return [journey.public_id.hex, journey.link_version, journey.patient_id]


def private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    # Not "no-referrer": with it browsers send a null Origin, and every answer is refused.
    response["Referrer-Policy"] = "same-origin"
    return response
