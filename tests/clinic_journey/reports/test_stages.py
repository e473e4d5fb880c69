"""The map's numbers against journeys whose every wait is known."""

from datetime import UTC, date, datetime, time, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command

from clinic_journey.models import StageSummary
from clinic_journey.reports import stages, summaries
from clinic_journey.reports.stages import Counts, after_waits, by_edge, hours_of, passages_of
from clinic_journey.reports.stages_time import WorkedTime, age_column, hours_a_day, worked_time
from journeys.actions import cancel_journey, open_steps
from journeys.chases import log_chase
from journeys.models import Journey, LostBecause
from outreach.models import AttemptStatus
from patients.models import Clinic, ClosedDay
from patients.windows import Hours, WeeklyWindow
from tests import builders
from tests.clinic_journey.reports.planted import IMAGING, active, finish, loaded, went
from tests.conftest import NOW

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = Hours.of("Asia/Jerusalem", [WeeklyWindow(day, time(8), time(18)) for day in (0, 1, 2, 3, 6)], {})
MONTH = (NOW - 30 * DAY, NOW + 30 * DAY)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        (NOW, NOW, 0),
        (NOW, NOW + 59 * HOUR / 60, 0),
        (NOW, NOW + 3 * HOUR, 3),
        (NOW, NOW + DAY, 10),  # to the same hour of the next day
        (NOW, NOW + 12 * HOUR, 8),  # into the evening: only until it shut
        (NOW + 3 * DAY, NOW + 6 * DAY, 10),  # Thursday to Sunday: Friday and Saturday are shut
        (NOW + DAY, NOW, 0),
    ],
)
def test_a_wait_counts_open_hours_alone(start: datetime, end: datetime, hours: int) -> None:
    assert WorkedTime(WEEK, start - DAY, start + 9 * DAY).hours(start, end) == hours


def test_a_closed_day_is_counted_out() -> None:
    shut = Hours.of(WEEK.zone, WEEK.windows, {date(2026, 3, 10): None})
    assert worked_time(shut, [NOW, NOW + 2 * DAY]).hours(NOW, NOW + 2 * DAY) == 10


def test_a_clinic_without_hours_counts_calendar_time() -> None:
    assert worked_time(Hours.of("UTC", [], {}), [NOW, NOW + 2 * DAY]).hours(NOW, NOW + 2 * DAY) == 48


@pytest.mark.parametrize(("hours", "column"), [(0, 0), (19, 0), (20, 1), (40, 2), (79, 2), (80, 3), (150, 4)])
def test_open_steps_are_ordered_by_working_days(hours: int, column: int) -> None:
    assert age_column(hours, hours_a_day(WEEK)) == column


@pytest.mark.parametrize(
    ("waits", "median", "p90"), [([], None, None), ([5], 5, 5), ([1, 2, 3, 4], 2, 4), ([*range(1, 11)], 5, 9)]
)
def test_median_and_p90_are_waits_that_happened(waits: list[int], median: int, p90: int) -> None:
    counts = {hours: Counts(passed=1) for hours in waits}
    assert (after_waits(counts, 0.5), after_waits(counts, 0.9)) == (median, p90)


@pytest.mark.django_db
def test_edges_are_read_from_what_happened() -> None:
    loaded()
    clinic = builders.clinic()
    ended = [("await_result", "received", NOW + 3 * HOUR), ("review", "treat", NOW + DAY)]
    journey = went(clinic, NOW, ended)
    log_chase(active(journey, "visit"), now=NOW + DAY)
    finish(journey, "visit", "attended", NOW + 2 * DAY)
    finish(journey, "thank", "told", NOW + 2 * DAY)
    assert told(clinic, MONTH) == {
        ("visit", "thank"): (1, 0, 0, 0),
        ("", "await_result"): (1, 0, 3, 0),
        ("await_result", "review"): (1, 0, 8, 0),
        ("review", "visit"): (1, 0, 11, 1),
        ("", ""): (1, 0, 22, 0),
    }


@pytest.mark.django_db
def test_a_journey_given_up_is_lost_on_its_last_open_step() -> None:
    loaded()
    clinic = builders.clinic()
    journey = went(clinic, NOW, [("await_result", "received", NOW + HOUR)])
    cancel_journey(journey, reason="went elsewhere", now=NOW + 2 * HOUR)
    Journey.objects.update(lost_because=LostBecause.OWN_WORDS, lost_words="I went elsewhere")
    assert told(clinic, MONTH) == {
        ("", "await_result"): (1, 0, 1, 0),
        ("await_result", "review"): (0, 1, None, 0),
        ("", ""): (0, 1, None, 0),
    }


@pytest.mark.django_db
def test_a_journey_ended_for_another_reason_is_not_lost() -> None:
    loaded()
    clinic = builders.clinic()
    cancel_journey(went(clinic, NOW, []), reason="a mistake", now=NOW + HOUR)
    assert told(clinic, MONTH) == {}


