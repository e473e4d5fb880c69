"""Providers' callbacks: signed or refused, kept once, worked in any order, and never a step backwards."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from journeys.models import Step, StepKind, StepStatus
from outreach.channels.hooks import HOOKS
from outreach.dispatch import dispatch
from outreach.incoming import EMPTIED_AFTER, empty_old_events, work_events
from outreach.models import Attempt, AttemptStatus, OutreachTask, TaskStatus
from outreach.provider_models import ProviderEvent
from outreach.webhooks import WRONG_A_MINUTE
from patients.models import AddressStatus
from tests import builders
from tests.conftest import NOW
from tests.standins import mailgun as mailgun_api, meta, telegram, twilio as twilio_api
from tests.standins.mailgun import Mailgun
from tests.standins.meta import Meta
from tests.standins.server import Trick
from tests.standins.telegram import Telegram
from tests.standins.twilio import Twilio

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
URL = "https://clinic.example/hooks/twilio/"
MINUTE = timedelta(minutes=1)


def say(attempt: Attempt | None, status: str, *, sid: str = "SM1", **more: str) -> int:
    """Twilio's receipt about an attempt."""
    url = f"{URL}?ref={attempt.reference}" if attempt else URL
    sent = twilio_api.callback(url, {"MessageSid": sid, "MessageStatus": status, **more})
    return Client().post(url.removeprefix("https://clinic.example"), secure=True, **sent).status_code


def sent_attempt(**fields: Any) -> Attempt:
    given = {"status": AttemptStatus.SENT, "sent_at": NOW, "called_at": NOW, "provider_reference": "SM1"}
    return builders.attempt(**{**given, **fields})


def after(attempt: Attempt) -> str:
    work_events(now=NOW)
    attempt.refresh_from_db()
    return str(attempt.status)


class TestManyWrongRequests:
    def forged(self, **more: str) -> int:
        sent = twilio_api.callback(URL, {"MessageSid": "SM1", "MessageStatus": "delivered"}, "another")
        return Client().post("/hooks/twilio/", **sent, **more).status_code  # type: ignore[arg-type]

    def test_who_guesses_again_and_again_is_told_so_for_a_minute(
        self, twilio: Twilio, time_machine: Any
    ) -> None:
        assert [self.forged() for _nth in range(WRONG_A_MINUTE + 1)] == [403] * WRONG_A_MINUTE + [429]
        time_machine.move_to(NOW + MINUTE + timedelta(seconds=1), tick=False)
        assert self.forged() == 403
        assert not ProviderEvent.objects.exists()

    def test_it_makes_us_deaf_to_nothing_that_is_genuine(self, twilio: Twilio) -> None:
        attempt = sent_attempt()
        for _nth in range(WRONG_A_MINUTE + 1):
            self.forged()
        assert say(attempt, "delivered") == 200
        assert after(attempt) == AttemptStatus.DELIVERED
        assert self.forged() == 429

    def test_others_are_not_shut_out_with_it(self, twilio: Twilio, settings: LazySettings) -> None:
        settings.TRUSTED_PROXIES = 1
        for _nth in range(WRONG_A_MINUTE):
            self.forged(HTTP_X_FORWARDED_FOR="203.0.113.9")
        assert self.forged(HTTP_X_FORWARDED_FOR="203.0.113.9") == 429
        assert self.forged(HTTP_X_FORWARDED_FOR="203.0.113.10") == 403

    def test_behind_a_proxy_that_nobody_told_us_of_none_is_shut_out(self, twilio: Twilio) -> None:
        answers = {self.forged(HTTP_X_FORWARDED_FOR="203.0.113.9") for _nth in range(WRONG_A_MINUTE + 2)}
        assert answers == {403}

    def test_what_is_genuine_is_never_counted(self, twilio: Twilio) -> None:
        attempt = sent_attempt()
        answers = {say(attempt, "delivered", sid=f"SM{n}") for n in range(WRONG_A_MINUTE + 2)}
        assert answers == {200}


