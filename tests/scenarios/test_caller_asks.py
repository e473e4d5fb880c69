"""S3: a nurse asks for a client of hers whether there is a vaccine. She is answered, and nobody asks what for."""

import re
from datetime import timedelta
from typing import Any

import pytest

from appointments.models import Appointment
from inquiries.models import Inquiry
from inquiries.queries import answered_within, inquiries_visible_to
from journeys.models import Step, StepStatus
from patients.models import Patient, Role
from tests import builders
from tests.scenarios.house import MONDAY, House, run_once

pytestmark = pytest.mark.django_db(transaction=True)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
DESK = Role.RECEPTIONIST


@pytest.fixture
def house() -> House:
    return House(run_once)


def field(page: Any, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]+)"', page.content.decode())
    assert found, page.content.decode()
    return found[1]


def test_a_nurse_asks_and_her_client_comes(house: House) -> None:
    flu = builders.offering(
        house.clinic, stock=12, visit_type=builders.visit_type(house.clinic), other_words="influenza, jab"
    )

    # "Do you have the influenza vaccine?" The answer is there while she speaks.
    begun = house.get(DESK, "/ask/?what=influ", MONDAY)
    asked = f"/ask/?what=do+you+have+the+influenza+vaccine&began={field(begun, 'began').replace('+', '%2B')}"
    page = house.get(DESK, asked, MONDAY + 6 * SECOND)
    text = page.content.decode()
    assert (
        "Flu vaccine: yes, we have it. It costs 80 ₪ at most. Would today 10:40 or tomorrow 09:00 suit you?"
        in text
    )
    assert 'name="payer"' not in text
    assert 'name="insurance"' not in text
    house.post(DESK, "/ask/answered/", MONDAY + 8 * SECOND, said=field(page, "said"))
    inquiry = Inquiry.objects.get()
    assert (inquiry.answered_at, inquiry.name, inquiry.payer) == (MONDAY + 8 * SECOND, "", "")
    assert inquiry.answered_at is not None
    assert inquiry.answered_at - inquiry.asked_at == 8 * SECOND

    # Only now: a time, and for whom; she is one who will recommend us, or not.
    path = f"/ask/{inquiry.public_id}/"
    at = MONDAY + 40 * MINUTE
    caller = {"time": f"{house.doctor.pk} {at.isoformat()}", "name": "Noa Levi", "phone": "054-765-4321"}
    house.post(DESK, f"{path}caller/", MONDAY + MINUTE, for_whom="client", **caller)
    house.post(DESK, f"{path}join/", MONDAY + 2 * MINUTE, given_name="Noa", family_name="Levi", language="en")
    house.post(DESK, f"{path}payer/", MONDAY + 3 * MINUTE, payer="insured", insurance="Maccabi")
    inquiry.refresh_from_db()
    visit = Appointment.objects.get()
    assert (visit.start, visit.patient, inquiry.outcome) == (at, Patient.objects.get(), "booked")
    assert (inquiry.for_whom, inquiry.insurance, inquiry.offering) == ("client", "Maccabi", flu)
    house.tick(MONDAY + 4 * MINUTE)
    assert not Step.objects.filter(kind="book", status=StepStatus.ACTIVE).exists()


def test_what_we_do_not_know_is_promised_and_a_broken_promise_is_seen(house: House) -> None:
    page = house.get(DESK, "/ask/?what=tick+vaccine", MONDAY)
    due = MONDAY + HOUR
    promise = {"said": field(page, "said"), "picked": "2026-03-09T11:00", "owner": "me"}
    house.post(DESK, "/ask/promised/", MONDAY + MINUTE, **promise)
    inquiry, step = Inquiry.objects.get(), Step.objects.get()
    caller = {"name": "Ira", "phone": "054-765-4321", "may_call_back": "yes"}
    house.post(DESK, f"/ask/{inquiry.public_id}/caller/", MONDAY + 2 * MINUTE, **caller)
    assert f"item={step.public_id}" in house.get(DESK, "/today/", MONDAY + 3 * MINUTE).content.decode()

    house.tick(due + MINUTE)  # nobody called back
    step.refresh_from_db()
    assert step.owner_role == "manager"
    late = house.get(Role.MANAGER, f"/today/?item={step.public_id}", due + 2 * MINUTE).content.decode()
    assert f"/ask/{inquiry.public_id}/" in late

    builders.offering(house.clinic, stock=2, names={"en": "Tick vaccine"})
    page = house.get(Role.MANAGER, f"/ask/?for={inquiry.public_id}", due + 3 * MINUTE)
    path = f"/ask/{inquiry.public_id}/answered/"
    house.post(Role.MANAGER, path, due + 5 * MINUTE, said=field(page, "said"))
    inquiry.refresh_from_db()
    step.refresh_from_db()
    assert (inquiry.answered_at, step.outcome) == (due + 5 * MINUTE, "kept")
    ledger = house.get(Role.MANAGER, "/reports/ledgers/", due + 6 * MINUTE).content.decode()
    assert "tick vaccine" in ledger  # kept, and too late

    # She had gone elsewhere by then, and we know why.
    house.post(
        DESK, f"/ask/{inquiry.public_id}/end/", due + HOUR, because="slow", words="I called another clinic"
    )
    inquiry.refresh_from_db()
    assert (inquiry.outcome, inquiry.lost_because) == ("lost", "slow")
    took = answered_within(inquiries_visible_to(house.staff[Role.MANAGER]))
    assert took == {"": [HOUR + 5 * MINUTE]}
