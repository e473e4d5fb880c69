"""Who is asking, in which clinic, at what instant: the first line of every staff screen."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, wraps
from typing import Concatenate, ParamSpec, TypeVar, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone

from patients.models import MANAGERS, Clinic, Membership, Patient, Role
from patients.queries import ClinicClock, clock_of, patients_visible_to
from patients.windows import Hours

P = ParamSpec("P")
PLACE = "place_of_the_asker"  # on the request, so that view, page and audit trail look once
CLINIC_KEY = "clinic"  # in the session: the clinic chosen by somebody who works in several


@dataclass(frozen=True)
class Here:
    """The asker's place: one clinic, one role, and the instant the request is answered for."""

    user: User
    clinic: Clinic
    role: str
    now: datetime
    clinics: tuple[Clinic, ...] = ()  # all that the asker may choose from

    @cached_property
    def clock(self) -> ClinicClock:
        """The clinic's hours of each kind, read once for all that a page counts in them."""
        return clock_of(self.clinic, now=self.now)

    @property
    def opening(self) -> Hours:
        return self.clock.hours(self.clinic.pk)


R = TypeVar("R", bound=HttpResponseBase)
StaffView = Callable[Concatenate[HttpRequest, Here, P], R]


def place_of(request: HttpRequest) -> Here | None:
    """The clinic chosen in this session, else the first the user works in; None for nobody's user."""
    if not request.user.is_authenticated:
        return None
    kept = vars(request)
    if PLACE not in kept:
        kept[PLACE] = _look_up(request, request.user)
    place: Here | None = kept[PLACE]
    return place


def _look_up(request: HttpRequest, user: User) -> Here | None:
    memberships = Membership.objects.filter(user=user).select_related("clinic").order_by("clinic__name")
    by_clinic = {membership.clinic_id: membership for membership in memberships}
    if not by_clinic:
        return None
    chosen = by_clinic.get(request.session.get(CLINIC_KEY, 0)) or next(iter(by_clinic.values()))
    clinics = tuple(membership.clinic for membership in by_clinic.values())
    return Here(user, chosen.clinic, chosen.role, timezone.now(), clinics)


def for_staff(*roles: str) -> Callable[[StaffView[P, R]], Callable[Concatenate[HttpRequest, P], R]]:
    """Open a view to members of a clinic, optionally of some roles only; it gets `Here` after the request.

    Times on the page are the clinic's.
    """

    def decorate(view: StaffView[P, R]) -> Callable[Concatenate[HttpRequest, P], R]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> R:
            here = place_of(request)
            if here is None or (roles and here.role not in roles):
                raise PermissionDenied
            with timezone.override(here.clinic.time_zone):
                return view(request, here, *args, **kwargs)

        # wraps() keeps the view's own signature, which has one argument more than what the URL calls
        return cast("Callable[Concatenate[HttpRequest, P], R]", login_required(guarded))

    return decorate


def patient_here(here: Here, patient_id: UUID) -> Patient:
    """The patient that an address names, of the clinic the asker is in; 404 for everybody else's."""
    return get_object_or_404(patients_visible_to(here.user), public_id=patient_id, clinic=here.clinic)


def context(request: HttpRequest) -> dict[str, object]:
    """Context processor: the clinic a page belongs to, the asker's role, and the other clinics to choose from."""
    here = place_of(request) if hasattr(request, "user") else None
    if here is None:
        return {}
    return {
        "clinic": here.clinic,
        "other_clinics": [each for each in here.clinics if each != here.clinic],
        "role": here.role,
        "role_name": Role(here.role).label,
        "manages": here.role in MANAGERS,
    }
