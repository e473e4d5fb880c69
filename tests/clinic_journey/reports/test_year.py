"""A generated year of 300 patients: the report finds what was planted, to the number. Set-based, so PostgreSQL."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection

from bench.planted_year import SLOW, TEMPLATE, expected
from bench.reports_by_hand import asked_by_hand
from bench.year import Year
from clinic_journey.reports import summaries
from clinic_journey.reports.local_days import ONE_DAY, Days, begins, local_day
from clinic_journey.reports.map_open import open_now
from clinic_journey.reports.numbers import Figure, both_spans, last_days
from clinic_journey.reports.numbers_days import days_of, rebuild_numbers
from clinic_journey.reports.numbers_events import RETURN_WITHIN
from clinic_journey.reports.stages import after_waits, by_edge, hours_of, passages_of
from patients.models import Clinic

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


BY_HAND = {
    "asked": """SELECT count(*) FROM journeys_stepevent
        WHERE clinic_id = %(clinic)s AND kind = 'chased' AND at >= %(since)s AND at < %(until)s""",
    "begun": """SELECT count(*) FROM journeys_journey
        WHERE clinic_id = %(clinic)s AND opened_at >= %(since)s AND opened_at < %(until)s""",
    "told": """SELECT count(*) FROM journeys_step s WHERE clinic_id = %(clinic)s AND message_key = 'result_arrived'
        AND (SELECT min(a.sent_at) FROM outreach_attempt a JOIN outreach_outreachtask t ON t.id = a.task_id
             WHERE t.step_id = s.id AND a.status = 'delivered') BETWEEN %(since)s AND %(until)s""",
    "invited": """SELECT count(DISTINCT s.id) FROM journeys_step s JOIN outreach_outreachtask t ON t.step_id = s.id
        JOIN outreach_attempt a ON a.task_id = t.id WHERE s.clinic_id = %(clinic)s AND s.kind = 'book'
        AND a.called_at >= %(since)s - interval '15 days' AND a.called_at < %(until)s - interval '15 days'""",
}


def by_hand(clinic: Clinic, days: Days) -> dict[str, int]:
    found = {}
    with connection.cursor() as cursor:
        for name, sql in BY_HAND.items():
            cursor.execute(sql, {"clinic": clinic.pk, "since": days.since, "until": days.until})
            found[name] = int(cursor.fetchone()[0])
    return found


def planted_numbers(made: Year, days: Days) -> dict[str, int]:
    """The same from the plan: every contact was made and every question asked when its step opened."""
    steps = [(step, made.instants[step.start]) for step in made.steps]
    over = [(step, at) for step, at in steps if step.end < made.hours and step.tries]
    first = {step.patient: at for step, at in reversed(steps)}

    def within(at: datetime) -> bool:
        return days.since <= at < days.until

    return {
        "asked": sum(within(at) for step, at in steps if step.chased),
        "begun": sum(map(within, first.values())),
        "told": sum(within(at) for step, at in over if step.key == "inform_arrival"),
        "invited": sum(within(at + RETURN_WITHIN) for step, at in over if step.key == "book"),
    }


def planted_ends(made: Year, clinic: Clinic) -> int:
    """Journeys that ended within a year, today with it."""
    ends: dict[int, int] = {}
    for step in made.steps:
        ends[step.patient] = max(step.end, ends.get(step.patient, 0))
    since = begins(clinic.time_zone, local_day(NOW, clinic.time_zone) - ONE_DAY * 364)
    return sum(at < made.hours and made.instants[at] >= since for at in ends.values())


def test_the_numbers_find_what_was_planted_to_the_number_counted_at_night_and_live() -> None:
    made = Year(1200, clinics=2, since=SINCE, now=NOW)
    clinic = made.clinics[0]
    for _live_and_then_written in range(2):
        for nth, days in enumerate(last_days(clinic, now=NOW)):
            planted = planted_numbers(made, days)
            assert by_hand(clinic, days) == planted
            assert min(planted.values()) > 0
            asked, told, invited = (
                both_spans(key, clinic, now=NOW)[nth] for key in ("chases", "told", "returned")
            )
            assert (asked.n, asked.part) == (planted["begun"], planted["asked"])
            assert (told.value, told.n) == (0, planted["told"])  # the message left at once
            assert invited == Figure(0, planted["invited"], 0)  # nobody came
        lives = days_of(clinic, "ended", now=NOW)
        assert sum(counted for counted, _lost in lives.values()) == planted_ends(made, clinic)
        rebuild_numbers(clinic, now=NOW)
