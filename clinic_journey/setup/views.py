"""The four steps of the first run. Each saves what it shows, so the browser may be closed after any of them."""

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from appointments.models import Practitioner
from clinic_journey.setup import actions
from clinic_journey.setup.forms import ClinicForm, DoctorForm, WeekForm
from patients.access import CLINIC_KEY, Here, for_staff, place_of
from patients.models import MANAGERS, Clinic, HoursKind, Patient


def may_open_a_clinic(request: HttpRequest) -> bool:
    """A superuser who belongs to no clinic yet: the first person of a new installation."""
    return bool(request.user.is_authenticated and request.user.is_superuser and place_of(request) is None)


def after_the_first_step(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The later steps need a clinic: whoever has none yet begins at the beginning."""
    guarded = for_staff(*MANAGERS)(view)

    @wraps(view)
    def beginning(request: HttpRequest) -> HttpResponse:
        return redirect("setup_clinic") if may_open_a_clinic(request) else guarded(request)

    return beginning


@require_GET
@login_required
def setup(request: HttpRequest) -> HttpResponse:
    """To the first step that has nothing yet."""
    here = place_of(request)
    if here is None:
        return redirect("setup_clinic")
    if not Practitioner.objects.filter(clinic=here.clinic).exists():
        return redirect("setup_hours")
    if not Patient.objects.filter(clinic=here.clinic).exists():
        return redirect("setup_patients")
    return redirect("setup_standards")


@require_http_methods(["GET", "POST"])
@login_required
def clinic_step(request: HttpRequest) -> HttpResponse:
    here = place_of(request)
    if not may_open_a_clinic(request) and (here is None or here.role not in MANAGERS):
        raise PermissionDenied
    clinic = here.clinic if here else None
    form = ClinicForm(request.POST or None, instance=clinic)
    if request.method == "POST" and form.is_valid():
        _save_clinic(request, form, clinic)
        return redirect("setup_hours")
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/clinic.html", {"form": form, "step": 1}, status=status)


def _save_clinic(request: HttpRequest, form: ClinicForm, clinic: Clinic | None) -> None:
    now = timezone.now()
    if clinic is not None:
        actions.change_clinic(Clinic.objects.get(pk=clinic.pk), form.given(), now=now)
        return
    user = request.user
    if not user.is_authenticated:
        raise PermissionDenied
    made = actions.open_clinic(form.given(), rest_from_friday=form.rest_from_friday, now=now, by=user)
    request.session[CLINIC_KEY] = made.pk


@require_http_methods(["GET", "POST"])
@after_the_first_step
def hours_step(request: HttpRequest, here: Here) -> HttpResponse:
    """Opening hours, and the doctors with their own; one form each, each saved alone."""
    adds = request.method == "POST" and "add" in request.POST
    saves = request.method == "POST" and not adds
    week = WeekForm(here.clinic, HoursKind.OPEN, request.POST if saves else None)
    doctor = DoctorForm(request.POST if adds else None)
    if adds and doctor.is_valid():
        made = actions.add_doctor(here.clinic, doctor.doctor(), now=here.now)
        messages.success(request, _("%(name)s can be booked now.") % {"name": made.name})
        return redirect("setup_hours")
    if saves and week.is_valid():
        actions.set_hours(here.clinic, HoursKind.OPEN, week.week())
        return redirect("setup_patients")
    context = {"week": week, "doctor": doctor, "doctors": _doctors(here.clinic), "step": 2}
    return render(request, "setup/hours.html", context, status=422 if request.method == "POST" else 200)


def _doctors(clinic: Clinic) -> list[Practitioner]:
    found = Practitioner.objects.filter(clinic=clinic, is_active=True).prefetch_related("schedules")
    return list(found.order_by("name", "id"))


@require_GET
@after_the_first_step
def patients_step(request: HttpRequest, here: Here) -> HttpResponse:
    patients = Patient.objects.filter(clinic=here.clinic)[:1000].count()
    return render(request, "setup/patients.html", {"patients": patients, "step": 3})


@require_http_methods(["GET", "POST"])
@after_the_first_step
def standards_step(request: HttpRequest, here: Here) -> HttpResponse:
    """When the clinic may write and when it may call, whatever a patient's own hours are."""
    given = request.POST if request.method == "POST" else None
    weeks = [WeekForm(here.clinic, kind, given) for kind in (HoursKind.MESSAGE, HoursKind.CALL)]
    if given is not None and not any(week.errors for week in weeks):
        for kind, week in zip((HoursKind.MESSAGE, HoursKind.CALL), weeks, strict=True):
            actions.set_hours(here.clinic, kind, week.week())
        messages.success(request, _("The clinic is ready."))
        return redirect("home")
    context = {"message": weeks[0], "call": weeks[1], "step": 4}
    return render(request, "setup/standards.html", context, status=422 if given is not None else 200)
