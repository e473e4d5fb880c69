"""What comes back about an answer in writing: receipts in any order, reports of mail servers, and somebody's words."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from inquiries.heard import hear
from inquiries.models import Inquiry
from inquiries.outbox import send_answers
from inquiries.sending import LEAVES_AFTER, Letter, send_answer, told_otherwise
from inquiries.sent_models import SentAnswer
from journeys.models import JourneyStatus, Step, StepKind, StepStatus, isolated
from outreach.channels.inbound import Said
from outreach.incoming import EMPTIED_AFTER, empty_old_events, work_events
from outreach.letters import hear_letters
from outreach.models import AttemptStatus, Reply
from outreach.provider_models import ProviderEvent
from outreach.queries import DELAYED_WORDS
from outreach.replies import receive_reply
from patients.actions import RefusedError
from patients.models import AddressStatus, Clinic, ContactPoint
from referrals import arrivals
from referrals.mailbox import fetch
from referrals.models import DocumentStatus, IncomingDocument
from tests import builders
from tests.conftest import NOW
from tests.mails import letter, report
from tests.outreach.test_dispatch import Fake, played_by
from tests.standins import mailgun as mailgun_api, twilio as twilio_api
from tests.standins.mailgun import Mailgun
from tests.standins.server import Trick
from tests.standins.twilio import Twilio

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
WORDS = "Alon Clinic: yes, we have it."
LEFT, PHONE, MAIL = NOW + LEAVES_AFTER, "+972547654321", "noa@example.org"
URL = "https://clinic.example/hooks/twilio/"


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(language="en", intake_address="results@alon.example")


@pytest.fixture
def rina(clinic: Clinic) -> User:
    return builders.user(at=clinic)


@pytest.fixture
def inquiry(clinic: Clinic) -> Inquiry:
    builders.opened(clinic)
    return builders.inquiry(clinic, name="Noa")


def sent(inquiry: Inquiry, rina: User, to: str = PHONE, words: str = WORDS) -> SentAnswer:
    """It has left, or nobody knows."""
    made = send_answer(inquiry, Letter(to, words, "en"), now=NOW, by=rina)
    send_answers(now=LEFT)
    made.refresh_from_db()
    return made


def says(answer: SentAnswer, status: str, **more: str) -> int:
    """Twilio's receipt."""
    url, fields = f"{URL}?ref={answer.reference}", {"MessageSid": "SM1", "MessageStatus": status, **more}
    path = url.removeprefix("https://clinic.example")
    return Client().post(path, secure=True, **twilio_api.callback(url, fields)).status_code


def worked() -> None:
    work_events(now=LEFT)
    hear(now=LEFT)


def after(answer: SentAnswer) -> tuple[str, str]:
    worked()
    answer.refresh_from_db()
    return answer.status, answer.step.status