class TestSignatures:
    def test_twilios_own_validator_and_ours_agree_on_what_is_genuine(self, twilio: Twilio) -> None:
        attempt = sent_attempt()
        assert say(attempt, "delivered") == 200
        assert ProviderEvent.objects.get().event_id == "SM1:delivered"

    @pytest.mark.parametrize("change", ["body", "token", "address", "none"])
    def test_what_is_forged_leaves_no_row(self, twilio: Twilio, change: str) -> None:
        fields = {"MessageSid": "SM1", "MessageStatus": "delivered"}
        sent = twilio_api.callback(URL, fields, "another" if change == "token" else twilio_api.TOKEN)
        if change == "body":
            sent["data"] += "&ErrorCode=1"
        if change == "none":
            sent["headers"] = {}
        path = "/hooks/twilio/?x=1" if change == "address" else "/hooks/twilio/"
        assert Client().post(path, **sent).status_code == 403
        assert not ProviderEvent.objects.exists()

    def test_metas_signature_is_over_the_bytes_and_not_over_the_meaning(self, whatsapp: Meta) -> None:
        body = meta.event(statuses=[meta.status("wamid.1", "delivered")])
        assert Client().post("/hooks/whatsapp/", **meta.callback(body)).status_code == 200
        spaced = {**meta.callback(body), "data": body.replace(b":", b": ")}
        assert Client().post("/hooks/whatsapp/", **spaced).status_code == 403
        assert Client().post("/hooks/whatsapp/", **meta.callback(body, "other")).status_code == 403
        assert ProviderEvent.objects.count() == 1

    def test_telegrams_secret_header_is_asked_for(self, bot: Telegram) -> None:
        genuine = telegram.update(1, message=telegram.message("hello"))
        assert Client().post("/hooks/telegram/", **genuine).status_code == 200
        for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "guess"}):
            assert Client().post("/hooks/telegram/", **{**genuine, "headers": headers}).status_code == 403
        assert ProviderEvent.objects.count() == 1

    def test_the_secret_before_is_accepted_while_it_is_changed(
        self, bot: Telegram, settings: LazySettings
    ) -> None:
        settings.TELEGRAM_WEBHOOK_SECRET, settings.WEBHOOK_SECRETS_OLD = "new", [telegram.SECRET]
        genuine = telegram.update(1, message=telegram.message("hello"))
        assert Client().post("/hooks/telegram/", **genuine).status_code == 200

    @pytest.mark.parametrize("provider", list(HOOKS))
    def test_without_a_secret_the_address_is_shut_and_not_open(
        self, provider: str, settings: LazySettings
    ) -> None:
        assert Client().post(f"/hooks/{provider}/").status_code == 403
        assert Client().get(f"/hooks/{provider}/").status_code == 403

    def test_meta_is_told_once_that_the_address_is_ours(self, whatsapp: Meta) -> None:
        asked = {"hub.mode": "subscribe", "hub.verify_token": meta.VERIFY, "hub.challenge": "1158201444"}
        answer = Client().get("/hooks/whatsapp/", asked)
        assert (answer.status_code, answer.content) == (200, b"1158201444")
        assert Client().get("/hooks/whatsapp/", {**asked, "hub.verify_token": "x"}).status_code == 403
        assert Client().get("/hooks/whatsapp/", {**asked, "hub.mode": "x"}).status_code == 403

    def test_what_is_too_large_is_not_read(self, bot: Telegram) -> None:
        big = {**telegram.update(1), "data": "x" * (1024 * 1024 + 1)}
        assert Client().post("/hooks/telegram/", **big).status_code == 413


