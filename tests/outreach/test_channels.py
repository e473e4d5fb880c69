"""Each provider's channel against its stand-in, through the real client library: what each answer means."""

import ssl
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings

from outreach.channels import TRANSPORTS, ChannelError, Message, Trouble, in_use, missing_keys
from outreach.channels.http import tls
from outreach.channels.sms import SmsTransport
from outreach.channels.telegram import TelegramTransport
from outreach.channels.whatsapp import WhatsAppTransport
from tests.conftest import NOW
from tests.standins import meta, telegram, twilio as twilio_api
from tests.standins.meta import Meta
from tests.standins.server import Answer, Trick
from tests.standins.telegram import Telegram
from tests.standins.twilio import Twilio

WORDS = "שלום דנה, כאן מרפאת אלון. https://clinic.example/p/abc/"


def message(to: str = "+972502345678", **fields: Any) -> Message:
    given = {"sender": "Alon", "reply_to": "", "language": "he", "subject": "", "body": WORDS}
    return Message("7f9c2c1e-0000-4000-8000-000000000001", to, **{**given, **fields})


class TestSms:
    def test_it_is_taken_once_with_our_reference_in_the_receipts_address(self, twilio: Twilio) -> None:
        receipt = SmsTransport().send(message())
        (taken,) = twilio.taken
        assert (taken["sid"], taken["to"], taken["body"]) == (
            receipt.provider_reference,
            "+972502345678",
            WORDS,
        )
        reference = "7f9c2c1e-0000-4000-8000-000000000001"
        assert taken["status_callback"] == f"https://clinic.example/hooks/twilio/?ref={reference}"
        assert twilio.requests[0].form["ValidityPeriod"] == "14400"

    @pytest.mark.parametrize(
        ("open_for", "seconds"),
        [(timedelta(minutes=5), "300"), (timedelta(hours=9), "14400"), (timedelta(seconds=1), "5")],
    )
    def test_it_arrives_in_the_hours_in_which_it_left_or_never(
        self, twilio: Twilio, open_for: timedelta, seconds: str
    ) -> None:
        SmsTransport().send(message(open_for=open_for))
        assert twilio.requests[0].form["ValidityPeriod"] == seconds

    def test_a_messaging_service_sends_in_place_of_a_number(
        self, twilio: Twilio, settings: LazySettings
    ) -> None:
        settings.TWILIO_FROM = "MG" + "1" * 32
        SmsTransport().send(message())
        assert twilio.taken[0]["messaging_service_sid"] == settings.TWILIO_FROM

    @pytest.mark.parametrize(
        ("status", "code", "trouble"),
        [
            (400, 21211, Trouble.NO_SUCH_ADDRESS),
            (400, 21610, Trouble.OPTED_OUT),
            (400, 21614, Trouble.UNFIT),
            (400, 21606, Trouble.LOGIN),
            (401, 20003, Trouble.LOGIN),
            (400, 99999, Trouble.REFUSED),
            (429, 20429, Trouble.BUSY),
            (503, 20503, Trouble.BUSY),
        ],
    )
    def test_a_refusal_is_named_and_nothing_is_taken(
        self, twilio: Twilio, status: int, code: int, trouble: Trouble
    ) -> None:
        twilio.tricks.append(twilio_api.refuses(status, code))
        with pytest.raises(ChannelError) as caught:
            SmsTransport().send(message())
        assert (caught.value.trouble, twilio.taken) == (trouble, [])
        assert str(caught.value) == f"{trouble} {code}"

    def test_it_is_told_how_long_to_wait(self, twilio: Twilio) -> None:
        twilio.tricks.append(twilio_api.refuses(429, 20429, Retry_After="7"))
        with pytest.raises(ChannelError) as caught:
            SmsTransport().send(message())
        assert caught.value.retry_after == timedelta(seconds=7)

    @pytest.mark.parametrize(
        "trick",
        [
            Trick(hangs_up=True),
            Trick(hangs_up=True, takes=True),
            Trick(is_slow=True),
            Trick(is_slow=True, takes=True),
            Trick(answer=Answer(500, {"message": "…"})),
            Trick(answer=Answer(502, b"<html>Bad Gateway</html>"), takes=True),
        ],
        ids=["dropped before", "dropped after", "slow, not taken", "slow, taken", "500", "502, taken"],
    )
    def test_an_unclear_end_is_no_refusal_and_the_list_of_the_provider_settles_it(
        self, twilio: Twilio, trick: Trick
    ) -> None:
        twilio.tricks.append(trick)
        with pytest.raises(Exception) as caught:  # noqa: PT011 - any but the one below
            SmsTransport().send(message())
        assert not isinstance(caught.value, ChannelError)
        found = SmsTransport().look_up(message(), since=NOW)
        assert [each["sid"] for each in twilio.taken] == ([found.provider_reference] if found else [])
        assert bool(found) == trick.takes

    def test_a_call_begun_inside_a_second_is_found_in_a_list_of_whole_seconds(self, twilio: Twilio) -> None:
        SmsTransport().send(message())
        assert SmsTransport().look_up(message(), since=NOW + timedelta(milliseconds=900))

    def test_the_same_words_sent_earlier_are_not_taken_for_these(self, twilio: Twilio) -> None:
        SmsTransport().send(message())
        assert SmsTransport().look_up(message(), since=NOW + timedelta(seconds=2)) is None

    def test_where_nobody_listens_nothing_was_sent(self, twilio: Twilio, settings: LazySettings) -> None:
        settings.TWILIO_API_URL = "http://127.0.0.1:1"
        with pytest.raises(ChannelError) as caught:
            SmsTransport().send(message())
        assert caught.value.trouble == Trouble.UNREACHABLE

    def test_what_is_too_long_is_not_even_tried(self, twilio: Twilio) -> None:
        with pytest.raises(ChannelError) as caught:
            SmsTransport().send(message(body="x" * 1601))
        assert (caught.value.trouble, twilio.requests) == (Trouble.UNFIT, [])


