"""What screens and engines read about clinics and patients. Users get objects only through `*_visible_to`."""

import re
from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache
from typing import Any, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth import models as auth
from django.db.models import Exists, Model, OuterRef, Prefetch, Q, QuerySet, Subquery

from patients.country import profile_of
from patients.identity import Claim, Person, ascii_digits, fold_name
from patients.models import (
    CARD_LASTS,
    AddressKind,
    AddressStatus,
    Channel,
    Clinic,
    ClinicHours,
    ClosedDay,
    Consent,
    ConsentStatus,
    ContactWindow,
    HoursKind,
    Membership,
    Patient,
    PatientContact,
    PatientStatus,
    Purpose,
    Role,
    ServiceCard,
)
from patients.told import told_among, with_sharing
from patients.windows import ALWAYS, Hours, WeeklyWindow

User = auth.User
Row = TypeVar("Row", bound=Model)
CLOSED_AHEAD = timedelta(days=400)
WINDOWS_READ = "windows_read"
BY_NAME = ("family_name", "given_name", "id")
NUMBER_SEPARATORS = re.compile(r"[\s()+.\u2010-\u2015\u05be-]+")


def weekend_of(clinic: Clinic) -> frozenset[int]:
    """The two days of rest in the clinic's country; Monday is 0."""
    return profile_of(clinic.country).weekend


def first_weekday_of(clinic: Clinic) -> int:
    """The day a week of the clinic begins with, Monday being 0: the same for everybody who works there."""
    return profile_of(clinic.country).first_weekday


def caps_of(clinic: Clinic, *, is_news: bool = False) -> tuple[int, int]:
    """How often a patient is contacted at most, a day and in seven days, over all channels.

    News about her care does not wait for what the clinic sets; for the law it does.
    """
    profile = profile_of(clinic.country)
    if is_news and profile.caps_are_law:
        return profile.contacts_a_day, profile.contacts_a_week
    return (
        min(clinic.contacts_a_day or profile.contacts_a_day, profile.contacts_a_day),
        min(clinic.contacts_a_week or profile.contacts_a_week, profile.contacts_a_week),
    )


def clinics_left_alone(going: QuerySet[Membership]) -> QuerySet[Clinic]:
    """Clinics that would have no administrator who can log in, were these memberships no more."""
    acting = Membership.objects.filter(role=Role.ADMIN, user__is_active=True)
    theirs = acting.filter(pk__in=going.values("pk"))
    staying = acting.exclude(pk__in=going.values("pk"))
    return Clinic.objects.filter(pk__in=theirs.values("clinic")).exclude(pk__in=staying.values("clinic"))


def is_last_superuser(user: auth.User) -> bool:
    """Whether nobody else could open the set-up any more."""
    able = auth.User.objects.filter(is_superuser=True, is_staff=True, is_active=True)
    return able.filter(pk=user.pk).exists() and not able.exclude(pk=user.pk).exists()


def clinics_visible_to(user: User) -> QuerySet[Clinic]:
    return Clinic.objects.filter(memberships__user_id=user.pk).order_by("name")


def patients_visible_to(user: User) -> QuerySet[Patient]:
    """Patients of the clinics the user works in, merged records left out."""
    return (
        Patient.objects.filter(clinic__memberships__user_id=user.pk)
        .exclude(status=PatientStatus.MERGED)
        .select_related("clinic")
    )


def patients_of(clinic: Clinic) -> QuerySet[Patient]:
    """Of a clinic in which the asker works, as `for_staff` has found; merged records left out."""
    return Patient.objects.filter(clinic=clinic).exclude(status=PatientStatus.MERGED)


def search_patients(patients: QuerySet[Patient], text: str) -> QuerySet[Patient]:
    """By any part of a name, number or ID: each word must appear in the folded search key."""
    for word in _search_words(text):
        patients = patients.filter(search_key__contains=word)
    return patients.order_by(*BY_NAME)


