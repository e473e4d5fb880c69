"""A row about a visit: whose, with whom, when; booked through the calendar like any other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from appointments.actions import SlotTakenError, Visit, book_alone
from appointments.models import TAKES_TIME, Appointment, Practitioner
from appointments.queries import who_has
from appointments.visits import cells_of, refuse_nonsense
from clinic_journey.importing.faults import Fault, Terms
from clinic_journey.importing.models import ImportRow, RowState
from clinic_journey.importing.people import Record, Register, read_person
from clinic_journey.importing.values import as_date, as_time, clean, parsed_when
from patients.actions import RefusedError
from patients.identity import fold_name
from patients.models import Clinic
from patients.windows import starts_at

USUAL_MINUTES = 30
LONGEST = 24 * 60
ABOUT_THE_PERSON = {
    "phone_short",
    "phone_long",
    "phone_wrong",
    "id_wrong",
    "birth_unreadable",
    "birth_impossible",
}
_TITLES = {"dr", "doctor", "prof", 'ד"ר', "דר", "доктор", "д-р", "د", "دكتور"}


@dataclass(frozen=True)
class Wish:
    """A visit as the row has it."""

    who: Record
    doctor: Practitioner | None = None
    start: datetime | None = None
    minutes: int = USUAL_MINUTES
    title: str = ""

    @property
    def identity(self) -> str:
        doctor = self.doctor.pk if self.doctor else ""
        return sha256(f"{self.who.identity} {doctor} {self.start}".encode()).hexdigest()


def doctors_of(clinic: Clinic) -> list[Practitioner]:
    return list(Practitioner.objects.filter(clinic=clinic, is_active=True).select_related("clinic"))


def read_visit(
    cells: Mapping[str, str], terms: Terms, doctors: Sequence[Practitioner]
) -> tuple[Wish, list[Fault]]:
    who, about_who = read_person(cells, terms)
    faults = [fault for fault in about_who if fault.code in ABOUT_THE_PERSON]
    doctor = _doctor(cells.get("doctor", ""), doctors, faults)
    start = _start(cells, terms, faults)
    minutes = _minutes(cells.get("minutes", ""), terms, faults)
    return Wish(who, doctor, start, minutes, clean(cells.get("title", ""))[:120]), faults


def _doctor(text: str, doctors: Sequence[Practitioner], faults: list[Fault]) -> Practitioner | None:
    wanted = _bare(text)
    found = [each for each in doctors if wanted and _bare(each.name) == wanted]
    found = found or [each for each in doctors if wanted and set(wanted) <= set(_bare(each.name))]
    found = found or [each for each in doctors if wanted and set(_bare(each.name)) <= set(wanted)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(each.name for each in doctors)[:300]
    faults.append(Fault("doctor_unknown", "doctor", clean(text), names))
    return None


def _bare(name: str) -> list[str]:
    return [word for word in fold_name(name).split() if word not in _TITLES]


def _start(cells: Mapping[str, str], terms: Terms, faults: list[Fault]) -> datetime | None:
    whole = clean(cells.get("start", ""))
    on_text, at_text = clean(cells.get("on", "")) or whole, clean(cells.get("at", "")) or whole
    if whole and not cells.get("on"):
        when = parsed_when(whole, terms.date_order, today=terms.today)
        on, at = (when.date(), when.time()) if when else (None, None)
    else:
        on = as_date(on_text, terms.date_order, today=terms.today)
        at = as_time(at_text)
    if on is None or at is None:
        found = whole if whole and not cells.get("on") else f"{on_text} {at_text}".strip()
        faults.append(Fault("start_unreadable", "on", found))
        return None
    try:
        start = starts_at(terms.clinic.time_zone, on, at)
    except (OverflowError, ValueError):
        faults.append(Fault("start_unreadable", "on", f"{on_text} {at_text}".strip()))
        return None
    return start


def _minutes(text: str, terms: Terms, faults: list[Fault]) -> int:
    text = clean(text)
    if not text:
        return USUAL_MINUTES
    digits = text.split()[0].split(".")[0]
    minutes = int(digits) if digits.isdecimal() and len(digits) < 5 else 0  # noqa: PLR2004 - a day has four
    if not 0 < minutes <= LONGEST or minutes % terms.clinic.cell_minutes:
        faults.append(Fault("minutes_wrong", "minutes", text, str(terms.clinic.cell_minutes)))
        return USUAL_MINUTES
    return minutes


def check_visit(row: ImportRow, wish: Wish, register: Register, *, now: datetime) -> list[Fault]:
    """Whether the calendar would take it; known visits are fine. Booking asks all of it again."""
    if wish.start is None or wish.doctor is None:
        return []
    match = register.find(wish.who)
    if match.patient is None:
        code = "patient_several" if match.doubtful else "patient_unknown"
        return [Fault(code, "external_id", _said(wish.who))]
    row.patient = match.patient
    visit = Visit(match.patient, wish.doctor, wish.start, wish.minutes, wish.title)
    if known_visit(visit) is not None:
        return []
    found = wish.start.astimezone(ZoneInfo(row.run.clinic.time_zone)).strftime("%Y-%m-%d %H:%M")
    return [Fault(code, "on", found, detail) for code, detail in _against(visit, now=now)]


def _against(visit: Visit, *, now: datetime) -> list[tuple[str, str]]:
    """Why the calendar would refuse it, as code and words."""
    if visit.end <= now:
        return [("start_past", "")]
    try:
        refuse_nonsense(visit, now=now)
        cells_of(visit.practitioner, visit.start, visit.end)
    except RefusedError as refusal:
        return [("outside_hours", str(refusal)[:300])]
    return [("taken", "")] if who_has(visit.practitioner, visit.start, visit.end) else []


def _said(who: Record) -> str:
    return " · ".join(text for text in (who.external_id, who.national_id, who.full_name, who.phone) if text)


def request_key(visit: Visit) -> str:
    """One visit of one patient at one time is one request, whichever file asks for it."""
    said = f"{visit.patient.pk} {visit.practitioner.pk} {visit.start.isoformat()}"
    return f"import {sha256(said.encode()).hexdigest()[:48]}"


def known_visit(visit: Visit) -> Appointment | None:
    """What an earlier run booked, or somebody by hand: this patient with this doctor at this time."""
    clinic_id = visit.patient.clinic_id
    return (
        Appointment.objects.filter(clinic=clinic_id, request_key=request_key(visit)).first()
        or Appointment.objects.filter(
            patient=visit.patient,
            practitioner=visit.practitioner,
            start=visit.start,
            status__in=TAKES_TIME,
        ).first()
    )


def write_visit(row: ImportRow, wish: Wish, register: Register, *, now: datetime) -> None:
    patient = register.find(wish.who).patient
    if patient is None or wish.doctor is None or wish.start is None:
        raise RefusedError(_("The patient of this row is not registered."))
    visit = Visit(patient, wish.doctor, wish.start, wish.minutes, wish.title)
    row.patient = patient
    row.appointment, row.state = known_visit(visit), RowState.FOUND
    if row.appointment is None:
        try:
            row.appointment = book_alone(visit, now=now, by=row.run.made_by, request_key=request_key(visit))
        except SlotTakenError as refusal:
            raise RefusedError(refusal.for_staff) from refusal
        row.state = RowState.MADE
