"""Nothing is settled in Today over words of the patient that the row did not show."""

from collections.abc import Iterator
from typing import Any

import pytest

from clinic_journey.models import DeskAction
from journeys.models import Step, StepKind, StepStatus
from outreach.channels.inbound import Said
from outreach.models import Reply
from outreach.replies import receive_reply
from patients.models import AddressKind, Channel, Clinic
from tests import builders
from tests.clinic_journey.test_inbox import a_writer
from tests.clinic_journey.test_today import a_call, desk, post
from tests.conftest import NOW
from tests.scenarios.house import frozen

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _monday_morning() -> Iterator[None]:
    with frozen(NOW):
        yield


@pytest.fixture
def clinic() -> Clinic:
    builders.messages_loaded()
    return builders.clinic()


def a_promise(clinic: Clinic) -> Step:
    return builders.step(builders.journey(builders.patient(clinic)), kind=StepKind.PROMISE, due_at=NOW)


def wrote(step: Step, words: str) -> Reply:
    patient = step.journey.patient
    return Reply.objects.create(clinic=step.clinic, patient=patient, channel="sms", at=NOW, body=words)


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_what_came_meanwhile_is_told_with_the_note_still_in_its_field(clinic: Clinic) -> None:
    step, client = a_promise(clinic), desk(clinic)
    seen = wrote(step, "Is it ready?")
    assert f'name="heard" value="{seen.pk}"' in text_of(client.get(f"/today/{step.public_id}/panel/"))
    newer = wrote(step, "Please do not come <today>")
    said = {"outcome": "kept", "note": "told her by phone", "heard": str(seen.pk)}
    refused = post(client, step, "finish", **said)
    text = text_of(refused)
    assert refused.status_code == 409
    told = text.partition("The patient wrote since:")[2].partition("</div>")[0]
    assert "Please do not come &lt;today&gt;" in told
    assert "Is it ready?" not in told
    assert 'value="told her by phone"' in text
    assert f'name="heard" value="{newer.pk}"' in text
    assert not DeskAction.objects.exists()
    assert post(client, step, "finish", **said | {"heard": str(newer.pk)}).status_code == 302
    step.refresh_from_db()
    assert step.status == StepStatus.COMPLETED


def test_a_page_that_keeps_trying_is_led_to_what_came_and_not_told_it_in_a_cookie(clinic: Clinic) -> None:
    step, client = a_call(clinic), desk(clinic)
    wrote(step, "after five")
    path = f"/today/{step.public_id}/outcome/"
    said = {"outcome": "not_now", "reason": "money", "note": "dear", "on": "2026-03-20", "heard": "0"}
    refused = client.post(path, said, headers={"X-Keeps-Trying": "1"})
    assert "after five" not in str(client.cookies)
    text = text_of(client.get(refused["X-Go-To"]))
    assert "after five" in text.partition("The patient wrote since:")[2].partition("</div>")[0]
    assert 'value="money" required checked' in text
    assert not DeskAction.objects.exists()


@pytest.mark.parametrize("heard", [{}, {"heard": "nonsense"}])
def test_a_page_that_does_not_say_what_it_showed_is_not_refused(
    clinic: Clinic, heard: dict[str, str]
) -> None:
    step = a_promise(clinic)
    wrote(step, "Hello")
    assert post(desk(clinic), step, "finish", outcome="kept", **heard).status_code == 302


def test_the_same_press_again_is_the_save_it_was_whatever_came_since(clinic: Clinic) -> None:
    step, client = a_promise(clinic), desk(clinic)
    said = {"outcome": "kept", "heard": "0", "request_key": "k1"}
    assert post(client, step, "finish", **said).status_code == 302
    wrote(step, "Thank you")
    assert post(client, step, "finish", **said).status_code == 302
    assert DeskAction.objects.count() == 1


def test_who_wrote_gets_an_answer_in_writing_first_and_a_call_second(clinic: Clinic) -> None:
    patient = a_writer(clinic)
    asked = Step.objects.get(kind=StepKind.CALL)
    path, client = f"/today/{asked.public_id}/panel/", desk(clinic)
    page = text_of(client.get(path))
    answer = f'<a class="btn btn-primary" href="/inbox/{patient.public_id}/#answer"'
    assert 0 < page.index(answer) < page.index('data-key="KeyC"')
    assert 'class="btn" data-key="KeyC"' in page
    Reply.objects.update(matter=None)
    page = text_of(client.get(path))
    assert answer not in page
    assert 'btn-primary" data-key="KeyC"' in page


def test_words_of_a_number_nobody_knows_are_not_ended_in_today(clinic: Clinic) -> None:
    """They are read, and answered or given to a patient, on a page of their own."""
    said = Said(
        Channel.SMS, AddressKind.PHONE, "+972509990011", "It hurts, please call", NOW, to=str(clinic.phone)
    )
    receive_reply(said, now=NOW)
    step, client = Step.objects.get(), desk(clinic)
    assert 'name="outcome"' not in text_of(client.get(f"/today/{step.public_id}/panel/"))
    assert post(client, step, "finish", outcome="done").status_code == 409
    step.refresh_from_db()
    assert step.status == StepStatus.ACTIVE
