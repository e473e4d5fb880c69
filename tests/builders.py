"""Plain functions that make one object each, with the least that the test did not say."""

from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any

from django.contrib.auth.models import User

from appointments.models import Practitioner
from journeys.models import Journey, OwnerRole, Step, StepKind, StepStatus
from patients.actions import NewPatient, register_patient, set_default_hours
from patients.models import Clinic, Membership, Patient, Role
from referrals.models import IncomingDocument, Referral, Source
from tests.conftest import NOW

_numbers = count(1)


def clinic(**fields: Any) -> Clinic:
    n = next(_numbers)
    given = {
        "name": f"Alon Clinic {n}",
        "slug": f"alon-{n}",
        "sender_name": "Alon Clinic",
        "phone": "+97235550142",
        "intake_address": f"results{n}@alon.example",
    }
    made = Clinic.objects.create(**{**given, **fields})
    set_default_hours(made)
    return made


def user(role: str = Role.RECEPTIONIST, *, at: Clinic | None = None, **fields: Any) -> User:
    n = next(_numbers)
    made = User.objects.create_user(username=f"user{n}", password="x", **{"first_name": "Rina", **fields})
    if at is not None:
        Membership.objects.create(user=made, clinic=at, role=role)
    return made


def patient(at: Clinic | None = None, *, now: datetime = NOW, **fields: Any) -> Patient:
    given = {
        "given_name": "Dana",
        "family_name": "Levi",
        "birth_date": date(1991, 5, 4),
        "phone": "050-234-5678",
    }
    return register_patient(at or clinic(), NewPatient(**{**given, **fields}), now=now)


def journey(for_patient: Patient | None = None, *, now: datetime = NOW, **fields: Any) -> Journey:
    who = for_patient or patient()
    return Journey.objects.create(clinic=who.clinic, patient=who, opened_at=now, **fields)


def step(of: Journey | None = None, *, now: datetime = NOW, **fields: Any) -> Step:
    where = of or journey(now=now)
    given = {
        "kind": StepKind.CALL,
        "status": StepStatus.ACTIVE,
        "owner_role": OwnerRole.RECEPTIONIST,
        "opened_at": now,
        "due_at": now + timedelta(hours=4),
    }
    return Step.objects.create(clinic=where.clinic, journey=where, **{**given, **fields})


def at(hour: int, minute: int = 0) -> time:
    return time(hour, minute)


def practitioner(at: Clinic | None = None, **fields: Any) -> Practitioner:
    where = at or clinic()
    return Practitioner.objects.create(clinic=where, **{"name": "Dr Cohen", **fields})


def referral(for_patient: Patient | None = None, *, now: datetime = NOW, **fields: Any) -> Referral:
    """A referral that waits, in a journey of its own without a template."""
    who = for_patient or patient()
    waiting = step(journey(who, now=now), kind=StepKind.AWAIT_RESULT, owner_role=OwnerRole.PARTNER)
    given = {
        "clinic": who.clinic,
        "patient": who,
        "journey": waiting.journey,
        "step": waiting,
        "requester": fields.get("requester") or practitioner(who.clinic),
        "code": "R-" + f"{next(_numbers):08}".translate(str.maketrans("01", "XY")),
        "service": "Panoramic image",
        "expected_at": now + timedelta(days=3),
        "made_at": now,
    }
    return Referral.objects.create(**{**given, **fields})


def document(at: Clinic | None = None, *, now: datetime = NOW, **fields: Any) -> IncomingDocument:
    """A mail that was received and not looked at yet; its bytes are not there."""
    given = {
        "clinic": at or clinic(),
        "source": Source.EMAIL,
        "source_id": f"mail-{next(_numbers)}",
        "raw": "incoming/missing.eml",
        "received_at": now,
        "match_from": now,
    }
    return IncomingDocument.objects.create(**{**given, **fields})
