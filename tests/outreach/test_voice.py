"""Automated calls, as Twilio makes them: who hears what, which key does what, and where no machine may call."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client

from appointments.models import Appointment
from journeys import actions
from journeys.actions import NewJourney, start_journey
from journeys.models import Journey, StepKind, StepStatus
from outreach.actions import open_tasks, plan_attempts
from outreach.because import Because
from outreach.channels import TRANSPORTS, ChannelError, Trouble
from outreach.channels.voice import ENDS, KEYS, VOICES, VoiceTransport
from outreach.decision_models import Decision
from outreach.dispatch import dispatch
from outreach.incoming import work_events
from outreach.message_keys import READ_OUT
from outreach.models import Attempt, AttemptStatus, MessageTemplate, Reply
from outreach.reach import Reach
from patients.actions import record_consent
from patients.models import Channel, Clinic, Consent, ConsentStatus, Language, MaySay
from tests import builders
from tests.conftest import NOW
from tests.outreach.test_channels import message
from tests.standins import twilio as twilio_api
from tests.standins.server import Trick
from tests.standins.twilio import Line, Twilio

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


@pytest.fixture
def clinic() -> Clinic:
    builders.messages_loaded()
    made = builders.clinic()
    builders.opened(made)
    return made


@pytest.fixture
def journey(clinic: Clinic) -> Journey:
    """Decided: the visit is booked, and she is to be asked whether the time suits."""
    call_command("load_catalogue", verbosity=0)
    journey = start_journey(builders.patient(clinic), NewJourney("imaging_treatment"), now=NOW)
    actions.complete_step(journey.steps.get(kind=StepKind.AWAIT_RESULT), "received", now=NOW)
    actions.complete_step(journey.steps.get(kind=StepKind.REVIEW), "treat", now=NOW)
    builders.appointment(journey.patient, step=journey.steps.get(kind=StepKind.VISIT))
    return journey


def a_call(journey: Journey, **fields: Any) -> Attempt:
    step = journey.steps.get(kind=StepKind.CONFIRM)
    task = builders.task(step, plan_from=None, message_key="held_visit")
    return builders.attempt(task, channel=Channel.VOICE, **fields)


def line(journey: Journey, calls: Twilio, **fields: Any) -> tuple[Line, Attempt]:
    attempt = a_call(journey, **fields)
    assert dispatch(now=NOW).sent == 1
    (made,) = calls.calls
    return Line(made), attempt


def after(attempt: Attempt) -> Attempt:
    work_events(now=NOW)
    return Attempt.objects.get(pk=attempt.pk)


class TestTheCall:
    def test_a_person_hears_who_calls_what_is_kept_and_which_key_says_what(
        self, journey: Journey, calls: Twilio
    ) -> None:
        call, _attempt = line(journey, calls)
        call.pick_up("human")
        assert call.heard.startswith("שלום, כאן")
        assert "1" in call.heard
        assert "9" in call.heard
        assert "http" not in call.heard
        assert journey.patient is not None
        assert journey.patient.given_name not in call.heard
        assert call.spoken_as == VOICES["he"]

    @pytest.mark.parametrize("language", Language.values)
    def test_it_is_read_out_in_her_language_by_a_voice_that_speaks_it(
        self, journey: Journey, calls: Twilio, language: str
    ) -> None:
        assert journey.patient is not None
        type(journey.patient).objects.update(language=language)
        call, attempt = line(journey, calls)
        call.pick_up("human")
        assert (call.spoken_as, Attempt.objects.get(pk=attempt.pk).language) == (VOICES[language], language)

    def test_one_confirms(self, journey: Journey, calls: Twilio) -> None:
        call, attempt = line(journey, calls)
        call.pick_up("human")
        call.press("1")
        assert call.heard.startswith("תודה")
        call.ends()
        assert after(attempt).status == AttemptStatus.DELIVERED
        assert journey.steps.get(kind=StepKind.CONFIRM).outcome == "confirmed"
        assert Appointment.objects.get().confirmed_at == NOW
        assert Reply.objects.get().channel == "voice"

    def test_two_asks_for_another_time(self, journey: Journey, calls: Twilio) -> None:
        call, attempt = line(journey, calls)
        call.pick_up("human")
        call.press("2")
        after(attempt)
        assert Reply.objects.get().meaning == "another_time"

    def test_nine_ends_automated_calls_and_nothing_else(self, journey: Journey, calls: Twilio) -> None:
        call, attempt = line(journey, calls)
        call.pick_up("human")
        call.press("9")
        after(attempt)
        (stopped,) = Consent.objects.filter(superseded_at__isnull=True)
        assert (stopped.channel, stopped.status) == ("voice", ConsentStatus.WITHDRAWN)
        plan_attempts(now=NOW + timedelta(hours=4))
        assert Attempt.objects.filter(status=AttemptStatus.PLANNED).get().channel == Channel.PHONE

    @pytest.mark.parametrize("digit", ["0", "5", "#", "11"])
    def test_a_key_that_says_nothing_does_nothing(self, journey: Journey, calls: Twilio, digit: str) -> None:
        call, attempt = line(journey, calls)
        call.pick_up("human")
        call.press(digit)
        after(attempt)
        assert (call.heard, Reply.objects.count()) == ("", 0)
        assert journey.steps.get(kind=StepKind.CONFIRM).status == StepStatus.ACTIVE

    def test_yes_to_a_reminder_of_the_visit_is_written_down_as_she_hears(
        self, journey: Journey, calls: Twilio
    ) -> None:
        step = journey.steps.get(kind=StepKind.VISIT)
        actions.complete_step(journey.steps.get(kind=StepKind.CONFIRM), "confirmed", now=NOW)
        builders.attempt(
            builders.task(step, plan_from=None, message_key="visit_reminder"), channel=Channel.VOICE
        )
        dispatch(now=NOW)
        call = Line(calls.calls[0])
        call.pick_up("human")
        call.press("1")
        work_events(now=NOW)
        step.refresh_from_db()
        assert (Appointment.objects.get().confirmed_at, step.status) == (NOW, StepStatus.ACTIVE)
        assert Reply.objects.get().meaning == "confirm"

    @pytest.mark.parametrize("digit", ["1", "9"])
    def test_on_a_phone_of_two_children_a_key_is_about_the_child_of_that_call(
        self, journey: Journey, calls: Twilio, digit: str
    ) -> None:
        first, attempt = line(journey, calls)
        sibling = builders.patient(builders.clinic(), given_name="Noa")
        visit = builders.appointment(sibling)
        other = builders.journey(sibling)
        visit.step = builders.step(other, kind=StepKind.VISIT, due_at=visit.end)
        visit.save(update_fields=["step"])
        question = builders.step(other, kind=StepKind.CONFIRM)
        builders.attempt(
            builders.task(question, plan_from=None, message_key="held_visit"),
            channel=Channel.VOICE,
            status=AttemptStatus.SENT,
            called_at=NOW,
            sent_at=NOW,
        )
        Attempt.objects.filter(pk=attempt.pk).update(called_at=NOW - timedelta(minutes=5))
        first.pick_up("human")
        first.press(digit)
        after(attempt)
        assert Reply.objects.get().patient == journey.patient
        confirmed = Appointment.objects.exclude(confirmed_at=None).values_list("patient", flat=True)
        silenced = Consent.objects.filter(status=ConsentStatus.WITHDRAWN).values_list("patient", flat=True)
        assert list(confirmed if digit == "1" else silenced) == [journey.patient_id]
        assert not (silenced if digit == "1" else confirmed).exists()

    @pytest.mark.parametrize("reference", ["nonsense", ""])
    def test_a_key_without_a_reference_of_ours_is_about_the_last_call(
        self, journey: Journey, calls: Twilio, reference: str
    ) -> None:
        call, attempt = line(journey, calls)
        url = f"https://clinic.example/hooks/voice/?ref={reference}"
        assert twilio_api.post(url, call.about(Digits="1")).status_code == 200
        after(attempt)
        assert Reply.objects.get().attempt == attempt

    def test_a_key_pressed_once_and_told_twice_acts_once(self, journey: Journey, calls: Twilio) -> None:
        call, attempt = line(journey, calls)
        call.pick_up("human")
        action = call.action
        call.press("1")
        call.action = action
        call.press("1")
        after(attempt)
        assert Reply.objects.count() == 1


class TestMachines:
    @pytest.mark.parametrize("answered_by", ["machine_start", "fax", "unknown"])
    def test_a_machine_hears_nothing_where_nobody_allowed_it(
        self, journey: Journey, calls: Twilio, answered_by: str
    ) -> None:
        call, attempt = line(journey, calls)
        assert call.call["asked"]["MachineDetection"] == "Enable"
        call.pick_up(answered_by)
        assert call.heard == ""
        call.ends()
        found = after(attempt)
        assert (found.status, found.outcome) == (AttemptStatus.FAILED, "no_answer")

    def test_where_the_card_allows_it_a_machine_hears_whom_to_call_back_after_its_beep(
        self, journey: Journey, calls: Twilio
    ) -> None:
        assert journey.patient is not None
        journey.patient.contacts.update(may_leave_voicemail=True)
        Clinic.objects.update(phone="+97235550142")
        call, attempt = line(journey, calls)
        assert call.call["asked"]["MachineDetection"] == "DetectMessageEnd"
        call.pick_up("machine_end_beep")
        assert "03-555-0142" in call.heard
        assert journey.patient.given_name not in call.heard
        assert call.action == ""
        call.ends()
        assert after(attempt).status == AttemptStatus.DELIVERED

    def test_what_was_allowed_when_it_began_and_is_not_any_more_is_not_said(
        self, journey: Journey, calls: Twilio
    ) -> None:
        assert journey.patient is not None
        journey.patient.contacts.update(may_leave_voicemail=True)
        call, _attempt = line(journey, calls)
        journey.patient.contacts.update(may_leave_voicemail=False)
        call.pick_up("machine_end_beep")
        assert call.heard == ""


class TestReceipts:
    @pytest.mark.parametrize(
        ("status", "ended", "outcome"),
        [
            ("no-answer", AttemptStatus.FAILED, "no_answer"),
            ("busy", AttemptStatus.FAILED, "no_answer"),
            ("failed", AttemptStatus.FAILED, "unfit"),
            ("canceled", AttemptStatus.FAILED, "not_delivered"),
            ("ringing", AttemptStatus.SENT, ""),
            ("in-progress", AttemptStatus.SENT, ""),
        ],
    )
    def test_each_end_of_a_call_has_its_meaning(
        self, journey: Journey, calls: Twilio, status: str, ended: str, outcome: str
    ) -> None:
        call, attempt = line(journey, calls)
        assert call.ends(status) == 200
        found = after(attempt)
        assert (found.status, found.outcome) == (ended, outcome)
        assert found.contact_point.status != "bad"

    def test_every_documented_end_is_in_the_table(self) -> None:
        assert set(ENDS) == {"completed", "busy", "failed", "no-answer", "canceled"}

    def test_who_did_not_answer_is_tried_another_way(self, journey: Journey, calls: Twilio) -> None:
        call, attempt = line(journey, calls)
        call.ends("no-answer")
        after(attempt)
        later = NOW + timedelta(hours=4)
        plan_attempts(now=later)
        assert Attempt.objects.get(status=AttemptStatus.PLANNED).channel == Channel.PHONE


class TestSigned:
    @pytest.mark.parametrize("path", ["", "answered/", "key/"])
    def test_whoever_is_not_the_provider_is_told_nothing(
        self, journey: Journey, calls: Twilio, path: str
    ) -> None:
        _call, attempt = line(journey, calls)
        url = f"https://clinic.example/hooks/voice/{path}?ref={attempt.reference}"
        fields = {"CallSid": "CA1", "AnsweredBy": "human", "Digits": "1", "To": "+972502345678"}
        assert twilio_api.post(url, fields, token="guessed").status_code == 403
        assert twilio_api.post(url.replace("ref=", "ref=0"), fields).status_code in {200, 404}
        assert Client().post(f"/hooks/voice/{path}?ref={attempt.reference}").status_code == 403
        assert Client().get(f"/hooks/voice/{path}").status_code in {403, 405}

    def test_without_the_key_the_addresses_are_shut(
        self, journey: Journey, calls: Twilio, settings: LazySettings
    ) -> None:
        call, _attempt = line(journey, calls)
        settings.TWILIO_AUTH_TOKEN = ""
        assert twilio_api.post(call.call["asked"]["Url"], call.about()).status_code == 403

    def test_a_call_that_is_not_ours_is_not_found(self, calls: Twilio) -> None:
        for reference in ("7f9c2c1e-0000-4000-8000-000000000001", "nonsense", ""):
            url = f"https://clinic.example/hooks/voice/answered/?ref={reference}"
            assert twilio_api.post(url, {"CallSid": "CA1", "AnsweredBy": "human"}).status_code == 404


class TestWhereNoMachineMayCall:
    def channels(self, journey: Journey) -> set[str]:
        task = builders.task(
            journey.steps.get(kind=StepKind.CONFIRM), plan_from=None, message_key="held_visit"
        )
        reach = Reach.among([task.pk], now=NOW)
        return {option.channel for option in reach.options(reach.tasks[0])}

    def agree(self, journey: Journey, status: str = ConsentStatus.GRANTED) -> None:
        assert journey.patient is not None
        point = journey.patient.contacts.get().contact_point
        record_consent(journey.patient, point, Channel.VOICE, status, now=NOW, words="at the desk")

    @pytest.mark.parametrize(
        ("country", "agreed", "may_call"),
        [
            ("IL", False, True),
            ("RU", False, False),
            ("RU", True, False),
            ("US", False, False),
            ("US", True, True),
            ("XX", True, False),
        ],
    )
    def test_the_rules_of_the_country_decide_when_it_is_planned_and_when_it_begins(
        self, journey: Journey, calls: Twilio, country: str, agreed: bool, may_call: bool
    ) -> None:
        Clinic.objects.update(country=country)
        builders.provider_answered(journey.clinic, Channel.VOICE)
        if agreed:
            self.agree(journey)
        assert ("voice" in self.channels(journey)) == may_call
        task = journey.steps.get(kind=StepKind.CONFIRM).outreach_tasks.get()
        builders.attempt(task, channel=Channel.VOICE)
        assert dispatch(now=NOW).sent == int(may_call)
        assert len(calls.calls) == int(may_call)
        rules = list(Decision.objects.filter(kind="stopped").values_list("rules", flat=True))
        expected = Because.NOT_AGREED_TO_CALLS if country == "US" else Because.NO_AUTOMATED_CALLS
        assert rules == ([] if may_call else [expected])

    @pytest.mark.parametrize(
        ("changed", "may_call"),
        [({}, True), ({"may_be_called": False}, False), ({"may_say": MaySay.CALL_BACK}, False)],
    )
    def test_a_number_that_is_not_called_or_not_told_is_not_called_by_a_machine(
        self, journey: Journey, calls: Twilio, changed: dict[str, Any], may_call: bool
    ) -> None:
        assert journey.patient is not None
        journey.patient.contacts.update(**changed)
        assert ("voice" in self.channels(journey)) == may_call

    def test_the_hours_of_calls_hold_and_not_those_of_messages(self, journey: Journey, calls: Twilio) -> None:
        attempt = a_call(journey)
        attempt.clinic.hours.filter(kind="call").delete()
        assert dispatch(now=NOW).sent == 0
        assert Decision.objects.get(kind="stopped").rules in {Because.CLINIC_HOURS, Because.REST_DAY}
        assert calls.calls == []

    def test_without_its_keys_it_is_off_and_nothing_is_planned_on_it(
        self, journey: Journey, calls: Twilio, settings: LazySettings
    ) -> None:
        settings.TWILIO_VOICE_FROM = ""
        assert "voice" not in self.channels(journey)

    def test_only_what_asks_to_confirm_is_read_out(self, journey: Journey, calls: Twilio) -> None:
        task = builders.task(builders.step(journey), plan_from=None)
        reach = Reach.among([task.pk], now=NOW)
        assert {option.channel for option in reach.options(reach.tasks[0])} == {"phone"}
        passed = {(way.channel, way.because) for way in reach.passed_over(reach.tasks[0])}
        assert ("voice", Because.NOT_READ_OUT) in passed

    def test_a_machine_comes_last_of_all_ways(self, journey: Journey, calls: Twilio) -> None:
        open_tasks(now=NOW)
        plan_attempts(now=NOW)
        assert Attempt.objects.get(task__step__kind=StepKind.CONFIRM).channel == Channel.PHONE


class TestTheTransport:
    @pytest.mark.parametrize(
        ("status", "code", "trouble"),
        [
            (400, 21211, Trouble.NO_SUCH_ADDRESS),
            (400, 21217, Trouble.NO_SUCH_ADDRESS),
            (400, 21215, Trouble.UNFIT),
            (400, 21210, Trouble.LOGIN),
            (400, 13227, Trouble.UNFIT),
            (401, 20003, Trouble.LOGIN),
            (429, 20429, Trouble.BUSY),
            (400, 99999, Trouble.REFUSED),
        ],
    )
    def test_a_refusal_is_named_and_nobody_is_called(
        self, calls: Twilio, status: int, code: int, trouble: Trouble
    ) -> None:
        calls.tricks.append(twilio_api.refuses(status, code))
        with pytest.raises(ChannelError) as caught:
            VoiceTransport().send(message())
        assert (caught.value.trouble, calls.calls) == (trouble, [])

    def test_it_is_told_how_long_to_wait(self, calls: Twilio) -> None:
        calls.tricks.append(twilio_api.refuses(429, 20429, Retry_After="9"))
        with pytest.raises(ChannelError) as caught:
            VoiceTransport().send(message())
        assert caught.value.retry_after == timedelta(seconds=9)

    @pytest.mark.parametrize("takes", [True, False])
    def test_a_lost_answer_is_settled_by_the_list_of_the_provider(self, calls: Twilio, takes: bool) -> None:
        calls.tricks.append(Trick(hangs_up=True, takes=takes))
        with pytest.raises(Exception) as caught:  # noqa: PT011 - any but the one below
            VoiceTransport().send(message())
        assert not isinstance(caught.value, ChannelError)
        found = VoiceTransport().look_up(message(), since=NOW + timedelta(milliseconds=900))
        assert [each["sid"] for each in calls.calls] == ([found.provider_reference] if found else [])
        assert bool(found) == takes

    def test_what_takes_too_long_to_say_is_not_even_tried(self, calls: Twilio) -> None:
        with pytest.raises(ChannelError) as caught:
            VoiceTransport().send(message(body="x" * 401))
        assert (caught.value.trouble, calls.requests) == (Trouble.UNFIT, [])

    def test_it_rings_for_a_while_and_carries_our_reference(self, calls: Twilio) -> None:
        VoiceTransport().send(message())
        asked = calls.calls[0]["asked"]
        assert (asked["From"], asked["Timeout"]) == ("+97235550143", "25")
        assert asked["Url"].endswith("/hooks/voice/answered/?ref=7f9c2c1e-0000-4000-8000-000000000001")
        assert "TWILIO_AUTH_TOKEN" in TRANSPORTS["voice"].secrets

    def test_no_text_of_ours_reads_out_a_link(self, clinic: Clinic) -> None:
        texts = MessageTemplate.objects.filter(channel=Channel.VOICE)
        assert {row.key for row in texts} >= READ_OUT
        assert {row.language for row in texts} == set(VOICES)
        assert not [row for row in texts if "{link}" in row.body or "{name}" in row.body]
        menus = texts.filter(key="voice_menu").values_list("body", flat=True)
        assert all(digit in body for body in menus for digit in KEYS)
