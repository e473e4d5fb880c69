"""Silent patients by cause: all of them, however many, with as many statements and no more memory."""

from collections import Counter
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic_journey.models import SilentCount
from clinic_journey.reports import numbers_silent
from clinic_journey.reports.numbers_silent import count_silent, silent_by_cause
from clinic_journey.reports.tasks import rebuild_standard_days
from outreach.models import AttemptStatus, OutreachTask
from outreach.silent import read_silences, silent_in
from patients.access import Here
from patients.models import Channel, Clinic, Role
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
DAY = timedelta(days=1)


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that three are many."""
    monkeypatch.setattr(numbers_silent, "MOST", 2)
    monkeypatch.setattr(numbers_silent, "BATCH", 2)


def silent(clinic: Clinic, n: int, hours: tuple[int, ...] = (0, 24)) -> OutreachTask:
    """Called so many hours ago, in vain; at ten in the morning, if nothing else is said."""
    who = builders.patient(clinic, phone=f"050-234-{5600 + n}")
    task = builders.task(builders.step(builders.journey(who), due_at=NOW + DAY * (n + 1)), plan_from=None)
    for ago in hours:
        at = NOW - DAY * 7 - timedelta(hours=ago)
        builders.attempt(
            task, channel=Channel.PHONE, status=AttemptStatus.FAILED, outcome="no_answer", send_at=at
        )
    return task


def here(clinic: Clinic) -> Here:
    return Here(builders.user(Role.MANAGER, at=clinic), clinic, Role.MANAGER, NOW)


def by_hand(clinic: Clinic) -> Counter[str]:
    """One by one, as the screen of silent patients tells them."""
    found = read_silences(list(silent_in(clinic)), now=NOW)
    return Counter(each.cause or "" for each in found if each.is_silent)


def test_of_many_all_are_counted_by_night_and_the_page_says_when(clinic: Clinic) -> None:
    for n in range(5):
        silent(clinic, n, (0, 24) if n % 2 else (0, 5))
    silent(builders.clinic(), 9)
    first = silent_by_cause(here(clinic))
    assert (first.people, first.is_all, first.counted_at) == (2, False, None)
    assert rebuild_standard_days() >= 0
    found = silent_by_cause(here(clinic))
    assert (found.people, found.is_all, found.counted_at) == (5, True, NOW)
    assert dict(
        SilentCount.objects.filter(clinic=clinic, people__gt=0).values_list("cause", "people")
    ) == by_hand(clinic)
    client = Client(headers={"accept-language": "en"})
    client.force_login(builders.user(Role.MANAGER, at=clinic))
    assert "All of them, as of Mon 9.3 10:00." in client.get("/reports/").content.decode()


def test_a_few_are_counted_as_they_are_now(clinic: Clinic) -> None:
    silent(clinic, 0)
    count_silent(clinic, now=NOW - DAY)
    silent(clinic, 1)
    found = silent_by_cause(here(clinic))
    assert (found.people, found.is_all, found.counted_at) == (2, True, None)


def test_who_has_answered_since_is_no_longer_counted_the_next_night(clinic: Clinic) -> None:
    tasks = [silent(clinic, n) for n in range(4)]
    assert count_silent(clinic, now=NOW) == 4
    OutreachTask.objects.filter(pk=tasks[0].pk).update(status="done", outcome="spoken", ended_at=NOW)
    assert count_silent(clinic, now=NOW) == 3
    assert sum(SilentCount.objects.filter(clinic=clinic).values_list("people", flat=True)) == 3


@pytest.mark.parametrize("rows", [3, 12])
def test_the_page_asks_as_much_for_many_as_for_more(clinic: Clinic, rows: int) -> None:
    for n in range(rows):
        silent(clinic, n)
    count_silent(clinic, now=NOW)
    asker = here(clinic)
    with CaptureQueriesContext(connection) as seen:
        assert silent_by_cause(asker).people == rows
    assert len(seen) == 2


def test_a_batch_costs_as_many_statements_whatever_is_in_it(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers_silent, "BATCH", 50)
    asked = []
    for n in range(0, 6, 3):
        for each in range(3):
            silent(clinic, n + each)
        with CaptureQueriesContext(connection) as seen:
            count_silent(clinic, now=NOW)
        asked.append(len(seen))
    assert asked[0] == asked[1]


def test_the_command_counts_them_too(clinic: Clinic) -> None:
    for n in range(3):
        silent(clinic, n)
    said = StringIO()
    call_command("rebuild_summaries", clinic=clinic.slug, stdout=said)
    assert "3 silent patients" in said.getvalue()


@pytest.mark.parametrize("cause", ["nonsense", ""])
def test_a_cause_is_known_and_counted_once(clinic: Clinic, cause: str) -> None:
    SilentCount.objects.create(clinic=clinic, cause="", people=1, counted_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        SilentCount.objects.create(clinic=clinic, cause=cause, people=1, counted_at=NOW)
