"""The managers' screens of standards: the list, one standard with its breaches by name, and how strict it is."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic_journey.models import Standard
from clinic_journey.reports.numbers_days import LONGEST
from clinic_journey.reports.standards_actions import load_standards
from clinic_journey.reports.standards_file import SHIPPED, StandardsError, read_standards
from clinic_journey.reports.standards_measures import MEASURES
from clinic_journey.reports.standards_words import limit_words
from clinic_journey.reports.tasks import rebuild_standard_days
from journeys.deadlines import Limit, Unit
from journeys.models import StepKind
from patients.models import AuditEvent, Clinic, Role
from tests import builders
from tests.clinic_journey.reports.measured import HOUR, MAKE, done, step, whose
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
LIST = "/reports/standards/"


@pytest.fixture
def clinic() -> Clinic:
    made = builders.clinic()
    load_standards([made])
    return made


def manager(clinic: Clinic, role: str = Role.MANAGER) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(builders.user(role, at=clinic))
    return client


def one(clinic: Clinic, key: str) -> tuple[Standard, str]:
    found = clinic.standards.get(key=key)
    return found, f"{LIST}{found.pk}/"


def test_the_list_says_how_each_standard_is_kept_and_what_nothing_is_known_of(clinic: Clinic) -> None:
    MAKE["told_arrived"](clinic, met=True)
    MAKE["told_arrived"](clinic, met=False)
    next_one = whose(step(clinic, StepKind.PROMISE, due_at=NOW + HOUR))
    page = manager(clinic).get(LIST).content.decode()
    assert "1 of 2" in page
    assert "below the goal" in page
    assert "No visit was counted yet." in page
    assert "within 1 working hour after a result arrives" in page
    assert f"/patients/{next_one.public_id}/" in page
    assert "Mon 9.3 11:00" in page


@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.DOCTOR])
def test_only_managers_see_them(clinic: Clinic, role: Role) -> None:
    standard, address = one(clinic, "decided")
    client = manager(clinic, role)
    assert client.get(LIST).status_code == 403
    assert client.post(address, {"goal": 50}).status_code == 403
    standard.refresh_from_db()
    assert standard.goal == 90


def test_a_clinic_without_standards_takes_ours_with_one_press() -> None:
    clinic = builders.clinic()
    client = manager(clinic)
    assert "No standards yet" in client.get(LIST).content.decode()
    assert client.post(LIST).status_code == 302
    assert clinic.standards.count() == 14


def test_a_breach_leads_to_its_patient_and_a_day_to_its_breaches(clinic: Clinic) -> None:
    patient = MAKE["told_arrived"](clinic, met=False)
    assert patient
    _standard, address = one(clinic, "told_arrived")
    client = manager(clinic)
    page = client.get(address).content.decode()
    assert f"/patients/{patient.public_id}/" in page
    assert "Sun 8.3 11:00" in page  # by when
    assert 'href="?day=2026-03-08"' in page
    assert str(patient.public_id) in client.get(f"{address}?day=2026-03-08").content.decode()
    assert str(patient.public_id) not in client.get(f"{address}?day=2026-03-07").content.decode()
    looked = AuditEvent.objects.filter(what="standard", action="list").order_by("pk")
    assert list(looked.values_list("rows", flat=True)) == [1, 1, 0]


def test_breaches_are_paged_by_key_and_each_is_shown_once(clinic: Clinic) -> None:
    made = [step(clinic, StepKind.PROMISE, due_at=NOW - HOUR) for _n in range(26)]
    _standard, address = one(clinic, "promise_kept")
    client = manager(clinic)
    first = client.get(address)
    second = client.get(f"{address}?after={first.context['after']}")
    shown = [breach.verdict.case.key for page in (first, second) for breach in page.context["breaches"]]
    assert shown == sorted((each.pk for each in made), reverse=True)
    assert second.context["after"] == ""
    assert client.get(f"{address}?after=nonsense").context["breaches"] == []


@pytest.mark.parametrize("rows", [1, 3])
def test_one_standard_costs_as_many_statements_at_one_breach_as_at_three(clinic: Clinic, rows: int) -> None:
    for _n in range(rows):
        MAKE["promise_kept"](clinic, met=False)
    _standard, address = one(clinic, "promise_kept")
    client = manager(clinic)
    with CaptureQueriesContext(connection) as seen:
        assert len(client.get(address).context["breaches"]) == rows
    assert len([each for each in seen if each["sql"].startswith("SELECT")]) == 18


def test_a_manager_makes_a_standard_stricter_and_the_trail_says_so(clinic: Clinic) -> None:
    standard, address = one(clinic, "decided")
    given = {"amount": 4, "unit": "working_hours", "goal": 99, "is_on": "on"}
    assert manager(clinic).post(address, given).status_code == 302
    standard.refresh_from_db()
    assert (standard.limit, standard.goal, standard.is_on) == (Limit(4, Unit.WORKING_HOURS), 99, True)
    event = AuditEvent.objects.get(what="standard", action="change")
    assert (event.before, event.after) == (
        {"goal": 90, "limit_amount": 1, "limit_unit": "working_days"},
        {"goal": 99, "limit_amount": 4, "limit_unit": "working_hours"},
    )


@pytest.mark.parametrize(
    "given",
    [
        {"amount": 99, "unit": "days", "goal": 90},
        {"amount": 0, "unit": "days", "goal": 90},
        {"amount": 1, "unit": "months", "goal": 90},
        {"amount": 1, "unit": "days", "goal": 101},
        {},
    ],
)
def test_nonsense_is_refused_with_its_reason(clinic: Clinic, given: dict[str, object]) -> None:
    standard, address = one(clinic, "decided")
    answer = manager(clinic).post(address, given)
    assert answer.status_code == 422
    assert "errorlist" in answer.content.decode()
    standard.refresh_from_db()
    assert (standard.goal, standard.limit) == (90, Limit(1, Unit.WORKING_DAYS))


def test_one_switched_off_is_listed_apart_and_not_counted(clinic: Clinic) -> None:
    standard, address = one(clinic, "card")
    client = manager(clinic)
    assert client.post(address, {"goal": 95, "off_because": "By letter"}).status_code == 302
    assert "Not counted" in client.get(LIST).content.decode()
    assert client.get(address).status_code == 200
    assert standard.name in client.get(LIST).content.decode()


def test_each_night_writes_the_days_of_every_clinic(clinic: Clinic) -> None:
    load_standards([builders.clinic()])
    assert rebuild_standard_days() == 2 * (14 * 56 + sum(LONGEST.values()))


def test_the_command_refuses_what_is_no_clinic(clinic: Clinic) -> None:
    with pytest.raises(CommandError):
        call_command("rebuild_standard_days", clinic="nowhere")


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ('limit = "1 working hour"', "its measure needs a limit"),
        ('source = "visit"', "its measure is asked about after 'visit'"),
        ('measure = "card"', "no measure is called"),
        ("goal = 98", "goal is a percentage"),
        ("foundation = 9", "foundation is a number"),
        ('limit = "24 hours"', '"soon" is no limit'),
    ],
)
def test_a_faulty_catalogue_says_what_is_wrong_and_nothing_is_loaded(
    tmp_path: Path, changed: str, fault: str
) -> None:
    wrong = {
        'limit = "1 working hour"': "",
        'source = "visit"': 'source = "result"',
        'measure = "card"': 'measure = "weather"',
        "goal = 98": "goal = 980",
        "foundation = 9": "foundation = 90",
        'limit = "24 hours"': 'limit = "soon"',
    }[changed]
    file = tmp_path / "standards.toml"
    file.write_text(SHIPPED.read_text(encoding="utf-8").replace(changed, wrong), encoding="utf-8")
    with pytest.raises(StandardsError) as caught:
        read_standards(file)
    assert any(fault in each for each in caught.value.faults)
    with pytest.raises(CommandError, match="Nothing was loaded"):
        call_command("load_standards", str(file))


def test_every_measure_says_what_it_counts_and_the_page_repeats_it(clinic: Clinic) -> None:
    assert all(str(measure.counts) for measure in MEASURES.values())
    late = clinic.standards.get(key="apology_first")
    page = manager(clinic).get(f"{LIST}{late.pk}/").content.decode()
    assert "Steps that are late and for which the journey plans an apology" in page
    assert "late steps are not counted here." in page


def test_limits_are_said_in_words() -> None:
    assert [
        limit_words(each)
        for each in (None, Limit(1, Unit.HOURS), Limit(2, Unit.DAYS), Limit(1, Unit.SAME_DAY))
    ] == [
        "",
        "1 hour",
        "2 days",
        "the same day",
    ]


def test_a_promise_that_was_kept_is_no_breach(clinic: Clinic) -> None:
    done(step(clinic, StepKind.PROMISE, due_at=NOW), NOW - timedelta(hours=1), "kept")
    _standard, address = one(clinic, "promise_kept")
    assert "It was kept every time." in manager(clinic).get(address).content.decode()
