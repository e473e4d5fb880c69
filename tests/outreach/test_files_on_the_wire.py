"""However a file comes over the wire, it holds up no worker, fills no memory and loses no words."""

from collections import deque
from gzip import compress
from time import monotonic

import pytest
from django.conf import LazySettings

from outreach.channels import Trouble
from outreach.enclosed_models import ReplyFile
from outreach.models import Reply
from patients.actions import add_address
from patients.models import AddressKind, Patient
from tests import builders
from tests.conftest import NOW
from tests.mails import PNG
from tests.outreach.test_enclosed import TAKES, by_sms, by_telegram, fetched_at, media_url
from tests.standins.server import DROPS, PAUSE, Answer, Trick
from tests.standins.telegram import Telegram
from tests.standins.twilio import Twilio

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
WHOLE = DROPS * PAUSE / 2  # seconds: far less than all the drops would take


@pytest.fixture(autouse=True)
def dana() -> Patient:
    patient = builders.patient(builders.clinic(language="en"))
    add_address(patient, AddressKind.TELEGRAM, "777", rank=2)
    return patient


def test_what_comes_drop_by_drop_is_cut_off_and_puts_off_no_other_file(
    bot: Telegram, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot.files |= {"A": PNG, "B": PNG}
    by_telegram(1, photo=[{"file_id": "A"}])
    by_telegram(2, photo=[{"file_id": "B"}])
    bot.tricks = deque([TAKES, Trick(takes=True, drips=True)])
    monkeypatch.setattr("outreach.channels.http.LONGEST_READ", 0.4)
    assert fetched_at(NOW) == 1
    slow, other = ReplyFile.objects.order_by("pk")
    assert (slow.trouble, other.document is None) == (Trouble.UNREACHABLE, False)


def test_nothing_is_unpacked(bot: Telegram, settings: LazySettings) -> None:
    settings.MAX_ATTACHMENT_BYTES = 1000
    by_telegram(photo=[{"file_id": "A"}])
    bot.files["A"] = PNG
    bot.tricks = deque(
        [TAKES, Trick(answer=Answer(200, compress(bytes(1001)), {"Content-Encoding": "gzip"}))]
    )
    assert fetched_at(NOW) == 0
    assert bot.requests[-1].headers["accept-encoding"] == "identity"
    assert ReplyFile.objects.get().trouble == Trouble.DAMAGED


def test_of_an_answer_that_sends_us_on_nothing_more_is_read(twilio: Twilio) -> None:
    twilio.files["A"] = PNG
    by_sms(MediaUrl0=media_url("A"))
    twilio.tricks = deque([Trick(takes=True, drips=True)])
    begun = monotonic()
    assert fetched_at(NOW) == 1
    assert monotonic() - begun < WHOLE


def test_we_are_sent_on_twice_at_most(twilio: Twilio) -> None:
    by_sms(MediaUrl0=media_url("A"))
    path = media_url("A").removeprefix("https://api.twilio.com")
    twilio.tricks = deque([Trick(answer=Answer(307, b"", {"Location": path}))] * 9)
    assert fetched_at(NOW) == 0
    assert (len(twilio.requests), ReplyFile.objects.get().trouble) == (3, Trouble.GONE)


def test_a_broken_address_loses_neither_the_words_nor_the_other_file(twilio: Twilio) -> None:
    twilio.files["B"] = PNG
    by_sms(Body="my scan", NumMedia="2", MediaUrl0="https://[x", MediaUrl1=media_url("B"))
    assert fetched_at(NOW) == 1
    assert ("my scan" in Reply.objects.get().body, ReplyFile.objects.count()) == (True, 1)
