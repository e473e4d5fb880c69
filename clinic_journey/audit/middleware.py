"""Every page that shows a patient's record says so in the audit trail, whatever view made it.

The address tells whose record it is; a view that chooses by itself whom it shows calls `patients.audit.shows`.
What was written is the triggers' business; here they learn who acts.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch
from django.utils import timezone

from clinic_journey.audit.subjects import Subject, holder_of, subject_of
from patients import audit
from patients.access import place_of
from patients.audit import Origin, Shown
from patients.callers import address_of
from patients.models import AuditAction, AuditEvent, By
from patients.queries import clinics_visible_to

SHOWN_WITH = {200, 409, 422}  # a refused form shows the record too
ASKED = 300
AGENT = 80
# The first that fits: browsers also name those before them.
BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)
OFTEN, BY_ITSELF = timedelta(minutes=1), timedelta(hours=1)
MISSING = 401


def trail(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    def answer(request: HttpRequest) -> HttpResponseBase:
        origin = partial(origin_of, request, uuid4().hex)
        with audit.request_of(origin) as shown:
            response = get_response(request)
            if request.resolver_match and response.status_code < 500:  # noqa: PLR2004 - ours, nothing was shown
                audit.record(*events_of(request, response, shown, origin()))
        return response

    return answer


def origin_of(request: HttpRequest, request_id: str = "") -> Origin:
    """Asked late: the API's token, and whose login it was, are known only after the view has looked."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        by, actor = By.PROGRAM if getattr(request, "auth", None) else By.USER, user.pk
    else:
        match = request.resolver_match
        by, actor = (match and holder_of(match)) or By.NOBODY, None
    agent = short_agent(request.headers.get("User-Agent", ""))
    return Origin(str(by), actor, address_of(request), agent, request_id)


def short_agent(text: str) -> str:
    """A browser by its name and what it runs on, a program as it calls itself."""
    plain = "".join(letter for letter in text if letter.isprintable())
    browser = next((name for sign, name in BROWSERS if sign in plain), "")
    system = next((name for sign, name in SYSTEMS if sign in plain), "")
    return ", ".join(part for part in (browser, system) if part) if browser else plain[:AGENT]


def events_of(
    request: HttpRequest, response: HttpResponseBase, shown: Shown, origin: Origin
) -> list[AuditEvent]:
    now, match = timezone.now(), request.resolver_match
    assert match is not None  # noqa: S101 - trail() looks first
    event = event_by(origin, now=now, what=(match.url_name or match.view_name)[:60])
    if response.status_code == MISSING and "Authorization" in request.headers:
        event.action, event.by = AuditAction.LOGIN_FAILED, By.NOBODY
        event.once = _once(event, timedelta(minutes=1))
        return [event]
    event.asked = request.GET.urlencode()[:ASKED]
    subjects: list[Subject] = [(patient, clinic) for patient, clinic in shown.patients.items()]
    if response.status_code in SHOWN_WITH and origin.by != By.NOBODY:
        named = subject_of(match, now=now) if match.kwargs else None
        subjects = list(dict.fromkeys([*subjects, *([named] if named else [])]))
        event.what_id = str(next(iter(match.kwargs.values()), ""))[:60] if not holder_of(match) else ""
    else:
        subjects = []
    window = BY_ITSELF if "HX-Request" in request.headers else OFTEN
    events = [_read(event, subject, window) for subject in subjects]
    rows = shown.rows if shown.rows is not None else _rows_of(response, match)
    if rows is not None and response.status_code < 400 and origin.actor:  # noqa: PLR2004
        events.append(_listed(event, rows, request, window))
    return events


def event_by(origin: Origin, *, now: datetime, what: str, **more: Any) -> AuditEvent:
    return AuditEvent(
        at=now,
        by=origin.by,
        actor_id=origin.actor,
        what=what,
        ip=origin.ip,
        agent=origin.agent,
        request_id=origin.request_id,
        **more,
    )


def _read(event: AuditEvent, subject: Subject, window: timedelta) -> AuditEvent:
    """Once for each reader, patient and page in a minute; in an hour where the page asks by itself (htmx)."""
    read = _copy(event, action=AuditAction.READ, patient_id=subject[0], clinic_id=subject[1])
    read.asked = ""
    read.once = _once(read, window)
    return read


def _listed(event: AuditEvent, rows: int, request: HttpRequest, window: timedelta) -> AuditEvent:
    words = request.GET.get("q", "") or request.GET.get("whom", "")
    action = AuditAction.SEARCH if words.strip() else AuditAction.LIST
    listed = _copy(event, action=action, rows=rows, clinic_id=_clinic_of(request))
    listed.once = _once(listed, window)
    return listed


def _clinic_of(request: HttpRequest) -> int | None:
    """A page has one clinic; an answer of the API is for all of the asker's, and stands with the first."""
    here = place_of(request)
    return here.clinic.pk if here else None


def _rows_of(response: HttpResponseBase, match: ResolverMatch) -> int | None:
    """Of the API's lists and the admin's, which name many patients without our views' saying so."""
    data = getattr(response, "data", None)
    if (match.url_name or "").startswith("api-") and isinstance(data, dict) and "results" in data:
        return len(data["results"])
    if match.namespace == "admin" and (match.url_name or "").endswith("_changelist"):
        changes = (getattr(response, "context_data", None) or {}).get("cl")
        return len(changes.result_list) if changes else None
    return None


def _copy(event: AuditEvent, **fields: Any) -> AuditEvent:
    kept = {field.attname: getattr(event, field.attname) for field in AuditEvent._meta.concrete_fields}
    return AuditEvent(**{**kept, **fields})


def _once(event: AuditEvent, window: timedelta) -> str:
    nth = int(event.at.timestamp() // window.total_seconds())
    who = (event.by, event.actor_id, event.ip if event.actor_id is None else "")
    page = (event.action, event.patient_id, event.what, event.what_id, event.asked)
    return sha256(repr((who, page, nth, window)).encode()).hexdigest()


def logged_in(request: HttpRequest, user: User, **_more: Any) -> None:
    _about_login(AuditAction.LOGIN, request, user)


def logged_out(request: HttpRequest, user: User | None, **_more: Any) -> None:
    if user:
        _about_login(AuditAction.LOGOUT, request, user)


def login_failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_more: Any) -> None:
    """With the user's name if we know it; else without, as people type passwords where names belong."""
    if request is None:
        return
    user = User.objects.filter(username=str(credentials.get("username", ""))).first()
    _about_login(AuditAction.LOGIN_FAILED, request, user)


def _about_login(action: AuditAction, request: HttpRequest, user: User | None) -> None:
    """One event in each clinic of the user; of a user without any, or unknown, one that every manager sees."""
    seen = replace(
        origin_of(request), by=str(By.USER if user else By.NOBODY), actor=user.pk if user else None
    )
    if action == AuditAction.LOGIN_FAILED:
        seen = replace(seen, by=str(By.NOBODY))
    clinics: list[int | None] = list(clinics_visible_to(user).values_list("pk", flat=True)) if user else []
    now = timezone.now()
    audit.record(
        *[
            event_by(seen, now=now, what="login", action=action, clinic_id=clinic)
            for clinic in clinics or [None]
        ]
    )
