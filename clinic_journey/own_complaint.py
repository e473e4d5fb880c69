"""Her complaint on the patient's own page: where it is, whether we understood, our answer and what it changed.

What stands in it is shown to her alone; the link alone tells that it is with somebody, and by when she hears.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone, translation
from django.views.decorators.http import require_GET, require_POST

from clinic_journey.complaints import changes_of
from clinic_journey.language import NATIVE_NAMES
from clinic_journey.patient_door import Visitor, with_page
from clinic_journey.patient_way import Names
from clinic_journey.patient_who import hers_alone
from journeys.models import Step, StepStatus
from outreach.complaint_models import CameBy, Complaint, Understood
from outreach.complaints import complain, complaints_of, find_misunderstood, find_understood, with_plain_lines
from outreach.confidence import told_with
from outreach.matters import ASK, open_matter
from patients.actions import RefusedError
from patients.models import Clinic, Language
from patients.queries import named_by

LONGEST = 1000
SHOWN_AFTER = timedelta(days=60)  # what is over is shown for a while
SHOWN = 3


@dataclass(frozen=True)
class ShownComplaint:
    """One of hers, with who has it and by when she hears."""

    complaint: Complaint
    who: str
    due_at: datetime | None
    is_late: bool


def complaints_here(visitor: Visitor) -> QuerySet[Complaint]:
    """Hers that this page may tell of."""
    return complaints_of(visitor.patient).filter(told_with(visitor.journey, "journey__"))


def shown_complaints(visitor: Visitor, names: Names) -> list[ShownComplaint]:
    now = visitor.now
    open_or_lately = Q(changed_at__isnull=True) | Q(changed_at__gt=now - SHOWN_AFTER)
    found = list(complaints_here(visitor).filter(open_or_lately)[:SHOWN])
    waiting = Step.objects.filter(
        journey__in=[each.journey_id for each in found],
        status=StepStatus.ACTIVE,
        template_step__isnull=False,
    )
    steps = {step.journey_id: step for step in waiting.select_related("owner", "about").order_by("-due_at")}
    return [_shown(each, steps.get(each.journey_id), names, now=now) for each in found]


def _shown(complaint: Complaint, step: Step | None, names: Names, *, now: datetime) -> ShownComplaint:
    due_at = step.due_at if step else None
    is_late = bool(due_at and due_at <= now)
    return ShownComplaint(complaint, names.of(step) if step else "", due_at, is_late)


def complain_here(visitor: Visitor, words: str) -> None:
    is_kept = visitor.journey.is_confidential
    complain(visitor.patient, words, CameBy.PAGE, is_confidential=is_kept, now=visitor.now)


@require_POST
@with_page
@hers_alone
def own_complaint(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Whether our words say what she meant. What she cannot read, she cannot be asked about."""
    found = named_by(complaints_here(visitor), request.POST.get("complaint", ""))
    if found is None:
        return visitor.back()
    words = request.POST.get("body", "").replace("\0", "").strip()[:LONGEST]
    seen = request.POST.get("seen", "")
    try:
        if request.POST.get("meaning") == "understood":
            find_understood(found, Understood.PATIENT, seen=seen, now=visitor.now)
        elif request.POST.get("meaning") == "otherwise":
            find_misunderstood(found, words, seen=seen, now=visitor.now)
        else:
            return visitor.back()
    except RefusedError:
        # Pressed twice, put into other words, or settled on the phone: the page shows how it stands.
        return _kept_for_a_person(visitor, found, words)
    return visitor.back("complaint_heard")


def _kept_for_a_person(visitor: Visitor, complaint: Complaint, words: str) -> HttpResponse:
    """What she wrote is not lost: unless it stands in the complaint already, a person reads it as a message."""
    complaint.refresh_from_db()
    said = with_plain_lines(words)
    if not said or complaint.words.endswith(f"\n\n{said}"):
        return visitor.back()
    open_matter(visitor.journey, ASK, said, now=visitor.now)
    return visitor.back(ASK)


@require_GET
def changed_here(request: HttpRequest, clinic: str) -> HttpResponse:
    """For everybody, without a login: what this clinic has changed because a patient told it."""
    place = Clinic.objects.filter(slug=clinic).first()
    if place is None:
        return render(request, "patient_page/gone.html", status=404)
    language = request.GET.get("lang", "")
    known = language if language in Language.values else place.language
    with translation.override(known), timezone.override(place.time_zone):
        context = {
            "clinic": place,
            "changes": changes_of(place.pk),
            "language": known,
            "languages": NATIVE_NAMES,
        }
        return render(request, "complaints/public.html", context)


urlpatterns = [
    path("p/<uuid:journey_id>/complaint/", own_complaint, name="patient_complaint"),
    path("changed/<slug:clinic>/", changed_here, name="changed"),
]
