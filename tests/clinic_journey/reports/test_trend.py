"""The whole journey over time: until told, until treated, how many are lost; as it happened and as it was counted."""

from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from clinic_journey.models import StageSummary
from clinic_journey.reports import summaries
from clinic_journey.reports.milestones import FROM_THE_START, milestones_of
from clinic_journey.reports.stages import hours_of
from clinic_journey.reports.trend import Point, Trend
from journeys.actions import NewJourney, cancel_journey, start_journey
from journeys.models import Journey, LostBecause
from patients.models import Clinic, Patient
from tests import builders
from tests.clinic_journey.reports.measured import sent
from tests.clinic_journey.reports.planted import IMAGING, active, finish, loaded, manager, went
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
PAGE = f"/reports/stuck/?template={IMAGING}"
AGO = NOW - 2 * WEEK  # a Monday at ten


@pytest.fixture
def clinic() -> Clinic:
    loaded()
    return builders.clinic()


def decided(where: Clinic, begun: datetime, **fields: Any) -> Journey:
    """The doctor decided an hour after she was referred; a message about it was not sent yet."""
    ends = [("await_result", "received", begun + HOUR / 2), ("review", "treat", begun + HOUR)]
    return went(where, begun, ends, **fields)


def trend(where: Clinic, more: str = "") -> Trend:
    found = manager(where).get(f"{PAGE}{more}").context["trend"]
    assert isinstance(found, Trend)
    return found


def filled(found: Trend) -> list[Point]:
    return [point for point in found.points if point.ended or point.told.people or point.treated.people]


def test_told_is_when_the_first_message_about_the_decision_left(clinic: Clinic) -> None:
    journey = decided(clinic, AGO)
    sent(
        journey.steps.get(template_step__key="inform_arrival"), AGO + HOUR / 2
    )  # that it arrived is no decision
    sent(active(journey, "tell_decision"), AGO + 3 * HOUR)
    finish(journey, "tell_decision", "confirmed", AGO + 2 * DAY)
    summaries.catch_up(clinic, now=NOW)
    (point,) = filled(trend(clinic))
    assert (point.begins, point.told.people, point.told.median, point.treated.people) == (AGO.date(), 1, 3, 0)


def test_without_a_message_told_is_when_the_step_ended_with_her_and_in_vain_is_not_told(
    clinic: Clinic,
) -> None:
    reached, silent = decided(clinic, AGO), decided(clinic, AGO, phone="050-234-8888")
    finish(reached, "tell_decision", "confirmed", AGO + 4 * HOUR)
    finish(silent, "tell_decision", "could_not_reach", AGO + 5 * HOUR)
    summaries.catch_up(clinic, now=NOW)
    (point,) = filled(trend(clinic))
    assert (point.told.people, point.told.median) == (1, 4)


def test_treated_is_the_first_visit_she_came_to_and_counts_in_its_week(clinic: Clinic) -> None:
    journey = decided(clinic, AGO)
    finish(journey, "tell_decision", "confirmed", AGO + 2 * HOUR)
    finish(journey, "visit", "no_show", AGO + 3 * HOUR)
    finish(journey, "book", "booked", AGO + 4 * HOUR)
    finish(journey, "visit", "attended", AGO + WEEK)
    summaries.catch_up(clinic, now=NOW)
    told, treated = filled(trend(clinic))
    assert (told.told.people, told.treated.people) == (1, 0)
    # From Monday to Monday: five days of eleven hours, and Friday of five.
    assert (treated.begins, treated.treated.people, treated.treated.median) == ((AGO + WEEK).date(), 1, 60)


def test_half_and_nine_in_ten_are_those_of_all_who_came_so_far(clinic: Clinic) -> None:
    for hours in range(1, 9):
        journey = decided(clinic, AGO, phone=f"050-234-77{hours}0")
        finish(journey, "tell_decision", "confirmed", AGO + hours * HOUR)
    summaries.catch_up(clinic, now=NOW)
    (point,) = filled(trend(clinic))
    assert (point.told.people, point.told.median, point.told.p90) == (8, 4, 8)


