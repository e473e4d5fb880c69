"""Holidays and their eves by country: closed until the clinic says otherwise, on the real days of 2026 and 2027."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import holidays
import pytest

from outreach.actions import plan_attempts
from outreach.models import Attempt
from patients.actions import load_closed_days
from patients.country import FOLDER, NEUTRAL, ProfileError, eves_among, profile_of, read_profile
from patients.models import ClosedDay, HoursKind
from patients.queries import clock_of, opening_hours
from patients.windows import is_open
from tests import builders

YEARS = (2026, 2027)
ZONES = {
    "IL": "Asia/Jerusalem",
    "RU": "Europe/Moscow",
    "KZ": "Asia/Almaty",
    "UA": "Europe/Kyiv",
    "DE": "Europe/Berlin",
    "US": "America/New_York",
    "GE": "Asia/Tbilisi",
}


def closed_in(country: str) -> dict[date, time | None]:
    clinic = builders.clinic(country=country, time_zone=ZONES[country])
    load_closed_days(clinic, YEARS)
    return dict(clinic.closed_days.values_list("on", "closes_at"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("country", "expected"),
    [
        ("IL", "2026-09-11 13 | 2026-09-20 12 | 2026-09-21 | 2027-10-10 12 | 2027-04-21 13 | 2027-04-22"),
        ("RU", "2026-02-23 | 2026-11-03 18 | 2026-11-04 | 2026-12-31 | 2027-06-11 18"),
        ("KZ", "2026-03-23 | 2026-12-31 13 | 2027-12-16 | 2027-12-31 13"),
        ("UA", "2026-08-24 | 2026-12-24 13 | 2026-12-25 | 2027-05-02"),
        ("DE", "2026-10-03 | 2026-12-24 13 | 2026-12-31 13 | 2027-03-29"),
        ("US", "2026-11-26 | 2026-12-24 13 | 2027-12-24 | 2027-12-31"),
        ("GE", "2026-01-07 | 2026-12-31 13 | 2027-05-26 | 2027-12-31 13"),
    ],
)
def test_each_country_closes_on_its_holidays_and_early_on_their_eves(country: str, expected: str) -> None:
    closed = closed_in(country)
    for day in expected.split(" | "):
        on, _space, hour = day.partition(" ")
        assert closed[date.fromisoformat(on)] == (time(int(hour)) if hour else None), day


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("country", "worked"),
    [
        ("RU", date(2026, 1, 12)),  # after the ten days
        ("KZ", date(2026, 12, 15)),  # no eves but New Year's
        ("UA", date(2026, 8, 23)),
        ("DE", date(2026, 10, 2)),
        ("US", date(2026, 11, 25)),
        ("US", date(2027, 12, 23)),
        ("GE", date(2026, 1, 6)),
    ],
)
def test_other_days_are_days_like_any(country: str, worked: date) -> None:
    assert worked not in closed_in(country)


@pytest.mark.django_db
@pytest.mark.parametrize("country", ZONES)
def test_only_the_years_asked_for_are_filled_and_a_second_time_adds_nothing(country: str) -> None:
    clinic = builders.clinic(country=country)
    assert load_closed_days(clinic, YEARS) > 0
    assert set(clinic.closed_days.values_list("on__year", flat=True)) == set(YEARS)
    assert load_closed_days(clinic, YEARS) == 0


@pytest.mark.django_db
@pytest.mark.parametrize("country", ZONES)
def test_an_eve_is_named_after_its_holiday(country: str) -> None:
    clinic = builders.clinic(country=country)
    load_closed_days(clinic, [2026])
    for eve in clinic.closed_days.filter(closes_at__isnull=False):
        holiday = holidays.country_holidays(
            country, years=2026, categories=profile_of(country).holidays or None
        )[eve.on + timedelta(days=1)]
        assert eve.name == f"Eve of {holiday}"


@pytest.mark.django_db
def test_a_clinic_works_on_a_holiday_of_its_own_will_and_shuts_earlier_on_an_eve() -> None:
    clinic = builders.clinic(country="UA", time_zone="Europe/Kyiv")
    ClosedDay.objects.create(clinic=clinic, on=date(2026, 8, 24), name="We work", is_open=True)
    ClosedDay.objects.create(clinic=clinic, on=date(2026, 12, 24), name="Shut", closes_at=time(10))
    load_closed_days(clinic, [2026])
    kyiv = ZoneInfo("Europe/Kyiv")
    independence, eve = datetime(2026, 8, 24, 12, tzinfo=kyiv), datetime(2026, 12, 24, 11, tzinfo=kyiv)
    assert is_open(independence, opening_hours(clinic, now=independence))
    assert not is_open(eve, opening_hours(clinic, now=eve))


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [HoursKind.MESSAGE, HoursKind.CALL, HoursKind.OPEN])
def test_nobody_is_contacted_on_a_holiday_nor_late_on_its_eve(kind: HoursKind) -> None:
    clinic = builders.clinic(country="DE", time_zone="Europe/Berlin")
    load_closed_days(clinic, [2026])
    berlin = ZoneInfo("Europe/Berlin")
    eve = datetime(2026, 12, 24, 12, 30, tzinfo=berlin)
    hours = clock_of(clinic, now=eve).hours(clinic.pk, kind)
    assert is_open(eve, hours)
    assert not is_open(eve + timedelta(hours=1), hours)
    assert not is_open(eve + timedelta(days=1), hours)


@pytest.mark.django_db
def test_what_is_due_on_christmas_eve_in_the_afternoon_waits_for_the_next_day_of_work() -> None:
    clinic = builders.clinic(country="DE", time_zone="Europe/Berlin")
    load_closed_days(clinic, [2026])
    now = datetime(2026, 12, 24, 13, 0, tzinfo=UTC)  # 14:00, a Thursday
    patient = builders.patient(clinic, phone="+49 1512 3456789", now=now)
    builders.task(builders.step(builders.journey(patient, now=now), now=now), now=now)
    plan_attempts(now=now)
    assert Attempt.objects.get().send_at.astimezone(ZoneInfo("Europe/Berlin")).date() == date(2026, 12, 28)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_the_calendar_knows_the_kinds_of_days_that_a_profile_names(path: Path) -> None:
    profile = read_profile(path)
    for country in profile.countries or ("GE",):
        known = holidays.country_holidays(country).supported_categories
        assert set(profile.holidays) <= set(known), country
        assert holidays.country_holidays(country, years=2026, categories=profile.holidays or None), country


def test_a_holiday_is_nobodys_eve() -> None:
    first, second = date(2026, 1, 1), date(2026, 1, 2)
    assert eves_among(profile_of("RU"), {first, second}, [2025, 2026]) == [date(2025, 12, 31)]
    assert eves_among(profile_of("KZ"), {second}, [2025, 2026]) == []


def test_a_day_that_no_year_has_is_refused(tmp_path: Path) -> None:
    given = (FOLDER / f"{NEUTRAL}.toml").read_text(encoding="utf-8")
    broken = tmp_path / "xx.toml"
    broken.write_text(given.replace('"12-31"', '"12-32"'), encoding="utf-8")
    with pytest.raises(ProfileError, match=r"^xx.toml: "):
        read_profile(broken)