class TestAnsweredFast:
    """One row is written, and nothing else is asked of the database: a tick does the work."""

    def test_twilio(self, twilio: Twilio, django_assert_num_queries: Any) -> None:
        attempt = sent_attempt()
        with django_assert_num_queries(1):
            assert say(attempt, "delivered") == 200

    def test_meta(self, whatsapp: Meta, django_assert_num_queries: Any) -> None:
        told = [meta.status(f"wamid.{nth}", "delivered") for nth in range(20)]
        body = meta.callback(meta.event(statuses=told, messages=[meta.text("wamid.in", "hello")]))
        with django_assert_num_queries(1):
            assert Client().post("/hooks/whatsapp/", **body).status_code == 200
        assert ProviderEvent.objects.count() == 21

    def test_telegram(self, bot: Telegram, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(1):
            sent = telegram.update(1, message=telegram.message("hello"))
            assert Client().post("/hooks/telegram/", **sent).status_code == 200

    def test_mailgun(self, mailgun: Mailgun, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(1):
            sent = mailgun_api.event("delivered", "1@alon.example")
            assert Client().post("/hooks/email/", **sent).status_code == 200


class TestReceipts:
    @pytest.mark.parametrize("order", list(permutations(["queued", "sent", "delivered"])))
    def test_in_whatever_order_and_however_often_they_come_the_end_is_the_same(
        self, twilio: Twilio, order: tuple[str, ...]
    ) -> None:
        attempt = sent_attempt()
        for status in order * 2:
            assert say(attempt, status) == 200
            work_events(now=NOW)
        assert after(attempt) == AttemptStatus.DELIVERED
        assert ProviderEvent.objects.count() == 3

    def test_what_was_delivered_does_not_fail_any_more(self, twilio: Twilio) -> None:
        attempt = sent_attempt()
        say(attempt, "delivered")
        work_events(now=NOW)
        say(attempt, "undelivered", ErrorCode="30005")
        assert after(attempt) == AttemptStatus.DELIVERED
        assert attempt.contact_point.status == AddressStatus.UNVERIFIED

    def test_a_repeat_changes_no_row(self, twilio: Twilio) -> None:
        attempt = sent_attempt()
        say(attempt, "delivered")
        work_events(now=NOW)
        before = list(ProviderEvent.objects.values())
        say(attempt, "delivered")
        assert work_events(now=NOW) == 0
        assert list(ProviderEvent.objects.values()) == before

    def test_one_that_overtakes_our_own_record_waits_for_it(self, twilio: Twilio) -> None:
        """The provider calls back before our worker has written that it called."""
        builders.messages_loaded()
        builders.opened((attempt := builders.attempt()).clinic)
        Attempt.objects.update(
            status=AttemptStatus.SENDING, lease=attempt.reference, lease_until=NOW, called_at=NOW
        )
        say(attempt, "delivered")
        assert after(attempt) == AttemptStatus.SENDING
        event = ProviderEvent.objects.get()
        assert (event.worked_at, event.tries) == (None, 0)
        assert event.work_from
        assert event.work_from > NOW
        Attempt.objects.update(status=AttemptStatus.SENT, lease=None, lease_until=None, sent_at=NOW)
        work_events(now=event.work_from)
        attempt.refresh_from_db()
        assert attempt.status == AttemptStatus.DELIVERED

    def test_about_messages_that_are_not_ours_nothing_happens(self, twilio: Twilio) -> None:
        attempt = sent_attempt()
        assert say(None, "undelivered", sid="SM999") == 200
        assert after(attempt) == AttemptStatus.SENT
        assert ProviderEvent.objects.get().outcome == "not_ours"

    def test_one_providers_receipt_moves_no_message_of_another(self, twilio: Twilio) -> None:
        attempt = sent_attempt(channel="whatsapp")
        say(attempt, "undelivered")
        assert after(attempt) == AttemptStatus.SENT

    def test_a_message_that_did_not_arrive_is_tried_another_way(self, twilio: Twilio) -> None:
        attempt = sent_attempt()
        OutreachTask.objects.update(status=TaskStatus.DONE, outcome="told", ended_at=NOW)
        say(attempt, "undelivered", ErrorCode="30003")
        assert after(attempt) == AttemptStatus.FAILED
        task = OutreachTask.objects.get()
        assert (attempt.outcome, task.status, task.plan_from) == ("not_delivered", TaskStatus.OPEN, NOW)

    def test_where_the_step_ended_with_it_a_person_tells_the_patient(self, twilio: Twilio) -> None:
        told = builders.step(
            kind=StepKind.TELL, status=StepStatus.COMPLETED, completed_at=NOW, outcome="told"
        )
        attempt = sent_attempt(of=builders.task(told, plan_from=None))
        say(attempt, "failed", ErrorCode="30005")
        work_events(now=NOW)
        step = Step.objects.get(kind=StepKind.CALL)
        assert (step.about, step.status) == (told, StepStatus.ACTIVE)
        assert "did not arrive" in step.names["en"]
        attempt.contact_point.refresh_from_db()
        assert attempt.contact_point.status == AddressStatus.BAD

    def test_one_request_of_metas_may_tell_of_many(self, whatsapp: Meta) -> None:
        first = sent_attempt(channel="whatsapp", provider_reference="wamid.1")
        second = sent_attempt(channel="whatsapp", provider_reference="wamid.2")
        failed = meta.status("wamid.2", "failed", str(second.reference), errors=[{"code": 131026}])
        body = meta.event(statuses=[meta.status("wamid.1", "read"), failed])
        Client().post("/hooks/whatsapp/", **meta.callback(body))
        assert (after(first), after(second), second.outcome) == ("delivered", "failed", "unfit")


class TestUnknown:
    """An answer that was lost: what a later receipt, or the provider's list, makes of it."""

    def lost(self, twilio: Twilio, trick: Trick) -> Attempt:
        builders.messages_loaded()
        attempt = builders.attempt(builders.task(builders.step(kind=StepKind.TELL), plan_from=None))
        builders.opened(attempt.clinic)
        twilio.tricks.append(trick)
        dispatch(now=NOW)
        attempt.refresh_from_db()
        return attempt

    def test_it_is_never_sent_again_by_itself(self, twilio: Twilio) -> None:
        attempt = self.lost(twilio, Trick(hangs_up=True))
        assert attempt.status == AttemptStatus.UNKNOWN
        dispatch(now=NOW)
        assert twilio.taken == []
        assert Step.objects.filter(kind=StepKind.CALL, status=StepStatus.ACTIVE).count() == 1

    def test_found_in_the_providers_list_it_is_sent(self, twilio: Twilio, time_machine: Any) -> None:
        attempt = self.lost(twilio, Trick(hangs_up=True, takes=True))
        assert (attempt.status, attempt.provider_reference) == ("sent", twilio.taken[0]["sid"])
        assert not Step.objects.filter(kind=StepKind.CALL).exists()

    def test_a_late_receipt_settles_it_and_ends_the_persons_step(self, twilio: Twilio) -> None:
        attempt = self.lost(twilio, Trick(hangs_up=True))
        say(attempt, "delivered")
        assert after(attempt) == AttemptStatus.DELIVERED
        assert set(Step.objects.values_list("kind", "status", "outcome")) == {
            ("tell", "completed", "told"),
            ("call", "completed", "not_needed"),
        }


class TestPoison:
    def test_what_cannot_be_read_is_set_aside_and_holds_up_nobody(self, whatsapp: Meta) -> None:
        garbage = b'{"entry": [{"changes": [{"field": "messages", "value": {"statuses": [{"no": 1}]}}]}]}'
        assert Client().post("/hooks/whatsapp/", **meta.callback(garbage)).status_code == 200
        attempt = sent_attempt(channel="whatsapp", provider_reference="wamid.1")
        body = meta.event(statuses=[meta.status("wamid.1", "delivered")])
        Client().post("/hooks/whatsapp/", **meta.callback(body))
        for minutes in (0, 2, 4):
            work_events(now=NOW + minutes * MINUTE)
        attempt.refresh_from_db()
        assert attempt.status == AttemptStatus.DELIVERED
        assert ProviderEvent.objects.get(event_id__startswith="unreadable:").outcome == "set_aside"

    def test_words_and_numbers_are_emptied_after_a_month(self, twilio: Twilio) -> None:
        say(sent_attempt(), "delivered")
        work_events(now=NOW)
        assert empty_old_events(now=NOW + EMPTIED_AFTER) == 0
        assert empty_old_events(now=NOW + EMPTIED_AFTER + MINUTE) == 1
        assert ProviderEvent.objects.get().body == ""
