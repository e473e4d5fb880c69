"""The catalogue as a clinic makes it its own: its standards, its reasons, and whose patients it is kept with."""

from datetime import date
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.test import Client

from clinic_journey.models import Standard, StandardDay
from clinic_journey.reports import standards_actions
from clinic_journey.reports.standards import kept_now
from clinic_journey.reports.standards_actions import load_standards, rebuild_days
from journeys.deadlines import Limit, Unit
from journeys.models import StepKind
from patients.models import AuditEvent, Clinic, Language, Role
from tests import builders
from tests.clinic_journey.reports.measured import HOUR, MAKE, SUNDAY, done, step
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
LIST, OWN = "/reports/standards/", "/reports/standards/own/"
GIVEN: dict[str, Any] = {
    "name": "Decided before lunch",
    "measure": "decided",
    "amount": 3,
    "unit": "working_hours",
    "goal": 80,
    "foundation": 1,
    "routine": "Before lunch: is any result left?",
}


@pytest.fixture
def clinic() -> Clinic:
    made = builders.clinic(language="en")
    load_standards([made])
    return made


def manager(clinic: Clinic, role: str = Role.MANAGER) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(builders.user(role, at=clinic))
    return client


def own(clinic: Clinic, **more: Any) -> Standard:
    answer = manager(clinic).post(OWN, {**GIVEN, **more})
    assert answer.status_code == 302
    return clinic.standards.latest("pk")


def review(clinic: Clinic, hours: int) -> None:
    """A result that came on Sunday at ten, decided so many hours later."""
    done(step(clinic, StepKind.REVIEW), SUNDAY + HOUR * hours, "treat")


def test_a_clinic_adds_a_standard_of_its_own_and_it_is_counted_as_the_others(clinic: Clinic) -> None:
    for hours in (1, 2, 4, 5):
        review(clinic, hours)
    made = own(clinic)
    assert (made.limit, made.goal, made.source, made.is_own) == (
        Limit(3, Unit.WORKING_HOURS),
        80,
        "result",
        True,
    )
    (kept,) = [each for each in kept_now(clinic, now=NOW) if each.standard == made]
    # By hand: two of four within three hours; within a working day, as our own standard has it, all four.
    assert (kept.lately.met, kept.lately.counted) == (2, 4)
    (ours,) = [each for each in kept_now(clinic, now=NOW) if each.standard.key == "decided"]
    assert (ours.lately.met, ours.lately.counted) == (4, 4)
    page = manager(clinic).get(LIST).content.decode()
    assert "Decided before lunch" in page
    assert "within 3 working hours after a result arrives" in page
    assert "2 of 4" in page


def test_each_night_writes_the_days_of_an_own_standard_and_our_catalogue_leaves_it_alone(
    clinic: Clinic,
) -> None:
    review(clinic, 1)
    made = own(clinic)
    load_standards([clinic])
    made.refresh_from_db()
    assert (made.name, made.routine) == ("Decided before lunch", "Before lunch: is any result left?")
    rebuild_days(clinic, now=NOW)
    assert StandardDay.objects.get(standard=made, on=date(2026, 3, 8)).met == 1


def test_its_name_is_read_as_it_was_written_in_every_language(clinic: Clinic) -> None:
    made = own(clinic)
    for language in Language.values:
        page = Client(headers={"accept-language": language})
        page.force_login(builders.user(Role.MANAGER, at=clinic))
        assert "Decided before lunch" in page.get(f"{LIST}{made.pk}/").content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"measure": "weather"},
        {"amount": ""},
        {"amount": 0},
        {"amount": 81},
        {"goal": 101},
        {"foundation": 10},
        {"measure": "card"},
    ],
)
def test_nonsense_is_refused_with_its_reason(clinic: Clinic, wrong: dict[str, object]) -> None:
    answer = manager(clinic).post(OWN, {**GIVEN, **wrong})
    assert answer.status_code == 422
    assert "errorlist" in answer.content.decode()
    assert not clinic.standards.filter(is_own=True).exists()


def test_a_measure_of_yes_or_no_takes_no_limit(clinic: Clinic) -> None:
    made = own(clinic, measure="card", amount="")
    assert (made.limit, made.source) == (None, "visit")


def test_there_is_an_end_to_them(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standards_actions, "MOST_OWN", 1)
    own(clinic)
    answer = manager(clinic).post(OWN, {**GIVEN, "amount": 2})
    assert answer.status_code == 422
    assert "1 standards of your own are the most." in answer.content.decode()


