"""The rules of a country: read from data, laid under what a clinic sets, never widened by it."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError

from journeys.models import StepKind
from outreach.actions import plan_attempts
from outreach.models import Attempt, AttemptStatus
from patients.country import FOLDER, AutomatedVoice, ProfileError, profile_of, read_profile
from patients.models import Clinic, ClinicHours, HoursKind, Patient
from patients.queries import caps_of, lawful_hours
from patients.windows import is_open
from tests import builders
from tests.conftest import NOW

ISRAEL = (FOLDER / "il.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_profile_is_read_and_has_both_kinds_of_hours(path: Path) -> None:
    profile = read_profile(path)
    assert {window.weekday for window in profile.message} == set(range(7))
    assert {window.weekday for window in profile.call} == set(range(7))
    assert 1 <= profile.contacts_a_day <= profile.contacts_a_week


@pytest.mark.parametrize(
    ("country", "name"),
    [("IL", "il"), ("DE", "eu"), ("KZ", "kz"), ("UA", "ua"), ("RU", "ru"), ("US", "us"), ("GE", "neutral")],
)
def test_each_country_has_its_rules_or_the_neutral_ones(country: str, name: str) -> None:
    assert profile_of(country).name == name


def test_russia_allows_no_automated_voice_and_asks_an_administrator_for_foreign_messengers() -> None:
    assert profile_of("RU").automated_voice == AutomatedVoice.OFF
    assert profile_of("RU").channels_to_attest == {"whatsapp", "telegram"}


@pytest.mark.parametrize(
    ("instead_of", "wrong", "says"),
    [
        ('version = "2026-11"\n', "", "'version' is missing"),
        ('["fri", "sat"]', '["friday"]', "not in tuple"),
        ("contacts_a_day = 2", "contacts_a_day = 0", "0 is not a whole number from 1 on"),
        ('automated_voice = "allowed"', 'automated_voice = "maybe"', "'maybe' is not a valid"),
        ('message = "08:00-21:00"', 'message = "21:00-08:00"', "is no window"),
        ('message = "08:00-21:00"', 'message = "8"', "Invalid isoformat"),
        ("countries = ", "countries == ", "Invalid"),
    ],
)
def test_a_broken_profile_says_in_which_file_and_what(
    tmp_path: Path, instead_of: str, wrong: str, says: str
) -> None:
    assert instead_of in ISRAEL
    broken = tmp_path / "xx.toml"
    broken.write_text(ISRAEL.replace(instead_of, wrong), encoding="utf-8")
    with pytest.raises(ProfileError, match=f"^xx.toml: .*{says}"):
        read_profile(broken)


def open_day_and_night(clinic: Clinic) -> None:
    clinic.hours.all().delete()
    ClinicHours.objects.bulk_create(
        ClinicHours(clinic=clinic, kind=kind, weekday=day, start=time.min, end=time.max)
        for kind in HoursKind
        for day in range(7)
    )


@pytest.mark.django_db
def test_a_clinic_that_never_closes_still_writes_nobody_at_night_on_the_patients_clock() -> None:
    clinic = builders.clinic(country="US", time_zone="America/New_York")
    open_day_and_night(clinic)
    far = builders.patient(clinic, phone="+12015550123")
    Patient.objects.filter(pk=far.pk).update(time_zone="America/Los_Angeles")
    builders.task(builders.step(builders.journey(far)))
    ten_in_new_york = datetime(2026, 3, 10, 14, 0, tzinfo=UTC)  # 7 in Los Angeles
    assert plan_attempts(now=ten_in_new_york) == 1
    assert Attempt.objects.get().send_at == datetime(
        2026, 3, 10, 8, 0, tzinfo=ZoneInfo("America/Los_Angeles")
    )


@pytest.mark.django_db
def test_an_unknown_zone_is_the_clinics() -> None:
    patient = builders.patient(builders.clinic(country="UA", time_zone="Europe/Kyiv"), phone="+380501234567")
    hours = lawful_hours(patient, HoursKind.MESSAGE)
    nine = datetime(2026, 3, 10, 9, 0, tzinfo=ZoneInfo("Europe/Kyiv"))
    assert (is_open(nine - timedelta(minutes=1), hours), is_open(nine, hours)) == (False, True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("country", "own", "expected"),
    [
        ("IL", (None, None), (2, 4)),
        ("US", (None, None), (1, 3)),
        ("US", (2, 5), (1, 3)),  # looser than the law: the law
        ("IL", (1, 2), (1, 2)),  # stricter: the clinic
    ],
)
def test_a_clinic_can_only_be_stricter_than_its_country(
    country: str, own: tuple[int | None, int | None], expected: tuple[int, int]
) -> None:
    clinic = builders.clinic(country=country, contacts_a_day=own[0], contacts_a_week=own[1])
    assert caps_of(clinic) == expected


@pytest.mark.django_db
@pytest.mark.parametrize("cap", ["contacts_a_day", "contacts_a_week"])
def test_a_cap_of_none_at_all_is_refused(cap: str) -> None:
    with pytest.raises(IntegrityError):
        builders.clinic(**{cap: 0})


@pytest.mark.django_db
def test_one_a_day_leaves_the_second_matter_for_the_next_day() -> None:
    patient = builders.patient(builders.clinic(contacts_a_day=1))
    for _matter in range(2):
        builders.task(builders.step(builders.journey(patient), due_at=NOW + timedelta(days=5)))
    plan_attempts(now=NOW)
    zone = ZoneInfo(patient.zone)
    days = {attempt.send_at.astimezone(zone).date() for attempt in Attempt.objects.all()}
    assert days == {date(2026, 3, 9), date(2026, 3, 10)}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("country", "contacted", "kind", "day"),
    [
        ("IL", 0, StepKind.TELL, 9),  # good practice: news is told the same day
        ("US", 0, StepKind.TELL, 10),  # one a day is the law
        ("US", 1, StepKind.TELL, 9),  # what the clinic sets besides keeps no news back
        ("US", 1, StepKind.BOOK, 15),
    ],
)
def test_news_waits_for_the_law_and_never_for_the_clinics_own_cap(
    country: str, contacted: int, kind: StepKind, day: int
) -> None:
    clinic = builders.clinic(
        country=country, time_zone="America/New_York", contacts_a_day=1, contacts_a_week=1
    )
    open_day_and_night(clinic)
    journey = builders.journey(builders.patient(clinic, phone="+12015550123"))
    at = NOW + timedelta(hours=6) - timedelta(days=contacted)
    other = builders.task(builders.step(journey), plan_from=None)
    builders.attempt(other, status=AttemptStatus.SENT, send_at=at, sent_at=at, called_at=at)
    task = builders.task(builders.step(journey, kind=kind), deadline_at=NOW + timedelta(days=20))
    plan_attempts(now=NOW + timedelta(hours=7))
    local = Attempt.objects.get(task=task).send_at.astimezone(ZoneInfo("America/New_York"))
    assert local.day == day
