"""E-mail through a provider's API, by django-anymail against Mailgun's stand-in; and what its receipts do."""

import json
from datetime import timedelta
from typing import Any

import pytest
from anymail.signals import EventType
from django.conf import LazySettings
from django.test import Client, RequestFactory

from outreach.channels import ChannelError, Message, Trouble, mail_receipts
from outreach.channels.email import AnymailTransport
from outreach.channels.inbound import Receipted, Said, Stage
from outreach.incoming import work_events
from outreach.models import Attempt, AttemptStatus
from outreach.provider_models import ProviderEvent
from patients.actions import add_address
from patients.models import AddressKind, AddressStatus, Consent
from tests import builders
from tests.conftest import NOW
from tests.standins import mailgun as mailgun_api
from tests.standins.mailgun import Mailgun
from tests.standins.server import Answer, Trick

MESSAGE = Message(
    reference="7f9c2c1e-0000-4000-8000-000000000001",
    to="dana@example.com",
    sender="מרפאת אלון",
    reply_to="desk@alon.example",
    language="he",
    subject="הכול הגיע",
    body="שלום דנה",
)


def test_it_is_taken_with_our_reference(mailgun: Mailgun) -> None:
    assert AnymailTransport().send(MESSAGE).provider_reference == "<1@alon.example>"
    (taken,) = mailgun.taken
    assert (taken["to"], taken["subject"], taken["text"]) == ("dana@example.com", "הכול הגיע", "שלום דנה")
    assert taken["v:reference"] == MESSAGE.reference


@pytest.mark.parametrize(
    ("trick", "trouble", "wait"),
    [
        (mailgun_api.refuses(401), Trouble.LOGIN, None),
        (mailgun_api.refuses(400), Trouble.REFUSED, None),
        (mailgun_api.refuses(429, Retry_After="9"), Trouble.BUSY, timedelta(seconds=9)),
        (mailgun_api.refuses(503), Trouble.BUSY, None),
    ],
)
def test_a_refusal_is_named(mailgun: Mailgun, trick: Trick, trouble: Trouble, wait: timedelta | None) -> None:
    mailgun.tricks.append(trick)
    with pytest.raises(ChannelError) as caught:
        AnymailTransport().send(MESSAGE)
    assert (caught.value.trouble, caught.value.retry_after, mailgun.taken) == (trouble, wait, [])


@pytest.mark.parametrize(
    "trick",
    [Trick(hangs_up=True, takes=True), Trick(is_slow=True, takes=True), Trick(answer=Answer(500, {}))],
    ids=["dropped", "slow", "500"],
)
def test_an_unclear_end_is_no_refusal(mailgun: Mailgun, trick: Trick) -> None:
    mailgun.tricks.append(trick)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any but the one below
        AnymailTransport().send(MESSAGE)
    assert not isinstance(caught.value, ChannelError)


def test_where_nobody_listens_nothing_was_sent(mailgun: Mailgun, settings: LazySettings) -> None:
    settings.ANYMAIL = {**settings.ANYMAIL, "MAILGUN_API_URL": "http://127.0.0.1:1/v3"}
    with pytest.raises(ChannelError) as caught:
        AnymailTransport().send(MESSAGE)
    assert caught.value.trouble == Trouble.UNREACHABLE


