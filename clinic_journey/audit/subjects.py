"""Whose record a page's address names: each kind of object, and the way from it to its patient."""

from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models.functions import Coalesce
from django.urls import ResolverMatch

from appointments.models import Appointment
from appointments.waiting_models import Offer, WaitlistEntry
from clinic_journey.models import DeskAction
from inquiries.models import Inquiry
from journeys.models import Journey, Step
from outreach.complaint_models import Complaint
from outreach.links import journey_for
from outreach.models import OutreachTask
from outreach.praise_models import Praise
from patients.models import By, Patient, PatientContact
from referrals.links import referral_for
from referrals.models import DocumentFile, IncomingDocument, Referral, Result, ReviewPass

Subject = tuple[int | None, int]  # keys of the patient and of the clinic

# The patient and the clinic of a row, as paths from it. A file may have come with a patient's words, for no referral.
WAYS: dict[type[models.Model], tuple[str | Coalesce, str]] = {
    Patient: ("pk", "clinic"),
    Journey: ("patient", "clinic"),
    Step: ("journey__patient", "clinic"),
    Appointment: ("patient", "clinic"),
    Referral: ("patient", "clinic"),
    Result: ("referral__patient", "referral__clinic"),
    IncomingDocument: (Coalesce("referral__patient", "enclosed__reply__patient"), "clinic"),
    DocumentFile: (
        Coalesce("document__referral__patient", "document__enclosed__reply__patient"),
        "document__clinic",
    ),
    OutreachTask: ("patient", "clinic"),
    PatientContact: ("patient", "patient__clinic"),
    WaitlistEntry: ("patient", "clinic"),
    Offer: ("entry__patient", "entry__clinic"),
    ReviewPass: ("review__journey__patient", "review__clinic"),
    DeskAction: ("patient", "clinic"),
    Inquiry: ("patient", "clinic"),
    Complaint: ("patient", "clinic"),
    Praise: ("patient", "clinic"),
}
# The arguments of our addresses, and the routes of the API, whose argument is always `id`.
NAMED: dict[str, type[models.Model]] = {
    "patient_id": Patient,
    "journey_id": Journey,
    "step_id": Step,
    "appointment_id": Appointment,
    "referral_id": Referral,
    "result_id": Result,
    "document_id": IncomingDocument,
    "file_id": DocumentFile,
    "task_id": OutreachTask,
    "tie_id": PatientContact,
    "entry_id": WaitlistEntry,
    "offer_id": Offer,
    "pass_id": ReviewPass,
    "action_id": DeskAction,
    "inquiry_id": Inquiry,
    "complaint_id": Complaint,
    "praise_id": Praise,
    "api-patient": Patient,
    "api-referral": Referral,
    "api-document": IncomingDocument,
    "api-appointment": Appointment,
    "api-outreach-task": OutreachTask,
    "api-message-trace": Patient,
    "api-waiting": WaitlistEntry,
    "api-inquiry": Inquiry,
    "api-complaint": Complaint,
    "api-praise": Praise,
}
# Links without a login, by the first part of their address: a patient's own, and an institute's.
HOLDERS = {"p": By.PATIENT, "u": By.INSTITUTE}
# Arguments that name no object of one patient. An import is of many: its pages say how many rows they show.
OF_NOBODY = {
    "clinic",
    "code",
    "practitioner_id",
    "schedule_id",
    "exception_id",
    "visit_type_id",
    "import_id",
    "offering_id",
    "standard_id",
    "handover_id",
    "idea_id",
}


def holder_of(match: ResolverMatch) -> By | None:
    return HOLDERS.get(match.route.partition("/")[0]) if match.kwargs else None


def subject_of(match: ResolverMatch, *, now: datetime) -> Subject | None:
    """The patient that the address names, if it names an object at all."""
    holder = holder_of(match)
    if holder and "token" in match.kwargs:
        return _behind_link(match.kwargs["token"], holder, now=now)
    for name, value in match.kwargs.items():
        model = _admin_model(match) if name == "object_id" else NAMED.get(_named(name, match))
        if model in WAYS:
            field = "public_id" if _has_public_id(model) and name != "object_id" else "pk"
            rows = model._default_manager.filter(**{field: value})  # noqa: SLF001 - of any model
            return rows.values_list(*WAYS[model]).first()
    return None


def _behind_link(token: str, holder: By, *, now: datetime) -> Subject | None:
    found: Any = journey_for(token, now=now) if holder == By.PATIENT else referral_for(token)
    return (found.patient_id, found.clinic_id) if found else None


def _named(argument: str, match: ResolverMatch) -> str:
    """`api-patient-card` is a route of `api-patient`."""
    if argument != "id":
        return argument
    return next((name for name in NAMED if (match.url_name or "").startswith(f"{name}-")), "")


def _admin_model(match: ResolverMatch) -> type[models.Model] | None:
    app, _bar, rest = (match.url_name or "").partition("_")
    try:
        return apps.get_model(app, rest.rpartition("_")[0])
    except LookupError:
        return None


def _has_public_id(model: type[models.Model]) -> bool:
    return any(field.name == "public_id" for field in model._meta.concrete_fields)
