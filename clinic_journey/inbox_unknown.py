"""Words from a number that nobody knows, or one of several patients: a person says whose they are, or that nothing is
to be answered.
"""

from collections.abc import Iterable
from uuid import UUID

from django.contrib import messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clinic_journey.caller import MOST, SHORTEST
from clinic_journey.enclosed_files import WITH_FILES, enclosed_in
from inquiries.models import Inquiry
from inquiries.queries import inquiries_visible_to
from inquiries.sent_models import SentAnswer
from journeys.models import Step, StepKind
from journeys.queries import steps_visible_to
from outreach.models import Reply
from outreach.said import as_read
from outreach.whose import belongs_to_nobody, say_whose
from patients import audit
from patients.access import Here, for_staff
from patients.actions import RefusedError
from patients.models import Patient, PatientContact
from patients.queries import first_found, patients_visible_to

SHOWN, QUESTIONS = 20, 3


def _matter(here: Here, step_id: UUID) -> Step:
    asked = steps_visible_to(here.user).filter(clinic=here.clinic, kind=StepKind.CALL)
    return get_object_or_404(asked.filter(journey__patient__isnull=True), public_id=step_id)


def _patients(here: Here) -> QuerySet[Patient]:
    return patients_visible_to(here.user).filter(clinic=here.clinic)


@require_GET
@for_staff()
def unknown(request: HttpRequest, here: Here, step_id: UUID) -> HttpResponse:
    """What came from there, who is reached there, and a search for whoever else may have written it."""
    matter = _matter(here, step_id)
    said = Reply.objects.filter(matter=matter).select_related("contact_point").prefetch_related(WITH_FILES)
    text = request.GET.get("q", "").strip()
    replies = list(said.order_by("-at", "-pk")[:SHOWN])[::-1]
    ours = _patients(here).prefetch_related("contacts__contact_point")
    reached = list(ours.filter(Exists(_ties_at(replies))).order_by("given_name", "pk")[:MOST])
    found = list(first_found(ours, text, MOST)) if len(text) >= SHORTEST else reached
    audit.shows(rows=len(found))
    context = {
        "matter": matter,
        "replies": [(reply, as_read(reply.body), enclosed_in(reply)) for reply in replies],
        "answered": _answered(here, replies),
        "q": text,
        "is_shared": bool(reached),
        "found": found,
    }
    return render(request, "inbox/unknown.html", context)


def _ties_at(replies: Iterable[Reply]) -> QuerySet[PatientContact]:
    points = {reply.contact_point_id for reply in replies}
    return PatientContact.objects.filter(patient=OuterRef("pk"), contact_point__in=points - {None})


def _answered(here: Here, replies: Iterable[Reply]) -> list[Inquiry]:
    """The questions that we answered in writing there."""
    there = {reply.contact_point.value for reply in replies if reply.contact_point}
    left = SentAnswer.objects.filter(
        inquiry=OuterRef("pk"), clinic=here.clinic, value__in=there, sent_at__isnull=False
    )
    ours = inquiries_visible_to(here.user).filter(Exists(left), clinic=here.clinic)
    return list(ours.order_by("-asked_at", "-pk")[:QUESTIONS])


@require_POST
@for_staff()
def whose(request: HttpRequest, here: Here, step_id: UUID) -> HttpResponse:
    matter = _matter(here, step_id)
    try:
        named = UUID(request.POST.get("patient", ""))
    except ValueError:
        return redirect("unknown_writer", matter.public_id)
    patient = get_object_or_404(_patients(here), public_id=named)
    try:
        say_whose(matter, patient, now=here.now, by=here.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return redirect("unknown_writer", matter.public_id)
    said = _("These words are with %(name)s now, and the number stands in the record.")
    messages.success(request, said % {"name": patient.full_name})
    return redirect("conversation", patient.public_id)


@require_POST
@for_staff()
def nothing(request: HttpRequest, here: Here, step_id: UUID) -> HttpResponse:
    try:
        belongs_to_nobody(_matter(here, step_id), now=here.now, by=here.user)
        messages.success(request, _("Noted: nothing to answer."))
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return redirect("inbox")