def _search_words(text: str) -> list[str]:
    """A number is one word however it is grouped, without its leading 0: 050… is stored as +97250…"""
    digits = ascii_digits(NUMBER_SEPARATORS.sub("", text))
    if digits.isdecimal():
        return [digits.lstrip("0")]
    return [word.lstrip("0") if word.isdecimal() else word for word in fold_name(text).split()]


def first_found(patients: QuerySet[Patient], text: str, limit: int) -> QuerySet[Patient]:
    """The first by name that fit. Who they are is read from an index alone; only they are fetched."""
    chosen = search_patients(patients, text).values("pk")[:limit]
    return patients.filter(pk__in=chosen).order_by(*BY_NAME)


class Listed(NamedTuple):
    """A patient in the list: a row without objects, of which the page would make hundreds."""

    public_id: UUID
    given_name: str
    family_name: str
    language: str
    birth_date: date | None
    since_on: date
    channel: str | None
    told_at: datetime | None
    address: str | None

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


def listed(patients: QuerySet[Patient], text: str, *, limit: int) -> list[Listed]:
    """The first patients of a list, each with the address that is tried first, in one statement.

    Whom a search finds is read from an index alone; without one the list is in the order of an index already.
    """
    found = search_patients(patients, text)[:limit]
    if text:
        found = Patient.objects.filter(pk__in=found.values("pk")).order_by(*BY_NAME)
    rows = found.annotate(address=_first_address()).values_list(
        *Listed._fields[:6], "card__channel", "card__told_at", "address"
    )
    return [Listed(*row) for row in rows]


@cache
def _first_address() -> Subquery:
    """What is the same for every page is put together once: it takes longer than asking it."""
    ties = PatientContact.objects.filter(patient=OuterRef("pk")).order_by("rank", "pk")
    return Subquery(ties.values("contact_point__value")[:1])


FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 1, 1)
KEY_DIGITS = 18  # of the largest key a database keeps; longer numbers are nobody's


def key_in(text: str) -> int | None:
    """The key that an address or a form names; nonsense names none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= KEY_DIGITS else None


def day_in(text: str) -> date | None:
    """The day that an address names; nonsense, and days that no calendar here reaches, name none."""
    try:
        on = date.fromisoformat(text)
    except ValueError:
        return None
    return on if FIRST_DAY <= on <= LAST_DAY else None


def named_by(rows: QuerySet[Row], public_id: str) -> Row | None:
    """The row that an address or a form names, where lists go on from and answers belong; nonsense names none."""
    try:
        return rows.filter(public_id=UUID(public_id)).first()
    except ValueError:
        return None


def beyond(rows: QuerySet[Row], last: Row | None, *order: str) -> QuerySet[Row]:
    """The rest of a list that is in this order after its last row seen, so that depth costs nothing.

    Without a row it is the list from its start. The first of the conditions says nothing new; without it the
    database would read the index from its beginning.
    """
    if last is None:
        return rows
    first, same, further = Q(), Q(), Q()
    for name in order:
        column, comes = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
        value = getattr(last, column)
        first = first or Q(**{f"{column}__{comes}e": value})
        further |= same & Q(**{f"{column}__{comes}": value})
        same &= Q(**{column: value})
    return rows.filter(first, further)


class ClinicClock:
    """The hours of many clinics, read in two queries and kept for one tick or one request."""

    def __init__(self, clinics: Iterable[Clinic], *, now: datetime) -> None:
        self._zones = {clinic.pk: clinic.time_zone for clinic in clinics}
        self._windows: dict[tuple[int, str], list[WeeklyWindow]] = {}
        for row in ClinicHours.objects.filter(clinic__in=self._zones):
            window = WeeklyWindow(row.weekday, row.start, row.end)
            self._windows.setdefault((row.clinic_id, row.kind), []).append(window)
        self._closed: dict[int, dict[date, time | None]] = {}
        near = Q(on__gte=(now - timedelta(days=40)).date(), on__lte=(now + CLOSED_AHEAD).date())
        for day in ClosedDay.objects.filter(near, clinic__in=self._zones, is_open=False):
            self._closed.setdefault(day.clinic_id, {})[day.on] = day.closes_at
        self._made: dict[tuple[int, str], Hours] = {}

    def hours(self, clinic_id: int, kind: HoursKind | str = HoursKind.OPEN) -> Hours:
        key = (clinic_id, str(kind))
        if key not in self._made:
            windows = tuple(self._windows.get(key, ()))
            self._made[key] = Hours.of(self._zones[clinic_id], windows, self._closed.get(clinic_id, {}))
        return self._made[key]


def clock_of(clinic: Clinic, *, now: datetime) -> ClinicClock:
    return ClinicClock([clinic], now=now)


def opening_hours(clinic: Clinic, *, now: datetime) -> Hours:
    """The clinic's working time, closed days included: what deadlines are counted in."""
    return clock_of(clinic, now=now).hours(clinic.pk)


