"""Writes a person's row: a new patient, or what an existing one still lacks. Nothing is ever overwritten."""

from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clinic_journey.importing.models import ImportRow, KnownAs, RowState
from clinic_journey.importing.people import Record, Register, address_kinds
from patients.actions import NewPatient, RefusedError, add_address, register_patient, search_key
from patients.models import Patient

AS_NEW = "perhaps_known"  # the problem whose rows may be imported as new patients all the same
FILLED_IN = ("family_name", "birth_date", "national_id", "gender")
COMPARED = ("given_name", "family_name", "birth_date", "national_id", "gender", "language")


def write_person(row: ImportRow, record: Record, register: Register, *, now: datetime) -> None:
    """Find or make the patient of a row; `row` takes what was done, to be saved by the caller."""
    match = register.find(record)
    if match.doubtful and AS_NEW not in row.run.left_empty:  # registered since the rows were checked
        raise RefusedError(_("A patient of this name and birth date is registered under another address."))
    if match.patient is None:
        patient = _make(row, record, now=now)
        row.state = RowState.MADE
    else:
        patient = match.patient
        row.state = RowState.FILLED if _fill(row, patient, record) else RowState.FOUND
    row.patient = patient
    KnownAs.objects.bulk_create(
        [KnownAs(clinic_id=patient.clinic_id, key=key, patient=patient, run=row.run) for key in record.keys],
        ignore_conflicts=True,  # a key that is there already names this very patient: `find` looked
    )
    register.remember(record, patient)


def _make(row: ImportRow, record: Record, *, now: datetime) -> Patient:
    clinic = row.run.clinic
    new = NewPatient(
        record.given_name,
        record.family_name,
        record.birth_date,
        national_id=record.national_id,
        language=record.language or clinic.language,
        gender=record.gender,
        phone=record.phone,
        email=record.email,
    )
    patient = register_patient(clinic, new, now=now)
    row.wrote = {"fields": as_stored(patient), "ties": list(patient.contacts.values_list("pk", flat=True))}
    return patient


def _fill(row: ImportRow, patient: Patient, record: Record) -> bool:
    """Write what the patient lacks, note what differs. Returns whether anything was written."""
    written: dict[str, Any] = {}
    for name in FILLED_IN:
        value = getattr(record, name)
        if value and not getattr(patient, name) and _write(patient, name, value):
            written[name] = as_text(value)
    ties = _add_addresses(patient, record)
    if written or ties:
        values = list(patient.contacts.values_list("contact_point__value", flat=True))
        Patient.objects.filter(pk=patient.pk).update(search_key=search_key(patient, values))
        row.wrote = {"fields": written, "ties": ties}
    differing = differences(patient, record)
    row.wrote |= {"differs": differing}
    row.differs = bool(differing)
    return bool(written or ties)


def _write(patient: Patient, name: str, value: Any) -> bool:
    """Only into a field that is still empty; an ID that another patient has is left to people."""
    empty = {f"{name}__isnull": True} if name == "birth_date" else {name: ""}
    try:
        with transaction.atomic():
            done = Patient.objects.filter(pk=patient.pk, **empty).update(**{name: value})
    except IntegrityError:
        return False
    if done:
        setattr(patient, name, value)
    return bool(done)


def _add_addresses(patient: Patient, record: Record) -> list[int]:
    """An address of a kind of which the patient has none; another number beside one we have is a difference."""
    has = set(patient.contacts.values_list("contact_point__kind", flat=True))
    rank = patient.contacts.count()
    made = []
    for kind, value in address_kinds(record):
        if kind not in has:
            rank += 1
            made.append(add_address(patient, kind, value, rank=rank).pk)
    return made


def differences(patient: Patient, record: Record) -> list[list[str]]:
    """[field, what we have, what the file says] wherever both say something, and not the same."""
    found = [
        [name, as_text(getattr(patient, name)), as_text(getattr(record, name))]
        for name in COMPARED
        if getattr(record, name) and getattr(patient, name) != getattr(record, name)
    ]
    ours = dict.fromkeys(patient.contacts.values_list("contact_point__kind", "contact_point__value"))
    for kind, value in address_kinds(record):
        of_kind = [known for its_kind, known in ours if its_kind == kind]
        if of_kind and value not in of_kind:
            found.append([str(kind.value), of_kind[0], value])
    return found


def as_stored(patient: Patient) -> dict[str, str]:
    return {name: as_text(getattr(patient, name)) for name in COMPARED}


def as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value or "")