def test_the_lost_are_a_share_of_those_that_ended_and_the_share_shown_is_printed(clinic: Clinic) -> None:
    lost = went(clinic, AGO, [("await_result", "received", AGO + HOUR)])
    cancel_journey(lost, reason="went elsewhere", now=AGO + 2 * HOUR)
    Journey.objects.filter(pk=lost.pk).update(lost_because=LostBecause.OWN_WORDS, lost_words="Elsewhere")
    treated = decided(clinic, AGO, phone="050-234-8888")
    finish(treated, "tell_decision", "confirmed", AGO + 2 * HOUR)
    finish(treated, "visit", "attended", AGO + 3 * HOUR)
    finish(treated, "thank", "told", AGO + 4 * HOUR)
    builders.patient(clinic, phone="050-234-9999", now=AGO)
    other = start_journey(Patient.objects.latest("pk"), NewJourney("first_visit"), now=AGO)
    for key, outcome in (("visit", "attended"), ("thank", "told"), ("after_visit", "nothing")):
        if other.steps.filter(template_step__key=key, status="active").exists():
            finish(other, key, outcome, AGO + 2 * HOUR)
    Journey.objects.filter(pk=other.pk).update(status="completed", ended_at=AGO + 3 * HOUR)
    summaries.catch_up(clinic, now=NOW)
    found = trend(clinic)
    (point,) = filled(found)
    assert (point.ended, point.lost, point.lost_percent) == (2, 1, 50)
    assert (found.shown, found.ended, found.shown_percent) == (2, 3, 66)
    assert (
        "2 journeys ended, 66% of all that ended in this time." in manager(clinic).get(PAGE).content.decode()
    )


def test_four_weeks_are_told_by_week_and_a_year_by_month(clinic: Clinic) -> None:
    for n, begun in enumerate((NOW - 40 * WEEK, NOW - 41 * WEEK, AGO)):
        finish(
            decided(clinic, begun, phone=f"050-234-77{n}0"), "tell_decision", "confirmed", begun + 2 * HOUR
        )
    summaries.catch_up(clinic, now=NOW)
    assert [point.begins for point in trend(clinic).points] == [
        date(2026, 2, 9), date(2026, 2, 16), date(2026, 2, 23), date(2026, 3, 2), date(2026, 3, 9),
    ]  # fmt: skip
    year = trend(clinic, "&weeks=52")
    assert [(point.begins, point.told.people) for point in filled(year)] == [
        (date(2025, 5, 1), 1), (date(2025, 6, 1), 1), (date(2026, 2, 1), 1),
    ]  # fmt: skip
    assert len(year.points) == 13


def test_what_was_counted_is_the_live_answer_and_is_rebuilt_the_same(clinic: Clinic) -> None:
    doctor = builders.user("doctor", at=clinic)
    for n in range(5):
        begun = AGO + n * DAY
        journey = decided(clinic, begun, phone=f"050-234-77{n}0", doctor=doctor if n % 2 else None)
        finish(journey, "tell_decision", "confirmed", begun + (2 + n) * HOUR)
        if n > 2:
            finish(journey, "visit", "attended", begun + DAY)
    summaries.catch_up(clinic, now=NOW)
    live = summaries.grouped(milestones_of(clinic, hours_of(clinic), AGO - WEEK, NOW))
    columns = ("template_key", "source", "target", "dimension", "value", "hours", "passed")

    def counted() -> dict[tuple[object, ...], int]:
        rows = StageSummary.objects.filter(clinic=clinic, source=FROM_THE_START)
        found: dict[tuple[object, ...], int] = {}
        for *key, passed in rows.values_list(*columns):
            found[tuple(key)] = found.get(tuple(key), 0) + passed
        return found

    before = counted()
    assert before == {key: counts.passed for key, counts in live.items()}
    assert {key[2] for key in before} == {"told", "treated"}
    StageSummary.objects.filter(source=FROM_THE_START).delete()
    with time_machine.travel(NOW, tick=False):
        call_command("rebuild_summaries", clinic=clinic.slug, stdout=StringIO())
    assert counted() == before
    assert trend(clinic, f"&by=doctor:{doctor.pk}").points[2].told.people == 2


def test_milestones_are_no_way_from_one_step_to_another(clinic: Clinic) -> None:
    finish(decided(clinic, AGO), "tell_decision", "confirmed", AGO + 2 * HOUR)
    summaries.catch_up(clinic, now=NOW)
    assert FROM_THE_START not in {
        source for source, _target in summaries.edges(clinic, IMAGING, date(2026, 1, 5))
    }


def test_the_file_holds_what_the_page_shows(clinic: Clinic) -> None:
    finish(decided(clinic, AGO), "tell_decision", "confirmed", AGO + 2 * HOUR)
    summaries.catch_up(clinic, now=NOW)
    client: Client = manager(clinic)
    lines = client.get(f"/reports/stuck/export/?template={IMAGING}&table=trend&as=csv").content.decode(
        "utf-8-sig"
    )
    assert lines.splitlines()[3] == "2026-02-23,0,0,,1,2,2,0,,"
