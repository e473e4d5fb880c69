"""Nothing of a patient leaves the server while the screen is locked, by hand or after five idle minutes.

It knows sessions only: programs with a token, patients and institutes with a link have none, and whatever else
a browser with a session sends along opens nothing.
What a page asks by itself (live.js says so) is no activity, and keeps no desk open.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from clinic_journey.lock import desk

OPEN = {"lock", "login", "logout", "i18n", "healthz", "readyz", "p", "u"}  # the first part of a route
LONGEST = 20_000  # signs of a form that are kept; no note is longer
BY_ITSELF = "X-By-Itself"
LOCKED = "X-Locked"


class IdleLock:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if "guarded" in vars(request):  # so that "back" asks again instead of showing what a lock has hidden
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    def process_view(
        self, request: HttpRequest, _view: Any, _args: Any, _kwargs: Any
    ) -> HttpResponseBase | None:
        """After Django has checked where a form comes from, before any view has looked at anything."""
        match = request.resolver_match
        if match is None or match.route.partition("/")[0] in OPEN:
            return None
        if not request.user.is_authenticated:
            return None
        vars(request)["guarded"] = True
        now = timezone.now()
        if desk.is_locked(request.session, now=now):
            return _refuse(request)
        if BY_ITSELF not in request.headers:
            desk.note_activity(request.session, now=now)
        if request.method == "POST":
            _forget_if_sent(request)
        return None


def _refuse(request: HttpRequest) -> HttpResponse:
    assert request.user.is_authenticated  # noqa: S101 - process_view looked
    if "HX-Request" in request.headers or request.headers.get("Sec-Fetch-Dest", "document") != "document":
        return HttpResponse(status=204, headers={LOCKED: "1"})
    if request.method == "POST":
        desk.lock(request.session, request.user, spot=came_from(request), sent=_form_of(request))
    else:
        desk.lock(request.session, request.user, spot=request.get_full_path())
    return redirect("lock")


def _form_of(request: HttpRequest) -> desk.Place | None:
    """A form as it was sent, to be sent again by whoever filled it in; files and passwords are not kept."""
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name != "csrfmiddlewaretoken"
    ]
    is_too_long = sum(len(str(value)) for _name, value in fields) > LONGEST
    if request.FILES or is_too_long or any("password" in name for name, _value in fields):
        return None
    return {"to": request.get_full_path(), "fields": fields}


def _forget_if_sent(request: HttpRequest) -> None:
    assert request.user.is_authenticated  # noqa: S101 - process_view looked
    sent = desk.place_of(request.session, request.user).get("sent", {})
    if sent.get("to") == request.get_full_path():
        desk.take_back(request.session, request.user, "sent")


def came_from(request: HttpRequest) -> str:
    """The page of ours on which somebody pressed a button."""
    return ours(request, request.headers.get("Referer", ""))


def ours(request: HttpRequest, address: str) -> str:
    """An address of ours without its host, or nothing."""
    if not url_has_allowed_host_and_scheme(address, {request.get_host()}):
        return ""
    parts = urlsplit(address)
    return parts._replace(scheme="", netloc="").geturl()