class TestWhatsApp:
    def test_free_words_answer_within_a_day_and_carry_our_reference(self, whatsapp: Meta) -> None:
        receipt = WhatsAppTransport().send(message("972502345678", may_be_free=True))
        (taken,) = whatsapp.taken
        assert receipt.provider_reference == "wamid.1"
        assert (taken["to"], taken["type"], taken["text"]["body"]) == ("972502345678", "text", WORDS)
        assert taken["biz_opaque_callback_data"] == "7f9c2c1e-0000-4000-8000-000000000001"

    def test_else_the_approved_template_goes_with_its_places_filled_in_order(self, whatsapp: Meta) -> None:
        filled = message("972502345678", approved_as="next_step", values=("דנה", "יום ב׳\n 10:00"))
        WhatsAppTransport().send(filled)
        template = whatsapp.taken[0]["template"]
        assert (template["name"], template["language"]) == ("next_step", {"code": "he"})
        (body,) = template["components"]
        assert [each["text"] for each in body["parameters"]] == ["דנה", "יום ב׳ 10:00"]

    def test_without_an_approved_template_it_does_not_leave(self, whatsapp: Meta) -> None:
        with pytest.raises(ChannelError) as caught:
            WhatsAppTransport().send(message("972502345678"))
        assert (caught.value.trouble, whatsapp.requests) == (Trouble.UNFIT, [])

    @pytest.mark.parametrize(
        ("status", "code", "trouble"),
        [
            (400, 131026, Trouble.UNFIT),
            (400, 131047, Trouble.UNFIT),
            (400, 131050, Trouble.OPTED_OUT),
            (400, 132001, Trouble.UNFIT),
            (400, 131049, Trouble.REFUSED),
            (401, 190, Trouble.LOGIN),
            (403, 200, Trouble.LOGIN),
            (400, 131056, Trouble.BUSY),
            (429, 130429, Trouble.BUSY),
        ],
    )
    def test_a_refusal_is_named_and_nothing_is_taken(
        self, whatsapp: Meta, status: int, code: int, trouble: Trouble
    ) -> None:
        whatsapp.tricks.append(meta.refuses(status, code))
        with pytest.raises(ChannelError) as caught:
            WhatsAppTransport().send(message("972502345678", may_be_free=True))
        assert (caught.value.trouble, whatsapp.taken) == (trouble, [])

    @pytest.mark.parametrize(
        "content", [b"", b"<html>Forbidden</html>", b"[]", {}, {"note": "no error here"}]
    )
    @pytest.mark.parametrize(
        ("status", "trouble"),
        [(400, Trouble.REFUSED), (404, Trouble.REFUSED), (401, Trouble.LOGIN), (403, Trouble.LOGIN)],
    )
    def test_a_refusal_without_a_word_that_can_be_read_is_one_all_the_same(
        self, whatsapp: Meta, status: int, trouble: Trouble, content: Any
    ) -> None:
        whatsapp.tricks.append(Trick(answer=Answer(status, content)))
        with pytest.raises(ChannelError) as caught:
            WhatsAppTransport().send(message("972502345678", may_be_free=True))
        assert (caught.value.trouble, whatsapp.taken) == (trouble, [])

    def test_it_is_told_how_long_to_wait(self, whatsapp: Meta) -> None:
        whatsapp.tricks.append(meta.refuses(429, 130429, Retry_After="9"))
        with pytest.raises(ChannelError) as caught:
            WhatsAppTransport().send(message("972502345678", may_be_free=True))
        assert caught.value.retry_after == timedelta(seconds=9)


