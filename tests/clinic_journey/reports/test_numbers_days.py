"""What each night writes of the numbers is what would be counted live, and is read instead of counting."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command

from clinic_journey.models import NumberDay
from clinic_journey.reports.local_days import local_day
from clinic_journey.reports.money import at_risk
from clinic_journey.reports.money_actions import set_visit_value
from clinic_journey.reports.numbers import COUNTED, Figure, both_spans, median_of
from clinic_journey.reports.numbers_days import EVENTS, LONGEST, rebuild_numbers
from journeys.chases import log_chase
from journeys.models import JourneyTemplate, StepEvent, StepKind
from patients.models import Clinic
from tests import builders
from tests.clinic_journey.reports.measured import HOUR, sent, step, whose
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
DAY = timedelta(days=1)


@pytest.fixture
def clinic() -> Clinic:
    """With something of each number in both spans, and today."""
    made = builders.clinic()
    for days in (0, 1, 1, 3, 27, 28, 40, 55):
        at = NOW - DAY * days
        about = builders.step(builders.journey(builders.patient(made), now=at - HOUR))
        log_chase(about, now=at - timedelta(minutes=1))
        heard = step(made, StepKind.TELL, message_key="result_arrived")
        type(heard).objects.filter(pk=heard.pk).update(opened_at=at - HOUR)
        if days != 3:
            sent(heard, at - HOUR + timedelta(minutes=days))
        asked = step(made, StepKind.RECALL)
        sent(asked, at - DAY * 15 - HOUR)
        builders.appointment(whose(asked), start=at - DAY * (1 + days % 2 * 20), status="fulfilled")
        referral = builders.referral(builders.patient(made))
        held: dict[str, Any] = {"start": at - HOUR, "ended_because": "Ill"}
        status = "cancelled" if days % 2 else "fulfilled"
        builders.appointment(referral.patient, awaits=referral.step, status=status, **held)
    template = JourneyTemplate.objects.create(key="treatment", checksum="x")
    lost: dict[str, Any] = {"status": "cancelled", "lost_because": "own_words", "lost_words": "No, thank you"}
    for n in range(40):
        end: dict[str, Any] = lost if n % 3 == 0 else {"status": "completed"}
        life: dict[str, Any] = {"now": NOW - DAY * (n * 9 + n % 5), "ended_at": NOW - DAY * n * 9}
        builders.journey(builders.patient(made), template=template, **life, **end)
    step(made, StepKind.BOOK, opened_at=NOW - DAY)
    set_visit_value(made, Decimal(1000), "ILS")
    return made


def shown(clinic: Clinic) -> dict[str, Any]:
    figures: dict[str, Any] = {key: both_spans(key, clinic, now=NOW) for key in COUNTED}
    risk = at_risk(clinic, now=NOW)
    assert risk
    return {**figures, "risk": [(row.people, row.rate) for row in risk.rows]}


def test_the_written_days_say_what_is_counted_live(clinic: Clinic) -> None:
    live = shown(clinic)
    assert live["returned"] == (Figure(20, 5, 1), Figure(67, 3, 2))
    assert live["told"][0].n == 4
    assert live["risk"][0][1].cases == 39
    assert rebuild_numbers(clinic, now=NOW) == sum(LONGEST.values())
    assert shown(clinic) == live


def test_what_is_written_is_not_counted_again_and_today_always_is(clinic: Clinic) -> None:
    rebuild_numbers(clinic, now=NOW)
    (lately, before) = both_spans("chases", clinic, now=NOW)
    StepEvent.objects.all().delete()
    assert both_spans("chases", clinic, now=NOW) == (
        Figure(100 * (lately.part - 1) / lately.n, lately.n, lately.part - 1),
        before,
    )
    rebuild_numbers(clinic, now=NOW)
    assert [figure.part for figure in both_spans("chases", clinic, now=NOW)] == [0, 0]


def test_from_the_first_day_that_is_missing_everything_is_counted_live(clinic: Clinic) -> None:
    live = shown(clinic)
    rebuild_numbers(clinic, now=NOW)
    missing = local_day(NOW, clinic.time_zone) - DAY * 30
    NumberDay.objects.filter(on=missing).delete()
    NumberDay.objects.filter(on__gt=missing).update(counted=99, part=99)
    assert shown(clinic) == live


def test_a_night_counts_only_the_last_weeks_anew_and_the_command_all(clinic: Clinic) -> None:
    rebuild_numbers(clinic, now=NOW)
    written = Counter(NumberDay.objects.values_list("key", "on", "value", "counted", "part"))
    NumberDay.objects.filter(key="ended", on__lt=date(2025, 6, 1)).update(part=7)
    assert rebuild_numbers(clinic, now=NOW) == 56 * len(EVENTS)
    assert NumberDay.objects.filter(part=7).exists()
    call_command("rebuild_summaries", clinic=clinic.slug)
    assert Counter(NumberDay.objects.values_list("key", "on", "value", "counted", "part")) == written


def test_another_clinic_keeps_its_own_days(clinic: Clinic) -> None:
    other = builders.clinic()
    rebuild_numbers(clinic, now=NOW)
    mine = NumberDay.objects.filter(clinic=clinic).count()
    rebuild_numbers(other, now=NOW)
    assert NumberDay.objects.filter(clinic=clinic).count() == mine
    assert both_spans("chases", other, now=NOW) == (Figure(None, 0), Figure(None, 0))


@pytest.mark.parametrize(
    ("values", "found"), [({}, None), ({3: 1}, 3), ({1: 1, 4: 1}, 2.5), ({1: 3, 9: 2}, 1), ({1: 2, 9: 2}, 5)]
)
def test_the_middle_of_counted_values(values: dict[int, int], found: float | None) -> None:
    assert median_of(Counter(values)) == found
