"""The tick that fetches files: how many wait for a provider at a time, from when a pause counts, what is said."""

from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection, transaction

from journeys.claims import claim_due
from outreach.channels import OF_A_FILE, TRANSPORTS, ChannelError, Fetches, Trouble
from outreach.enclosed import AT_ONCE, KEEPS_TRYING, LEASE, TO_FETCH, fetch_files
from outreach.enclosed_models import ReplyFile
from patients.actions import add_address
from patients.models import AddressKind, Patient
from tests import builders
from tests.conftest import NOW
from tests.mails import PNG
from tests.outreach.test_enclosed import by_telegram, fetched_at
from tests.standins.telegram import Telegram

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


@pytest.fixture
def dana() -> Patient:
    patient = builders.patient(builders.clinic(language="en"))
    add_address(patient, AddressKind.TELEGRAM, "777", rank=2)
    return patient


class OneFile:
    """A channel that says whether a transaction was open while its provider was asked."""

    abilities, secrets = TRANSPORTS["telegram"].abilities, ()
    was_open: bool | None = None

    def send(self, _message: Any) -> Any:
        raise NotImplementedError

    def fetch(self, _reference: str, *, most: int) -> bytes:
        self.was_open = connection.in_atomic_block
        return PNG[:most]


def as_telegram(channel: OneFile, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TRANSPORTS, "one file", channel)
    settings.CHANNEL_TRANSPORTS = {"telegram": "one file"}


def test_whoever_comes_after_the_lease_changes_nothing(
    bot: Telegram, dana: Patient, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class TakenUp(OneFile):
        def fetch(self, reference: str, *, most: int) -> bytes:
            ReplyFile.objects.update(tries=2)  # by another worker, meanwhile
            return super().fetch(reference, most=most)

    by_telegram(photo=[{"file_id": "A"}])
    as_telegram(TakenUp(), settings, monkeypatch)
    assert fetched_at(NOW) == 0
    file = ReplyFile.objects.get()
    assert (file.document, file.fetch_from) == (None, NOW + LEASE)


def test_slow_files_leave_the_other_workers_free(
    bot: Telegram, dana: Patient, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one is read the next ticks come: they take up one more and then none, until these are done or dead."""

    class Slow(OneFile):
        at_once = most_at_once = 0

        def fetch(self, reference: str, *, most: int) -> bytes:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            fetch_files(now=NOW)
            self.at_once -= 1
            return super().fetch(reference, most=most)

    for number in range(1, 5):
        by_telegram(number, photo=[{"file_id": "A"}])
    as_telegram(channel := Slow(), settings, monkeypatch)
    fetch_files(now=NOW)
    assert channel.most_at_once == AT_ONCE
    assert ReplyFile.objects.filter(document__isnull=False, lease_until=None).count() == 4


SAID_OF_FILES = {trouble: trouble for trouble in OF_A_FILE} | {None: Trouble.UNEXPECTED}


@pytest.mark.parametrize("trouble", [*Trouble, None])
def test_why_it_was_given_up_is_said_in_words_of_a_file(
    bot: Telegram,
    dana: Patient,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Trouble | None,
) -> None:
    class Refuses(OneFile):
        def fetch(self, _reference: str, *, most: int) -> bytes:
            raise ChannelError(trouble) if trouble else ValueError(most)

    by_telegram(photo=[{"file_id": "A"}])
    as_telegram(Refuses(), settings, monkeypatch)
    fetch_files(now=NOW + KEEPS_TRYING)
    file = ReplyFile.objects.get()
    assert file.given_up_at == NOW + KEEPS_TRYING
    assert file.trouble == SAID_OF_FILES.get(trouble, Trouble.WITHHELD)


def test_dead_workers_keep_the_others_waiting_for_their_lease_only(bot: Telegram, dana: Patient) -> None:
    bot.files["A"] = PNG
    for number in range(1, 4):
        by_telegram(number, photo=[{"file_id": "A"}])
    with transaction.atomic():
        claim_due(TO_FETCH, now=NOW, limit=AT_ONCE, again=NOW + LEASE)
    assert fetched_at(NOW + LEASE - timedelta(seconds=1)) == 0
    assert bot.requests == []
    assert fetched_at(NOW + LEASE) == 3


def test_a_pause_begins_when_the_provider_has_failed(
    bot: Telegram, dana: Patient, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not when the tick began, or it would be over before a slow file is cut off."""

    class CutOff(OneFile):
        def fetch(self, _reference: str, *, most: int) -> bytes:
            ended = monotonic() + most
            monkeypatch.setattr("outreach.dispatch.monotonic", lambda: ended)
            raise ChannelError(Trouble.UNREACHABLE, "slow")

    by_telegram(1, photo=[{"file_id": "A"}])
    by_telegram(2, photo=[{"file_id": "B"}])
    settings.MAX_ATTACHMENT_BYTES = 100  # and so many seconds
    as_telegram(CutOff(), settings, monkeypatch)
    fetch_files(now=NOW)
    first, second = ReplyFile.objects.order_by("pk")
    assert first.fetch_from is not None
    assert second.fetch_from is not None
    assert first.fetch_from >= NOW + timedelta(seconds=100 + 15)
    assert second.fetch_from >= NOW + timedelta(seconds=100 + 60)
    assert (second.tries, first.lease_until) == (0, None)


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_a_provider_answers(
    bot: Telegram, dana: Patient, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_telegram(photo=[{"file_id": "A"}])
    channel = OneFile()
    assert isinstance(channel, Fetches)
    as_telegram(channel, settings, monkeypatch)
    assert fetch_files(now=NOW) == 1
    assert channel.was_open is False


def test_what_was_kept_right_before_a_worker_died_is_asked_for_no_more(bot: Telegram, dana: Patient) -> None:
    bot.files["A"] = PNG
    by_telegram(photo=[{"file_id": "A"}])
    assert fetched_at(NOW) == 1
    document = ReplyFile.objects.get().document
    ReplyFile.objects.update(document=None, fetch_from=NOW + LEASE)  # as it stood when the worker died
    del bot.files["A"]
    assert fetched_at(NOW + LEASE) == 1
    assert ReplyFile.objects.get().document == document