@pytest.mark.django_db
@pytest.mark.time_machine(NOW, tick=False)
class TestReceipts:
    def mailed(self) -> Attempt:
        patient = builders.patient()
        tie = add_address(patient, AddressKind.EMAIL, "dana@example.com", rank=2)
        task = builders.task(builders.step(builders.journey(patient)), plan_from=None)
        return builders.attempt(
            task,
            channel="email",
            contact_point=tie.contact_point,
            status=AttemptStatus.SENT,
            sent_at=NOW,
            provider_reference="<1@alon.example>",
        )

    def told(self, kind: str, attempt: Attempt, **more: Any) -> int:
        given = {"user-variables": {"reference": str(attempt.reference)}}
        sent = mailgun_api.event(kind, "1@alon.example", **{**given, **more})
        answer = Client().post("/hooks/email/", **sent)
        work_events(now=NOW)
        attempt.refresh_from_db()
        return answer.status_code

    def test_delivered_by_our_own_reference(self, mailgun: Mailgun) -> None:
        attempt = self.mailed()
        assert (self.told("delivered", attempt), attempt.status) == (200, AttemptStatus.DELIVERED)

    def test_a_mailbox_that_does_not_exist_is_marked(self, mailgun: Mailgun) -> None:
        attempt = self.mailed()
        self.told("failed", attempt, severity="permanent", reason="bounce")
        assert (attempt.status, attempt.outcome) == (AttemptStatus.FAILED, "bad_address")
        attempt.contact_point.refresh_from_db()
        assert attempt.contact_point.status == AddressStatus.BAD

    def test_one_that_is_late_is_no_failure_until_it_is_one(self, mailgun: Mailgun) -> None:
        attempt = self.mailed()
        self.told("failed", attempt, severity="temporary", reason="generic")
        assert (attempt.status, attempt.outcome) == (AttemptStatus.SENT, "delayed")
        self.told("delivered", attempt, once="t2")
        assert (attempt.status, attempt.outcome) == (AttemptStatus.DELIVERED, "")

    @pytest.mark.parametrize("kind", ["complained", "unsubscribed"])
    def test_who_calls_it_spam_gets_no_more(self, mailgun: Mailgun, kind: str) -> None:
        attempt = self.mailed()
        self.told(kind, attempt)
        assert [(each.channel, each.status) for each in Consent.objects.all()] == [("email", "withdrawn")]

    def test_the_old_password_holds_while_the_provider_is_told_the_new_one(
        self, mailgun: Mailgun, settings: LazySettings
    ) -> None:
        attempt = self.mailed()
        settings.EMAIL_WEBHOOK_SECRET = "ours:new"
        assert self.told("delivered", attempt) == 403
        settings.WEBHOOK_SECRETS_OLD = [mailgun_api.BASIC]
        assert (self.told("delivered", attempt), attempt.status) == (200, AttemptStatus.DELIVERED)

    @pytest.mark.parametrize("forged", ["password", "signature"])
    def test_what_is_forged_leaves_no_row(self, mailgun: Mailgun, forged: str) -> None:
        sent = mailgun_api.event("delivered", "1@alon.example")
        if forged == "password":
            sent["headers"] = {"Authorization": "Basic eDp5"}
        else:
            sent["data"] = sent["data"].replace('"token": "t1"', '"token": "t2"')
        assert Client().post("/hooks/email/", **sent).status_code == 403
        assert not ProviderEvent.objects.exists()


BREVO = {"email": "dana@example.com", "message-id": "<1@alon.example>", "ts_epoch": 1773043200000}
POSTMARK = {"RecordType": "Bounce", "Email": "dana@example.com", "MessageID": "<1@alon.example>"}
BOUNCES = {  # as https://developers.brevo.com and https://postmarkapp.com/developer show them
    "brevo": ({**BREVO, "event": "soft_bounce"}, {**BREVO, "event": "hard_bounce"}),
    "postmark": ({**POSTMARK, "ID": 1, "Type": "SoftBounce"}, {**POSTMARK, "ID": 2, "Type": "HardBounce"}),
}


@pytest.mark.parametrize("provider", BOUNCES)
def test_a_full_mailbox_is_no_wrong_address(settings: LazySettings, provider: str) -> None:
    """And where it turns out to be one later, that is told, too."""
    settings.EMAIL_PROVIDER, settings.ANYMAIL = provider, {"WEBHOOK_SECRET": [mailgun_api.BASIC]}
    found: dict[str, str] = {}
    for told in BOUNCES[provider]:
        posted = RequestFactory().post("/hooks/email/", told, content_type="application/json")
        found.update(mail_receipts.split(posted))
    heard = [mail_receipts.read(kept, at=NOW) for kept in found.values()]
    assert [each.trouble for each in heard if isinstance(each, Receipted)] == [
        Trouble.NOT_DELIVERED,
        Trouble.NO_SUCH_ADDRESS,
    ]
    assert {each.stage for each in heard if isinstance(each, Receipted)} == {Stage.FAILED}


BECOMES = {
    **dict.fromkeys((EventType.QUEUED, EventType.SENT), Stage.TAKEN),
    **dict.fromkeys((EventType.DELIVERED, EventType.OPENED, EventType.CLICKED), Stage.DELIVERED),
    **dict.fromkeys((EventType.REJECTED, EventType.FAILED, EventType.BOUNCED), Stage.FAILED),
    EventType.DEFERRED: Stage.DELAYED,
}


@pytest.mark.parametrize("kind", [value for name, value in vars(EventType).items() if name.isupper()])
def test_each_event_that_anymail_knows_is_one_thing(kind: str) -> None:
    kept = {"type": kind, "message_id": "1", "reference": "", "why": "", "recipient": "dana@example.com"}
    found = mail_receipts.read(json.dumps(kept), at=NOW)
    if kind in {EventType.COMPLAINED, EventType.UNSUBSCRIBED}:
        assert isinstance(found, Said)
        assert found.stopped
    else:
        assert (found.stage if isinstance(found, Receipted) else None) == BECOMES.get(kind)