@pytest.mark.django_db
def test_declining_loses_only_whoever_has_nothing_else_open() -> None:
    loaded()
    clinic = builders.clinic()
    begun = [("await_result", "not_done", NOW + HOUR), ("book", "declined", NOW + 2 * HOUR)]
    went(clinic, NOW, begun)
    assert told(clinic, MONTH)["await_result", "book"] == (0, 1, None, 0)
    journey = went(clinic, NOW, begun[:1], phone="050-234-9999")
    builders.step(journey)
    finish(journey, "book", "declined", NOW + 2 * HOUR)
    assert told(clinic, MONTH)["await_result", "book"] == (1, 1, 1, 0)


@pytest.mark.django_db
def test_tries_are_counted_for_each_passage_and_what_was_only_planned_is_not() -> None:
    loaded()
    clinic = builders.clinic()
    journey = went(clinic, NOW, [("await_result", "not_done", NOW + HOUR)])
    task = builders.task(active(journey, "book"), plan_from=None)
    for status in (AttemptStatus.FAILED, AttemptStatus.FAILED, AttemptStatus.CANCELLED):
        builders.attempt(task, status=status)
    finish(journey, "book", "booked", NOW + 2 * HOUR)
    counts = by_edge(passages_of(clinic, hours_of(clinic), *MONTH), IMAGING)["await_result", "book"][1]
    assert (counts.tries, counts.contacted) == (2, 1)


@pytest.mark.django_db
def test_what_opens_anew_without_an_edge_has_a_source_of_its_own() -> None:
    loaded()
    clinic = builders.clinic()
    journey = went(
        clinic, NOW, [("await_result", "received", NOW + HOUR), ("review", "treat", NOW + 2 * HOUR)]
    )
    (again,) = stages_open(journey, "review", NOW + 3 * HOUR)
    finish(journey, again, "treat", NOW + 4 * HOUR)
    assert told(clinic, MONTH)[stages.ANEW, "review"] == (1, 0, 1, 0)


def stages_open(journey: Journey, key: str, when: datetime) -> list[str]:
    return [step.template_step.key for step in open_steps(journey, [key], now=when) if step.template_step]


@pytest.mark.django_db
def test_summaries_give_the_live_answer_in_every_dimension() -> None:
    loaded()
    clinic, doctor = builders.clinic(), builders.user("doctor")
    for n in range(6):
        begun = NOW + n * DAY / 2
        ends = [("await_result", "received", begun + n * HOUR), ("review", "treat", begun + n * n * HOUR)]
        went(clinic, begun, ends[: 1 + n % 2], doctor=doctor if n % 3 else None, phone=f"050-234-55{n}0",
             language=("he", "ru")[n % 2])  # fmt: skip
    summaries.catch_up(clinic, now=NOW + 8 * DAY)
    live = [*passages_of(clinic, hours_of(clinic), NOW - DAY, NOW + 8 * DAY)]
    asked = {told for each in live for told in each.values}
    assert {name for name, _value in asked} == {"", "doctor", "language", "channel"}
    for dimension, value in asked:
        counted = summaries.edges(clinic, IMAGING, date(2026, 3, 2), dimension, value)
        assert counted == by_edge(live, IMAGING, dimension, value)
    before = rows()
    StageSummary.objects.filter(dimension="doctor").delete()
    with time_machine.travel(NOW + 8 * DAY, tick=False):
        call_command("rebuild_summaries", clinic=clinic.slug, stdout=StringIO())
    assert rows() == before


def rows() -> list[tuple[object, ...]]:
    columns = [field.name for field in StageSummary._meta.fields if field.name != "id"]
    return sorted(StageSummary.objects.values_list(*columns))


@pytest.mark.django_db
def test_the_tick_counts_only_the_weeks_since_the_last_one() -> None:
    loaded()
    clinic = builders.clinic()
    went(clinic, NOW - 70 * DAY, [("await_result", "received", NOW - 69 * DAY)])
    assert summaries.catch_up(clinic, now=NOW) == 11
    assert summaries.catch_up(clinic, now=NOW + HOUR) == 2  # yesterday was another week
    assert summaries.catch_up(clinic, now=NOW + 2 * DAY) == 2
    assert summaries.catch_up(clinic, now=NOW + 2 * DAY + HOUR) == 1
    assert summaries.counted_at(clinic) == NOW + 2 * DAY + HOUR


@pytest.mark.django_db
def test_closed_days_of_last_year_are_counted_out() -> None:
    loaded()
    clinic = builders.clinic()
    long_ago = datetime(2025, 3, 10, 8, 0, tzinfo=UTC)
    ClosedDay.objects.create(clinic=clinic, on=date(2025, 3, 11), name="Shut")
    went(clinic, long_ago, [("await_result", "received", long_ago + 2 * DAY)])
    assert told(clinic, (long_ago, NOW)) == {("", "await_result"): (1, 0, 11, 0)}


def told(clinic: Clinic, period: tuple[datetime, datetime]) -> dict[tuple[str, str], tuple[object, ...]]:
    """Edge -> how many passed, how many were lost, the median wait, the chases."""
    found = by_edge(passages_of(clinic, hours_of(clinic), *period), IMAGING)
    return {
        edge: (
            sum(each.passed for each in waits.values()),
            sum(each.lost for each in waits.values()),
            after_waits(waits, 0.5),
            sum(each.chases for each in waits.values()),
        )
        for edge, waits in found.items()
    }
