"""The institute's phone, and a referral that is taken back: the patient hears of it once, from us."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from journeys.models import Step, StepKind, StepStatus
from outreach.actions import open_tasks, plan_attempts
from outreach.dispatch import dispatch
from outreach.models import Attempt
from patients.actions import RefusedError
from patients.models import Patient
from referrals.actions import NewReferral, refer, revoke
from referrals.models import Referral, ReferralStatus
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=4)


@pytest.fixture(autouse=True)
def _texts() -> None:
    call_command("load_catalogue", verbosity=0)
    builders.messages_loaded()


def referred(patient: Patient | None = None, **fields: Any) -> Referral:
    who = patient or builders.patient()
    given = {
        "service": "CT",
        "performer": "Carmel Imaging",
        "expected_at": NOW + timedelta(days=3),
        "hold_refused_because": "wants to wait",
        **fields,
    }
    return refer(NewReferral(patient=who, requester=builders.practitioner(who.clinic), **given), now=NOW)


def browser(referral: Referral) -> Client:
    client = Client()
    client.force_login(builders.user(at=referral.clinic))
    return client


def told() -> list[Step]:
    return list(Step.objects.filter(message_key="referral_revoked", status=StepStatus.ACTIVE))


def test_who_would_go_for_nothing_is_told_so() -> None:
    referral = referred()
    revoke(referral, because="done elsewhere", now=NOW)
    (step,) = told()
    assert (step.kind, step.contact_from) == (StepKind.TELL, NOW)
    assert step.journey.patient == referral.patient
    for tick in (open_tasks, plan_attempts, dispatch):
        tick(now=NOW)
    assert [attempt.task.step for attempt in Attempt.objects.exclude(body="")] == [step]


def test_who_has_been_told_already_gets_no_message() -> None:
    revoke(referred(), because="she rang", now=NOW, is_told=True)
    assert told() == []


@pytest.mark.parametrize(("said", "number"), [({}, 1), ({"is_told": "on"}, 0)])
def test_it_is_taken_back_on_its_page(said: dict[str, str], number: int) -> None:
    referral = referred()
    client = browser(referral)
    with time_machine.travel(NOW, tick=False):
        assert (
            "Take the referral back"
            in client.get(reverse("referral", args=[referral.public_id])).content.decode()
        )
        address = reverse("revoke", args=[referral.public_id])
        assert "Say why" in client.post(address, said, follow=True).content.decode()
        assert told() == []
        client.post(address, {"because": "done elsewhere", **said})
        again = client.post(address, {"because": "again", **said}, follow=True).content.decode()
    referral.refresh_from_db()
    assert (referral.status, referral.ended_because) == (ReferralStatus.REVOKED, "done elsewhere")
    assert "The result came, or somebody took the referral back meanwhile." in again
    assert len(told()) == number


def test_the_institutes_number_is_kept_as_it_can_be_dialled() -> None:
    assert referred(performer_phone="04-833-3333").performer_phone == "+97248333333"
    with pytest.raises(RefusedError, match="12"):
        referred(builders.patient(phone="050-234-9999"), performer_phone="12")


def test_a_late_row_can_be_rung_about() -> None:
    late = referred(performer_phone="04-833-3333")
    with time_machine.travel(LATER, tick=False):
        page = browser(late).get(reverse("results"), {"list": "expected"}).content.decode()
    assert page.count('href="tel:+97248333333"') == 2  # in the row and beside it
    with time_machine.travel(NOW, tick=False):
        page = browser(late).get(reverse("results"), {"list": "expected"}).content.decode()
    assert page.count('href="tel:+97248333333"') == 1


def test_the_next_referral_begins_with_the_same_number() -> None:
    first = referred(performer_phone="04-833-3333")
    page = browser(first).get(reverse("refer", args=[first.patient.public_id])).content.decode()
    assert 'value="+97248333333"' in page
