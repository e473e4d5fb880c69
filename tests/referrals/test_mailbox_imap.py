"""The mailbox against a real IMAP server: what is marked, what is not, and what an outage costs."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings
from imapclient import SEEN

from referrals import arrivals
from referrals.mailbox import KEPT, fetch, new_mail
from referrals.models import DocumentStatus, IncomingDocument
from tests import builders
from tests.conftest import NOW, need
from tests.dovecot import Server, dovecot, free_port
from tests.mails import PDF, mail

pytestmark = [pytest.mark.django_db, pytest.mark.imap]


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    need(shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin"), "Dovecot")
    with dovecot() as server:
        yield server


@pytest.fixture
def server(running: Server, settings: LazySettings) -> Server:
    """An empty mailbox, and a clinic to keep its mail for."""
    builders.clinic(intake_address="results@alon.example")
    with running.client() as client:
        client.delete_messages(client.search())
        client.expunge()
    settings.MAILBOX_URL = running.url
    return running


def put(server: Server, *mails: bytes) -> None:
    with server.client() as client:
        for raw in mails:
            client.append("INBOX", raw, msg_time=datetime(2026, 3, 9, 7, 58, tzinfo=UTC))


def unseen(server: Server) -> int:
    with server.client() as client:
        return len(client.search("UNSEEN"))


def numbered(number: int) -> bytes:
    return mail(message_id=f"<{number}@imaging.example>", subject=f"Mail {number}")


def test_mail_is_kept_byte_by_byte_and_only_then_seen(server: Server) -> None:
    raw = mail().replace(b"\n", b"\r\n")
    put(server, raw)
    assert fetch(now=NOW) == 1
    assert IncomingDocument.objects.get().raw.read() == raw
    assert unseen(server) == 0
    assert fetch(now=NOW) == 0


def test_mail_that_could_not_be_kept_stays_unseen(server: Server, settings: LazySettings) -> None:
    put(server, numbered(1), numbered(2))
    blocked = settings.MEDIA_ROOT / "incoming"
    settings.MEDIA_ROOT.mkdir(exist_ok=True)
    blocked.write_bytes(b"a file where the folder should be")
    assert fetch(now=NOW) == 0
    assert unseen(server) == 2
    blocked.unlink()
    assert fetch(now=NOW) == 2
    assert unseen(server) == 0


def test_story_from_the_mailbox_to_the_doctor(server: Server) -> None:
    referral = builders.referral()
    local, _at, domain = referral.clinic.intake_address.partition("@")
    code = referral.code.replace("-", "").lower()
    put(server, mail(to=f"{local}+{code}@{domain}", subject="צילום פנורמי", filename="צילום.pdf"))
    fetch(now=NOW)
    arrivals.match_documents(now=NOW)
    document = IncomingDocument.objects.get()
    assert (document.status, document.referral) == (DocumentStatus.MATCHED, referral)
    assert (document.subject, document.files.get().name) == ("צילום פנורמי", "צילום.pdf")
    assert document.files.get().content.read() == PDF


def test_forgotten_marks_and_new_numbers_make_no_second_document(server: Server) -> None:
    put(server, *(numbered(number) for number in range(3)))
    assert fetch(now=NOW) == 3
    before = server.uid_validity()
    server.deal_new_numbers()
    assert server.uid_validity() != before
    with server.client() as client:
        client.remove_flags(client.search(), [SEEN, KEPT])
    put(server, numbered(9))
    assert fetch(now=NOW) == 1
    assert IncomingDocument.objects.count() == 4
    assert unseen(server) == 0


def test_mail_a_person_opened_first_is_kept_all_the_same(server: Server) -> None:
    put(server, numbered(1))
    with server.client() as client:
        client.add_flags(client.search(), [SEEN])
    assert fetch(now=NOW) == 1
    with server.client() as client:
        client.remove_flags(client.search(), [SEEN])
        client.add_flags(client.search(), [SEEN])
    assert fetch(now=NOW) == 0


def test_old_mail_that_was_read_long_ago_is_left_alone(server: Server) -> None:
    put(server, numbered(1))
    with server.client() as client:
        client.add_flags(client.search(), [SEEN])
    assert fetch(now=NOW + timedelta(days=30)) == 0


def test_outage_costs_a_tick_and_nothing_else(
    server: Server, settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    put(server, numbered(1))
    settings.MAILBOX_URL = server.url.replace(f":{server.port}/", f":{free_port()}/")
    assert fetch(now=NOW) == 0
    settings.MAILBOX_URL = server.url.replace("s3cret", "wrong")
    assert fetch(now=NOW) == 0
    settings.MAILBOX_URL = server.url.replace("INBOX", "Nowhere")
    assert fetch(now=NOW) == 0
    assert "s3cret" not in caplog.text
    assert [record.levelname for record in caplog.records if record.name == "referrals.mailbox"] == [
        "WARNING"
    ] * 3
    settings.MAILBOX_URL = server.url
    assert fetch(now=NOW) == 1


def test_server_that_was_down_and_lost_its_mailbox_makes_no_second_document(settings: LazySettings) -> None:
    builders.clinic()
    port = free_port()
    with dovecot(port) as server:
        put(server, numbered(1))
        settings.MAILBOX_URL = server.url
        assert fetch(now=NOW) == 1
    assert fetch(now=NOW) == 0
    with dovecot(port) as server:
        put(server, numbered(1), numbered(2))
        assert fetch(now=NOW) == 1
    assert IncomingDocument.objects.count() == 2


def test_mail_with_nul_and_broken_lines_is_kept(server: Server) -> None:
    with server.client() as client:
        client.append("INBOX", b"Subject: =?iso-8859-8-i?B?4OHi?=\r\n\r\nbare \n newline")
    assert fetch(now=NOW) == 1
    assert IncomingDocument.objects.get().subject == "אבג"


def test_server_that_takes_no_mark_of_ours_is_asked_for_unread_mail_only() -> None:
    assert new_mail([SEEN], now=NOW) == ["UNSEEN"]
