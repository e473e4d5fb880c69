"""Offers as messages: what they say, that none leaves too late, and the answers."""

from datetime import UTC, datetime, time, timedelta

import pytest

from appointments import actions, waitlist
from appointments.actions import Visit
from appointments.openings import offer_openings
from appointments.waiting_models import Offer, WaitlistEntry
from journeys.models import StepKind
from outreach.actions import open_tasks, plan_attempts
from outreach.calls import claim_call
from outreach.dispatch import dispatch
from outreach.models import Attempt, AttemptStatus, OutreachTask, Reply
from outreach.offer_answers import NO, NO_MORE, YES, answer_offer
from outreach.rendering import sms_parts
from patients.actions import CardAnswers, save_card, withdraw_consent
from patients.models import Channel
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FREE_AT = NOW + 2 * DAY


@pytest.fixture
def entry() -> WaitlistEntry:
    """She has a date in two weeks; a time in two days has just become free."""
    builders.messages_loaded()
    doctor = builders.practitioner(builders.clinic(language="en"))
    patient = builders.patient(doctor.clinic, language="en")
    made = builders.waiting_entry(patient, visit={"practitioner": doctor, "start": NOW + 14 * DAY})
    nobody = builders.patient(doctor.clinic, phone="")
    actions.cancel(builders.appointment(nobody, practitioner=doctor, start=FREE_AT), because="ill", now=NOW)
    return made


def tick(now: datetime) -> None:
    for run in (offer_openings, open_tasks, plan_attempts, dispatch):
        run(now=now)


def sent() -> list[str]:
    return list(Attempt.objects.filter(status=AttemptStatus.SENT).values_list("body", flat=True))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "A sooner time is free: Wednesday 11 March, 10:00."),
        ("he", "התפנה מועד מוקדם יותר: יום רביעי 11 במרץ בשעה 10:00."),
        ("ru", "Свободно раньше: среда, 11 марта, 10:00."),
        ("ar", "توفّر موعد أقرب: الأربعاء 11 مارس، الساعة 10:00،"),
    ],
)
def test_the_message_names_the_free_time_and_fits_four_parts(
    entry: WaitlistEntry, language: str, words: str
) -> None:
    type(entry.patient).objects.filter(pk=entry.patient_id).update(language=language)
    tick(NOW)
    (body,) = sent()
    assert words in body
    assert "/p/" in body
    assert sms_parts(body) <= 4


def test_it_is_sent_once_whatever_the_number_of_ticks(entry: WaitlistEntry) -> None:
    for n in range(4):
        tick(NOW + n * MINUTE)
    assert len(sent()) == 1
    assert entry.journey.steps.get(kind=StepKind.AWAIT_PATIENT).status == "active"


def test_in_the_evening_for_who_reads_in_the_evening(entry: WaitlistEntry) -> None:
    evening = (
        (0, time(18), time(20)),
    )  # the time is on Wednesday at ten: when she reads is not when she comes
    save_card(entry.patient, CardAnswers(Channel.SMS, evening, "en"), now=NOW, by=None)
    tick(NOW)
    assert sent() == []
    tick(datetime(2026, 3, 9, 16, 1, tzinfo=UTC))
    assert len(sent()) == 1


def test_who_cannot_be_told_in_time_is_passed_over_and_nobody_gets_extra_work(entry: WaitlistEntry) -> None:
    """She reads on Wednesdays alone, and the time is on that very morning."""
    save_card(entry.patient, CardAnswers(Channel.SMS, ((2, time(9), time(20)),), "en"), now=NOW, by=None)
    tick(NOW)
    tick(NOW)
    offer = Offer.objects.select_related("step").get()
    entry.refresh_from_db()
    assert (offer.status, offer.is_settled, entry.status) == ("skipped", True, "waiting")
    assert not Attempt.objects.exists()
    assert not entry.journey.steps.filter(kind=StepKind.CALL).exists()


