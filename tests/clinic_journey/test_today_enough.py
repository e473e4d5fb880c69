"""In Today: the limit of contacts is said before one more is made, with the field for the reason."""

import pytest
from django.utils.html import escape

from outreach.models import Attempt, AttemptStatus
from patients.models import Clinic
from tests import builders
from tests.clinic_journey.test_today import desk, post
from tests.conftest import NOW
from tests.outreach.test_enough import one_today

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
CALL, WRITE = "Call beyond the clinic’s own limit", "Message beyond the clinic’s own limit"


def a_day_that_is_full(**fields: object) -> Clinic:
    builders.messages_loaded()
    return builders.clinic(**{"contacts_a_day": 1, **fields})


def test_the_clinics_own_limit_is_said_with_a_field_for_the_reason() -> None:
    clinic = a_day_that_is_full()
    step = one_today(builders.patient(clinic, phone="+972502345678"))
    client = desk(clinic)
    page = client.get(f"/today/?item={step.public_id}").content.decode()
    assert CALL in page
    assert WRITE in page
    assert "One more is counted, with your reason." in page
    refused = post(client, step, outcome="message")
    assert refused.status_code == 409
    assert escape("The clinic's own limit of contacts is reached") in refused.content.decode()
    assert post(client, step, outcome="message", because="she asks").status_code == 302
    assert Attempt.objects.get(status=AttemptStatus.PLANNED).why.endswith("|she asks")


def test_a_call_inside_her_hours_asks_the_reason_all_the_same() -> None:
    clinic = a_day_that_is_full()
    step = one_today(builders.patient(clinic, phone="+972502345678"))
    client = desk(clinic)
    assert post(client, step, "call").status_code == 409
    assert post(client, step, "call", because="the doctor asked").status_code == 302
    assert Attempt.objects.get(status=AttemptStatus.SENDING).why == "|the doctor asked"


def test_what_the_law_forbids_is_offered_to_nobody() -> None:
    clinic = a_day_that_is_full(country="US", time_zone="Asia/Jerusalem")
    step = one_today(builders.patient(clinic, phone="+972502345678"))
    page = desk(clinic).get(f"/today/?item={step.public_id}").content.decode()
    assert "The rules of the country allow no more calls" in page
    assert "The rules of the country allow no more messages" in page
    assert CALL not in page
    assert WRITE not in page


def test_below_the_limit_the_buttons_are_as_ever() -> None:
    builders.messages_loaded()
    clinic = builders.clinic()
    step = one_today(builders.patient(clinic, phone="+972502345678"))
    page = desk(clinic).get(f"/today/?item={step.public_id}").content.decode()
    assert CALL not in page
    assert WRITE not in page
    assert "Send the message" in page


def test_the_manager_sees_how_often_and_why() -> None:
    clinic = a_day_that_is_full()
    step = one_today(builders.patient(clinic, phone="+972502345678"))
    client = desk(clinic)
    post(client, step, "call", because="the doctor asked")
    post(client, step, outcome="no_answer")
    manager = builders.user("manager", at=clinic)
    client.force_login(manager)
    assert "contacts by hand in 14 days beyond" in client.get("/reports/").content.decode()
    assert "the doctor asked" in client.get("/reports/names/?number=beyond").content.decode()
