"""The numbers that matter: counted where they happened, in 28 days and the 28 before, each one click from its names."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic_journey.models import VisitValue
from clinic_journey.reports.money import at_risk
from clinic_journey.reports.money_actions import set_visit_value
from clinic_journey.reports.numbers import (
    Figure,
    both_spans,
    called_unchanged,
    last_days,
    nothing_planned,
)
from clinic_journey.reports.standards_actions import load_standards
from journeys.actions import cancel_steps
from journeys.chases import log_chase
from journeys.models import Journey, JourneyTemplate, StepKind
from outreach.models import AttemptStatus, Reply
from patients.models import AuditEvent, Channel, Clinic, Patient, Role
from tests import builders
from tests.clinic_journey.reports.measured import HOUR, everything, sent, step, whose
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
DAY = timedelta(days=1)
PAGE, NAMES, VALUE = "/reports/", "/reports/names/", "/reports/value/"


@pytest.fixture
def clinic() -> Clinic:
    made = builders.clinic()
    load_standards([made])
    return made


def manager(clinic: Clinic, role: str = Role.MANAGER) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(builders.user(role, at=clinic))
    return client


def test_the_last_28_days_end_now_and_the_28_before_end_where_they_begin(clinic: Clinic) -> None:
    lately, before = last_days(clinic, now=NOW)
    assert (lately.until, before.until) == (NOW, lately.since)
    assert f"{lately.since:%F %R} {before.since:%F %R}" == "2026-02-09 22:00 2026-01-12 22:00"


def test_chases_are_counted_for_each_hundred_journeys_that_began(clinic: Clinic) -> None:
    for days in (1, 2, 40):
        about = builders.step(builders.journey(builders.patient(clinic), now=NOW - DAY * days))
        if days != 2:
            log_chase(about, now=NOW - DAY * days + HOUR)
    assert both_spans("chases", clinic, now=NOW) == (Figure(50.0, 2, 1), Figure(100.0, 1, 1))


def test_half_of_the_patients_heard_of_their_result_within_this_time(clinic: Clinic) -> None:
    for hours in (1, 2, 30):
        about = step(clinic, StepKind.TELL, message_key="result_arrived")
        about.opened_at = NOW - HOUR * 48
        about.save()
        sent(about, NOW - HOUR * 48 + HOUR * hours)
    assert both_spans("told", clinic, now=NOW) == (Figure(2.0, 3), Figure(None, 0))


def test_who_has_not_heard_yet_stands_beside_how_long_it_took(clinic: Clinic) -> None:
    for n in range(3):
        about = step(clinic, StepKind.TELL, message_key="result_arrived")
        about.opened_at = NOW - HOUR * 48
        about.save()
        if n == 0:
            sent(about, NOW - HOUR * 46)
    cancel_steps([step(clinic, StepKind.TELL, message_key="result_arrived")], now=NOW)
    assert both_spans("told", clinic, now=NOW)[0] == Figure(2.0, 1, still=2)
    page = manager(clinic).get(PAGE).content.decode()
    assert "2 not told yet" in page
    assert "Half of those who have heard of their result" in page
    assert "Of all referrals, for images or anything else" in page
    assert "Sent for images" not in page


def invited(clinic: Clinic, days_ago: int, *, comes_after: int | None) -> Patient:
    about = step(clinic, StepKind.RECALL)
    at = NOW - DAY * days_ago
    sent(about, at)
    if comes_after is not None:
        builders.appointment(whose(about), start=at + DAY * comes_after, status="fulfilled")
    return whose(about)


def test_who_came_within_15_days_of_the_first_contact_has_returned(clinic: Clinic) -> None:
    invited(clinic, 20, comes_after=14)
    late = invited(clinic, 20, comes_after=16)
    invited(clinic, 10, comes_after=1)  # its 15 days are not over
    invited(clinic, 50, comes_after=2)
    assert both_spans("returned", clinic, now=NOW) == (Figure(50, 2, 1), Figure(100, 1, 1))
    page = manager(clinic).get(f"{NAMES}?number=returned")
    assert [line.patient for line in page.context["lines"]] == [late]


def test_a_second_try_is_no_first_contact(clinic: Clinic) -> None:
    about = step(clinic, StepKind.BOOK)
    task = builders.task(about, plan_from=None)
    for days in (50, 20):
        at = NOW - DAY * days
        made: dict[str, Any] = {
            "status": AttemptStatus.DELIVERED,
            "send_at": at,
            "called_at": at,
            "sent_at": at,
        }
        builders.attempt(task, **made)
    assert [figure.n for figure in both_spans("returned", clinic, now=NOW)] == [0, 1]


def test_held_visits_that_took_place(clinic: Clinic) -> None:
    for status, days in (("fulfilled", 1), ("cancelled", 2), ("fulfilled", 40), ("fulfilled", -1)):
        referral = builders.referral(builders.patient(clinic))
        builders.appointment(
            referral.patient, awaits=referral.step, start=NOW - DAY * days, status=status, ended_because="Ill"
        )
    builders.appointment(builders.patient(clinic), start=NOW - DAY, status="fulfilled")  # was never a hold
    assert both_spans("holds", clinic, now=NOW) == (Figure(50, 2, 1), Figure(100, 1, 1))
    page = manager(clinic).get(f"{NAMES}?number=holds")
    assert [line.words for line in page.context["lines"]] == ["Ill"]


def test_an_open_journey_in_which_nothing_is_planned_is_shown(clinic: Clinic) -> None:
    lost = builders.journey(builders.patient(clinic))
    builders.step(lost, status="completed", completed_at=NOW, outcome="done")
    step(clinic, StepKind.BOOK)
    builders.journey(builders.patient())  # of another clinic
    assert list(nothing_planned(clinic)) == [lost]
    page = manager(clinic).get(f"{NAMES}?number=nothing_planned")
    assert [line.patient for line in page.context["lines"]] == [lost.patient]


def called(clinic: Clinic, days_ago: float = 3) -> Patient:
    about = step(clinic, StepKind.BOOK)
    at = NOW - DAY * days_ago
    made: dict[str, Any] = {"send_at": at, "called_at": at, "channel": Channel.PHONE, "outcome": "no_answer"}
    task = builders.task(about, plan_from=None)
    builders.attempt(task, status=AttemptStatus.FAILED, **made)
    return whose(about)


def test_called_in_14_days_and_nothing_has_changed_since(clinic: Clinic) -> None:
    same, answered, booked, done, older = (called(clinic, days) for days in (3, 3, 3, 3, 15))
    Reply.objects.create(clinic=clinic, patient=answered, channel="sms", at=NOW - DAY, body="Yes?")
    builders.appointment(booked, made_at=NOW - DAY)
    ended: dict[str, Any] = {"status": "completed", "completed_at": NOW, "outcome": "done"}
    builders.step(Journey.objects.get(patient=done), **ended)
    found = [attempt.patient for attempt in called_unchanged(clinic, now=NOW)]
    assert found == [same]
    assert older not in found


def test_only_the_last_call_to_a_patient_is_listed(clinic: Clinic) -> None:
    patient = called(clinic, 5)
    about = builders.step(Journey.objects.get(patient=patient))
    made: dict[str, Any] = {"send_at": NOW - DAY, "called_at": NOW - DAY, "channel": Channel.PHONE}
    last = builders.attempt(builders.task(about, plan_from=None), status=AttemptStatus.FAILED, **made)
    assert list(called_unchanged(clinic, now=NOW)) == [last]


def test_no_money_is_spoken_of_before_a_manager_said_what_a_visit_is_worth(clinic: Clinic) -> None:
    step(clinic, StepKind.BOOK, opened_at=NOW - DAY)
    assert at_risk(clinic, now=NOW) is None
    client = manager(clinic)
    assert "Say what a visit is worth" in client.get(PAGE).content.decode()
    assert client.post(VALUE, {"amount": "400", "currency": "ILS"}).status_code == 302
    page = client.get(PAGE).content.decode()
    assert "8 ₪ to 31 ₪" in page
    assert "assumed" in page
    assert AuditEvent.objects.filter(what="visitvalue", action="create").count() == 1


def test_a_price_of_the_type_of_visit_stands_before_the_clinics_own_value(clinic: Clinic) -> None:
    set_visit_value(clinic, Decimal(100), "ILS")
    kind = builders.visit_type(clinic)
    builders.offering(clinic, visit_type=kind, price=1000, currency="ILS")
    builders.offering(clinic, visit_type=kind, price=5000, currency="USD")  # another money says nothing
    referral = builders.referral(builders.patient(clinic), now=NOW - DAY)
    builders.appointment(referral.patient, awaits=referral.step, visit_type=kind)
    step(clinic, StepKind.BOOK, opened_at=NOW - DAY)
    step(clinic, StepKind.RECALL)  # months away
    risk = at_risk(clinic, now=NOW)
    assert risk
    assert [(row.people, row.worth) for row in risk.rows] == [(2, Decimal(1100))]


def test_the_clinics_own_losses_stand_before_the_default(clinic: Clinic) -> None:
    set_visit_value(clinic, Decimal(1000), "ILS")
    step(clinic, StepKind.BOOK, opened_at=NOW - DAY)
    template = JourneyTemplate.objects.create(key="treatment", checksum="x")
    lost: dict[str, Any] = {"status": "cancelled", "lost_because": "own_words", "lost_words": "No, thank you"}
    for n in range(30):
        end: dict[str, Any] = lost if n % 3 == 0 else {"status": "completed"}
        dates: dict[str, Any] = {"now": NOW - DAY * 30, "ended_at": NOW - DAY * 20}
        builders.journey(builders.patient(clinic), template=template, **dates, **end)
    for _merged in range(30):  # a record that was merged tells nothing
        builders.journey(builders.patient(clinic), template=template, **dates, status="cancelled")
    risk = at_risk(clinic, now=NOW)
    assert risk
    assert (risk.is_default, risk.rows[0].rate.percents) == (False, (21, 48))


@pytest.mark.parametrize("fields", [{"amount": 0}, {"currency": "XXX"}])
def test_the_database_keeps_the_value_of_a_visit_sound(clinic: Clinic, fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        VisitValue.objects.create(**{"clinic": clinic, "amount": 5, "currency": "ILS", **fields})


@pytest.mark.parametrize(
    "given", [{"amount": "0", "currency": "ILS"}, {"amount": "5", "currency": "XXX"}, {}]
)
def test_nonsense_about_money_changes_nothing(clinic: Clinic, given: dict[str, str]) -> None:
    assert manager(clinic).post(VALUE, given).status_code == 302
    assert not VisitValue.objects.exists()


@pytest.mark.parametrize("times", [1, 3])
def test_the_page_costs_as_many_statements_whatever_there_is(clinic: Clinic, times: int) -> None:
    set_visit_value(clinic, Decimal(100), "ILS")
    for n in range(times):
        everything(clinic)
        called(clinic, 3)
        invited(clinic, 20, comes_after=1)
        log_chase(step(clinic, StepKind.BOOK), now=NOW - DAY * (n + 1))
    client = manager(clinic)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(PAGE).status_code == 200
    assert len([each for each in seen if each["sql"].startswith("SELECT")]) == 44


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("number", ["unchanged", "at_risk"])
def test_names_cost_as_many_statements_at_one_row_as_at_three(clinic: Clinic, number: str, rows: int) -> None:
    for _n in range(rows):
        called(clinic)
    client = manager(clinic)
    with CaptureQueriesContext(connection) as seen:
        assert len(client.get(f"{NAMES}?number={number}").context["lines"]) == rows
    assert len([each for each in seen if each["sql"].startswith("SELECT")]) == 8


def test_names_are_paged_by_key_and_each_is_shown_once(clinic: Clinic) -> None:
    made = [called(clinic, 1 + n / 10) for n in range(26)]
    client = manager(clinic)
    first = client.get(f"{NAMES}?number=unchanged")
    second = client.get(f"{NAMES}?number=unchanged&after={first.context['more']}")
    assert [line.patient for page in (first, second) for line in page.context["lines"]] == made
    assert client.get(f"{NAMES}?number=weather").status_code == 404


@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.DOCTOR])
def test_money_and_numbers_are_for_managers(clinic: Clinic, role: Role) -> None:
    client = manager(clinic, role)
    assert {client.get(path).status_code for path in (PAGE, NAMES)} == {403}
    assert client.post(VALUE, {"amount": "5", "currency": "ILS"}).status_code == 403
