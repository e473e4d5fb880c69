"""A generated year of 300 patients: the report finds what was planted, to the number. Set-based, so PostgreSQL."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection

from bench.planted_year import SLOW, TEMPLATE, expected
from bench.reports_by_hand import asked_by_hand
from bench.year import Year
from clinic_journey.reports import summaries
from clinic_journey.reports.map_open import open_now
from clinic_journey.reports.stages import after_waits, by_edge, hours_of, passages_of

SINCE = datetime(2025, 3, 9, 6, 0, tzinfo=UTC)  # a Sunday, 8:00 in Jerusalem
NOW = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="the year is written by set-based SQL"),
]


def test_the_report_finds_what_was_planted_to_the_number() -> None:
    made = Year(300, clinics=2, since=SINCE, now=NOW)
    clinic = made.clinics[0]
    planted = expected(made.steps, made.hours)
    for each in made.clinics:
        summaries.catch_up(each, now=NOW)
    counted = summaries.edges(clinic, TEMPLATE, date(2025, 1, 6))
    whole = counted.pop(("", ""))
    live = by_edge(passages_of(clinic, hours_of(clinic), SINCE, NOW), TEMPLATE)
    assert counted == {edge: waits for edge, waits in live.items() if edge != ("", "")}
    found = {
        edge: (
            sum(each.passed for each in waits.values()),
            sum(each.lost for each in waits.values()),
            after_waits(waits, 0.5),
            after_waits(waits, 0.9),
            sum(each.tries for each in waits.values()),
            sum(each.chases for each in waits.values()),
        )
        for edge, waits in counted.items()
    }
    assert found == {
        edge: (each.passed, each.lost, each.median, each.p90, each.tries, each.chases)
        for edge, each in planted.items()
    }
    assert found == asked_by_hand(clinic, TEMPLATE, SINCE, NOW)
    waiting = open_now(clinic, TEMPLATE, ("", ""), opening=hours_of(clinic), now=NOW).edges
    still = {edge: each.open for edge, each in planted.items() if each.open}
    assert still
    assert {edge: each.open for edge, each in waiting.items()} == still
    assert sum(each.lost for each in whole.values()) == sum(each.lost for each in planted.values())


def test_the_slow_doctor_stands_out_by_name() -> None:
    made = Year(300, clinics=1, since=SINCE, now=NOW)
    clinic = made.clinics[0]
    summaries.catch_up(clinic, now=NOW)
    told = summaries.by_value(clinic, TEMPLATE, date(2025, 1, 6), ("await_result", "review"))
    medians = {value: after_waits(waits, 0.5) for (name, value), waits in told.items() if name == "doctor"}
    slow = str(made.doctors[SLOW].pk)
    assert medians.pop(slow) == 34
    assert set(medians.values()) <= {4, 5}
