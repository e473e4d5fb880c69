from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from journeys.deadlines import Limit, NoWorkingTime, Unit, due_at, parse_limit
from patients.windows import Hours, WeeklyWindow
from tests.clocks import JERUSALEM, local, utc

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)
WORKDAYS = (SUNDAY, MONDAY, TUESDAY, WEDNESDAY, THURSDAY)
# 09:00 to 18:00 with a lunch break from 13:00 to 14:00, Friday until 13:00, Saturday shut.
WINDOWS = [
    *(WeeklyWindow(day, time(9), time(13)) for day in (*WORKDAYS, FRIDAY)),
    *(WeeklyWindow(day, time(14), time(18)) for day in WORKDAYS),
]
# Passover 2026: Wednesday 1 April is the eve and shuts at noon, Thursday is the feast.
CLINIC = Hours.of(JERUSALEM, WINDOWS, {date(2026, 4, 1): time(12), date(2026, 4, 2): None})
NEVER = Hours.of(JERUSALEM, [], {})


# --- Reading a limit ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4 working hours", Limit(4, Unit.WORKING_HOURS)),
        ("1 working hour", Limit(1, Unit.WORKING_HOURS)),
        ("1 working day", Limit(1, Unit.WORKING_DAYS)),
        ("5 working days", Limit(5, Unit.WORKING_DAYS)),
        ("same day", Limit(1, Unit.SAME_DAY)),
        ("6 months", Limit(6, Unit.MONTHS)),
        ("1 month", Limit(1, Unit.MONTHS)),
        ("30 days", Limit(30, Unit.DAYS)),
        ("48 hours", Limit(48, Unit.HOURS)),
        ("30 minutes", Limit(30, Unit.MINUTES)),
        ("  Same   DAY ", Limit(1, Unit.SAME_DAY)),
        ("2  Working Days", Limit(2, Unit.WORKING_DAYS)),
    ],
)
def test_parse_limit_reads_what_a_catalogue_says(text: str, expected: Limit) -> None:
    assert parse_limit(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "0 days",
        "-1 days",
        "1.5 hours",
        "10000 days",
        "3 weeks",
        "working day",
        "1 same day",
        "٣ days",
    ],
)
def test_parse_limit_says_what_is_allowed(text: str) -> None:
    with pytest.raises(
        ValueError, match=r'Write "same day", or a number .* working hours, working days\.'
    ) as raised:
        parse_limit(text)
    assert str(raised.value).startswith(f'"{text}" is no limit.')


# --- By when ---


