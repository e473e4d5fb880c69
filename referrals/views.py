"""The referral with its held visit, unmatched documents, the institute's upload."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import messages
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from appointments.actions import Visit
from appointments.models import Appointment, Practitioner
from appointments.queries import practitioners_visible_to, visit_types_of
from appointments.suggestions import VISIT_MINUTES, times_for
from journeys.models import Step, StepKind
from journeys.queries import steps_visible_to
from patients import audit
from patients.access import Here, for_staff, patient_here
from patients.actions import RefusedError
from patients.models import MANAGERS, Patient
from patients.presses import back_from, pressed
from referrals import actions, links, queries
from referrals.forms import ReferralForm, RejectForm, RevokeForm, UploadForm, usual_wait
from referrals.models import PICTURES, DocumentFile, IncomingDocument

SHOWN = 100


def _document(here: Here, document_id: UUID) -> IncomingDocument:
    documents = queries.documents_visible_to(here.user).filter(clinic=here.clinic)
    return get_object_or_404(documents, public_id=document_id)


def _file(here: Here, file_id: int) -> DocumentFile:
    files = queries.files_visible_to(here.user).filter(document__clinic=here.clinic)
    return get_object_or_404(files, pk=file_id)


@require_POST
@for_staff()
def match(request: HttpRequest, here: Here, document_id: UUID) -> HttpResponse:
    document = _document(here, document_id)
    unmatched = "/results/?list=unmatched"
    code = request.POST.get("code", "").strip().upper()
    referral = queries.referrals_visible_to(here.user).filter(code=code, clinic=document.clinic).first()
    if referral is None:
        messages.error(request, _("No referral of this clinic has the code %(code)s.") % {"code": code})
        return back_from(request, or_to=f"{unmatched}&item={document.public_id}")
    words = _("Matched. The doctor has it now, and the patient is told.")
    match_it = partial(actions.match_by_hand, document, referral, now=here.now, by=here.user)
    return pressed(request, match_it, words, back_from(request, or_to=unmatched))


@require_POST
@for_staff()
def reject(request: HttpRequest, here: Here, document_id: UUID) -> HttpResponse:
    document = _document(here, document_id)
    form = RejectForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say why it is not ours; the document is kept with the reason."))
        return redirect(f"/results/?list=unmatched&item={document.public_id}")
    try:
        actions.reject(document, because=form.cleaned_data["because"], now=here.now, by=here.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Set aside with the reason. It is kept."))
    return redirect("/results/?list=unmatched")


@require_GET
@for_staff()
def file(_request: HttpRequest, here: Here, file_id: int) -> HttpResponseBase:
    """A stored file, as a download; never rendered inside our own pages (standards.md 5.5)."""
    found = _file(here, file_id)
    try:
        stored = found.content.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    answer = FileResponse(stored, as_attachment=True, filename=found.name or "document")
    answer["Content-Type"] = found.content_type or "application/octet-stream"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


@require_GET
@for_staff(*MANAGERS)
def refused_holds(request: HttpRequest, here: Here) -> HttpResponse:
    """Referrals without a held visit, with the reason that was given (S1.3)."""
    mine = queries.referrals_visible_to(here.user).filter(clinic=here.clinic)
    found = list(queries.without_a_hold(mine)[:SHOWN])
    audit.shows(rows=len(found))
    return render(request, "referrals/refused_holds.html", {"referrals": found})


@require_GET
@for_staff()
def image(_request: HttpRequest, here: Here, file_id: int) -> HttpResponseBase:
    """A picture that may be looked at in place: only one whose bytes say so now, and with nothing that could run."""
    found = _file(here, file_id)
    if not found.is_picture:
        raise Http404
    try:
        stored = found.content.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    start = stored.read(len(PICTURES[found.content_type]))
    stored.seek(0)
    if start != PICTURES[found.content_type]:
        stored.close()
        raise Http404
    answer = FileResponse(stored)
    answer["Content-Type"] = found.content_type
    answer["Content-Disposition"] = "inline"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer


@require_http_methods(["GET", "POST"])
@for_staff()
def refer(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """The referral and the held visit in one form: she leaves with both dates (S1.2)."""
    patient = patient_here(here, patient_id)
    doctors = practitioners_visible_to(here.user).filter(clinic=patient.clinic)
    asked_by = request.GET.get("step", "") or request.POST.get("step", "")
    first = doctors.first()
    asked = request.POST or (request.GET if "practitioner" in request.GET else None)
    last = queries.referrals_visible_to(here.user).filter(clinic=patient.clinic).order_by("-made_at").first()
    types = visit_types_of(patient.clinic)
    initial = {**usual_wait(here.now, last), "practitioner": first, "request_key": uuid4().hex}
    usual = types.first()
    if usual:
        initial |= {"visit_type": usual, "minutes": usual.minutes}
    form = ReferralForm(asked, practitioners=doctors, visit_types=types, initial=initial)
    if request.method == "POST" and "show_times" not in request.POST and form.is_valid():
        try:
            new = replace(_new_referral(form, patient), answers=_asking_step(asked_by, patient, here))
            referral = actions.refer(new, now=here.now, by=here.user)
        except actions.HeldShareError as refusal:
            form.add_error("hold_despite_because", str(refusal))
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(
                request, _("Referred, and the visit is kept. Ask the patient to repeat the date.")
            )
            return redirect("referral", referral.public_id)
    context = {"patient": patient, "form": form, "times": _times(form, patient, here), "step": asked_by}
    context["shown_type"] = _chosen(form, "visit_type")
    mine = queries.referrals_visible_to(here.user).filter(clinic=patient.clinic)
    context["usual_days"] = queries.usual_days(mine)
    return render(request, "referrals/refer.html", context, status=422 if form.errors else 200)


def _asking_step(public_id: str, patient: Patient, here: Here) -> Step | None:
    """The step of an earlier journey that asked for this referral, if the desk came from there."""
    try:
        wanted = UUID(public_id)
    except ValueError:
        return None
    asking = steps_visible_to(here.user).filter(journey__patient=patient, kind=StepKind.REFER)
    return asking.filter(public_id=wanted).first()


def _chosen(form: ReferralForm, name: str) -> object:
    """What the form holds now, valid or not yet: the times to offer depend on it."""
    if form.is_bound:
        form.is_valid()
        return form.cleaned_data.get(name) if hasattr(form, "cleaned_data") else None
    return form.initial.get(name)


def _times(form: ReferralForm, patient: Patient, here: Here) -> list[datetime]:
    """Free times after the images, first those at hours the patient can come (surfaces.md 4.4)."""
    doctor, minutes, expected_on = (
        _chosen(form, name) for name in ("practitioner", "minutes", "expected_on")
    )
    if not isinstance(doctor, Practitioner) or not expected_on:
        return []
    if form.is_bound and "expected_on" not in form.errors:
        after = form.expected_at(patient.clinic.time_zone)
    else:
        after = here.now + timedelta(days=3)
    after = max(after, here.now)
    return times_for(patient, doctor, after=after, now=here.now, minutes=int(str(minutes or VISIT_MINUTES)))


def _new_referral(form: ReferralForm, patient: Patient) -> actions.NewReferral:
    data = form.cleaned_data
    new = actions.NewReferral(
        patient=patient,
        requester=data["practitioner"],
        service=data["service"],
        question=data["question"],
        performer=data["performer"],
        performer_email=data["performer_email"],
        performer_phone=data["performer_phone"],
        expected_at=form.expected_at(patient.clinic.time_zone),
        urgency=form.urgency(),
        title=data["title"],
        template_key=data["template_key"],
        hold_refused_because=data["hold_refused_because"],
        hold_despite_because=data["hold_despite_because"],
        request_key=data["request_key"],
    )
    if data["hold"] is None:
        return new
    kind = data["visit_type"]
    visit = Visit(patient, data["practitioner"], data["hold"], data["minutes"], data["title"], kind)
    return replace(new, hold=visit)


@require_GET
@for_staff()
def referral(request: HttpRequest, here: Here, referral_id: UUID) -> HttpResponse:
    """What the patient takes along: both dates, the code, and the institute's upload link."""
    found = get_object_or_404(
        queries.referrals_visible_to(here.user), public_id=referral_id, clinic=here.clinic
    )
    held = Appointment.objects.filter(awaits__journey=found.journey).order_by("start").first()
    address = found.clinic.intake_address
    local, _at, domain = address.partition("@")
    context = {
        "referral": found,
        "held": held,
        "mail_to": f"{local}+{found.code.replace('-', '').lower()}@{domain}" if domain else "",
        "upload_url": f"{settings.PUBLIC_URL}/u/{links.upload_token(found)}/",
        "revoke_form": RevokeForm() if found.status in actions.REVOCABLE else None,
        "results": found.results.select_related("document").order_by("version"),
    }
    return render(request, "referrals/referral.html", context)