def contact_windows_at(windows: str) -> "Prefetch[str, QuerySet[ContactWindow], str]":
    """The windows of many cards, read once for `contact_windows_of`; `windows`: the way to them."""
    return Prefetch(windows, ContactWindow.objects.all(), to_attr=WINDOWS_READ)


def contact_windows_of(card: ServiceCard) -> list[ContactWindow]:
    """When a patient agreed to be reached: as `contact_windows_at` read it, or as it is now."""
    read: list[ContactWindow] | None = getattr(card, WINDOWS_READ, None)
    return list(card.windows.all()) if read is None else read


def patient_hours(patient: Patient, card: ServiceCard | None) -> Hours:
    """The windows the patient agreed to, in the patient's zone; any hour when none was said."""
    rows = contact_windows_of(card) if card else []
    return _weekly(patient.zone, tuple((row.weekday, row.start, row.end) for row in rows))


def coming_hours(patient: Patient) -> Hours:
    """When she can come, by the clinic's clock as she says it; any hour where she has not said.

    Needs the clinic, the card and its windows loaded, or reads them.
    """
    card: ServiceCard | None = getattr(patient, "card", None)
    rows = list(card.coming_windows.all()) if card else []
    return _weekly(patient.clinic.time_zone, tuple((row.weekday, row.start, row.end) for row in rows))


def lawful_hours(patient: Patient, kind: HoursKind) -> Hours:
    """What the clinic's country allows at most, on the patient's own clock."""
    return _lawful(patient.zone, patient.clinic.country, kind)


def lawful_hours_in(clinic: Clinic, kind: HoursKind) -> Hours:
    """The same for whoever has no record: by the clinic's own clock."""
    return _lawful(clinic.time_zone, clinic.country, kind)


@lru_cache(maxsize=8192)
def _weekly(zone: str, rows: tuple[tuple[int, time, time], ...]) -> Hours:
    return Hours.of(zone, (WeeklyWindow(*row) for row in rows) if rows else ALWAYS, {})


@lru_cache(maxsize=1024)
def _lawful(zone: str, country: str, kind: HoursKind) -> Hours:
    profile = profile_of(country)
    return Hours.of(zone, profile.call if kind == HoursKind.CALL else profile.message, {})


def people_like(clinic: Clinic, claim: Claim) -> list[Person]:
    """Patients a document could be about: same ID or same birth date. Never by name alone."""
    same = Q(national_id__in=[text for text in claim.national_ids if text]) | Q(
        birth_date__in=claim.birth_dates
    )
    found = Patient.objects.filter(same, clinic=clinic, status=PatientStatus.ACTIVE)[:50]
    return [person_of(patient) for patient in found]


def person_of(patient: Patient) -> Person:
    return Person(
        patient.pk, patient.given_name, patient.family_name, patient.birth_date, patient.national_id
    )


def works_as(user: User, clinic: Clinic, *roles: Role | str) -> bool:
    return Membership.objects.filter(user_id=user.pk, clinic=clinic, role__in=roles).exists()


def card_is_complete(*, at: datetime, card: str = "card__") -> Q:
    """Everything told, at most six months before `at`: the same as ServiceCard.state, as a condition."""
    told = {"days_told": True, "hours_told": True, "told_at__gt": at - CARD_LASTS}
    return Q(**{card + name: value for name, value in told.items()}) & ~Q(**{card + "channel": ""})


