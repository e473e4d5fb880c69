"""Which files that come with words are fetched: each once, and of a stranger few."""

from typing import Any

import pytest

from outreach.enclosed_models import ReplyFile
from outreach.models import Reply
from outreach.unknown_writers import A_DAY, MOST_FILES
from patients.actions import add_address
from patients.models import AddressKind, Patient
from tests import builders
from tests.conftest import NOW
from tests.mails import PNG
from tests.outreach.test_enclosed import by_telegram, by_whatsapp, fetched_at, heard
from tests.standins import telegram
from tests.standins.meta import Meta
from tests.standins.telegram import Telegram

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


@pytest.fixture(autouse=True)
def dana() -> Patient:
    patient = builders.patient(builders.clinic(language="en"))
    add_address(patient, AddressKind.TELEGRAM, "777", rank=2)
    return patient


def changed(number: int = 1, **what: Any) -> None:
    said = {key: value for key, value in telegram.message("").items() if key != "text"}
    edited = {**said, "edit_date": said["date"], **what}
    heard("/hooks/telegram/", telegram.update(number, edited_message=edited))


def test_a_changed_caption_brings_its_file_once(bot: Telegram) -> None:
    bot.files |= {"A": PNG, "B": PNG}
    by_telegram(1, photo=[{"file_id": "A"}], caption="my scna")
    changed(2, photo=[{"file_id": "A"}], caption="my scan")
    assert [file.provider_reference for file in ReplyFile.objects.all()] == ["A"]
    assert "my scan" in Reply.objects.latest("pk").body
    by_telegram(3, photo=[{"file_id": "A"}])  # sent once more, which is no change
    changed(4, photo=[{"file_id": "B"}])  # another in its place
    assert [file.provider_reference for file in ReplyFile.objects.order_by("pk")] == ["A", "A", "B"]


def test_a_change_of_what_was_never_seen_brings_its_file(bot: Telegram) -> None:
    bot.files["A"] = PNG
    changed(photo=[{"file_id": "A"}], caption="my scan")
    assert fetched_at(NOW) == 1


def test_in_whatsapp_too_a_change_brings_no_file_again(whatsapp: Meta, dana: Patient) -> None:
    builders.on_whatsapp(dana)
    sent: dict[str, Any] = {"type": "image", "image": {"id": "A", "caption": "my scna"}}
    by_whatsapp(1, **sent)
    by_whatsapp(2, type="edit", edit={"original_message_id": "wamid.1", "message": sent})
    assert (Reply.objects.count(), ReplyFile.objects.count()) == (2, 1)


def test_a_name_turns_no_reading_direction(bot: Telegram) -> None:
    by_telegram(document={"file_id": "A", "file_name": "photo\u202egpj.exe"})
    assert ReplyFile.objects.get().name == "photogpj.exe"


def test_a_strangers_files_fill_no_disk(bot: Telegram) -> None:
    for number in range(MOST_FILES + 2):
        who = {"id": 999, "first_name": "X", "type": "private"}
        by_telegram(number + 1, chat=who, document={"file_id": str(number)})
    assert ReplyFile.objects.count() == MOST_FILES
    assert [reply.body for reply in Reply.objects.all()] == ["[a file]"] * (MOST_FILES + 2)
    ReplyFile.objects.update(asked_at=NOW - A_DAY)
    by_telegram(99, chat=who, document={"file_id": "next day"})
    assert ReplyFile.objects.count() == MOST_FILES + 1


def test_a_patient_sends_as_many_as_she_likes(bot: Telegram) -> None:
    for number in range(MOST_FILES + 2):
        by_telegram(number + 1, document={"file_id": str(number)})
    assert ReplyFile.objects.count() == MOST_FILES + 2
