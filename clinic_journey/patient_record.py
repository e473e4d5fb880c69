"""Everything about one patient on one screen: what happens next, the card, the journeys, the history."""

from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from appointments.models import Appointment, AppointmentStatus
from clinic_journey.addresses import reach_of
from clinic_journey.caller import caller_context
from clinic_journey.cards import card_of
from clinic_journey.enclosed_files import WITH_FILES, awaited_by, enclosed_in
from clinic_journey.full_copy.archive import holds_kept, keys_of
from clinic_journey.history_words import said_by_patient
from clinic_journey.page_changed import version_of_record
from clinic_journey.patient_history import history_context
from journeys import actions as journey_actions
from journeys.actions import NewJourney
from journeys.models import Journey, JourneyTemplate, Step, StepStatus, TemplateStatus
from journeys.queries import journeys_of
from outreach import confidence
from outreach.complaints import COMPLAINT
from outreach.milestones import YEAR_THANKS
from outreach.models import NUMBER_TEST
from outreach.silent import silent_tasks
from patients.access import Here, for_staff, patient_here
from patients.actions import RefusedError
from patients.card_form import CardForm
from patients.models import Patient
from patients.templatetags.phones import phone
from patients.told import may_keep_from_parents, perhaps_not_hers_alone, with_sharing


@require_GET
@for_staff()
def patient(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    found = patient_here(here, patient_id)
    on = here.now.astimezone(ZoneInfo(found.zone)).date()
    version = version_of_record(found)  # before what it is of is read
    own = journeys_of(found).exclude(template=None, steps__outreach_tasks__message_key=NUMBER_TEST)
    journeys = list(own.prefetch_related("steps__template_step")[:20])
    context = {
        **card_of(found, CardForm.of(found, now=here.now), here),
        **reach_of(found, here),
        "next_steps": next_steps(found),
        "journeys": [(journey, line_of(journey, here.now)) for journey in journeys],
        "visits": found.appointments.exclude(status=AppointmentStatus.CANCELLED)
        .select_related("practitioner")
        .order_by("-start")[:10],
        "next_visit": next_visit(found, here.now),
        **history_context(found, request.GET.get("history", ""), here.clinic.time_zone),
        "templates": JourneyTemplate.objects.filter(status=TemplateStatus.ACTIVE)
        .exclude(key__in=[YEAR_THANKS, COMPLAINT])  # these begin otherwise
        .order_by("key"),
        **caller_context(found, here),
        "silent_tasks": list(silent_tasks(here.user).filter(patient=found)[:5]),
        **_heard_from(found),
        "holds_kept": holds_kept(keys_of(found)),
        "may_keep_from_parents": may_keep_from_parents(found, on=on),
        "version": version,
        "now": here.now,
    }
    return render(request, "patient_record/patient.html", context)


def _heard_from(patient: Patient) -> dict[str, object]:
    """What she said last, with what came along, and the results that it may be."""
    last = patient.replies.prefetch_related(WITH_FILES).order_by("-at")[:5]
    said = [(reply, said_by_patient(reply), enclosed_in(reply)) for reply in last]
    return {
        "replies": said,
        "awaited": awaited_by(patient, (files for _reply, _words, files in said)),
        "here_path": reverse("patient", args=[patient.public_id]),
    }


def next_steps(patient: Patient) -> list[Step]:
    return list(
        Step.objects.filter(journey__patient=patient, status=StepStatus.ACTIVE)
        .exclude(outreach_tasks__message_key=NUMBER_TEST)
        .select_related("template_step", "journey__template", "owner")
        .order_by("due_at")
    )


def next_visit(patient: Patient, now: datetime) -> Appointment | None:
    live = [AppointmentStatus.PENDING, AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED]
    visits = patient.appointments.filter(status__in=live, end__gt=now).select_related("practitioner")
    return visits.order_by("start").first()


def line_of(journey: Journey, now: datetime) -> list[tuple[Step, str]]:
    """The steps of a journey as they went, each with the class that marks its state."""
    order = {StepStatus.COMPLETED: 0, StepStatus.ACTIVE: 1, StepStatus.ON_HOLD: 1}
    steps = [step for step in journey.steps.all() if step.status in order]
    far = now + timedelta(days=10_000)
    steps.sort(
        key=lambda step: (order[StepStatus(step.status)], step.completed_at or step.due_at or far, step.pk)
    )
    return [(step, _mark(step, now)) for step in steps]


def _mark(step: Step, now: datetime) -> str:
    if step.status == StepStatus.COMPLETED:
        return "is-done"
    return "is-late" if step.due_at and step.due_at <= now else "is-now"


@require_POST
@for_staff()
def keep_from_parents(request: HttpRequest, here: Here, patient_id: UUID, journey_id: UUID) -> HttpResponse:
    """At an adolescent's word; the law's age is looked at where it is done."""
    journey = _journey(here, patient_id, journey_id)
    try:
        confidence.keep_from_parents(journey, now=here.now)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("From now on only the patient is told of it."))
        _warn_of_shared(request, here, patient_here(here, patient_id))
    return redirect("patient", patient_id)


def _warn_of_shared(request: HttpRequest, here: Here, patient: Patient) -> None:
    ties = with_sharing(patient.contacts.select_related("contact_point"))
    for tie in perhaps_not_hers_alone(ties):
        words = _(
            "Others are reached at %(address)s, too. Nothing of this goes there until the patient has said that"
            " nobody else reads or answers there; note it below, at the address."
        )
        messages.warning(request, words % {"address": phone(tie.contact_point.value, here.clinic.country)})


@require_POST
@for_staff()
def tell_parents(request: HttpRequest, here: Here, patient_id: UUID, journey_id: UUID) -> HttpResponse:
    journey = _journey(here, patient_id, journey_id)
    confidence.tell_parents_again(journey)
    messages.success(request, _("The parents may be told of it again."))
    return redirect("patient", patient_id)


def _journey(here: Here, patient_id: UUID, journey_id: UUID) -> Journey:
    journeys = Journey.objects.filter(clinic=here.clinic, patient__public_id=patient_id)
    return get_object_or_404(journeys, public_id=journey_id)


@require_POST
@for_staff()
def start(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    found = patient_here(here, patient_id)
    key = request.POST.get("template", "")
    if not JourneyTemplate.objects.filter(key=key, status=TemplateStatus.ACTIVE).exists():
        messages.error(request, _("Choose why the patient is with us."))
        return redirect("patient", found.public_id)
    if key in {"imaging_treatment", "urgent_treatment"}:
        return redirect("refer", found.public_id)
    try:
        journey_actions.start_journey(found, NewJourney(key), now=here.now, by=here.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Started. The first step has an owner and a date."))
    return redirect("patient", found.public_id)
