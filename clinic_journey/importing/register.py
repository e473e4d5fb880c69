"""Writes a person's row: a new patient, or what an existing one still lacks. Nothing is ever overwritten."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clinic_journey.importing.addresses import Reach
from clinic_journey.importing.models import ImportRow, KnownAs, RowState
from clinic_journey.importing.people import Record, Register
from patients.actions import NewPatient, RefusedError, add_address, register_patient, search_key
from patients.models import AddressKind, Patient, Relation

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
        is_news = record.row_key not in register.by_key
        row.state = RowState.FILLED if _fill(row, patient, record, is_news=is_news) else RowState.FOUND
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
    if record.relation:
        patient.contacts.filter(contact_point__kind=AddressKind.PHONE).update(relation=record.relation)
    if record.more:
        _tie(patient, record.more, rank=len(record.reaches) - len(record.more))
    row.wrote = {"fields": as_stored(patient), "ties": list(patient.contacts.values_list("pk", flat=True))}
    return patient


def _tie(patient: Patient, reaches: Iterable[Reach], *, rank: int) -> list[int]:
    """Further addresses, after those there are."""
    made = []
    for reach in reaches:
        rank += 1
        tie = add_address(
            patient, reach.kind, reach.value, rank=rank, relation=reach.relation or Relation.SELF
        )
        made.append(tie.pk)
    values = list(patient.contacts.values_list("contact_point__value", flat=True))
    Patient.objects.filter(pk=patient.pk).update(search_key=search_key(patient, values))
    return made


def _fill(row: ImportRow, patient: Patient, record: Record, *, is_news: bool) -> bool:
    """Write what the patient lacks, note what differs. Returns whether anything was written."""
    written: dict[str, Any] = {}
    for name in FILLED_IN:
        value = getattr(record, name)
        if value and not getattr(patient, name) and _write(patient, name, value):
            written[name] = as_text(value)
    ties = _add_addresses(patient, record, is_news=is_news)
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


def _add_addresses(patient: Patient, record: Record, *, is_news: bool) -> list[int]:
    """All addresses of a kind of which the patient has none; further ones beside one that both have.

    Another number beside ours is a difference, for people to settle. A row that was imported before adds none:
    what the desk has removed since stays removed.
    """
    ours = list(patient.contacts.values_list("contact_point__kind", "contact_point__value"))
    new = []
    for kind in (AddressKind.PHONE, AddressKind.EMAIL):
        has = {value for its_kind, value in ours if its_kind == kind}
        theirs = [reach for reach in record.reaches if reach.kind == kind]
        agrees = is_news and any(reach.value in has for reach in theirs)
        new += [reach for reach in theirs if reach.value not in has and (not has or agrees)]
    return _tie(patient, new, rank=len(ours)) if new else []


def differences(patient: Patient, record: Record) -> list[list[str]]:
    """[field, what we have, what the file says] wherever both say something, and not the same."""
    found = [
        [name, as_text(getattr(patient, name)), as_text(getattr(record, name))]
        for name in COMPARED
        if getattr(record, name) and getattr(patient, name) != getattr(record, name)
    ]
    ours = dict.fromkeys(patient.contacts.values_list("contact_point__kind", "contact_point__value"))
    for reach in record.reaches:
        of_kind = [known for its_kind, known in ours if its_kind == reach.kind]
        if of_kind and reach.value not in of_kind:
            found.append([str(reach.kind.value), of_kind[0], reach.value])
    return found


def as_stored(patient: Patient) -> dict[str, str]:
    return {name: as_text(getattr(patient, name)) for name in COMPARED}


def as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value or "")