class TestReceipts:
    @pytest.mark.parametrize("order", list(permutations(["queued", "sent", "delivered"])))
    def test_in_whatever_order_and_however_often_they_come_the_end_is_the_same(
        self, twilio: Twilio, inquiry: Inquiry, rina: User, order: tuple[str, ...]
    ) -> None:
        answer = sent(inquiry, rina)
        for status in order * 2:
            assert says(answer, status) == 200
            worked()
        assert after(answer) == (AttemptStatus.DELIVERED, StepStatus.COMPLETED)
        assert ProviderEvent.objects.count() == 3
        assert Step.objects.count() == 1

    @pytest.mark.parametrize(
        ("code", "reason", "address"),
        [
            ("30005", "knows no such address", AddressStatus.BAD),
            ("30003", "did not arrive", AddressStatus.UNVERIFIED),
            ("30007", "refuses the message", AddressStatus.UNVERIFIED),
        ],
    )
    def test_what_did_not_arrive_is_with_a_person_again(
        self, twilio: Twilio, inquiry: Inquiry, rina: User, code: str, reason: str, address: str
    ) -> None:
        answer = sent(inquiry, rina)
        ended = answer.step
        assert ended.status == StepStatus.COMPLETED
        for _twice in range(2):
            says(answer, "undelivered", ErrorCode=code)
            assert after(answer) == (AttemptStatus.FAILED, StepStatus.ACTIVE)
        step = Step.objects.get(status=StepStatus.ACTIVE)
        assert (step, step.kind, step.about) == (answer.step, StepKind.TELL, ended)
        assert step.journey.status == JourneyStatus.UNIDENTIFIED
        assert f"{isolated('Noa')} did not get our answer" in step.names["en"]
        assert reason in step.names["en"]
        assert reason in answer.trouble
        assert ContactPoint.objects.get(value=PHONE).status == address

    def test_what_was_delivered_does_not_fail_any_more(
        self, twilio: Twilio, inquiry: Inquiry, rina: User
    ) -> None:
        answer = sent(inquiry, rina)
        says(answer, "delivered")
        worked()
        says(answer, "undelivered", ErrorCode="30005")
        assert after(answer) == (AttemptStatus.DELIVERED, StepStatus.COMPLETED)
        assert ContactPoint.objects.get(value=PHONE).status == AddressStatus.UNVERIFIED

    def test_said_by_word_of_mouth_or_sent_anew_it_is_done(
        self, twilio: Twilio, inquiry: Inquiry, rina: User
    ) -> None:
        answer = sent(inquiry, rina)
        says(answer, "undelivered", ErrorCode="30003")
        worked()
        told_otherwise(inquiry, now=LEFT, by=rina)
        assert after(answer) == (AttemptStatus.FAILED, StepStatus.COMPLETED)
        again = sent(inquiry, rina)  # the same words may go there once more: they did not arrive
        assert again.status == AttemptStatus.SENT

    def test_where_another_one_has_gone_nobody_is_asked(
        self, twilio: Twilio, inquiry: Inquiry, rina: User
    ) -> None:
        first, _corrected = sent(inquiry, rina), sent(inquiry, rina, words="Yes, until four.")
        says(first, "undelivered", ErrorCode="30003")
        assert after(first) == (AttemptStatus.FAILED, StepStatus.COMPLETED)
        assert not Step.objects.filter(status=StepStatus.ACTIVE).exists()

    def test_one_that_overtakes_our_own_record_waits_for_it(
        self, twilio: Twilio, inquiry: Inquiry, rina: User
    ) -> None:
        answer = send_answer(inquiry, Letter(PHONE, WORDS, "en"), now=NOW, by=rina)
        under_way = {"status": AttemptStatus.SENDING, "lease": answer.reference, "lease_until": LEFT}
        SentAnswer.objects.update(**under_way, called_at=LEFT)
        says(answer, "delivered")
        assert after(answer) == (AttemptStatus.SENDING, StepStatus.ACTIVE)
        event = ProviderEvent.objects.get()
        assert (event.worked_at, event.tries) == (None, 0)
        assert event.work_from
        assert event.work_from > LEFT
        SentAnswer.objects.update(
            status=AttemptStatus.SENT, lease=None, lease_until=None, sent_at=LEFT, called_at=LEFT
        )
        hear(now=event.work_from)
        answer.refresh_from_db()
        assert answer.status == AttemptStatus.DELIVERED

    @pytest.mark.parametrize(
        ("status", "ends"),
        [
            ("queued", (AttemptStatus.SENT, StepStatus.COMPLETED)),
            ("delivered", (AttemptStatus.DELIVERED, StepStatus.COMPLETED)),
            ("failed", (AttemptStatus.FAILED, StepStatus.ACTIVE)),
        ],
    )
    def test_a_late_receipt_settles_what_nobody_knew(
        self, twilio: Twilio, inquiry: Inquiry, rina: User, status: str, ends: tuple[str, str]
    ) -> None:
        twilio.tricks.append(Trick(hangs_up=True, takes=True))
        answer = sent(inquiry, rina)
        assert (answer.status, answer.step.status) == (AttemptStatus.UNKNOWN, StepStatus.ACTIVE)
        says(answer, status)
        assert after(answer) == ends
        assert (answer.sent_at, answer.provider_reference) == (LEFT, "SM1")
        assert Step.objects.count() == 1  # the person who had it has it still, or is done

    def test_about_messages_that_are_nobodys_nothing_happens_and_their_words_go(
        self, twilio: Twilio, inquiry: Inquiry, rina: User
    ) -> None:
        answer = sent(inquiry, rina)
        other = sent(builders.inquiry(inquiry.clinic), rina, "+972547654322")
        SentAnswer.objects.filter(pk=other.pk).update(channel="email")  # of another provider
        says(other, "undelivered")
        assert after(answer) == (AttemptStatus.SENT, StepStatus.COMPLETED)
        event = ProviderEvent.objects.get()
        assert (event.outcome, event.work_from, event.worked_at) == ("not_ours", None, LEFT)
        assert empty_old_events(now=LEFT + EMPTIED_AFTER + timedelta(minutes=1)) == 1


