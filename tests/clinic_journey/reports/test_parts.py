"""What cannot be read blanks nothing else: one measure, one number, one part of a morning."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from clinic_journey.reports import digest, numbers, numbers_views
from clinic_journey.reports.digest import lines_of
from clinic_journey.reports.standards_actions import load_standards
from clinic_journey.reports.standards_measures import MEASURES
from clinic_journey.templatetags import report_alerts
from journeys.models import StepKind
from patients.models import Clinic, Role
from tests import builders
from tests.clinic_journey.reports.measured import HOUR, MAKE, step
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
FAILED = "This part cannot be shown now."


def broken(*_args: object, **_more: object) -> Any:
    raise RuntimeError


@pytest.fixture
def clinic() -> Clinic:
    made = builders.clinic()
    load_standards([made])
    MAKE["told_arrived"](made, met=True)
    MAKE["told_arrived"](made, met=False)
    step(made, StepKind.PROMISE, due_at=NOW - HOUR)
    return made


@pytest.fixture
def pages(clinic: Clinic) -> Client:
    client = Client(headers={"accept-language": "en"}, raise_request_exception=False)
    client.force_login(builders.user(Role.MANAGER, at=clinic))
    return client


def fails(monkeypatch: pytest.MonkeyPatch, measure: str) -> None:
    monkeypatch.setitem(MEASURES, measure, replace(MEASURES[measure], cases=broken))


def read(pages: Client, address: str) -> str:
    page = pages.get(address)
    assert page.status_code == 200
    return page.content.decode()


def test_one_measure_that_fails_leaves_the_other_standards(
    pages: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(monkeypatch, "promise_kept")
    page = read(pages, "/reports/standards/")
    assert page.count(FAILED) == 1
    assert "1 of 2" in page


def test_one_measure_and_one_count_that_fail_leave_the_other_numbers(
    pages: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(monkeypatch, "promise_kept")
    monkeypatch.setitem(numbers.COUNTED, "chases", broken)
    page = read(pages, "/reports/")
    assert page.count(FAILED) == 2
    assert "From arrival to the patient told" in page
    assert "Promises kept" in page


@pytest.mark.parametrize(
    "name",
    ["nothing_planned", "called_unchanged", "beyond_the_limit", "silent_by_cause", "at_risk", "kept_now"],
)
def test_each_part_beside_the_numbers_fails_alone(
    pages: Client, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(numbers_views, name, broken)
    page = read(pages, "/reports/")
    assert page.count(FAILED) == 1
    assert "Money at risk" in page


def test_what_cannot_wait_stands_on_every_page_of_the_reports(
    clinic: Clinic, pages: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    step(clinic, StepKind.PROMISE, due_at=NOW + HOUR / 12)
    names = (
        "reports", "stuck", "standards", "reach_times", "ledgers", "refused_holds", "digest", "report_names"
    )  # fmt: skip
    for name in names:
        assert read(pages, reverse(name)).count("1 promise comes due within ten minutes") == 1
    monkeypatch.setattr(report_alerts, "alerts_of", broken)
    for name in names:
        assert read(pages, reverse(name)).count(FAILED) == 1


def test_a_morning_says_what_it_cannot_count_and_tells_the_rest(
    clinic: Clinic, pages: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(monkeypatch, "told_arrived")
    monkeypatch.setattr(digest, "nothing_planned", broken)
    page = read(pages, "/reports/digest/")
    assert "1 promise is broken and still open." in page
    words = [line.words for line in lines_of(clinic, now=NOW)]
    assert "A part of this morning cannot be counted now." in words
    (standard,) = clinic.standards.filter(measure="told_arrived")
    assert f"{standard.name}: cannot be counted now." in words
