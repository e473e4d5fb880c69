"""When people were reached: what counts as a try, as reached, as agreed, and how little a few tries say."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic_journey.models import NumberDay
from clinic_journey.reports.numbers_days import rebuild_numbers
from clinic_journey.reports.reach_events import Kind
from clinic_journey.reports.reach_times import AGREED, OTHERS, Cell, pictures
from journeys.models import StepKind
from outreach.models import Attempt, AttemptStatus, Reply
from patients.actions import CardAnswers, save_card
from patients.models import Channel, Clinic, Patient, Role
from tests import builders
from tests.clinic_journey.reports.measured import step, whose
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
ZONE = "Asia/Jerusalem"
SUNDAY, MONDAY = 6, 0


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


def local(words: str) -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def tried(
    clinic: Clinic, at: datetime, *, told: tuple[int, time, time] | None = None, **fields: Any
) -> Attempt:
    about = step(clinic, StepKind.BOOK)
    if told:
        answers = CardAnswers(Channel.PHONE, (told,), "he")
        save_card(whose(about), answers, now=at - timedelta(days=1), by=None)
    given: dict[str, Any] = {"status": AttemptStatus.FAILED, "channel": "phone", "outcome": "no_answer"}
    task = builders.task(about, plan_from=None)
    return builders.attempt(task, send_at=at, called_at=at, **{**given, **fields})


def spoken(clinic: Clinic, at: datetime, **fields: Any) -> Attempt:
    return tried(clinic, at, status="delivered", outcome="spoken", sent_at=at, **fields)


def cells(clinic: Clinic, only: str = "", channel: str = "") -> dict[tuple[int, int], Cell]:
    """What was tried, by weekday and the hour at which the band begins."""
    found = pictures(clinic, only, first_weekday=SUNDAY, now=NOW)
    shown = next((each for each in found if each.channel == channel), None)
    return {
        (day, band[0]): cell
        for day, row in (shown.rows if shown else [])
        for band, cell in zip(shown.bands if shown else (), row, strict=True)
        if cell.tries
    }


def test_tries_lie_on_the_clinics_own_clock(clinic: Clinic) -> None:
    spoken(clinic, local("2026-03-08T11:59"))
    tried(clinic, local("2026-03-08T12:00"))
    tried(clinic, local("2026-03-02T00:30"))  # Sunday evening in UTC
    tried(clinic, local("2025-12-01T10:00"))  # longer ago than twelve weeks
    tried(builders.clinic(), local("2026-03-08T10:00"))
    assert cells(clinic) == {(SUNDAY, 8): Cell(1, 1), (SUNDAY, 12): Cell(1, 0), (MONDAY, 0): Cell(1, 0)}


def test_a_message_is_reached_when_it_is_answered(clinic: Clinic) -> None:
    at = local("2026-03-08T10:00")
    message: dict[str, Any] = {"status": "delivered", "channel": "sms", "outcome": "", "sent_at": at}
    answered = tried(clinic, at, **message)
    Reply.objects.create(clinic=clinic, attempt=answered, patient=answered.patient, channel="sms", at=at)
    tried(clinic, at, **message)
    tried(clinic, at, status="failed", channel="sms", outcome="unreachable")  # never left
    tried(clinic, at, outcome="wrong_number")  # rang elsewhere
    tried(clinic, at, status="delivered", channel="voice", sent_at=at)
    assert cells(clinic) == cells(clinic, channel="sms") == {(SUNDAY, 8): Cell(2, 1)}


def test_agreed_hours_and_all_others_are_told_apart(clinic: Clinic) -> None:
    at = local("2026-03-08T10:00")
    spoken(clinic, at, told=(SUNDAY, time(9), time(12)))
    tried(clinic, at, told=(SUNDAY, time(10, 1), time(12)))
    tried(clinic, at, told=(MONDAY, time(9), time(12)))
    tried(clinic, at)
    assert cells(clinic, AGREED) == {(SUNDAY, 8): Cell(1, 1)}
    assert cells(clinic, OTHERS) == {(SUNDAY, 8): Cell(3, 0)}
    assert cells(clinic) == {(SUNDAY, 8): Cell(4, 1)}


def test_the_written_days_say_what_is_counted_live(clinic: Clinic) -> None:
    at = local("2026-03-08T10:00")
    spoken(clinic, at, told=(SUNDAY, time(9), time(12)))
    away = spoken(clinic, local("2026-03-02T17:00"))
    Patient.objects.filter(pk=away.patient_id).update(time_zone="America/New_York")
    tried(clinic, local("2026-01-04T23:30"), status="delivered", channel="telegram", outcome="", sent_at=at)
    tried(clinic, NOW - timedelta(minutes=5))
    live = [cells(clinic, only) for only in ("", AGREED, OTHERS)]
    assert sum(cell.tries for cell in live[0].values()) == 4
    rebuild_numbers(clinic, now=NOW)
    assert NumberDay.objects.filter(key="reach", counted__gt=0).count() == 3  # today is counted as it is
    assert [cells(clinic, only) for only in ("", AGREED, OTHERS)] == live
    Attempt.objects.filter(called_at__lt=at).delete()
    assert cells(clinic) == live[0]


@pytest.mark.parametrize("channel", [each for each in Channel if each != Channel.VOICE])
def test_every_kind_of_try_has_one_number(channel: Channel) -> None:
    kinds = [
        Kind(day, hour, channel, agreed) for day in range(7) for hour in range(24) for agreed in (True, False)
    ]
    assert [Kind.of(kind.value) for kind in kinds] == kinds


def test_the_week_begins_with_the_first_day_that_is_asked_for(clinic: Clinic) -> None:
    for first in (SUNDAY, MONDAY):
        (shown,) = pictures(clinic, "", first_weekday=first, now=NOW)
        assert [day for day, _row in shown.rows] == [(first + n) % 7 for n in range(7)]


@pytest.mark.parametrize(
    ("cell", "percent", "is_few", "level"),
    [
        (Cell(), None, False, 0),
        (Cell(9, 9), 100, True, 4),
        (Cell(10, 0), 0, False, 0),
        (Cell(10, 1), 10, False, 1),
        (Cell(10, 2), 20, False, 2),
        (Cell(10, 3), 30, False, 3),
        (Cell(10, 5), 50, False, 4),
        (Cell(10, 10), 100, False, 4),
    ],
)
def test_few_tries_say_nothing(cell: Cell, percent: int | None, is_few: bool, level: int) -> None:
    assert (cell.percent, cell.is_few, cell.level) == (percent, is_few, level)


def test_the_page_prints_its_caveat_and_hatches_what_says_nothing(clinic: Clinic) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(builders.user(Role.MANAGER, at=clinic))
    assert "No tries yet" in client.get("/reports/reach/").content.decode()
    for _n in range(10):
        tried(clinic, local("2026-03-08T10:00"))
    spoken(clinic, local("2026-03-08T13:00"))
    page = client.get("/reports/reach/?only=others").content.decode()
    assert "We chose whom to call when" in page
    assert '<td class="heat-0 numbers"><b>0%</b>' in page
    assert '<td class="cell-few numbers">' in page
    assert 'href="?only=others" aria-current="true"' in page


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_costs_as_many_statements_whatever_there_is(clinic: Clinic, rows: int) -> None:
    for n in range(rows):
        tried(clinic, local("2026-03-08T10:00") - timedelta(hours=5 * n))
    client = Client()
    client.force_login(builders.user(Role.MANAGER, at=clinic))
    with CaptureQueriesContext(connection) as seen:
        client.get("/reports/reach/")
    assert len([each for each in seen if each["sql"].startswith("SELECT")]) == 10


def test_hours_are_those_of_the_patients_own_clock_where_we_know_it(clinic: Clinic) -> None:
    told = (MONDAY, time(9), time(12))
    for at, told_there in ((local("2026-03-02T10:00"), None), (local("2026-03-02T17:00"), told)):
        attempt = spoken(clinic, at, told=told_there)
        Patient.objects.filter(pk=attempt.patient_id).update(time_zone="America/New_York")
    spoken(clinic, local("2026-03-02T17:00"))
    late = spoken(clinic, local("2026-03-02T05:00"))
    Patient.objects.filter(pk=late.patient_id).update(time_zone="America/New_York")
    assert cells(clinic) == {
        (MONDAY, 0): Cell(1, 1),  # 3:00
        (MONDAY, 8): Cell(1, 1),  # 10:00, a clock in New York
        (MONDAY, 16): Cell(1, 1),  # 17:00 here, as nobody said another zone
        (SUNDAY, 20): Cell(1, 1),  # 22:00 on the day before
    }
    assert cells(clinic, AGREED) == {(MONDAY, 8): Cell(1, 1)}