class TestMails:
    def told(self, kind: str, answer: SentAnswer, **more: str) -> None:
        named = {"user-variables": {"reference": str(answer.reference)}}
        given = mailgun_api.event(kind, "1@alon.example", once=kind, **{**named, **more})
        assert Client().post("/hooks/email/", **given).status_code == 200

    def test_a_provider_of_mail_tells_of_it_too(self, mailgun: Mailgun, inquiry: Inquiry, rina: User) -> None:
        answer = sent(inquiry, rina, MAIL)
        self.told("delivered", answer)
        assert after(answer) == (AttemptStatus.DELIVERED, StepStatus.COMPLETED)

    def test_a_mailbox_that_does_not_exist_is_marked(
        self, mailgun: Mailgun, inquiry: Inquiry, rina: User
    ) -> None:
        answer = sent(inquiry, rina, MAIL)
        self.told("failed", answer, severity="permanent", reason="bounce")
        assert after(answer) == (AttemptStatus.FAILED, StepStatus.ACTIVE)
        assert ContactPoint.objects.get(value=MAIL).status == AddressStatus.BAD

    def test_one_that_is_late_says_so_on_its_page(
        self, mailgun: Mailgun, inquiry: Inquiry, rina: User
    ) -> None:
        answer = sent(inquiry, rina, MAIL)
        self.told("failed", answer, severity="temporary", reason="generic")
        assert after(answer) == (AttemptStatus.SENT, StepStatus.COMPLETED)
        client = Client()
        client.force_login(rina)
        late = str(DELAYED_WORDS)
        assert late in client.get(reverse("inquiry", args=[inquiry.public_id])).content.decode()
        self.told("delivered", answer)
        assert after(answer) == (AttemptStatus.DELIVERED, StepStatus.COMPLETED)
        assert late not in client.get(reverse("inquiry", args=[inquiry.public_id])).content.decode()

    @pytest.mark.parametrize("kind", ["complained", "unsubscribed"])
    def test_who_calls_it_spam_gets_no_other(
        self, mailgun: Mailgun, inquiry: Inquiry, rina: User, kind: str
    ) -> None:
        answer = sent(inquiry, rina, MAIL)
        self.told(kind, answer, recipient=MAIL)
        worked()
        with pytest.raises(RefusedError, match="asked not to write"):
            sent(inquiry, rina, MAIL, "And on Friday, too.")


@pytest.fixture
def fake() -> Iterator[Fake]:
    yield from played_by(Fake())


def comes(inbox: Path, raw: bytes) -> IncomingDocument:
    (inbox / "new" / "1").write_bytes(raw)
    assert fetch(now=LEFT) == 1
    arrivals.match_documents(now=LEFT)
    hear_letters(now=LEFT)
    hear(now=LEFT)
    return IncomingDocument.objects.latest("pk")


class TestLetters:
    def test_a_mail_that_came_back_is_with_a_person_who_tells_it_otherwise(
        self, fake: Fake, inbox: Path, inquiry: Inquiry, rina: User
    ) -> None:
        answer = sent(inquiry, rina, MAIL)
        document = comes(inbox, report(str(answer.reference)))
        assert after(answer) == (AttemptStatus.FAILED, StepStatus.ACTIVE)
        assert (document.status, document.letter_from, document.ended_at) == (
            DocumentStatus.LETTER,
            None,
            LEFT,
        )
        assert ContactPoint.objects.get(value=MAIL).status == AddressStatus.BAD
        assert not Step.objects.filter(kind=StepKind.IDENTIFY).exists()

    def test_who_answers_by_mail_is_read_by_a_person_in_the_inbox(
        self, fake: Fake, inbox: Path, inquiry: Inquiry, rina: User
    ) -> None:
        answer = sent(inquiry, rina, MAIL)
        comes(inbox, letter("And on Friday?", sender=MAIL, answers=str(answer.reference)))
        reply = Reply.objects.get()
        assert (reply.body, reply.clinic, reply.patient) == ("And on Friday?", inquiry.clinic, None)
        assert reply.matter
        assert (reply.matter.kind, reply.matter.status) == (StepKind.CALL, StepStatus.ACTIVE)
        assert not Step.objects.filter(kind=StepKind.IDENTIFY).exists()

    def test_a_machine_that_answers_asks_nothing_of_us(
        self, fake: Fake, inbox: Path, inquiry: Inquiry, rina: User
    ) -> None:
        answer = sent(inquiry, rina, MAIL)
        comes(inbox, letter("I am away.", sender=MAIL, answers=str(answer.reference), automatic=True))
        assert not Reply.objects.exists()
        assert not Step.objects.filter(status=StepStatus.ACTIVE).exists()

    @pytest.mark.parametrize("raw", [report, lambda of: letter("Hello", sender=MAIL, answers=of)])
    def test_about_a_mail_that_nobody_here_sent_a_person_finds_out(
        self, inbox: Path, inquiry: Inquiry, raw: Callable[[str], bytes]
    ) -> None:
        document = comes(inbox, raw(str(uuid4())))
        assert (document.status, document.letter_from) == (DocumentStatus.UNMATCHED, None)
        assert Step.objects.get(kind=StepKind.IDENTIFY).status == StepStatus.ACTIVE


def test_what_is_written_back_is_with_the_clinic_that_answered(
    fake: Fake, inquiry: Inquiry, rina: User
) -> None:
    """Several clinics may share one number of the provider's."""
    other = builders.clinic()
    builders.opened(other)
    theirs = sent(builders.inquiry(other), builders.user(at=other))
    assert theirs.status == AttemptStatus.SENT
    assert other.pk > inquiry.clinic_id
    receive_reply(Said("sms", "phone", PHONE, "thank you, and Friday?", at=LEFT), now=LEFT)
    assert Reply.objects.get().clinic == other


def test_delivered_implies_that_it_left(inquiry: Inquiry, rina: User) -> None:
    made = send_answer(inquiry, Letter(PHONE, WORDS, "en"), now=NOW, by=rina)
    with pytest.raises(IntegrityError), transaction.atomic():
        SentAnswer.objects.filter(pk=made.pk).update(status=AttemptStatus.DELIVERED)
