"""An answer in writing to whoever is nobody's patient: it leaves once, in lawful hours, and is never lost silently."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from inquiries import outbox
from inquiries.models import Inquiry
from inquiries.outbox import send_answers
from inquiries.sending import LEAVES_AFTER, Letter, do_not_send, send_answer, told_otherwise
from inquiries.sent_models import SentAnswer
from journeys.models import JourneyStatus, Step, StepKind, StepStatus
from outreach.channels import ChannelError, Receipt, Trouble
from outreach.channels.inbound import Said
from outreach.models import AttemptStatus
from outreach.opt_out import BY_REPLY
from outreach.provider_models import Sender
from outreach.replies import receive_reply
from outreach.senders import LIMIT, turn_of
from patients.actions import RefusedError, StaleStateError, withdraw_consent
from patients.models import AddressStatus, Channel, Clinic, ContactPoint
from tests import builders
from tests.conftest import NOW
from tests.outreach.test_dispatch import Fake, failing, played_by

pytestmark = pytest.mark.django_db
WORDS = "Alon Clinic: yes, we have it. Any question? Call 03-555-0100."
LEFT = NOW + LEAVES_AFTER
HOUR = timedelta(hours=1)


@pytest.fixture
def fake() -> Iterator[Fake]:
    yield from played_by(Fake())


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(language="en")


@pytest.fixture
def rina(clinic: Clinic) -> User:
    return builders.user(at=clinic)


@pytest.fixture
def inquiry(clinic: Clinic) -> Inquiry:
    return builders.inquiry(clinic)


def put_out(inquiry: Inquiry, rina: User, to: str = "054-765-4321", words: str = WORDS) -> SentAnswer:
    return send_answer(inquiry, Letter(to, words, "en"), now=NOW, by=rina)


def status_of(sent: SentAnswer) -> tuple[str, str]:
    sent.refresh_from_db()
    return sent.status, Step.objects.get(pk=sent.step_id).status


def test_it_leaves_once_and_its_step_ends(fake: Fake, inquiry: Inquiry, rina: User) -> None:
    sent = put_out(inquiry, rina)
    assert send_answers(now=NOW) == 0  # there is time to stop it
    assert [send_answers(now=LEFT), send_answers(now=LEFT)] == [1, 0]
    (message,) = fake.sent
    assert (message.to, message.body, message.reference) == ("+972547654321", WORDS, str(sent.reference))
    assert message.open_for == NOW.replace(hour=18) - LEFT  # 20:00 there
    assert status_of(sent) == ("sent", "completed")
    assert (sent.sent_at, sent.provider_reference) == (LEFT, "its-own-id")
    assert (inquiry.outcome, inquiry.phone) == ("will_think", "+972547654321")


def test_by_e_mail_where_that_was_told(fake: Fake, inquiry: Inquiry, rina: User) -> None:
    sent = put_out(inquiry, rina, "Noa@Example.org")
    send_answers(now=LEFT)
    assert (sent.channel, [message.to for message in fake.sent]) == ("email", ["noa@example.org"])
    assert inquiry.phone == ""


def test_pressed_twice_it_is_one_message(fake: Fake, inquiry: Inquiry, rina: User) -> None:
    assert put_out(inquiry, rina) == put_out(inquiry, rina)
    send_answers(now=LEFT)
    with pytest.raises(StaleStateError):
        put_out(inquiry, rina)
    assert len(fake.sent) == 1


def test_nothing_is_sent_before_the_answer(clinic: Clinic, rina: User) -> None:
    step = builders.step(builders.journey(builders.patient(clinic)), kind="promise")
    owed = builders.inquiry(clinic, answered_at=None, said_words="", step=step)
    with pytest.raises(RefusedError):
        put_out(owed, rina)


def test_it_is_stopped_before_it_has_left(fake: Fake, inquiry: Inquiry, rina: User) -> None:
    sent = put_out(inquiry, rina)
    do_not_send(inquiry, str(sent.reference), now=NOW, by=rina)
    assert send_answers(now=LEFT) == 0
    assert status_of(sent) == ("cancelled", "cancelled")
    with pytest.raises(StaleStateError):
        do_not_send(inquiry, str(sent.reference), now=NOW, by=rina)


def test_a_correction_waits_for_the_one_on_its_way_and_no_older_page_stops_it(
    fake: Fake, inquiry: Inquiry, rina: User
) -> None:
    wrong = put_out(inquiry, rina, "054-765-4320")
    with pytest.raises(StaleStateError, match="on its way"):
        put_out(inquiry, rina)
    do_not_send(inquiry, str(wrong.reference), now=NOW, by=rina)
    right = put_out(inquiry, rina)
    for old in (str(wrong.reference), "", "no reference"):
        with pytest.raises(StaleStateError):
            do_not_send(inquiry, old, now=NOW, by=rina)
    with pytest.raises(StaleStateError, match="on its way"):
        told_otherwise(inquiry, now=NOW, by=rina)
    assert send_answers(now=LEFT) == 1
    assert [message.to for message in fake.sent] == [right.value]


def test_at_night_it_waits_for_the_hours_of_messages(fake: Fake, inquiry: Inquiry, rina: User) -> None:
    night = NOW + 11 * HOUR  # 21:00
    sent = send_answer(inquiry, Letter("054-765-4321", WORDS, "en"), now=night, by=rina)
    morning = NOW + 23 * HOUR  # 09:00
    assert (sent.send_at, send_answers(now=night + LEAVES_AFTER)) == (morning, 0)
    assert send_answers(now=morning) == 1


def test_a_day_that_has_been_closed_since_moves_it(
    fake: Fake, inquiry: Inquiry, rina: User, clinic: Clinic
) -> None:
    sent = put_out(inquiry, rina)
    clinic.closed_days.create(on=NOW.date(), name="Purim", closes_at=time(10))
    assert send_answers(now=LEFT) == 0
    assert status_of(sent) == ("planned", "active")
    assert send_answers(now=NOW + 23 * HOUR) == 1


def stopped(clinic: Clinic) -> None:
    patient = builders.patient(clinic, phone="054-765-4321")
    tie = patient.contacts.get()
    withdraw_consent(patient, tie.contact_point, Channel.SMS, words="stop", now=NOW)


def found_bad(clinic: Clinic) -> None:
    builders.patient(clinic, phone="054-765-4321")
    ContactPoint.objects.update(status=AddressStatus.BAD)


@pytest.mark.parametrize("forbids", [stopped, found_bad])
def test_what_forbids_it_is_asked_when_it_is_planned_and_at_the_door(
    fake: Fake, inquiry: Inquiry, rina: User, clinic: Clinic, forbids: Callable[[Clinic], None]
) -> None:
    sent = put_out(inquiry, rina)
    forbids(clinic)
    with pytest.raises(RefusedError):
        put_out(builders.inquiry(clinic), rina)
    assert (send_answers(now=LEFT), fake.sent) == (0, [])
    assert status_of(sent) == ("cancelled", "active")  # a person has it now
    assert sent.trouble


@pytest.mark.parametrize(
    ("to", "words"), [("", WORDS), ("054-765-4321", " "), ("12", WORDS), ("054-765-4321", "a" * 1001)]
)
def test_nonsense_is_refused(inquiry: Inquiry, rina: User, to: str, words: str) -> None:
    with pytest.raises(RefusedError):
        put_out(inquiry, rina, to, words)
    assert not SentAnswer.objects.exists()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ChannelError(Trouble.NO_SUCH_ADDRESS), AttemptStatus.FAILED),
        (ChannelError(Trouble.REFUSED), AttemptStatus.FAILED),
        (ChannelError(Trouble.UNREACHABLE), AttemptStatus.PLANNED),
        (ChannelError(Trouble.BUSY, retry_after=HOUR / 2), AttemptStatus.PLANNED),
        (OSError("broken off"), AttemptStatus.UNKNOWN),
    ],
)
def test_what_does_not_leave_is_tried_again_or_with_a_person(
    fake: Fake, inquiry: Inquiry, rina: User, error: Exception, status: AttemptStatus
) -> None:
    sent = put_out(inquiry, rina)
    fake.answer = failing(error)
    assert send_answers(now=LEFT) == 0
    assert status_of(sent) == (status, StepStatus.ACTIVE)
    fake.answer = None
    assert send_answers(now=LEFT + HOUR / 2) == (status == AttemptStatus.PLANNED)


def test_one_full_mailbox_is_tried_again_and_holds_up_no_patient(
    fake: Fake, inquiry: Inquiry, rina: User
) -> None:
    sent = put_out(inquiry, rina, "noa@example.org")
    fake.answer = failing(ChannelError(Trouble.BUSY, "452", of_one=True))
    for minutes in range(LIMIT + 1):
        send_answers(now=LEFT + timedelta(minutes=minutes))
    assert status_of(sent) == (AttemptStatus.PLANNED, StepStatus.ACTIVE)
    assert turn_of("email", now=LEFT) is not None
    assert not Step.objects.filter(kind=StepKind.MEND).exists()


def test_while_its_provider_asks_for_a_long_pause_patients_are_reached_another_way(
    fake: Fake, inquiry: Inquiry, rina: User
) -> None:
    put_out(inquiry, rina)
    fake.answer = failing(ChannelError(Trouble.BUSY, retry_after=HOUR))
    send_answers(now=LEFT)
    assert Sender.objects.get(channel="sms").down_since == LEFT
    assert Step.objects.filter(kind=StepKind.MEND).count() == 1


def test_what_could_not_leave_in_its_hour_is_with_a_person(fake: Fake, inquiry: Inquiry, rina: User) -> None:
    sent = put_out(inquiry, rina)
    Sender.objects.create(channel="sms", paused_until=NOW + HOUR * 2)
    assert send_answers(now=LEFT) == 0
    assert send_answers(now=LEFT + HOUR * 2) == 0
    assert status_of(sent) == ("cancelled", "active")
    told_otherwise(inquiry, now=NOW, by=rina)
    assert status_of(sent) == ("cancelled", "completed")


def test_after_one_that_failed_another_way_takes_its_place(fake: Fake, inquiry: Inquiry, rina: User) -> None:
    failed = put_out(inquiry, rina)
    fake.answer = failing(ChannelError(Trouble.REFUSED))
    send_answers(now=LEFT)
    again = put_out(inquiry, rina, "noa@example.org")
    assert (status_of(failed), status_of(again)) == (("failed", "cancelled"), ("planned", "active"))


@pytest.mark.parametrize(("began", "status"), [(False, AttemptStatus.PLANNED), (True, AttemptStatus.UNKNOWN)])
def test_a_worker_that_died_leaves_nothing_twice(
    fake: Fake,
    inquiry: Inquiry,
    rina: User,
    monkeypatch: pytest.MonkeyPatch,
    began: bool,
    status: AttemptStatus,
) -> None:
    class Died(BaseException):
        pass

    def dies(*_args: Any, **_more: Any) -> Receipt:
        raise Died

    sent = put_out(inquiry, rina)
    fake.answer = dies
    if not began:
        monkeypatch.setattr(outbox, "_looked_at", dies)
    with pytest.raises(Died):
        send_answers(now=LEFT)
    monkeypatch.undo()
    fake.answer = None
    assert send_answers(now=LEFT) == 0  # still leased
    assert send_answers(now=LEFT + outbox.LEASE) == (status == AttemptStatus.PLANNED)
    sent.refresh_from_db()
    assert sent.status == (AttemptStatus.SENT if status == AttemptStatus.PLANNED else status)


def test_the_step_is_nobodys_and_says_whom_to_answer(inquiry: Inquiry, rina: User) -> None:
    sent = put_out(inquiry, rina)
    assert (sent.step.kind, sent.step.due_at) == (StepKind.TELL, sent.expires_at)
    assert sent.step.journey.status == JourneyStatus.UNIDENTIFIED
    assert "+972547654321" in sent.step.name


def test_where_the_law_asks_it_the_answer_says_how_to_stop_it(fake: Fake) -> None:
    american = builders.clinic(
        country="US", time_zone="America/New_York", language="en", phone="+12015550123"
    )
    at = NOW.replace(hour=15)
    letter = Letter("+12015550188", WORDS, "en")
    send_answer(builders.inquiry(american), letter, now=at, by=builders.user(at=american))
    assert send_answers(now=at + LEAVES_AFTER) == 1
    assert fake.sent[0].body == f"{WORDS}\n{BY_REPLY['en']}"


@pytest.mark.parametrize("words", ["STOP", "please stop"])
def test_whoever_asks_us_to_stop_gets_no_other_answer_until_asked_again(
    fake: Fake, inquiry: Inquiry, rina: User, words: str
) -> None:
    sent = put_out(inquiry, rina)
    said = Said("sms", "phone", "+972547654321", words, at=NOW)
    receive_reply(said, now=NOW)
    assert send_answers(now=LEFT) == 0
    assert status_of(sent)[0] == "cancelled"
    with pytest.raises(RefusedError, match="asked not to write"):
        put_out(inquiry, rina)
    receive_reply(replace(said, text="START", at=LEFT), now=LEFT)
    put_out(inquiry, rina)


def test_to_our_patient_it_goes_from_the_conversation(fake: Fake, inquiry: Inquiry, rina: User) -> None:
    patient = builders.patient(inquiry.clinic)
    Inquiry.objects.filter(pk=inquiry.pk).update(patient=patient, journey=builders.journey(patient))
    with pytest.raises(StaleStateError):
        put_out(inquiry, rina)
    assert not SentAnswer.objects.exists()
