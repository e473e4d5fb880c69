"""What law and good practice of a country allow: data in `profiles/*.toml`, one file a country or group of them.

What a clinic sets is laid over it and can only be stricter: hours are intersected, caps are the smaller one.
"""

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from patients.windows import WeeklyWindow

FOLDER = Path(__file__).parent / "profiles"
NEUTRAL = "neutral"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_EVE = "every"
ONE_DAY = timedelta(days=1)
MAY_NAME = frozenset({"first_name", "visit_time", "colleague"})
PROVIDER_ASKS = frozenset({"country", "agreement"})


class AutomatedVoice(StrEnum):
    ALLOWED = "allowed"
    WITH_CONSENT = "with_consent"
    OFF = "off"


class ProfileError(Exception):
    """A profile file that says something it cannot mean: "file: what is wrong"."""


@dataclass(frozen=True)
class CountryProfile:
    """`message` and `call`: windows of every day on the patient's own clock.

    Days of rest are the clinic's to say: what stands here only fills its closed days, which it may change.
    """

    name: str
    version: str
    reviewed_by: str
    countries: tuple[str, ...]
    weekend: frozenset[int]
    first_weekday: int  # Monday is 0, as in Python
    holidays: tuple[str, ...]  # kinds of the calendar's days that close a clinic; none: the usual ones
    eves: tuple[str, ...]  # EVERY_EVE, or the days of a year as 12-24
    eve_closes: time
    eve_closes_before: Mapping[str, time]  # another hour, by the English name of the day after
    age_of_majority: int
    own_word_age: int  # from then on an adolescent is told herself, where she has an address of her own
    confidential_age: int  # from then on a matter can be kept from her parents
    contacts_a_day: int
    contacts_a_week: int
    caps_are_law: bool  # so that news keeps to them, too
    automated_voice: AutomatedVoice
    channels_to_attest: frozenset[str]
    # Before a provider may carry messages to every patient: "country", "agreement".
    provider_asks: frozenset[str]
    # In these the data may lie; elsewhere a legal basis is named; none: anywhere.
    provider_countries: frozenset[str]
    confirms_stop: bool
    may_name: frozenset[str]  # by messages and automated calls, beside the clinic, the link and the telephone
    opt_out_notice: Mapping[str, frozenset[str]]  # by class of message, the channels
    complaint_heard: int  # working days
    complaint_answered: int  # days
    message: tuple[WeeklyWindow, ...]
    call: tuple[WeeklyWindow, ...]


def read_profile(path: Path) -> CountryProfile:
    """One file, or ProfileError."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
        return CountryProfile(
            name=path.stem,
            version=given["version"],
            reviewed_by=given["reviewed_by"],
            countries=tuple(given["countries"]),
            weekend=frozenset(WEEKDAYS.index(day) for day in given["weekend"]),
            first_weekday=WEEKDAYS.index(given["first_weekday"]),
            holidays=tuple(given["holidays"]),
            eves=_eves(given["eves"]),
            eve_closes=time.fromisoformat(given["eve_closes"]),
            eve_closes_before={
                name: time.fromisoformat(hour) for name, hour in given["eve_closes_before"].items()
            },
            age_of_majority=_positive(given["age_of_majority"]),
            own_word_age=_positive(given["own_word_age"]),
            confidential_age=_positive(given["confidential_age"]),
            contacts_a_day=_positive(given["contacts_a_day"]),
            contacts_a_week=_positive(given["contacts_a_week"]),
            caps_are_law=given["caps_are_law"] is True,
            automated_voice=AutomatedVoice(given["automated_voice"]),
            channels_to_attest=frozenset(given["channels_to_attest"]),
            provider_asks=_some_of(PROVIDER_ASKS, given["provider_asks"]),
            provider_countries=frozenset(given["provider_countries"]),
            confirms_stop=given["confirms_stop"] is True,
            may_name=_some_of(MAY_NAME, given["may_name"]),
            opt_out_notice={
                purpose: frozenset(channels) for purpose, channels in given["opt_out_notice"].items()
            },
            complaint_heard=_positive(given["complaint_heard"]),
            complaint_answered=_positive(given["complaint_answered"]),
            message=_week(given["message"]),
            call=_week(given["call"]),
        )
    except KeyError as missing:
        raise ProfileError(f"{path.name}: {missing} is missing") from missing
    except (ValueError, TypeError) as error:  # TOML that cannot be read is a ValueError, too
        raise ProfileError(f"{path.name}: {error}") from error


def eves_among(profile: CountryProfile, holidays: Collection[date], years: Iterable[int]) -> list[date]:
    """The days of these years that close early since the next is a holiday; a holiday is nobody's eve."""
    if EVERY_EVE in profile.eves:
        eves = {day - ONE_DAY for day in holidays}
    else:
        eves = {date.fromisoformat(f"{year}-{day}") for year in years for day in profile.eves}
    return sorted(day for day in eves if day not in holidays and day + ONE_DAY in holidays)


def closes_before(profile: CountryProfile, holiday: str) -> time:
    """When the eve of that day closes; the calendar joins the names of days that fall together."""
    named = (hour for name, hour in profile.eve_closes_before.items() if name in holiday)
    return min(named, default=profile.eve_closes)


def profile_of(country: str) -> CountryProfile:
    """The rules of an ISO 3166 code; a country without its own has the neutral ones."""
    return _by_country().get(country) or _by_country()[NEUTRAL]


@cache
def _by_country() -> dict[str, CountryProfile]:
    found: dict[str, CountryProfile] = {}
    for profile in map(read_profile, sorted(FOLDER.glob("*.toml"))):
        for code in profile.countries or (NEUTRAL,):
            if found.setdefault(code, profile) is not profile:
                raise ProfileError(f"{profile.name}: {code} is in {found[code].name} already")
    return found


def _positive(number: Any) -> int:
    if not isinstance(number, int) or number < 1:
        raise ValueError(f"{number!r} is not a whole number from 1 on")
    return number


def _some_of(known: frozenset[str], given: list[str]) -> frozenset[str]:
    if unknown := set(given) - known:
        raise ValueError(f"{', '.join(sorted(unknown))} is not among {', '.join(sorted(known))}")
    return frozenset(given)


def _eves(given: list[str]) -> tuple[str, ...]:
    for day in given:
        if day != EVERY_EVE:
            date.fromisoformat(f"2026-{day}")  # no leap year: each of them is in every year
    return tuple(given)


def _week(hours: str) -> tuple[WeeklyWindow, ...]:
    start, _dash, end = hours.partition("-")
    return tuple(
        WeeklyWindow(day, time.fromisoformat(start), time.fromisoformat(end)) for day in range(len(WEEKDAYS))
    )