class TestTelegram:
    def test_it_is_taken_without_opening_the_patients_link(self, bot: Telegram) -> None:
        assert TelegramTransport().send(message("777")).provider_reference == "1"
        (taken,) = bot.taken
        assert (taken["chat_id"], taken["text"]) == (777, WORDS)
        assert taken["link_preview_options"] == {"is_disabled": True}

    @pytest.mark.parametrize(
        ("code", "words", "trouble"),
        [
            (403, "Forbidden: bot was blocked by the user", Trouble.OPTED_OUT),
            (403, "Forbidden: user is deactivated", Trouble.OPTED_OUT),
            (403, "Forbidden: bot can't initiate conversation with a user", Trouble.UNFIT),
            (400, "Bad Request: chat not found", Trouble.NO_SUCH_ADDRESS),
            (401, "Unauthorized", Trouble.LOGIN),
        ],
    )
    def test_a_refusal_is_named(self, bot: Telegram, code: int, words: str, trouble: Trouble) -> None:
        bot.tricks.append(telegram.refuses(code, words))
        with pytest.raises(ChannelError) as caught:
            TelegramTransport().send(message("777"))
        assert (caught.value.trouble, bot.taken) == (trouble, [])

    def test_it_is_told_how_long_to_wait(self, bot: Telegram) -> None:
        bot.tricks.append(telegram.refuses(429, "Too Many Requests: retry after 11", retry_after=11))
        with pytest.raises(ChannelError) as caught:
            TelegramTransport().send(message("777"))
        assert caught.value.retry_after == timedelta(seconds=11)


@pytest.mark.parametrize(
    "trick",
    [
        Trick(hangs_up=True),
        Trick(hangs_up=True, takes=True),
        Trick(is_slow=True, takes=True),
        Trick(answer=Answer(500, {})),
        Trick(answer=Answer(200, b"not json"), takes=True),
    ],
    ids=["dropped before", "dropped after", "slow", "500", "unreadable"],
)
def test_an_unclear_end_is_never_called_a_refusal(whatsapp: Meta, bot: Telegram, trick: Trick) -> None:
    sends: list[tuple[Any, Any, Message]] = [
        (whatsapp, WhatsAppTransport(), message("972502345678", may_be_free=True)),
        (bot, TelegramTransport(), message("777")),
    ]
    for stand_in, transport, what in sends:
        stand_in.tricks.append(trick)
        with pytest.raises(Exception) as caught:  # noqa: PT011 - any but the one below
            transport.send(what)
        assert not isinstance(caught.value, ChannelError)
        assert len(stand_in.taken) == trick.takes


def test_no_key_no_number_and_no_word_reaches_the_log(
    twilio: Twilio,
    whatsapp: Meta,
    bot: Telegram,
    settings: LazySettings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    SmsTransport().send(message())
    SmsTransport().look_up(message(), since=NOW)
    WhatsAppTransport().send(message("972502345678", may_be_free=True))
    TelegramTransport().send(message("777"))
    said = caplog.text
    for secret in (twilio_api.TOKEN, meta.TOKEN, telegram.BOT, "972502345678", "מרפאת"):
        assert secret not in said


@pytest.mark.parametrize("name", ["twilio", "whatsapp", "telegram", "email"])
def test_a_channel_with_one_key_missing_is_off_and_names_it(name: str, settings: LazySettings) -> None:
    transport: Any = TRANSPORTS[name]
    settings.CHANNEL_TRANSPORTS = {"phone": "phone", "sms": name}
    for key in transport.keys:
        setattr(settings, key, "given")
    assert in_use() == {"phone", "sms"}
    for key in transport.keys:
        setattr(settings, key, "")
        assert (in_use(), missing_keys(transport)) == ({"phone"}, [key])
        setattr(settings, key, "given")


@pytest.mark.parametrize("name", list(TRANSPORTS))
def test_whatever_is_secret_is_named_as_such(name: str) -> None:
    transport: Any = TRANSPORTS[name]
    keys = set(getattr(transport, "keys", ()))
    assert {key for key in keys if "TOKEN" in key or "SECRET" in key} <= set(transport.secrets)


def test_whoever_answers_for_a_provider_shows_a_certificate_of_that_name() -> None:
    assert tls() is tls()  # read once, as it takes longer than a message
    assert (tls().verify_mode, tls().check_hostname) == (ssl.CERT_REQUIRED, True)
    assert tls().get_ca_certs()
