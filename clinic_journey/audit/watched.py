"""The tables whose every change is written down, with its before and after.

Steps, attempts and the uses of cells are left out: they are written in bulk all day and have events of their
own in the same transaction (StepEvent, AppointmentEvent, Attempt), which the trail shows beside these.
"""

from dataclasses import dataclass

from django.db import models

from appointments.models import Appointment
from clinic_journey.reports.money_models import VisitValue
from clinic_journey.reports.standards_models import Standard
from inquiries.models import Inquiry
from journeys.models import Journey
from outreach.complaint_models import Complaint
from outreach.models import MessageTemplate
from outreach.provider_models import AllowedAddress, Attestation, Gate, ProviderTerms
from patients.models import (
    Clinic,
    ComingWindow,
    Consent,
    ContactPoint,
    ContactWindow,
    Patient,
    PatientContact,
    ServiceCard,
)
from referrals.models import IncomingDocument, Referral, Result


@dataclass(frozen=True)
class Watched:
    """SQL over the changed row (`{row}`): whose record it belongs to, and the columns that say nothing."""

    model: type[models.Model]
    patient: str = "{row}.patient_id"
    clinic: str = "(SELECT clinic_id FROM patients_patient WHERE id = {row}.patient_id)"
    source: str = ""
    ignored: tuple[str, ...] = ()
    inserts: bool = (
        True  # a booking is told by its AppointmentEvent alone: speed at the desk (docs/decisions)
    )


OF_CARD = (
    "FROM patients_servicecard card JOIN patients_patient p ON p.id = card.patient_id "
    "WHERE card.id = {row}.card_id"
)
OF_REFERRAL = "FROM referrals_referral referral WHERE referral.id = {row}.referral_id"
EVERY_TIE = (
    "FROM (SELECT 1 AS one) once LEFT JOIN patients_patientcontact tie ON tie.contact_point_id = {row}.id"
)

OWN_WORDS = "WHERE {row}.clinic_id IS NOT NULL"  # those that we ship come with the version

NOBODYS = "CAST(NULL AS bigint)"  # whether messages leave at all is no patient's record

# Its way is told by the events of its steps; who kept it from the parents, and when, is told here.
EVERYTHING_ELSE_OF_A_JOURNEY = tuple(
    field.attname for field in Journey._meta.concrete_fields if field.name != "is_confidential"
)

WATCHED = (
    Watched(Patient, "{row}.id", "{row}.clinic_id", ignored=("search_key",)),
    Watched(ContactPoint, "tie.patient_id", "{row}.clinic_id", EVERY_TIE, ignored=("status_at",)),
    Watched(PatientContact),
    Watched(ServiceCard),
    Watched(ContactWindow, f"(SELECT card.patient_id {OF_CARD})", f"(SELECT p.clinic_id {OF_CARD})"),
    Watched(ComingWindow, f"(SELECT card.patient_id {OF_CARD})", f"(SELECT p.clinic_id {OF_CARD})"),
    Watched(Consent),
    Watched(Journey, clinic="{row}.clinic_id", ignored=EVERYTHING_ELSE_OF_A_JOURNEY, inserts=False),
    Watched(Referral, clinic="{row}.clinic_id", ignored=("request_key",)),
    Watched(
        Result,
        f"(SELECT referral.patient_id {OF_REFERRAL})",
        f"(SELECT referral.clinic_id {OF_REFERRAL})",
    ),
    Watched(
        IncomingDocument,
        f"(SELECT referral.patient_id {OF_REFERRAL})",
        "{row}.clinic_id",
        ignored=("raw", "reasons", "candidates", "match_from", "tries", "step_id"),
    ),
    Watched(Inquiry, clinic="{row}.clinic_id", ignored=("request_key", "step_id")),
    Watched(Complaint, clinic="{row}.clinic_id"),
    Watched(Clinic, NOBODYS, "{row}.id", inserts=False),
    Watched(Gate, NOBODYS, "{row}.clinic_id"),
    Watched(AllowedAddress, NOBODYS, "{row}.clinic_id"),
    Watched(Attestation, NOBODYS, "{row}.clinic_id"),
    Watched(ProviderTerms, NOBODYS, "{row}.clinic_id"),
    Watched(MessageTemplate, NOBODYS, "{row}.clinic_id", OWN_WORDS),
    Watched(Standard, NOBODYS, "{row}.clinic_id", ignored=("names", "routines"), inserts=False),
    Watched(VisitValue, NOBODYS, "{row}.clinic_id"),
    Watched(Appointment, clinic="{row}.clinic_id", ignored=("request_key", "step_id"), inserts=False),
)
