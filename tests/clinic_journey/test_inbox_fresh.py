"""What came since a page of the inbox was made is told there, and moves nothing."""

from typing import Any

import pytest

from outreach.models import Reply
from patients.models import Clinic
from tests import builders
from tests.clinic_journey.test_inbox import a_writer, at_the_desk, page, wrote
from tests.conftest import NOW
from tests.mails import PNG

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


def ask(clinic: Clinic, since: int, of: object = "", **headers: str) -> Any:
    client, _user = at_the_desk(clinic)
    return client.get(f"/inbox/fresh/?since={since}&of={of}", headers=headers)


def test_it_is_told_once(clinic: Clinic) -> None:
    assert "new" not in ask(clinic, 0).content.decode()
    a_writer(clinic)
    told = ask(clinic, 0)
    assert "1 new" in told.content.decode()
    assert ask(clinic, 0, **{"HX-PTag": told["HX-PTag"]}).status_code == 304
    assert "new" not in ask(clinic, Reply.objects.latest("pk").pk).content.decode()


def test_the_page_asks_for_what_came_after_what_it_shows(clinic: Clinic) -> None:
    a_writer(clinic)
    client, _user = at_the_desk(clinic)
    assert f"?since={Reply.objects.latest('pk').pk}&amp;of=" in page(client)


def test_what_acts_by_itself_is_no_news(clinic: Clinic) -> None:
    patient = a_writer(clinic)
    since = Reply.objects.latest("pk").pk
    wrote("STOP", patient.contacts.get().contact_point.value)
    assert "new" not in ask(clinic, since).content.decode()


def test_an_open_conversation_hears_of_its_patient_alone(clinic: Clinic) -> None:
    dana, noa = builders.patient(clinic, phone="054-765-4321"), a_writer(clinic)
    assert "new" not in ask(clinic, 0, dana.public_id).content.decode()
    assert "1 new" in ask(clinic, 0, noa.public_id).content.decode()


def test_an_open_conversation_hears_of_a_file_that_has_come(clinic: Clinic) -> None:
    """It came with words that stand there already."""
    dana = a_writer(clinic)
    words = Reply.objects.latest("pk")
    builders.enclosed(words, PNG)
    client, _user = at_the_desk(clinic)
    asks = f"since={words.pk}&amp;of={dana.public_id}&amp;files="
    assert f"{asks}1" in client.get(f"/inbox/{dana.public_id}/").content.decode()
    builders.enclosed(words, PNG)
    awaited = builders.enclosed(words)
    told = ask(clinic, words.pk, f"{dana.public_id}&files=1").content.decode()
    assert "1 new" in told
    assert f"{asks}1" in told
    assert awaited.document is None
    assert "new" not in ask(clinic, words.pk, f"{dana.public_id}&files=2").content.decode()


def test_another_clinics_messages_are_not_told(clinic: Clinic) -> None:
    elsewhere = a_writer(builders.clinic())
    assert "new" not in ask(clinic, 0).content.decode()
    assert "new" not in ask(clinic, 0, elsewhere.public_id).content.decode()