def needs_card(patient: Patient, *, now: datetime) -> bool:
    """Ask while she is here: the card is missing, half filled or older than six months."""
    return not ServiceCard.objects.filter(card_is_complete(at=now, card=""), patient=patient).exists()


def first_phone(
    patient: Patient,
    *,
    now: datetime,
    in_confidence: bool = False,
    purpose: str = Purpose.SERVICE,
    among: Collection[int] | None = None,
) -> PatientContact | None:
    """The number that is called first, of whoever is told, surely hers and working, that may be called.

    Where she refused calls about this, the next number is called. `among`: the ties that are asked for; None: any.
    """
    refused = withdrawn(patient=patient, contact_point=OuterRef("contact_point"), channel=Channel.PHONE)
    ties = with_sharing(patient.contacts.annotate(is_refused=Exists(refused.filter(purpose=purpose))))
    ties = ties if among is None else ties.filter(pk__in=among)
    phones = phones_among(patient, ties.select_related("contact_point"), now=now, in_confidence=in_confidence)
    return next(iter(phones), None)


def phones_among(
    patient: Patient, ties: Iterable[PatientContact], *, now: datetime, in_confidence: bool = False
) -> list[PatientContact]:
    """The numbers that may be called, of whoever is told. Read the ties `with_sharing`."""
    on = now.astimezone(ZoneInfo(patient.zone)).date()
    told = told_among(patient, ties, on=on, in_confidence=in_confidence)
    return [tie for tie in told if _may_ring(tie)]


def _may_ring(tie: PatientContact) -> bool:
    point, is_refused = tie.contact_point, getattr(tie, "is_refused", False)
    surely_hers = tie.may_be_called and tie.suspended_at is None and not is_refused
    return surely_hers and point.kind == AddressKind.PHONE and point.status != AddressStatus.BAD


def ties_visible_to(user: User) -> QuerySet[PatientContact]:
    """Addresses of the patients of the clinics the user works in."""
    return PatientContact.objects.filter(patient__in=patients_visible_to(user)).select_related(
        "contact_point", "patient__clinic", "confirmed_to"
    )


def withdrawn(**about: Any) -> QuerySet[Consent]:
    """What patients do not allow now, of an address, a channel and a purpose."""
    return Consent.objects.filter(status=ConsentStatus.WITHDRAWN, superseded_at__isnull=True, **about)


def refuses_calls(patient: Patient) -> bool:
    """Whether she asked us not to call her at one of her numbers."""
    about = {"channel": Channel.PHONE, "purpose": Purpose.SERVICE}
    return withdrawn(
        patient=patient, contact_point__in=patient.contacts.values("contact_point"), **about
    ).exists()


def refusals_at(patient: Patient) -> dict[int, list[Consent]]:
    """What the patient does not allow now, by the key of the address. News and offers nobody gets unasked anyway."""
    found: dict[int, list[Consent]] = {}
    for each in withdrawn(patient=patient).exclude(purpose=Purpose.MARKETING).order_by("at"):
        found.setdefault(each.contact_point_id, []).append(each)
    return found


def others_at(patient: Patient) -> dict[int, list[Patient]]:
    """Who else is reached at the patient's addresses, by address: families share phones."""
    ties = PatientContact.objects.filter(contact_point__ties__patient=patient).exclude(patient=patient)
    found: dict[int, list[Patient]] = {}
    for tie in ties.exclude(patient__status=PatientStatus.MERGED).select_related("patient").distinct():
        found.setdefault(tie.contact_point_id, []).append(tie.patient)
    return found


def doctors_of(clinic: Clinic) -> QuerySet[User]:
    """The doctors who work in a clinic now, by name."""
    mine = Membership.objects.filter(clinic=clinic, role=Role.DOCTOR).values("user")
    return User.objects.filter(pk__in=mine, is_active=True).order_by("first_name", "last_name", "pk")