def test_who_has_withdrawn_consent_everywhere_gets_nothing(entry: WaitlistEntry) -> None:
    point = entry.patient.contacts.get().contact_point
    for channel in (Channel.SMS, Channel.WHATSAPP, Channel.PHONE):
        withdraw_consent(entry.patient, point, channel, now=NOW, words="stop", by=None)
    tick(NOW)
    assert Offer.objects.get().status == "skipped"
    assert not Attempt.objects.exists()


def test_a_message_planned_for_a_time_that_was_taken_does_not_leave(entry: WaitlistEntry) -> None:
    for run in (offer_openings, open_tasks, plan_attempts):
        run(now=NOW)
    offer = Offer.objects.select_related("opening__practitioner").get()
    doctor = offer.opening.practitioner
    actions.book(Visit(builders.patient(doctor.clinic, phone=""), doctor, FREE_AT, 30), now=NOW)
    dispatch(now=NOW)  # before the tick that ends the offer
    assert sent() == []
    assert OutreachTask.objects.get(patient=entry.patient).status == "cancelled"


def test_caps_hold_for_offers(entry: WaitlistEntry) -> None:
    for n in range(2):
        other = builders.task(builders.step(entry.journey), plan_from=None)
        builders.attempt(other, status="sent", send_at=NOW - n * HOUR, sent_at=NOW - n * HOUR)
    tick(NOW)
    planned = Attempt.objects.get(status=AttemptStatus.PLANNED)
    assert planned.send_at.date() == (NOW + DAY).date()


@pytest.mark.parametrize(("said", "status"), [(YES, "placed"), (NO, "waiting"), (NO_MORE, "withdrawn")])
def test_an_answer_is_written_down_in_the_clinics_words(entry: WaitlistEntry, said: str, status: str) -> None:
    tick(NOW)
    answer_offer(Offer.objects.get(), said, now=NOW + MINUTE, channel="page")
    entry.refresh_from_db()
    assert entry.status == status
    reply = Reply.objects.get()
    assert (reply.meaning, reply.patient_id) == (said, entry.patient_id)
    assert "Wed 11 Mar 10:00" in reply.body


def test_a_yes_that_comes_too_late_is_written_down_too(entry: WaitlistEntry) -> None:
    tick(NOW)
    offer = Offer.objects.select_related("opening__practitioner").get()
    doctor = offer.opening.practitioner
    actions.book(Visit(builders.patient(doctor.clinic, phone=""), doctor, FREE_AT, 30), now=NOW)
    with pytest.raises(waitlist.OfferTakenError):
        answer_offer(offer, YES, now=NOW + MINUTE, channel="page")
    assert Reply.objects.get().meaning == YES


def test_who_likes_calls_is_called_and_the_answer_ends_the_call(entry: WaitlistEntry) -> None:
    save_card(entry.patient, CardAnswers(Channel.PHONE, (), "en"), now=NOW, by=None)
    tick(NOW)
    call = Attempt.objects.get(channel=Channel.PHONE)
    rina = builders.user(at=entry.clinic)
    claim_call(call, by=rina, now=NOW)
    answer_offer(Offer.objects.get(), YES, now=NOW + MINUTE, channel=Channel.PHONE, by=rina)
    call.refresh_from_db()
    assert (call.status, call.outcome) == ("delivered", "spoken")
    assert OutreachTask.objects.get(patient=entry.patient).status == "done"


def test_a_yes_answers_the_question_whether_the_visit_suits(entry: WaitlistEntry) -> None:
    tick(NOW)
    asks = builders.step(entry.journey, kind=StepKind.CONFIRM, message_key="held_visit")
    task = builders.task(asks, message_key="held_visit")
    answer_offer(Offer.objects.get(), YES, now=NOW + MINUTE, channel="page")
    asks.refresh_from_db()
    task.refresh_from_db()
    assert (asks.status, asks.outcome, task.status) == ("completed", "confirmed", "done")
