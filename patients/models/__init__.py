"""Who the clinic serves, how they may be reached, and who works for them."""

from patients.models.audit import AuditAction, AuditEvent, By
from patients.models.card import Channel, Consent, ConsentStatus, ContactWindow, Purpose, ServiceCard
from patients.models.client_request import ClientRequest
from patients.models.clinic import Clinic, ClinicHours, ClosedDay, HoursKind, Language, Membership, Role
from patients.models.patient import (
    AddressKind,
    AddressStatus,
    ContactPoint,
    Gender,
    Patient,
    PatientContact,
    PatientStatus,
    Relation,
)

__all__ = [
    "AddressKind",
    "AddressStatus",
    "AuditAction",
    "AuditEvent",
    "By",
    "Channel",
    "ClientRequest",
    "Clinic",
    "ClinicHours",
    "ClosedDay",
    "Consent",
    "ConsentStatus",
    "ContactPoint",
    "ContactWindow",
    "Gender",
    "HoursKind",
    "Language",
    "Membership",
    "Patient",
    "PatientContact",
    "PatientStatus",
    "Purpose",
    "Relation",
    "Role",
    "ServiceCard",
]
