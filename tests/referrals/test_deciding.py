"""Who may decide a result, and how the step that asks for another referral is made and ended: no other way."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from clinic_journey.api import router
from journeys import actions
from journeys.actions import NewJourney
from journeys.models import Journey, Step, StepKind, StepStatus
from patients.actions import StaleStateError
from patients.models import Membership, Patient, Role
from referrals.actions import NewReferral, refer
from referrals.models import Referral, Result
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def a_result(patient: Patient | None = None) -> Result:
    """Arrived, and on the doctor's desk."""
    call_command("load_catalogue", verbosity=0)
    who = patient or builders.patient()
    journey = actions.start_journey(who, NewJourney("imaging_treatment"), now=NOW)
    waiting = journey.steps.get(kind=StepKind.AWAIT_RESULT)
    actions.complete_step(waiting, "received", now=NOW)
    referral = builders.referral(who, journey=journey, step=waiting)
    review = journey.steps.get(kind=StepKind.REVIEW)
    document = builders.document(who.clinic)
    return referral.results.create(document=document, source_id="x", received_at=NOW, review=review)


def press(role: str, result: Result, decision: str) -> int:
    client = Client()
    client.force_login(builders.user(role, at=result.referral.clinic))
    return client.post(reverse("decide", args=[result.public_id]), {"decision": decision}).status_code


@pytest.mark.parametrize(
    ("role", "code", "decision"),
    [
        (Role.RECEPTIONIST, 403, ""),
        (Role.DOCTOR, 302, "more_tests"),
        (Role.MANAGER, 302, "more_tests"),
        (Role.ADMIN, 302, "more_tests"),
    ],
)
def test_a_result_is_decided_by_a_doctor_a_manager_or_an_admin(role: str, code: int, decision: str) -> None:
    result = a_result()
    assert press(role, result, "more_tests") == code
    result.refresh_from_db()
    assert (result.decision, bool(result.decided_by)) == (decision, bool(decision))


def test_the_role_in_another_clinic_decides_nothing_here() -> None:
    result = a_result()
    doctor = builders.user(Role.DOCTOR, at=builders.clinic())
    Membership.objects.create(user=doctor, clinic=result.referral.clinic, role=Role.RECEPTIONIST)
    client = Client()
    client.force_login(doctor)
    assert client.post(reverse("decide", args=[result.public_id]), {"decision": "treat"}).status_code in {
        403,
        404,
    }
    result.refresh_from_db()
    assert result.decision == ""


def test_no_decision_that_does_not_exist() -> None:
    assert press(Role.DOCTOR, a_result(), "wait_and_see") == 404


@pytest.mark.parametrize("code", ["treat", "no_treatment", "done", "referred"])
def test_a_review_is_not_ended_from_today(code: str) -> None:
    result = a_result()
    client = Client()
    client.force_login(builders.user(Role.MANAGER, at=result.referral.clinic))
    assert result.review is not None
    client.post(reverse("finish", args=[result.review.public_id]), {"outcome": code})
    result.review.refresh_from_db()
    assert result.review.status == StepStatus.ACTIVE


def test_the_api_decides_nothing() -> None:
    names = {str(getattr(pattern, "name", "")) for pattern in router.urls}
    assert "api-document-match" in names  # what it does do is named so
    assert not [name for name in names if "decide" in name or "review" in name]


class TestReferringAgain:
    """Only the doctor's decision asks for another referral, and only that referral, or her refusal, answers."""

    @pytest.fixture
    def asked(self) -> Step:
        result = a_result()
        assert press(Role.DOCTOR, result, "more_tests") == 302
        return Step.objects.get(kind=StepKind.REFER)

    def new(self, asked: Step) -> NewReferral:
        assert asked.journey.patient is not None
        return NewReferral(
            patient=asked.journey.patient,
            requester=builders.practitioner(asked.clinic),
            service="CT",
            expected_at=NOW + timedelta(days=3),
            hold_refused_because="she will call",
            answers=asked,
        )

    def finish(self, asked: Step, said: dict[str, str], by: User | None = None) -> Step:
        client = Client()
        client.force_login(by or builders.user(at=asked.clinic))
        client.post(reverse("finish", args=[asked.public_id]), said)
        asked.refresh_from_db()
        return asked

    def test_other_decisions_ask_for_none(self) -> None:
        for decision in ("treat_other", "no_treatment", "call_today"):
            press(Role.DOCTOR, a_result(), decision)
        assert not Step.objects.filter(kind=StepKind.REFER).exists()

    def test_the_referral_ends_it(self, asked: Step) -> None:
        made = refer(self.new(asked), now=NOW)
        asked.refresh_from_db()
        assert (asked.outcome, made.journey_id == asked.journey_id) == ("referred", False)

    def test_what_is_kept_from_the_parents_stays_so_in_the_next_referral(self, asked: Step) -> None:
        assert not refer(self.new(asked), now=NOW).journey.is_confidential
        kept = builders.step(
            builders.journey(asked.journey.patient, is_confidential=True), kind=StepKind.REFER
        )
        assert refer(self.new(kept), now=NOW).journey.is_confidential

    def test_it_is_not_called_referred_without_a_referral(self, asked: Step) -> None:
        assert self.finish(asked, {"outcome": "referred"}).status == StepStatus.ACTIVE

    def test_a_refusal_needs_the_patients_words(self, asked: Step) -> None:
        rina = builders.user(at=asked.clinic)
        assert self.finish(asked, {"outcome": "declined"}, rina).status == StepStatus.ACTIVE
        ended = self.finish(asked, {"outcome": "declined", "note": "I had one last week"}, rina)
        assert (ended.outcome, ended.note) == ("declined", "I had one last week")

    def test_a_second_referral_for_the_same_step_is_refused_whole(self, asked: Step) -> None:
        refer(self.new(asked), now=NOW)
        journeys, referrals = Journey.objects.count(), Referral.objects.count()
        with pytest.raises(StaleStateError):
            refer(self.new(asked), now=NOW)
        assert (Journey.objects.count(), Referral.objects.count()) == (journeys, referrals)

    def test_another_patients_step_is_not_answered(self, asked: Step) -> None:
        other = builders.patient(asked.clinic, phone="050-234-9999")
        client = Client()
        client.force_login(builders.user(at=asked.clinic))
        doctor = builders.practitioner(asked.clinic)
        typed = {
            "step": asked.public_id,
            "practitioner": doctor.pk,
            "template_key": "imaging_treatment",
            "title": "Tooth 36",
            "service": "CT",
            "performer": "Carmel Imaging",
            "expected_on": "2026-03-12",
            "minutes": "30",
            "hold": "none",
            "hold_refused_because": "she will call",
            "request_key": "k",
        }
        answer = client.post(reverse("refer", args=[other.public_id]), typed)
        asked.refresh_from_db()
        assert (answer.status_code, asked.status) == (302, StepStatus.ACTIVE)