def test_pressed_twice_there_is_one_and_the_page_says_so(clinic: Clinic) -> None:
    own(clinic)
    answer = manager(clinic).post(OWN, GIVEN)
    assert answer.status_code == 422
    assert "A standard of your own counts just this already." in answer.content.decode()
    assert clinic.standards.filter(is_own=True).count() == 1
    other = own(clinic, amount=4)
    said = {"amount": 3, "unit": "working_hours", "goal": 80, "is_on": "on"}
    answer = manager(clinic).post(f"{LIST}{other.pk}/", said)
    assert answer.status_code == 422
    assert "A standard of your own counts just this already." in answer.content.decode()


@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.DOCTOR])
def test_only_managers_add_one(clinic: Clinic, role: str) -> None:
    client = manager(clinic, role)
    assert (client.get(OWN).status_code, client.post(OWN, GIVEN).status_code) == (403, 403)


def test_the_numbers_of_the_first_page_stay_those_of_our_standards(clinic: Clinic) -> None:
    MAKE["leaves_with_date"](clinic, met=True)
    own(clinic, measure="leaves_with_date", amount=1, unit="minutes", name="At once")
    own(clinic, measure="kept_window", amount="", name="In her hours")
    page = manager(clinic).get("/reports/")
    assert [number.key for number in page.context["numbers"]].count("leaves_with_date") == 1
    ours = clinic.standards.get(key="leaves_with_date")
    (number,) = [each for each in page.context["numbers"] if each.key == "leaves_with_date"]
    assert str(ours.pk) in number.names


def test_one_that_is_switched_off_says_why_and_the_trail_keeps_it(clinic: Clinic) -> None:
    found = clinic.standards.get(key="card")
    client = manager(clinic)
    refused = client.post(f"{LIST}{found.pk}/", {"goal": 95})
    assert refused.status_code == 422
    assert "Say why, so that nobody wonders in a year." in refused.content.decode()
    because = "We ask by letter"
    assert client.post(f"{LIST}{found.pk}/", {"goal": 95, "off_because": because}).status_code == 302
    assert because in client.get(LIST).content.decode()
    event = AuditEvent.objects.get(what="standard", action="change")
    assert event.after == {"is_on": False, "off_because": because}
    client.post(f"{LIST}{found.pk}/", {"goal": 95, "is_on": "on", "off_because": because})
    found.refresh_from_db()
    assert (found.is_on, found.off_because) == (True, "")


def test_the_clinics_own_words_stand_instead_of_ours_until_they_are_emptied(clinic: Clinic) -> None:
    found = clinic.standards.get(key="card")
    client, ours = manager(clinic), found.routine
    client.post(f"{LIST}{found.pk}/", {"goal": 95, "is_on": "on", "routine": "Ask at the door."})
    found.refresh_from_db()
    assert found.routine == "Ask at the door."
    client.post(f"{LIST}{found.pk}/", {"goal": 95, "is_on": "on", "routine": ""})
    found.refresh_from_db()
    assert found.routine == ours


@pytest.mark.parametrize("fields", [{"is_on": False}, {"is_on": True, "off_because": "x"}])
def test_a_reason_and_being_off_go_together(clinic: Clinic, fields: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Standard.objects.filter(clinic=clinic, key="card").update(**fields)


def test_standards_that_were_off_before_say_that_nothing_is_known(clinic: Clinic) -> None:
    clinic.standards.filter(key="card").update(is_on=False, off_because="x")
    module = import_module("clinic_journey.migrations.0019_say_why_standards_are_off")
    module.say_nothing_is_known(apps, None)
    assert [*clinic.standards.filter(is_on=False).values_list("key", "off_because")] == [("card", "–")]


def test_one_that_cannot_be_counted_says_so(clinic: Clinic) -> None:
    clinic.standards.filter(key="card").update(measure="weather")
    page = manager(clinic).get(LIST).content.decode()
    assert "Cannot be counted" in page
    assert "This version knows no measure for it." in page


def test_where_none_of_ours_is_counted_no_number_is_made_of_an_own_one(clinic: Clinic) -> None:
    MAKE["kept_window"](clinic, met=True)
    own(clinic, measure="kept_window", amount="", name="In her hours")
    clinic.standards.filter(is_own=False).update(is_on=False, off_because="Not yet")
    keys = [number.key for number in manager(clinic).get("/reports/").context["numbers"]]
    assert keys == ["chases", "told", "returned", "holds"]
