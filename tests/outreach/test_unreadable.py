"""What a provider signs and nobody can read or work: answered with 200, kept, and in front of a person."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from inquiries import heard
from journeys.models import OwnerRole, Step, StepKind, StepStatus
from outreach import senders
from outreach.incoming import READ_BY_A_PERSON, SET_ASIDE, TRIES, work_events
from outreach.models import Reply
from outreach.provider_models import ProviderEvent
from patients.models import Clinic, Consent
from tests import builders
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW
from tests.outreach.test_replies import by_sms
from tests.standins import mailgun as mailgun_api, meta, telegram, twilio as twilio_api
from tests.standins.mailgun import Mailgun
from tests.standins.meta import Meta
from tests.standins.telegram import Telegram
from tests.standins.twilio import Twilio

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
DEEP = b"[" * 100_000
NO_JSON = [b"", b"{", b"null", b"[]", b'"x"', b"\xff\xfe", DEEP, b'{"update_id": ' + b"9" * 5000 + b"}"]


@pytest.fixture(autouse=True)
def clinic() -> Clinic:
    return builders.clinic()


def posted(path: str, sent: dict[str, Any]) -> int:
    return Client(raise_request_exception=False).post(path, **sent).status_code


def work_until_set_aside() -> None:
    for nth in range(TRIES + 1):
        now = NOW + nth * timedelta(minutes=2)
        work_events(now=now)
        heard.hear(now=now)  # what is about no attempt waits for this tick


def of_whatsapp(**message: Any) -> bytes:
    told = {"from": "972502345678", "timestamp": str(int(NOW.timestamp())), "type": "text", **message}
    return meta.event(messages=[told])


@pytest.mark.parametrize("body", [*NO_JSON, b"{}"], ids=range(len(NO_JSON) + 1))
def test_of_telegram_what_is_no_update_is_with_the_managers(bot: Telegram, body: bytes) -> None:
    assert posted("/hooks/telegram/", {**telegram.update(1), "data": body}) == 200
    work_until_set_aside()
    is_with_the_managers("Telegram")


@pytest.mark.parametrize(
    "body",
    [*NO_JSON[:7], b'{"entry": null}', b'{"entry": [{"changes": [null]}]}'],
    ids=range(9),
)
def test_of_whatsapp_what_is_no_event_is_with_the_managers(whatsapp: Meta, body: bytes) -> None:
    assert posted("/hooks/whatsapp/", meta.callback(body)) == 200
    work_until_set_aside()
    is_with_the_managers("WhatsApp")


@pytest.mark.parametrize("said", [None, 1, [], {}, {"event": 5}, {"event": "delivered", "timestamp": "x"}])
def test_of_a_mail_provider_nothing_breaks_the_address(mailgun: Mailgun, said: Any) -> None:
    sent = mailgun_api.event("delivered", "1@alon.example")
    sent["data"] = json.dumps({**json.loads(sent["data"]), "event-data": said})
    assert posted("/hooks/email/", sent) == 200
    work_until_set_aside()
    assert ProviderEvent.objects.count() == 1


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"3", DEEP, b"\xff", b'{"signature": null}'])
def test_of_a_mail_provider_what_has_no_signature_is_refused(mailgun: Mailgun, body: bytes) -> None:
    assert posted("/hooks/email/", {**mailgun_api.event("delivered", "1@alon.example"), "data": body}) == 403
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize("provider", ["twilio", "voice"])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"MessageSid": "\0", "CallSid": "\0"},
        {"MessageSid": "SM1", "MessageStatus": "new", "CallSid": "CA1", "CallStatus": "new"},
        {"MessageSid": "SM1", "MessageStatus": "failed", "ErrorCode": "٣", "CallSid": "CA1", "Digits": "#"},
    ],
    ids=["empty", "NUL", "unknown state", "no number"],
)
def test_of_twilio_nothing_breaks_the_address(twilio: Twilio, provider: str, fields: dict[str, str]) -> None:
    sent = twilio_api.callback(f"https://clinic.example/hooks/{provider}/", fields)
    assert posted(f"/hooks/{provider}/", sent) == 200
    work_until_set_aside()
    assert not ProviderEvent.objects.exclude(worked_at__isnull=False).exists()


def is_with_the_managers(channel: str) -> None:
    event = ProviderEvent.objects.get()
    assert (event.outcome, event.work_from) == (SET_ASIDE, None)
    step = Step.objects.get(kind=StepKind.MEND, status=StepStatus.ACTIVE)
    assert (step.owner_role, channel in step.names["en"]) == (OwnerRole.MANAGER, True)


def test_many_that_cannot_be_read_are_one_matter(bot: Telegram) -> None:
    for body in (b"{", b"[]", b"null"):
        posted("/hooks/telegram/", {**telegram.update(1), "data": body})
    work_until_set_aside()
    assert ProviderEvent.objects.filter(outcome=SET_ASIDE).count() == 3
    assert Step.objects.filter(kind=StepKind.MEND).count() == 1


def test_they_are_one_matter_in_whatever_words_it_stands(bot: Telegram, clinic: Clinic) -> None:
    """A later version says it otherwise; what failed on the same channel is another matter and ends by itself."""
    posted("/hooks/telegram/", {**telegram.update(1), "data": b"{"})
    work_until_set_aside()
    senders.failed("telegram", "login", now=NOW)
    Step.objects.update(title="Otherwise", names={"en": "Otherwise"})
    posted("/hooks/telegram/", {**telegram.update(1), "data": b"[]"})
    work_until_set_aside()
    turn = senders.turn_of("telegram", now=NOW + timedelta(hours=1))
    assert turn
    senders.worked(turn, now=NOW + timedelta(hours=1))
    ended = Step.objects.order_by("pk").values_list("status", "outcome")
    assert list(ended) == [(StepStatus.ACTIVE, ""), (StepStatus.COMPLETED, "works_telegram")]


def test_the_manager_who_has_asked_says_so_in_today(bot: Telegram, clinic: Clinic) -> None:
    posted("/hooks/telegram/", {**telegram.update(1), "data": b"{"})
    work_until_set_aside()
    client, step = logged_in("manager", clinic), Step.objects.get()
    panel = client.get(reverse("today_panel", args=[step.public_id])).content.decode()
    assert ("It has been looked at" in panel, "Open Channels" in panel) == (True, False)
    said = dict(re.findall(r'name="(request_key|seen)" value="([^"]*)"', panel))
    where = reverse("finish", args=[step.public_id])
    assert client.post(where, said | {"outcome": "nonsense"}).status_code == 409
    ended = client.post(where, said | {"outcome": "read_telegram"}, follow=True)
    assert "Saved: It has been looked at." in ended.content.decode()
    assert client.post(where, said | {"outcome": "read_telegram"}).status_code == 409
    step.refresh_from_db()
    assert step.outcome == "read_telegram"


@pytest.mark.parametrize("half", ["\ud83d", "\0"])
def test_words_with_half_a_letter_are_read_all_the_same(whatsapp: Meta, half: str) -> None:
    patient = builders.patient(Clinic.objects.get())
    builders.on_whatsapp(patient)
    body = of_whatsapp(id=f"wamid.1{half}", text={"body": f"May I eat before? {half}"})
    assert posted("/hooks/whatsapp/", meta.callback(body)) == 200
    work_events(now=NOW)
    reply = Reply.objects.get()
    assert (reply.patient, reply.body.rstrip("? "), reply.matter is not None) == (
        patient,
        "May I eat before",
        True,
    )


REFUSES = {
    "sqlite": "CREATE TEMP TRIGGER poison BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'poison'); END",
    "postgresql": "CREATE FUNCTION pg_temp.poison() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE EXCEPTION 'poison'; END $$;"
    " CREATE TRIGGER poison BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION pg_temp.poison()",
}


def poison(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(REFUSES[connection.vendor].format(table=table))


def test_words_that_cannot_act_are_read_by_a_person(twilio: Twilio) -> None:
    builders.patient(Clinic.objects.get())
    poison(Consent._meta.db_table)
    by_sms("STOP")
    work_until_set_aside()
    assert ProviderEvent.objects.get().outcome == READ_BY_A_PERSON
    reply = Reply.objects.get()
    assert reply.matter is not None
    assert (reply.body, reply.meaning, reply.matter.status) == ("STOP", "stop", StepStatus.ACTIVE)


def test_what_was_set_aside_is_read_again_once_the_product_can(twilio: Twilio, admin_client: Client) -> None:
    """Every row is refused, then none: nothing of what came meanwhile is lost."""
    builders.patient(Clinic.objects.get())
    poison(Reply._meta.db_table)
    by_sms("May I eat before?")
    work_until_set_aside()
    event = ProviderEvent.objects.get()
    assert (event.outcome, Reply.objects.count()) == (SET_ASIDE, 0)
    with connection.cursor() as cursor:
        cursor.execute(
            "DROP TRIGGER poison"
            + (f" ON {Reply._meta.db_table}" if connection.vendor == "postgresql" else "")
        )
    asked = {"action": "read_again", "_selected_action": [event.pk]}
    assert admin_client.post("/admin/outreach/providerevent/", asked).status_code == 302
    work_events(now=NOW)
    assert Reply.objects.get().body == "May I eat before?"
