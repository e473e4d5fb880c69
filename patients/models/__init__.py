"""Who the clinic serves, how they may be reached, and who works for them."""

from patients.models.audit import AuditAction, AuditEvent, By
from patients.models.card import (
    CARD_LASTS,
    CardSource,
    CardState,
    Channel,
    Consent,
    ConsentStatus,
    ContactWindow,
    Purpose,
    ServiceCard,
)
from patients.models.client_request import ClientRequest
from patients.models.clinic import Clinic, ClinicHours, ClosedDay, HoursKind, Language, Membership, Role
from patients.models.patient import (
    GUARDIANS,
    AddressKind,
    AddressStatus,
    ContactPoint,
    Gender,
    MaySay,
    Patient,
    PatientContact,
    PatientStatus,
    Place,
    Relation,
)
from patients.models.proof import TRIES, IdentityTries

__all__ = [
    "CARD_LASTS",
    "GUARDIANS",
    "TRIES",
    "AddressKind",
    "AddressStatus",
    "AuditAction",
    "AuditEvent",
    "By",
    "CardSource",
    "CardState",
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
    "IdentityTries",
    "Language",
    "MaySay",
    "Membership",
    "Patient",
    "PatientContact",
    "PatientStatus",
    "Place",
    "Purpose",
    "Relation",
    "Role",
    "ServiceCard",
]