@pytest.mark.parametrize(
    ("start", "limit", "expected"),
    [
        # Elapsed time runs day and night, and through the clock's jumps.
        ("2026-03-28T22:50", "30 minutes", "2026-03-28T23:20"),
        ("2026-03-27T01:30", "1 hour", "2026-03-27T03:30"),
        ("2026-10-24T12:00", "24 hours", "2026-10-25T11:00"),
        # Working hours.
        ("2026-03-30T09:00", "2 working hours", "2026-03-30T11:00"),
        ("2026-03-30T12:30", "1 working hour", "2026-03-30T14:30"),  # over lunch
        ("2026-03-30T12:00", "1 working hour", "2026-03-30T13:00"),  # until lunch, not after it
        ("2026-03-30T13:20", "1 working hour", "2026-03-30T15:00"),  # from lunch
        ("2026-03-30T17:00", "1 working hour", "2026-03-30T18:00"),  # until closing time
        ("2026-03-30T17:30", "4 working hours", "2026-03-31T12:30"),
        ("2026-03-26T17:00", "4 working hours", "2026-03-27T12:00"),  # into the half day
        ("2026-03-27T12:00", "4 working hours", "2026-03-29T12:00"),  # Friday noon: Sunday
        ("2026-03-28T12:00", "4 working hours", "2026-03-29T13:00"),  # on Saturday: from Sunday morning
        ("2026-03-31T17:00", "4 working hours", "2026-04-01T12:00"),  # the eve has three hours, just enough
        ("2026-03-31T17:00", "5 working hours", "2026-04-03T10:00"),  # over the feast
        ("2026-03-29T09:00", "41 working hours", "2026-04-06T11:00"),  # three whole days, 3, 4, 8 and 2 hours
        # Working days.
        ("2026-03-30T10:20", "1 working day", "2026-03-31T10:20"),
        ("2026-03-26T11:00", "1 working day", "2026-03-27T11:00"),
        ("2026-03-26T17:00", "1 working day", "2026-03-27T13:00"),  # a half day: until it closes
        ("2026-03-27T11:00", "1 working day", "2026-03-29T11:00"),
        ("2026-03-27T20:00", "1 working day", "2026-03-30T09:00"),  # arrived shut: counts from Sunday 09:00
        ("2026-03-28T10:00", "1 working day", "2026-03-30T09:00"),
        ("2026-03-29T07:00", "1 working day", "2026-03-30T09:00"),
        ("2026-03-30T13:30", "1 working day", "2026-03-31T14:00"),
        ("2026-03-31T15:00", "1 working day", "2026-04-01T12:00"),  # the eve
        ("2026-04-01T11:00", "1 working day", "2026-04-03T11:00"),  # over the feast
        ("2026-03-29T10:00", "5 working days", "2026-04-05T10:00"),
        # The same working day.
        ("2026-03-30T10:00", "same day", "2026-03-30T18:00"),
        ("2026-03-30T17:00", "same day", "2026-03-30T18:00"),
        ("2026-03-30T17:01", "same day", "2026-03-31T18:00"),
        ("2026-03-30T17:50", "same day", "2026-03-31T18:00"),  # ten to six: tomorrow
        ("2026-03-30T07:00", "same day", "2026-03-30T18:00"),
        ("2026-03-30T22:00", "same day", "2026-03-31T18:00"),
        ("2026-03-26T17:30", "same day", "2026-03-27T13:00"),
        ("2026-03-27T12:30", "same day", "2026-03-29T18:00"),
        ("2026-04-01T11:00", "same day", "2026-04-01T12:00"),
        ("2026-04-01T11:30", "same day", "2026-04-03T13:00"),
        # Days and months end with their last day.
        ("2026-03-29T10:00", "1 day", "2026-03-30T18:00"),
        ("2026-03-29T23:00", "1 day", "2026-03-30T18:00"),
        ("2026-03-26T10:00", "1 day", "2026-03-27T13:00"),
        ("2026-03-27T10:00", "1 day", "2026-03-29T18:00"),  # Saturday is shut
        ("2026-03-30T10:00", "2 days", "2026-04-01T12:00"),
        ("2026-03-30T10:00", "3 days", "2026-04-03T13:00"),
        ("2026-03-30T10:00", "60 days", "2026-05-29T13:00"),
        ("2026-03-30T10:00", "6 months", "2026-09-30T18:00"),
        ("2026-01-31T10:00", "1 month", "2026-03-01T18:00"),  # 28 February 2026 is a Saturday
        ("2027-12-31T10:00", "2 months", "2028-02-29T18:00"),
        ("2026-08-31T10:00", "1 month", "2026-09-30T18:00"),
        ("2026-07-15T10:00", "18 months", "2028-01-16T18:00"),
    ],
)
def test_due_at_counts_the_clinics_time(start: str, limit: str, expected: str) -> None:
    assert due_at(local(start), parse_limit(limit), CLINIC) == local(expected)


DAY_AND_NIGHT = [WeeklyWindow(day, time.min, time.max) for day in range(7)]


@pytest.mark.parametrize(
    ("zone", "start", "limit", "expected"),
    [
        # A night of 23 hours, and one of 25, seen by an emergency clinic that never shuts.
        (JERUSALEM, "2026-03-26T22:00", "3 working hours", "2026-03-27T01:00"),
        (JERUSALEM, "2026-10-24T21:00", "3 working hours", "2026-10-25T00:00"),
        (JERUSALEM, "2026-03-26T00:30", "1 working day", "2026-03-27T00:00"),  # 02:30 does not exist: 03:00
        (
            JERUSALEM,
            "2026-10-23T22:30",
            "1 working day",
            "2026-10-24T22:30",
        ),  # 01:30 happens twice: the first
        (
            JERUSALEM,
            "2026-10-24T23:10",
            "1 working day",
            "2026-10-26T00:00",
        ),  # the second 01:10 counts as 02:00
        (JERUSALEM, "2026-10-24T23:10", "1 day", "2026-10-26T22:00"),
        (JERUSALEM, "2026-03-26T12:00", "1 day", "2026-03-27T21:00"),
        ("Asia/Gaza", "2026-03-27T12:00", "1 day", "2026-03-28T21:00"),
        ("Asia/Gaza", "2026-03-27T00:30", "1 working day", "2026-03-28T00:00"),
        ("Europe/Kyiv", "2026-03-28T01:30", "1 working day", "2026-03-29T01:00"),
        ("Europe/Kyiv", "2026-10-24T12:00", "1 day", "2026-10-25T22:00"),
        ("America/New_York", "2026-03-07T07:30", "1 working day", "2026-03-08T07:00"),
        ("America/New_York", "2026-10-31T12:00", "1 working day", "2026-11-01T13:00"),
        ("Asia/Beirut", "2026-10-24T21:10", "1 working day", "2026-10-25T22:00"),  # again 23:10, as midnight
        ("Asia/Kolkata", "2026-03-28T20:00", "1 working day", "2026-03-29T20:00"),
        ("UTC", "2026-03-28T20:00", "1 day", "2026-03-30T00:00"),
    ],
)
def test_due_at_holds_where_the_clock_jumps(zone: str, start: str, limit: str, expected: str) -> None:
    opening = Hours.of(zone, DAY_AND_NIGHT, {})
    assert due_at(utc(start), parse_limit(limit), opening) == utc(expected)


