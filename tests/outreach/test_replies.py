"""What patients write back, through each provider's own callback: STOP is obeyed, everything else is read."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from appointments.models import Appointment, AppointmentEvent, SlotUse
from journeys.actions import complete_step
from journeys.models import JourneyStatus, Step, StepKind, StepStatus
from outreach.actions import plan_attempts
from outreach.closing import merge_records
from outreach.dispatch import LEASE, dispatch, take
from outreach.door import open_parcels
from outreach.incoming import work_events
from outreach.links_to_messengers import LASTS, link_for
from outreach.models import Attempt, AttemptStatus, MessageTemplate, OutreachTask, Reply
from outreach.provider_models import MessengerLink, ProviderEvent
from outreach.senders import Turn
from outreach.stop_words import Asks, asks_to_stop
from patients.actions import add_address, mark_address
from patients.models import (
    AddressKind,
    AddressStatus,
    Channel,
    Consent,
    Patient,
    PatientContact,
    PatientStatus,
    Relation,
)
from tests import builders
from tests.conftest import NOW
from tests.standins import meta, telegram, twilio as twilio_api
from tests.standins.meta import Meta
from tests.standins.telegram import Telegram
from tests.standins.twilio import Twilio

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
PHONE = "+972502345678"


def by_sms(body: str, sender: str = PHONE, sid: str = "SM9") -> None:
    fields = {"MessageSid": sid, "SmsStatus": "received", "From": sender, "To": "+97235550142", "Body": body}
    sent = twilio_api.callback("https://clinic.example/hooks/twilio/", fields)
    assert Client().post("/hooks/twilio/", **sent).status_code == 200
    work_events(now=NOW)


def by_whatsapp(body: str, **more: Any) -> None:
    sent = meta.event(messages=[meta.text("wamid.in", body, at=int(NOW.timestamp()), **more)])
    assert Client().post("/hooks/whatsapp/", **meta.callback(sent)).status_code == 200
    work_events(now=NOW)


def by_telegram(number: int = 1, **what: Any) -> None:
    assert Client().post("/hooks/telegram/", **telegram.update(number, **what)).status_code == 200
    work_events(now=NOW)


def told(**fields: Any) -> Attempt:
    given = {"status": AttemptStatus.SENT, "sent_at": NOW, "called_at": NOW - timedelta(hours=1)}
    return builders.attempt(**{**given, **fields})


def silenced() -> set[tuple[int, str]]:
    rows = Consent.objects.filter(status="withdrawn", superseded_at__isnull=True)
    return set(rows.values_list("patient_id", "channel"))


@pytest.mark.parametrize(
    "words",
    [
        "STOP",
        "stop.",
        "Unsubscribe",
        "opt-out",
        "הסר",
        "הָסֵר!",
        "די",
        "СТОП",
        "Не пишите",
        "قف",
        "إلغاء",
        "stop stop",
    ],
)
def test_the_words_for_stop_are_known_in_four_languages(words: str) -> None:
    assert asks_to_stop(words) == Asks.STOP


@pytest.mark.parametrize(
    ("words", "asks"),
    [
        ("please stop sending me these", Asks.MAYBE),
        ("отпишите меня пожалуйста", Asks.MAYBE),
        ("I was with you on Monday and all was well, but please stop sending me these messages", Asks.MAYBE),
        ("אחרי הביקור האחרון הכל היה בסדר גמור ותודה רבה לכולם, אבל בבקשה אל תשלחו לי עוד", Asks.MAYBE),
        ("cancel my visit on Monday please", Asks.NOTHING),
        ("די כואב לי בשן", Asks.NOTHING),
        ("", Asks.NOTHING),
        ("כן", Asks.NOTHING),
    ],
)
def test_inside_a_sentence_a_person_decides(words: str, asks: Asks) -> None:
    assert asks_to_stop(words) == asks


class TestStop:
    def test_it_silences_this_patient_here_and_leaves_the_other_ways(self, twilio: Twilio) -> None:
        attempt = told()
        by_sms("STOP")
        assert silenced() == {(attempt.patient_id, "sms")}
        reply = Reply.objects.get()
        assert (reply.attempt, reply.meaning, reply.body) == (attempt, "stop", "STOP")
        again = builders.task(builders.step(attempt.task.step.journey))
        plan_attempts(now=NOW)
        assert Attempt.objects.get(task=again).channel == Channel.PHONE

    def test_one_phone_of_a_mother_and_two_children_means_who_was_written_about(self, twilio: Twilio) -> None:
        clinic = builders.clinic()
        ben, tamar = (builders.patient(clinic, given_name=name, phone="") for name in ("Ben", "Tamar"))
        for child in (ben, tamar):
            add_address(child, AddressKind.PHONE, PHONE, relation=Relation.PARENT)
        told(of=task_of(ben), called_at=NOW - timedelta(hours=2))
        told(of=task_of(tamar), called_at=NOW - timedelta(hours=1))
        by_sms("הסר")
        assert silenced() == {(tamar.pk, "sms")}

    def test_between_queue_and_send_nothing_leaves(self, twilio: Twilio) -> None:
        builders.messages_loaded()
        attempt = told()
        builders.opened(attempt.clinic)
        queued = builders.attempt(task_of(attempt.patient))
        by_sms("stop")
        dispatch(now=NOW)
        queued.refresh_from_db()
        left = Attempt.objects.filter(sent_at__isnull=False).exclude(pk=attempt.pk)
        assert (queued.status, len(twilio.taken)) == (AttemptStatus.CANCELLED, 1)
        assert left.get().task.message_key == "stopped"

    def test_what_a_worker_has_claimed_and_not_begun_is_held_back_too(self, twilio: Twilio) -> None:
        builders.messages_loaded()
        last = told()
        builders.opened(last.clinic)
        waiting = builders.attempt(
            builders.task(builders.step(last.task.step.journey), plan_from=None), send_at=NOW
        )
        lease = uuid.uuid4()
        take(waiting.pk, lease, now=NOW, lasts=LEASE)
        (parcel,) = open_parcels([waiting.pk], lease, now=NOW)
        by_sms("please stop sending me these")
        assert builders.delivered(parcel, Turn("sms")) == ""
        assert twilio.taken == []
        waiting.refresh_from_db()
        assert (waiting.status, waiting.decisions.get().rules) == (AttemptStatus.CANCELLED, "maybe_stop")
        assert waiting.task.plan_from == waiting.decisions.get().until

    def test_what_is_to_be_planned_before_a_person_has_read_it_waits_until_then(self, twilio: Twilio) -> None:
        last = told()
        builders.opened(last.clinic)
        by_sms("please stop sending me these")
        later = task_of(last.patient)
        OutreachTask.objects.filter(pk=later.pk).update(plan_from=NOW)
        assert plan_attempts(now=NOW) == 0
        later.refresh_from_db()
        again_at = later.plan_from
        assert (later.step.decisions.get().rules, again_at) == ("maybe_stop", NOW + timedelta(minutes=10))
        assert plan_attempts(now=again_at) == 0
        assert later.step.decisions.count() == 1
        matter = Reply.objects.get(meaning="maybe_stop").matter
        assert matter is not None
        complete_step(matter, "answered", now=again_at)
        assert plan_attempts(now=again_at + timedelta(minutes=10)) == 1
        assert Attempt.objects.get(task=later).channel == Channel.SMS

    def test_at_the_door_it_is_asked_too_and_a_persons_own_answer_leaves(self, twilio: Twilio) -> None:
        builders.messages_loaded()
        last = told()
        builders.opened(last.clinic)
        by_sms("please stop sending me these")
        planned = builders.attempt(task_of(last.patient))
        said = builders.task(builders.step(planned.task.step.journey), plan_from=None, message_key="answer")
        answer = builders.attempt(said, body="Gladly. Do you mean all of them?", language="en")
        dispatch(now=NOW)
        dispatch(now=NOW)
        planned.refresh_from_db()
        assert (planned.status, planned.decisions.get().rules) == (AttemptStatus.CANCELLED, "maybe_stop")
        assert [each["body"] for each in twilio.taken] == [answer.body]

    def test_what_has_begun_to_leave_is_not_called_held_back(self, twilio: Twilio) -> None:
        last = told()
        leaving = builders.attempt(
            builders.task(builders.step(last.task.step.journey), plan_from=None),
            status=AttemptStatus.SENDING,
            lease=uuid.uuid4(),
            lease_until=NOW + LEASE,
            called_at=NOW,
        )
        by_sms("please stop sending me these")
        leaving.refresh_from_db()
        assert (leaving.status, leaving.decisions.count()) == (AttemptStatus.SENDING, 0)

    def test_a_sentence_with_the_word_holds_messages_back_until_it_is_read(self, twilio: Twilio) -> None:
        attempt = told()
        queued = builders.attempt(task_of(attempt.patient))
        by_sms("please stop sending me these")
        queued.refresh_from_db()
        queued.task.refresh_from_db()
        assert (silenced(), queued.status) == (set(), AttemptStatus.CANCELLED)
        assert queued.task.plan_from
        assert queued.task.plan_from > NOW
        assert Step.objects.filter(kind=StepKind.CALL, status=StepStatus.ACTIVE).count() == 1

    def test_by_the_providers_own_list_it_is_ours_too(self, twilio: Twilio) -> None:
        builders.messages_loaded()
        attempt = builders.attempt()
        builders.opened(attempt.clinic)
        twilio.tricks.append(twilio_api.refuses(400, 21610))
        dispatch(now=NOW)
        attempt.refresh_from_db()
        assert (attempt.status, attempt.outcome) == (AttemptStatus.FAILED, "stopped")
        assert silenced() == {(attempt.patient_id, "sms")}
        plan_attempts(now=NOW)
        assert Attempt.objects.get(status=AttemptStatus.PLANNED).channel == Channel.PHONE


class TestWords:
    def test_they_are_with_a_person_within_two_working_hours(self, twilio: Twilio) -> None:
        attempt = told()
        by_sms("Can't talk, who is the doctor?")
        step = Step.objects.get(kind=StepKind.CALL)
        assert step.title == "Answer: \u2068Can't talk, who is the doctor?\u2069" or step.names
        assert step.due_at == NOW + timedelta(hours=2)
        reply = Reply.objects.get()
        assert (reply.attempt, reply.contact_point, reply.step) == (
            attempt,
            attempt.contact_point,
            attempt.task.step,
        )

    def test_the_same_callback_again_opens_nothing_new(self, twilio: Twilio) -> None:
        told()
        by_sms("Hello")
        by_sms("Hello")
        assert (Reply.objects.count(), Step.objects.filter(kind=StepKind.CALL).count()) == (1, 1)

    def test_who_writes_first_is_known_by_the_address_if_one_person_has_it(self, twilio: Twilio) -> None:
        patient = builders.patient()
        by_sms("I am the one with the tooth")
        step = Step.objects.get()
        assert (step.journey.patient, step.kind) == (patient, StepKind.CALL)
        assert Reply.objects.get().patient == patient

    @pytest.mark.parametrize("how_many", [0, 2])
    def test_nobody_is_guessed_where_nobody_or_several_may_be_meant(
        self, twilio: Twilio, how_many: int
    ) -> None:
        clinic = builders.clinic()
        for _n in range(how_many):
            builders.patient(clinic)
        by_sms("Hello")
        step = Step.objects.get()
        assert (step.journey.patient, step.journey.status) == (None, JourneyStatus.UNIDENTIFIED)
        assert "050-234-5678" in step.names["en"]
        assert step.due_at is not None
        assert Reply.objects.get().patient is None

    def test_whatsapp_without_a_phone_number_is_an_address_all_the_same(self, whatsapp: Meta) -> None:
        patient = builders.patient()
        builders.on_whatsapp(patient, "US.13491208655302741918")
        sent = meta.text("wamid.in", "שלום", who="")
        del sent["from"]
        body = meta.event(messages=[{**sent, "from_user_id": "US.13491208655302741918"}])
        Client().post("/hooks/whatsapp/", **meta.callback(body))
        work_events(now=NOW)
        assert (Reply.objects.get().patient, Reply.objects.get().body) == (patient, "שלום")

    def test_within_a_day_of_her_words_our_own_words_answer_on_whatsapp(self, whatsapp: Meta) -> None:
        builders.messages_loaded()
        patient = builders.patient(language="en")
        builders.opened(patient.clinic)
        tie = builders.on_whatsapp(patient)
        by_whatsapp("hello")
        builders.attempt(task_of(patient), channel="whatsapp", contact_point=tie.contact_point)
        dispatch(now=NOW + timedelta(hours=1))
        assert [taken["type"] for taken in whatsapp.taken] == ["text"]

    def test_after_that_only_the_approved_template_does(self, whatsapp: Meta, admin_client: Client) -> None:
        builders.messages_loaded()
        patient = builders.patient(language="en")
        builders.opened(patient.clinic)
        tie = builders.on_whatsapp(patient)
        later = NOW + timedelta(hours=24)
        by_whatsapp("hello")
        words = MessageTemplate.objects.get(key="next_step", language="en", channel="", variant="")
        admin_client.post(
            f"/admin/outreach/messagetemplate/{words.pk}/change/", {"approved_as": "next_step_1"}
        )
        builders.attempt(
            task_of(patient),
            channel="whatsapp",
            contact_point=tie.contact_point,
            send_at=later,
            expires_at=later + timedelta(hours=1),
        )
        dispatch(now=later)
        (taken,) = whatsapp.taken
        assert taken["template"]["name"] == "next_step_1"
        filled = [each["text"] for each in taken["template"]["components"][0]["parameters"]]
        assert "Dana" in filled


def task_of(patient: Patient) -> Any:
    return builders.task(builders.step(builders.journey(patient)), plan_from=None)


class TestShortAnswers:
    """To the question whether she comes."""

    def asked(self) -> tuple[Attempt, Appointment]:
        patient = builders.patient()
        visit = builders.appointment(patient)
        journey = builders.journey(patient)
        visit.step = builders.step(journey, kind=StepKind.VISIT, due_at=visit.end)
        visit.save(update_fields=["step"])
        question = builders.step(journey, kind=StepKind.CONFIRM)
        return told(of=builders.task(question, plan_from=None)), visit

    @pytest.mark.parametrize("words", ["Yes", "כן", "Приду!", "نعم", "  ok. "])
    def test_yes_confirms_the_visit_in_four_languages(self, twilio: Twilio, words: str) -> None:
        attempt, visit = self.asked()
        by_sms(words)
        visit.refresh_from_db()
        attempt.task.step.refresh_from_db()
        assert (visit.confirmed_at, attempt.task.step.outcome) == (NOW, "confirmed")
        assert not Step.objects.filter(kind=StepKind.CALL).exists()
        assert (Reply.objects.get().meaning, Reply.objects.get().body) == ("confirm", words.strip())

    def test_yes_to_a_reminder_confirms_the_visit_and_leaves_it_to_come(self, twilio: Twilio) -> None:
        _attempt, visit = self.asked()
        told(of=builders.task(visit.step, plan_from=None, message_key="visit_reminder"), called_at=NOW)
        by_sms("yes")
        visit.refresh_from_db()
        assert visit.step
        assert (visit.confirmed_at, visit.step.status) == (NOW, StepStatus.ACTIVE)
        assert Reply.objects.get().meaning == "confirm"
        assert not Step.objects.filter(kind=StepKind.CALL).exists()

    def test_another_time_ends_the_question_and_is_not_lost(self, twilio: Twilio) -> None:
        attempt, visit = self.asked()
        by_sms("מועד אחר")
        attempt.task.step.refresh_from_db()
        visit.refresh_from_db()
        assert (visit.confirmed_at, Reply.objects.get().meaning) == (None, "another_time")
        call = Step.objects.filter(kind=StepKind.CALL, status=StepStatus.ACTIVE)
        assert attempt.task.step.outcome == "another_time" or call.exists()

    @pytest.mark.parametrize(
        "words", ["No", "I can't come.", "לא", "לא אוכל להגיע", "Нет", "не смогу прийти", "لا", "لن آتي"]
    )
    def test_no_frees_the_time_in_four_languages(self, twilio: Twilio, words: str) -> None:
        _attempt, visit = self.asked()
        told(of=builders.task(visit.step, plan_from=None, message_key="visit_reminder"), called_at=NOW)
        by_sms(words)
        visit.refresh_from_db()
        assert (visit.status, SlotUse.objects.filter(appointment=visit).count()) == ("cancelled", 0)
        reply = Reply.objects.get()
        assert (reply.meaning, reply.body, reply.matter) == ("cannot_come", words, None)

    def test_no_to_what_asks_for_something_else_is_read(self, twilio: Twilio) -> None:
        _attempt, visit = self.asked()
        told(of=builders.task(visit.step, plan_from=None, message_key="visit_to_move"), called_at=NOW)
        by_sms("no")
        visit.refresh_from_db()
        assert (visit.status, Reply.objects.get().meaning) == ("booked", "")
        assert Reply.objects.get().matter

    def test_no_to_a_time_that_was_moved_since_gives_away_no_other(self, twilio: Twilio) -> None:
        _attempt, visit = self.asked()
        told(of=builders.task(visit.step, plan_from=None, message_key="visit_reminder"), called_at=NOW)
        AppointmentEvent.objects.create(appointment=visit, what="moved", at=NOW + timedelta(minutes=1))
        by_sms("no")
        visit.refresh_from_db()
        assert visit.status == "booked"
        assert Reply.objects.get().matter

    def test_what_is_held_for_the_doctor_is_a_persons_to_settle(self, twilio: Twilio) -> None:
        attempt, visit = self.asked()
        visit.status, visit.awaits, visit.step = "pending", attempt.task.step, None
        visit.hold_until = NOW + timedelta(hours=20)
        visit.save()
        OutreachTask.objects.update(message_key="held_visit")
        by_sms("can't come")
        visit.refresh_from_db()
        assert visit.status == "pending"
        assert Reply.objects.get().matter

    def test_thanks_is_kept_and_asks_for_nothing(self, twilio: Twilio) -> None:
        self.asked()
        by_sms("תודה רבה!")
        assert Reply.objects.get().meaning == "thanks"
        assert not Step.objects.filter(kind=StepKind.CALL).exists()

    @pytest.mark.parametrize("words", ["no", "לא", "yes but at six", "כן, אבל מה זה?"])
    def test_anything_else_is_read_by_a_person(self, twilio: Twilio, words: str) -> None:
        _attempt, visit = self.asked()
        by_sms(words)
        visit.refresh_from_db()
        assert visit.confirmed_at is None
        assert Step.objects.filter(kind=StepKind.CALL, status=StepStatus.ACTIVE).count() == 1

    def test_yes_to_a_visit_that_is_gone_is_read_by_a_person(self, twilio: Twilio) -> None:
        _attempt, visit = self.asked()
        type(visit).objects.update(status="cancelled", ended_because="moved")
        by_sms("yes")
        assert Step.objects.filter(kind=StepKind.CALL, status=StepStatus.ACTIVE).count() == 1


class TestTelegram:
    def test_the_one_time_link_ties_her_own_account_to_her_record(self, bot: Telegram) -> None:
        patient = builders.patient()
        link = link_for(patient, Relation.SELF, now=NOW, by=None)
        base, _bar, token = link.partition("?start=")
        assert (base, len(token) <= 64) == ("https://t.me/alon_bot", True)
        by_telegram(message=telegram.message(f"/start {token}"))
        tie = patient.contacts.get(contact_point__kind=AddressKind.TELEGRAM)
        patient.card.refresh_from_db()
        assert (tie.contact_point.value, tie.may_be_called) == ("777", False)
        assert (patient.card.channel, patient.card.told_at) == (Channel.TELEGRAM, NOW)
        assert token not in MessengerLink.objects.get().token_hash

    def test_it_works_once_and_for_an_hour(self, bot: Telegram) -> None:
        patient = builders.patient()
        _base, _bar, token = link_for(patient, Relation.SELF, now=NOW, by=None).partition("?start=")
        by_telegram(1, message=telegram.message(f"/start {token}"))
        by_telegram(2, message=telegram.message(f"/start {token}", chat=888))
        _base, _bar, old = link_for(patient, Relation.SELF, now=NOW - LASTS, by=None).partition("?start=")
        by_telegram(3, message=telegram.message(f"/start {old}", chat=999))
        by_telegram(4, message=telegram.message("/start guess", chat=999))
        on_telegram = patient.contacts.filter(contact_point__kind=AddressKind.TELEGRAM)
        assert [tie.contact_point.value for tie in on_telegram] == ["777"]
        outcomes = ProviderEvent.objects.order_by("pk").values_list("outcome", flat=True)
        assert list(outcomes) == ["linked", "link_is_void", "link_is_void", "link_is_void"]

    def test_who_blocks_the_bot_gets_nothing_more_there(self, bot: Telegram) -> None:
        patient = builders.patient()
        tie = add_address(patient, AddressKind.TELEGRAM, "777", rank=2)
        queued = builders.attempt(task_of(patient), channel="telegram", contact_point=tie.contact_point)
        by_telegram(my_chat_member=telegram.blocked())
        queued.refresh_from_db()
        assert (silenced(), queued.status) == ({(patient.pk, "telegram")}, AttemptStatus.CANCELLED)

    def test_so_it_is_when_only_the_sending_finds_out(self, bot: Telegram) -> None:
        builders.messages_loaded()
        patient = builders.patient()
        builders.opened(patient.clinic)
        tie = add_address(patient, AddressKind.TELEGRAM, "777", rank=2)
        builders.attempt(task_of(patient), channel="telegram", contact_point=tie.contact_point)
        bot.tricks.append(telegram.refuses(403, "Forbidden: bot was blocked by the user"))
        dispatch(now=NOW)
        assert silenced() == {(patient.pk, "telegram")}
        plan_attempts(now=NOW)
        assert Attempt.objects.get(status=AttemptStatus.PLANNED).channel == Channel.PHONE

    def test_who_links_herself_again_is_written_to_again(self, bot: Telegram) -> None:
        patient = builders.patient()
        tie = add_address(patient, AddressKind.TELEGRAM, "777", rank=2)
        mark_address(tie.contact_point, AddressStatus.BAD, now=NOW)
        by_telegram(1, my_chat_member=telegram.blocked())
        _base, _bar, token = link_for(patient, Relation.SELF, now=NOW, by=None).partition("?start=")
        by_telegram(2, message=telegram.message(f"/start {token}"))
        tie.contact_point.refresh_from_db()
        assert (silenced(), tie.contact_point.status) == (set(), AddressStatus.WORKING)

    def test_a_link_ties_nothing_to_a_closed_record(self, bot: Telegram) -> None:
        gone, duplicate = builders.patient(), builders.patient()
        into = builders.patient(duplicate.clinic)
        links = [
            link_for(each, Relation.SELF, now=NOW, by=None).partition("?start=")[2]
            for each in (gone, duplicate)
        ]
        Patient.objects.filter(pk=gone.pk).update(status=PatientStatus.DECEASED)
        merge_records(duplicate, into, now=NOW)
        for number, token in enumerate(links, start=1):
            by_telegram(number, message=telegram.message(f"/start {token}", chat=700 + number))
        on_telegram = PatientContact.objects.filter(contact_point__kind=AddressKind.TELEGRAM)
        assert list(on_telegram.values_list("patient", "contact_point__value")) == [(into.pk, "702")]

    def test_groups_are_none_of_our_business(self, bot: Telegram) -> None:
        said = telegram.message("hello")
        said["chat"]["type"] = "group"
        by_telegram(message=said)
        assert (ProviderEvent.objects.get().outcome, Reply.objects.count()) == ("nothing_to_do", 0)
