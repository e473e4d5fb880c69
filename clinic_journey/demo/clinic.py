"""The demo clinic before anything happens: its hours, doctors, logins and people."""

import random
from datetime import datetime, time, timedelta

from django.contrib.auth.models import User

from appointments.actions import fill_slots
from appointments.models import Location, Practitioner, Schedule, VisitType
from clinic_journey.demo.people import Person, people
from patients.actions import (
    CardAnswers,
    Coming,
    NewPatient,
    load_closed_days,
    register_patient,
    save_card,
    set_default_hours,
)
from patients.addresses import TieAnswers, add_tie
from patients.coming import PARTS, on_days
from patients.models import (
    AddressKind,
    Channel,
    Clinic,
    ClinicHours,
    ClosedDay,
    HoursKind,
    Membership,
    Patient,
    Role,
)
from patients.windows import ALWAYS

PASSWORD = "demo"  # noqa: S105 - printed on the demo's first screen
STAFF = (
    ("rina", "Rina", "Azulay", Role.RECEPTIONIST),
    ("cohen", "Yael", "Cohen", Role.DOCTOR),
    ("shaham", "Tal", "Shaham", Role.DOCTOR),
    ("dan", "Dan", "Bar", Role.MANAGER),
)
CHANNELS = [Channel.SMS] * 5 + [Channel.WHATSAPP] * 4 + [Channel.PHONE] * 4 + [Channel.EMAIL]
LANGUAGES = ("en", "he", "ru", "ar")
VISIT_TYPES = (
    (30, ("Treatment", "טיפול", "Лечение", "علاج")),
    (20, ("Check-up", "ביקורת", "Осмотр", "فحص")),
    (40, ("First visit", "ביקור ראשון", "Первый визит", "زيارة أولى")),
    (60, ("Long treatment", "טיפול ארוך", "Долгое лечение", "علاج طويل")),
)
DAYS = (((6, 0, 1, 2, 3), 8), ((6, 1, 3), 2), ((4,), 1), ((6, 0, 1, 2, 3, 4), 3))
HOURS = ((time(8), time(12)), (time(12), time(16)), (time(16), time(20)), (time(9), time(20)))


def make_clinic(*, now: datetime) -> Clinic:
    """An ordinary clinic; no holiday falls into the days of the demo."""
    clinic = Clinic.objects.create(
        name="Alon Clinic",
        slug="alon",
        sender_name="Alon Clinic",
        phone="+97235550142",
        email="desk@alon.example",
        intake_address="results@alon.example",
        language="en",
    )
    set_default_hours(clinic)
    load_closed_days(clinic, [now.year, now.year + 1])
    near = timedelta(days=12)
    ClosedDay.objects.filter(on__range=(now.date() - near, now.date() + near)).delete()
    return clinic


def message_at_any_hour(clinic: Clinic) -> None:
    """From here on, so that the demo plays before the visitor's eyes whenever it is started."""
    clinic.hours.filter(kind=HoursKind.MESSAGE).delete()
    ClinicHours.objects.bulk_create(
        ClinicHours(clinic=clinic, kind=HoursKind.MESSAGE, weekday=w.weekday, start=w.start, end=w.end)
        for w in ALWAYS
    )


def make_staff(clinic: Clinic) -> dict[str, User]:
    made = {}
    for username, first, last, role in STAFF:
        made[username] = User.objects.create_user(
            username, password=PASSWORD, first_name=first, last_name=last
        )
        Membership.objects.create(user=made[username], clinic=clinic, role=role)
    made["admin"] = User.objects.create_superuser("admin", password=PASSWORD, first_name="Admin")
    Membership.objects.create(user=made["admin"], clinic=clinic, role=Role.ADMIN)
    return made


def make_visit_types(clinic: Clinic) -> None:
    for minutes, names in VISIT_TYPES:
        VisitType.objects.create(
            clinic=clinic, minutes=minutes, names=dict(zip(LANGUAGES, names, strict=True))
        )


def make_doctors(clinic: Clinic, staff: dict[str, User], *, now: datetime) -> list[Practitioner]:
    """Two doctors, Sunday to Friday; cells from a fortnight ago, so that the past has its visits."""
    make_visit_types(clinic)
    doctors = []
    for number, username in enumerate(("cohen", "shaham"), start=1):
        user = staff[username]
        doctor = Practitioner.objects.create(clinic=clinic, user=user, name=f"Dr {user.last_name}")
        room = Location.objects.create(clinic=clinic, name=f"Room {number}")
        for weekday in (6, 0, 1, 2, 3, 4):
            end = time(13) if weekday == 4 else time(18)  # noqa: PLR2004 - Friday
            Schedule.objects.create(
                practitioner=doctor,
                location=room,
                weekday=weekday,
                start=time(9),
                end=end,
                valid_from=now.date() - timedelta(days=14),
            )
        doctors.append(doctor)
    fill_slots(now - timedelta(days=14))
    fill_slots(now)
    return doctors


def make_patients(clinic: Clinic, by: User, count: int, *, now: datetime) -> list[Patient]:
    """Most were asked for their service card, some not yet."""
    chance = random.Random(11)  # noqa: S311 - believable, not secret
    found = people(count, today=now.date())
    return [make_patient(clinic, person, by, chance, now=now) for person in found]


def _when_she_comes(person: Person) -> Coming | None:
    """Some were asked that, too; by dice of their own, which change nothing else of the demo."""
    chance = random.Random(person.phone)  # noqa: S311 - believable, not secret
    part = chance.choice(list(PARTS.values()))
    return Coming(on_days((), [part])) if chance.random() < 0.3 else None  # noqa: PLR2004 - the share


def make_patient(
    clinic: Clinic, person: Person, by: User, chance: random.Random, *, now: datetime
) -> Patient:
    since = now - timedelta(days=chance.randrange(20, 2000))
    new = NewPatient(
        person.given_name,
        person.family_name,
        person.birth_date,
        language=person.language,
        phone=person.phone,
        email=person.email,
    )
    patient = register_patient(clinic, new, now=since)
    if chance.random() < 0.7:  # noqa: PLR2004 - the share that was asked
        days = chance.choices([days for days, _weight in DAYS], [weight for _days, weight in DAYS])[0]
        start, end = chance.choice(HOURS)
        channel = chance.choice(CHANNELS)
        if channel == Channel.EMAIL and not person.email:
            channel = Channel.SMS
        if channel == Channel.WHATSAPP:
            add_tie(patient, AddressKind.WHATSAPP, person.phone, TieAnswers())
        windows = tuple((day, start, end) for day in days)
        answers = CardAnswers(channel, windows, person.language, coming=_when_she_comes(person))
        save_card(patient, answers, now=since, by=by)
    return patient
