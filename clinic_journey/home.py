"""Where each role begins, and the one search box."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from clinic_journey.setup.views import may_open_a_clinic
from patients import audit
from patients.access import Here, for_staff
from patients.models import Role
from patients.queries import first_found, patients_visible_to
from patients.views import patient_list
from referrals.intake.base import find_codes
from referrals.queries import referrals_visible_to


@require_GET
@login_required
def home(request: HttpRequest) -> HttpResponse:
    if may_open_a_clinic(request):
        return redirect("setup")
    return _first_page(request)


@for_staff()
def _first_page(_request: HttpRequest, here: Here) -> HttpResponse:
    return redirect({Role.DOCTOR: "results", Role.MANAGER: "reports"}.get(Role(here.role), "today"))


@require_GET
@for_staff()
def search(request: HttpRequest, here: Here) -> HttpResponse:
    """A referral's code opens the referral, a name or number with one answer the patient, else the list."""
    text = request.GET.get("q", "").strip()
    codes = find_codes(text)
    found = (
        referrals_visible_to(here.user).filter(clinic=here.clinic, code__in=codes).first() if codes else None
    )
    if found:
        audit.shows(rows=1)
        return redirect("referral", found.public_id)
    if text:
        ours = patients_visible_to(here.user).filter(clinic=here.clinic)
        patients = first_found(ours, text, 2)
        if len(patients) == 1:
            audit.shows(rows=1)
            return redirect("patient", patients[0].public_id)
    return patient_list(request)