@require_POST
@for_staff()
def revoke(request: HttpRequest, here: Here, referral_id: UUID) -> HttpResponse:
    """The images are not needed after all: the wait ends, and the patient hears of it."""
    found = get_object_or_404(
        queries.referrals_visible_to(here.user), public_id=referral_id, clinic=here.clinic
    )
    form = RevokeForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say why the referral is taken back."))
        return redirect("referral", found.public_id)
    because, is_told = form.cleaned_data["because"], form.cleaned_data["is_told"]
    try:
        actions.revoke(found, because=because, is_told=is_told, now=here.now, by=here.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        told, tells = _("Taken back."), _("Taken back. The patient is told now.")
        messages.success(request, told if is_told else tells)
    return redirect("referral", found.public_id)


@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest, token: str) -> HttpResponse:
    """The institute's way in, without a login: it shows the code and nothing about the patient."""
    found = links.referral_for(token)
    if found is None:
        return render(request, "referrals/upload_gone.html", status=404)
    form = UploadForm(request.POST or None, request.FILES or None)
    context = {
        "referral": found,
        "clinic": found.clinic,
        "form": form,
        "largest": settings.MAX_ATTACHMENT_BYTES,
    }
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data["file"]
        if sent.size > settings.MAX_ATTACHMENT_BYTES:
            largest = settings.MAX_ATTACHMENT_BYTES // 2**20
            form.add_error(
                "file", _("The file is larger than %(size)s MB. Send it in parts.") % {"size": largest}
            )
        else:
            document = actions.receive_upload(found, sent.name, sent.read(), now=timezone.now())
            return render(request, "referrals/uploaded.html", {**context, "document": document})
    return render(request, "referrals/upload.html", context, status=422 if form.errors else 200)
