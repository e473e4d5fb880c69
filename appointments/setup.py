"""What managers set up: when doctors receive, with the exceptions, and the types of visit."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from appointments import schedules
from appointments.models import Practitioner, Schedule, ScheduleException, VisitType
from appointments.queries import appointments_visible_to, outside_hours, practitioners_visible_to
from appointments.setup_forms import EndForm, ExceptionForm, HoursForm, VisitTypeForm, rooms_of
from patients import audit
from patients.access import Here, for_staff
from patients.actions import RefusedError
from patients.models import MANAGERS

SHOWN = 50


@require_GET
@for_staff(*MANAGERS)
def schedule_list(request: HttpRequest, here: Here) -> HttpResponse:
    """The hours of one doctor of the clinic; the first unless another is chosen."""
    doctors = list(practitioners_visible_to(here.user).filter(clinic=here.clinic))
    chosen = request.GET.get("doctor", "")
    doctor = next((each for each in doctors if str(each.pk) == chosen), doctors[0] if doctors else None)
    return _schedule_page(request, here, doctor, doctors=doctors)


def _schedule_page(
    request: HttpRequest, here: Here, doctor: Practitioner | None, *, status: int = 200, **bound: Any
) -> HttpResponse:
    today = timezone.localtime(here.now).date()
    context: dict[str, Any] = {
        "doctors": practitioners_visible_to(here.user).filter(clinic=here.clinic),
        "doctor": doctor,
        "today": today,
    }
    if doctor:
        visits = appointments_visible_to(here.user).filter(practitioner=doctor)
        rules = doctor.schedules.exclude(valid_until__lt=today).select_related("location")
        outside = list(outside_hours(visits, now=here.now)[:SHOWN])
        audit.shows(rows=len(outside))
        rooms = rooms_of(here.clinic)  # read by the first form, kept for the second
        exceptions = doctor.exceptions.filter(last_on__gte=today).select_related("location", "made_by")
        context |= {
            # The week begins on Sunday.
            "rules": sorted(rules, key=lambda rule: ((rule.weekday + 1) % 7, rule.start, rule.pk)),
            "exceptions": exceptions[:SHOWN],
            "outside": outside,
            "hours_form": HoursForm(clinic=here.clinic, rooms=rooms, initial={"valid_from": today}),
            "exception_form": ExceptionForm(clinic=here.clinic, rooms=rooms, initial={"first_on": today}),
            "end_form": EndForm(initial={"last_on": today}),
        }
    return render(request, "appointments/schedules.html", context | bound, status=status)


def _doctor(here: Here, practitioner_id: int) -> Practitioner:
    doctors = practitioners_visible_to(here.user).filter(clinic=here.clinic)
    return get_object_or_404(doctors, pk=practitioner_id)


def _saved(request: HttpRequest, doctor: Practitioner, asked: int) -> HttpResponse:
    """Saved; how many visits now ask to be moved, if any."""
    if asked:
        words = ngettext(
            "Saved. %(number)s visit lost its hours: the desk is asked to move it, and the patient is told.",
            "Saved. %(number)s visits lost their hours: the desk is asked to move them, and the patients are told.",
            asked,
        )
        messages.warning(request, words % {"number": asked})
    else:
        messages.success(request, _("Saved. The calendar holds it already."))
    return redirect(f"{reverse('schedules')}?doctor={doctor.pk}")


@require_POST
@for_staff(*MANAGERS)
def schedule_hours(request: HttpRequest, here: Here, practitioner_id: int) -> HttpResponse:
    doctor = _doctor(here, practitioner_id)
    form = HoursForm(request.POST, clinic=here.clinic, instance=Schedule(practitioner=doctor))
    if form.is_valid():
        try:
            return _saved(request, doctor, schedules.add_hours(form.instance, now=here.now, by=here.user))
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
    return _schedule_page(request, here, doctor, status=422, hours_form=form)


@require_POST
@for_staff(*MANAGERS)
def schedule_end(request: HttpRequest, here: Here, schedule_id: int) -> HttpResponse:
    rules = Schedule.objects.filter(practitioner__clinic=here.clinic).select_related("practitioner__clinic")
    rule = get_object_or_404(rules, pk=schedule_id)
    form = EndForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose the last day on which these hours hold."))
        return redirect(f"{reverse('schedules')}?doctor={rule.practitioner_id}")
    last_on = form.cleaned_data["last_on"]
    asked = schedules.end_hours(rule, last_on=last_on, now=here.now, by=here.user)
    return _saved(request, rule.practitioner, asked)


@require_POST
@for_staff(*MANAGERS)
def schedule_exception(request: HttpRequest, here: Here, practitioner_id: int) -> HttpResponse:
    doctor = _doctor(here, practitioner_id)
    form = ExceptionForm(request.POST, clinic=here.clinic, instance=ScheduleException(practitioner=doctor))
    if form.is_valid():
        try:
            asked = schedules.add_exception(form.instance, now=here.now, by=here.user)
            return _saved(request, doctor, asked)
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
    return _schedule_page(request, here, doctor, status=422, exception_form=form)


@require_POST
@for_staff(*MANAGERS)
def exception_remove(request: HttpRequest, here: Here, exception_id: int) -> HttpResponse:
    of_clinic = ScheduleException.objects.filter(practitioner__clinic=here.clinic)
    found = get_object_or_404(of_clinic.select_related("practitioner__clinic"), pk=exception_id)
    doctor = found.practitioner
    try:
        return _saved(request, doctor, schedules.remove_exception(found, now=here.now, by=here.user))
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return redirect(f"{reverse('schedules')}?doctor={doctor.pk}")


@require_http_methods(["GET", "POST"])
@for_staff(*MANAGERS)
def visit_type_list(request: HttpRequest, here: Here) -> HttpResponse:
    """All types of the clinic, and a form for one more."""
    return _visit_types(request, here, VisitType(clinic=here.clinic))


@require_http_methods(["GET", "POST"])
@for_staff(*MANAGERS)
def visit_type(request: HttpRequest, here: Here, visit_type_id: int) -> HttpResponse:
    return _visit_types(request, here, get_object_or_404(VisitType, pk=visit_type_id, clinic=here.clinic))


def _visit_types(request: HttpRequest, here: Here, chosen: VisitType) -> HttpResponse:
    form = VisitTypeForm(request.POST or None, clinic=here.clinic, instance=chosen)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved. It can be chosen when a visit is booked."))
        return redirect("visit_types")
    types = VisitType.objects.filter(clinic=here.clinic)
    context = {"types": types, "form": form, "chosen": chosen}
    return render(request, "appointments/visit_types.html", context, status=422 if form.errors else 200)
