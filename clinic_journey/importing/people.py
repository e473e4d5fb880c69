"""A row about a patient: what it says, whom it means, and how it is written without overwriting anything."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from hashlib import sha256

from clinic_journey.importing.addresses import ADDRESSES, Reach, read_addresses
from clinic_journey.importing.faults import Fault, Terms, word
from clinic_journey.importing.models import KnownAs
from clinic_journey.importing.values import GENDERS, LANGUAGES, as_date, clean
from patients.identity import (
    Agreement,
    Claim,
    agrees,
    contradicts,
    fold_name,
    national_id_is_valid,
    normalise_national_id,
)
from patients.models import AddressKind, Clinic, Patient, PatientContact, PatientStatus
from patients.queries import person_of

OLDEST = 130  # years
LONGEST_NAME = 80
ISRAELI_ID = 9  # digits
LATER = {"relation", "more"}  # parts of a record that came after the first imports
NUMBER = "number "  # begins the key of a number in the other program


@dataclass(frozen=True)
class Record:
    """A person as the row has it; what could not be read is empty."""

    given_name: str = ""
    family_name: str = ""
    phone: str = ""
    email: str = ""
    birth_date: date | None = None
    national_id: str = ""
    language: str = ""
    gender: str = ""
    external_id: str = ""
    relation: str = ""
    more: tuple[Reach, ...] = ()

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def keys(self) -> list[str]:
        """Under what this row is found again: its number in the other program, and all that it says."""
        return [key for key in (self.number_key, self.row_key) if key]

    @property
    def row_key(self) -> str:
        """What a file of fewer columns does not have stays out: its rows were known before these came."""
        said = [str(getattr(self, each.name) or "") for each in fields(self) if each.name not in LATER]
        said += [f"{each.kind} {each.value} {each.relation}" for each in self.more]
        return f"row {_digest(chr(0x1F).join([*said, self.relation] if self.relation else said))}"

    @property
    def reaches(self) -> list[Reach]:
        """Every address of the row, the first phone first."""
        own = Reach(AddressKind.PHONE, self.phone, self.relation), Reach(AddressKind.EMAIL, self.email)
        return [reach for reach in (*own, *self.more) if reach.value]

    @property
    def values(self) -> set[str]:
        return {reach.value for reach in self.reaches}

    @property
    def number_key(self) -> str:
        return f"{NUMBER}{_digest(self.external_id)}" if self.external_id else ""

    @property
    def identity(self) -> str:
        """The same in two rows of a file: one of them is a repetition."""
        if self.external_id:
            return self.number_key
        if self.national_id:
            return f"id {_digest(self.national_id)}"
        return _digest(f"{fold_name(self.full_name)}\x1f{self.phone}\x1f{self.email}\x1f{self.birth_date}")


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:48]


def read_person(cells: Mapping[str, str], terms: Terms) -> tuple[Record, list[Fault]]:
    faults: list[Fault] = []
    given, family = _names(cells)
    if not given:
        faults.append(Fault("name_missing", "given_name"))
    if max(len(given), len(family)) > LONGEST_NAME:
        faults.append(Fault("name_long", "given_name", f"{given} {family}"))
    gender = word(cells, "gender", GENDERS, faults)
    first, more = read_addresses(cells, terms, faults)
    record = Record(
        given,
        family,
        phone=first["phone"],
        email=first["email"],
        relation=first["relation"],
        more=more,
        birth_date=_birth_date(cells.get("birth_date", ""), terms, faults),
        national_id=_national_id(cells.get("national_id", ""), terms, faults),
        language=word(cells, "language", LANGUAGES, faults),
        gender=gender,
        external_id=clean(cells.get("external_id", ""))[:LONGEST_NAME],
    )
    if not any(cells.get(name) for name in ADDRESSES):
        faults.append(Fault("no_address", "phone"))
    return record, faults


def _names(cells: Mapping[str, str]) -> tuple[str, str]:
    given, family = clean(cells.get("given_name", "")), clean(cells.get("family_name", ""))
    whole = clean(cells.get("full_name", ""))
    reversed_name = clean(cells.get("full_name_reversed", "")).replace(",", " ")
    if not given and whole:
        given, _space, rest = whole.partition(" ")
        family = family or rest
    elif not given and reversed_name:
        first, _space, rest = reversed_name.partition(" ")
        given, family = (rest.strip(), family or first) if rest else (first, family)
    return given, family


def _birth_date(text: str, terms: Terms, faults: list[Fault]) -> date | None:
    text = clean(text)
    if not text:
        return None
    born = as_date(text, terms.date_order, today=terms.today)
    if born is None:
        faults.append(Fault("birth_unreadable", "birth_date", text))
    elif not terms.today.year - OLDEST <= born.year or born > terms.today:
        faults.append(Fault("birth_impossible", "birth_date", text))
        return None
    return born


def _national_id(text: str, terms: Terms, faults: list[Fault]) -> str:
    text = clean(text)
    number = normalise_national_id(text) if text else ""
    of_digits = number.isascii() and number.isdigit()
    if terms.clinic.country == "IL" and of_digits and len(number) <= ISRAELI_ID:
        if not national_id_is_valid(number):
            faults.append(Fault("id_wrong", "national_id", text))
            return ""
    elif len(number) > 32:  # noqa: PLR2004 - the column
        faults.append(Fault("id_wrong", "national_id", text))
        return ""
    return number


@dataclass
class Match:
    """Whom a record means: one patient for certain, or those it might be."""

    patient: Patient | None = None
    doubtful: list[Patient] = field(default_factory=list)


class Register:
    """The patients that some records may be about, read in a few queries for all of them."""

    def __init__(self, clinic: Clinic, records: Sequence[Record], *, run_id: int = 0) -> None:
        self.clinic = clinic
        self.run_id = run_id
        self.of_this_run: set[int] = set()
        self.numbers: dict[int, set[str]] = {}
        self.by_key: dict[str, Patient] = {}
        self.by_id: dict[str, Patient] = {}
        self.near: dict[object, list[Patient]] = {}
        self.addresses: dict[int, set[str]] = {}
        self._load_keys([key for record in records for key in record.keys])
        self._load_near(records)

    def _load_keys(self, keys: list[str]) -> None:
        known = KnownAs.objects.filter(clinic=self.clinic, key__in=keys)
        for row in known.select_related("patient__merged_into"):
            self.by_key[row.key] = row.patient.record_now

    def _load_near(self, records: Sequence[Record]) -> None:
        living = Patient.objects.filter(clinic=self.clinic).exclude(status=PatientStatus.MERGED)
        numbers = {record.national_id for record in records} - {""}
        self.by_id = {each.national_id: each for each in living.filter(national_id__in=numbers)}
        births = {record.birth_date for record in records if record.birth_date}
        for patient in living.filter(birth_date__in=births):
            self.near.setdefault(patient.birth_date, []).append(patient)
        addresses = {value for record in records for value in record.values}
        ties = PatientContact.objects.filter(
            contact_point__clinic=self.clinic, contact_point__value__in=addresses
        ).exclude(patient__status=PatientStatus.MERGED)
        for tie in ties.select_related("patient", "contact_point"):
            self.near.setdefault(tie.contact_point.value, []).append(tie.patient)
        candidates = {each.pk for found in self.near.values() for each in found}
        for row in KnownAs.objects.filter(patient__in=candidates):
            self._note(row.patient_id, row.key)
            if row.run_id == self.run_id:
                self.of_this_run.add(row.patient_id)
        self._load_addresses([*candidates, *(each.pk for each in self.by_id.values())])

    def _note(self, patient_id: int, key: str) -> None:
        if key.startswith(NUMBER):
            self.numbers.setdefault(patient_id, set()).add(key)

    def _load_addresses(self, patient_ids: Iterable[int]) -> None:
        ties = PatientContact.objects.filter(patient__in=set(patient_ids))
        for patient_id, value in ties.values_list("patient", "contact_point__value"):
            self.addresses.setdefault(patient_id, set()).add(value)

    def remember(self, record: Record, patient: Patient) -> None:
        """A patient that was made just now is found by the rows that follow."""
        self.by_key.update(dict.fromkeys(record.keys, patient))
        self._note(patient.pk, record.number_key)
        self.of_this_run.add(patient.pk)
        if record.national_id:
            self.by_id[record.national_id] = patient
        for near in {record.birth_date, *record.values} - {None}:
            self.near.setdefault(near, []).append(patient)
        self.addresses.setdefault(patient.pk, set()).update(record.values)

    def find(self, record: Record) -> Match:
        """By number, by ID, or by the same name with an address or a birth date that nothing contradicts.

        The same name and birth date under another address may be somebody else: that is for people to say,
        unless the file itself tells the two apart by a row for each.
        """
        for key in record.keys:
            if key in self.by_key:
                return Match(self.by_key[key])
        if record.national_id in self.by_id:
            return Match(self.by_id[record.national_id])
        sure, doubtful = [], []
        for patient in self._namesakes(record):
            own = self.addresses.get(patient.pk, set())
            theirs = record.values
            if own & theirs or not own or not theirs:
                sure.append(patient)
            elif patient.pk not in self.of_this_run:
                doubtful.append(patient)
        return Match(sure[0]) if len(sure) == 1 else Match(None, sure + doubtful)

    def _namesakes(self, record: Record) -> list[Patient]:
        claim = Claim(
            names=(record.full_name,),
            birth_dates=(record.birth_date,) if record.birth_date else (),
            national_ids=(record.national_id,) if record.national_id else (),
        )
        near = [
            patient
            for key in (*record.values, record.birth_date)
            if key
            for patient in self.near.get(key, [])
        ]
        return [
            patient
            for patient in {each.pk: each for each in near}.values()
            if _same_name(claim, record, patient)
            and not _somebody_else(claim, record, patient)
            and not self._has_another_number(patient, record)
        ]

    def _has_another_number(self, patient: Patient, record: Record) -> bool:
        """The other program knows the two as two people."""
        numbers = self.numbers.get(patient.pk, set())
        return bool(record.number_key and numbers and record.number_key not in numbers)


def _same_name(claim: Claim, record: Record, patient: Patient) -> bool:
    return Agreement.NAME in agrees(claim, person_of(patient)) or (
        fold_name(record.full_name) == fold_name(patient.full_name)
    )


def _somebody_else(claim: Claim, record: Record, patient: Patient) -> bool:
    two_numbers = record.national_id and patient.national_id and record.national_id != patient.national_id
    return bool(two_numbers) or bool(contradicts(claim, person_of(patient)))
