"""An answer in writing on the page of its question: whether it arrived, and what came back."""

import pytest
from django.test import Client

from inquiries.models import Inquiry
from journeys.models import Step
from outreach.channels.inbound import Said
from outreach.models import Reply
from outreach.replies import receive_reply
from patients.models import Clinic, Role
from tests import builders
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(language="en")


@pytest.fixture
def desk(clinic: Clinic) -> Client:
    return logged_in(Role.RECEPTIONIST, clinic, reads="en")


@pytest.mark.parametrize(
    ("became", "words"),
    [
        ({"status": "delivered"}, "it arrived"),
        (
            {"status": "failed", "trouble": "The provider is busy."},
            "It did not arrive: The provider is busy.",
        ),
    ],
)
def test_the_page_says_whether_the_answer_arrived(
    desk: Client, clinic: Clinic, became: dict[str, str], words: str
) -> None:
    answer = builders.sent_answer(builders.inquiry(clinic), **became)
    assert words in desk.get(f"/ask/{answer.inquiry.public_id}/").content.decode()


def test_what_is_written_back_stands_with_its_question(desk: Client, clinic: Clinic) -> None:
    answer = builders.sent_answer(builders.inquiry(clinic))
    page = f"/ask/{answer.inquiry.public_id}/"
    receive_reply(Said("sms", "phone", "+972547654329", "Who is this?", at=NOW), now=NOW)
    assert "What came back" not in desk.get(page).content.decode()
    receive_reply(Said("sms", "phone", answer.value, "And on Friday?", at=NOW), now=NOW)
    shown = desk.get(page).content.decode()
    matter = Reply.objects.latest("pk").matter
    assert matter
    place = f"/inbox/unknown/{matter.public_id}/"
    assert "And on Friday?" in shown
    assert "waits for an answer" in shown
    assert place in shown
    assert page in desk.get(place).content.decode()
    assert place in desk.get(f"/today/?item={matter.public_id}").content.decode()
    desk.post(f"{place}nothing/")
    assert "waits for an answer" not in desk.get(page).content.decode()


def test_an_answer_that_did_not_arrive_is_told_even_to_who_is_our_patient_by_now(
    desk: Client, clinic: Clinic
) -> None:
    answer = builders.sent_answer(
        builders.inquiry(clinic), status="failed", trouble="The provider refuses the message."
    )
    Step.objects.filter(pk=answer.step_id).update(status="active", completed_at=None, outcome="", due_at=NOW)
    patient = builders.patient(clinic)
    Inquiry.objects.update(patient=patient, journey=builders.journey(patient), outcome="joined")
    page = f"/ask/{answer.inquiry.public_id}/"
    shown = desk.get(page).content.decode()
    assert "Told by word of mouth" in shown
    assert "Send this answer" not in shown
    desk.post(f"{page}send/", {"told": "1"})
    answer.step.refresh_from_db()
    assert answer.step.status == "completed"