def test_due_at_on_the_short_friday_is_by_the_local_clock() -> None:
    assert due_at(utc("2026-03-26T08:00"), parse_limit("1 working day"), CLINIC) == utc("2026-03-27T07:00")


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-03-30T08:30", "2026-03-31T09:00"),  # Tuesday opens later
        ("2026-03-30T09:30", "2026-03-31T09:30"),
        ("2026-03-30T10:00", "2026-03-31T12:00"),  # its break begins at ten
        ("2026-03-30T11:30", "2026-03-31T12:00"),
        ("2026-03-30T13:30", "2026-03-31T13:00"),  # it closes earlier
    ],
)
def test_due_at_a_working_day_later_fits_into_that_days_hours(start: str, expected: str) -> None:
    tuesday = [WeeklyWindow(TUESDAY, time(9), time(10)), WeeklyWindow(TUESDAY, time(12), time(13))]
    opening = Hours.of(JERUSALEM, [WeeklyWindow(MONDAY, time(8), time(14)), *tuesday], {})
    assert due_at(local(start), parse_limit("1 working day"), opening) == local(expected)


def test_due_at_of_an_evening_shift_closes_at_midnight() -> None:
    opening = Hours.of(JERUSALEM, [WeeklyWindow(MONDAY, time(20), time.max)], {})
    assert due_at(local("2026-03-30T23:00"), parse_limit("same day"), opening) == local("2026-03-31T00:00")


def test_due_at_takes_a_local_time_as_the_instant_it_is() -> None:
    start = datetime(2026, 3, 27, 1, 30, tzinfo=ZoneInfo(JERUSALEM))
    assert due_at(start, parse_limit("1 hour"), CLINIC) == utc("2026-03-27T00:30")


@pytest.mark.parametrize("amount", [0, 1])
def test_due_at_of_no_working_time_is_when_the_clinic_opens(amount: int) -> None:
    limits = [Limit(amount, Unit.WORKING_HOURS), Limit(amount, Unit.WORKING_DAYS)]
    expected = {0: ["2026-03-29T09:00", "2026-03-29T09:00"], 1: ["2026-03-29T10:00", "2026-03-30T09:00"]}
    assert [due_at(local("2026-03-28T10:00"), limit, CLINIC) for limit in limits] == [
        local(each) for each in expected[amount]
    ]


@pytest.mark.parametrize("limit", ["4 working hours", "1 working day", "same day", "3 days", "1 month"])
def test_due_at_of_a_clinic_that_never_opens_says_so(limit: str) -> None:
    with pytest.raises(NoWorkingTime, match="does not open within 366 days"):
        due_at(local("2026-03-30T10:00"), parse_limit(limit), NEVER)


@pytest.mark.parametrize("limit", ["30 minutes", "4 hours"])
def test_due_at_in_elapsed_time_needs_no_opening(limit: str) -> None:
    assert due_at(local("2026-03-30T10:00"), parse_limit(limit), NEVER) == due_at(
        local("2026-03-30T10:00"), parse_limit(limit), CLINIC
    )


def test_due_at_waits_for_a_clinic_that_is_shut_for_months() -> None:
    shut = {date(2026, 3, 30) + timedelta(days=n): None for n in range(360)}
    opening = Hours.of(JERUSALEM, WINDOWS, shut)
    assert due_at(local("2026-03-29T17:30"), parse_limit("1 working hour"), opening) == local(
        "2027-03-25T09:30"
    )
