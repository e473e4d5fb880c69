"""Senders: the pace that nobody exceeds, the pauses providers ask for, and a provider that fails."""

import random
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection

from journeys.actions import complete_step
from journeys.models import OwnerRole, Step, StepKind, StepStatus
from outreach import senders
from outreach.actions import plan_attempts
from outreach.dispatch import LEASE, Counts, dispatch, dispatch_on, take
from outreach.door import Parcel, open_parcels
from outreach.models import Attempt, AttemptStatus, MessageTemplate
from outreach.provider_models import Sender
from outreach.senders import LATE, LEAD, SPARE, Turns
from patients.models import Channel, Clinic
from tests import builders
from tests.conftest import NOW
from tests.standins import meta, twilio as twilio_api
from tests.standins.meta import Meta
from tests.standins.server import Answer, Trick
from tests.standins.twilio import Twilio

pytestmark = pytest.mark.django_db
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
DOWN = Trick(answer=Answer(503, {"code": 20503, "message": "…", "status": 503}))


@pytest.fixture
def clinic(twilio: Twilio) -> Clinic:
    builders.messages_loaded()
    made = builders.clinic()
    builders.opened(made)
    return made


@pytest.fixture
def numbers() -> Iterator[str]:
    return (f"050-234-5{n:03}" for n in range(100, 1000))


def due(clinic: Clinic, numbers: Iterator[str], how_many: int) -> list[Attempt]:
    made = []
    for _n in range(how_many):
        who = builders.patient(clinic, phone=next(numbers))
        made.append(builders.attempt(builders.task(builders.step(builders.journey(who)), plan_from=None)))
    return made


def turns(pace: float, until: datetime) -> Turns:
    return Turns("sms", pace, clock=lambda: NOW, until=until)


def statuses() -> list[str]:
    return list(Attempt.objects.order_by("pk").values_list("status", flat=True))


class TestPace:
    def test_reservations_are_never_nearer_than_the_pace(self) -> None:
        until = NOW + SECOND
        reserved = [senders.next_turns("sms", 4, now=NOW, until=until, limit=2) for _n in range(3)]
        apart = SECOND * (1 + SPARE) / 4
        assert reserved == [[NOW, NOW + apart], [NOW + apart * 2, NOW + apart * 3], []]

    @pytest.mark.parametrize("pace", [0.2, 1, 3, 100])
    def test_called_late_in_any_way_no_second_has_more_than_the_pace(self, pace: float) -> None:
        chance = random.Random(int(pace))
        moments = senders.next_turns("sms", pace, now=NOW, until=NOW + 9 * MINUTE, limit=300)
        longest = SECOND * max(1, 1 / pace) * LATE
        called = [at + longest * chance.random() for at in moments]
        many = ceil(pace)
        assert all(
            later - first >= SECOND / min(pace, 1)
            for first, later in zip(called, called[many:], strict=False)
        )

    def test_it_goes_on_from_now_after_a_quiet_time(self) -> None:
        senders.next_turns("sms", 1, now=NOW, until=NOW)
        assert senders.next_turns("sms", 1, now=NOW + MINUTE, until=NOW + MINUTE) == [NOW + MINUTE]

    def test_without_a_pace_nothing_is_reserved(self) -> None:
        assert turns(0, NOW).next(1) == NOW
        assert not Sender.objects.exists()

    def test_a_moment_that_has_passed_is_not_made_up_for(self) -> None:
        at = [NOW]
        mine = Turns("sms", 10, clock=lambda: at[-1], until=NOW + MINUTE)
        assert mine.next(100) == NOW + LEAD  # and five more are ours, all of which pass
        at.append(NOW + SECOND)
        assert mine.next(100) == NOW + SECOND + LEAD

    def test_what_is_behind_the_tick_is_left_to_the_next(self) -> None:
        mine = turns(1, NOW)
        assert (mine.next(9), mine.next(9)) == (NOW, None)

    def test_what_does_not_fit_into_the_tick_stays_planned(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio, settings: LazySettings
    ) -> None:
        settings.SMS_PER_SECOND = 0.1
        due(clinic, numbers, 3)
        assert dispatch(now=NOW) == Counts(sent=1)
        assert sorted(statuses()) == ["planned", "planned", "sent"]  # due at once, in whatever order
        assert dispatch(now=NOW + 5 * SECOND) == Counts()
        assert dispatch(now=NOW + 10 * SECOND) == Counts(sent=1)
        assert len(twilio.taken) == 2

    def test_inside_a_tick_each_message_waits_for_its_turn(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio, settings: LazySettings
    ) -> None:
        settings.SMS_PER_SECOND = 40
        due(clinic, numbers, 3)
        assert dispatch(now=NOW) == Counts(sent=3)
        sent = [at for at in Attempt.objects.order_by("sent_at").values_list("sent_at", flat=True) if at]
        gaps = [after - before for before, after in pairwise(sent)]
        assert min(gaps) >= SECOND / 40


class TestPause:
    def test_retry_after_is_kept_for_the_whole_sender_and_costs_no_attempt(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio
    ) -> None:
        due(clinic, numbers, 2)
        twilio.tricks.append(twilio_api.refuses(429, 20429, Retry_After="30"))
        dispatch(now=NOW)
        assert (statuses(), twilio.taken) == (["planned", "planned"], [])
        dispatch(now=NOW + 29 * SECOND)
        assert twilio.taken == []
        assert dispatch(now=NOW + 30 * SECOND) == Counts(sent=2)
        assert not Step.objects.filter(kind=StepKind.MEND).exists()

    def test_nobody_is_planned_another_way_for_a_short_pause(self, clinic: Clinic) -> None:
        senders.pause("sms", NOW + MINUTE, now=NOW)
        assert (senders.resting(now=NOW), senders.down()) == ({"sms"}, set())

    def test_a_long_pause_is_as_good_as_down(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio
    ) -> None:
        """Nobody waits for hours where another channel is left, and a manager knows."""
        due(clinic, numbers, 2)
        twilio.tricks.append(twilio_api.refuses(429, 20429, Retry_After="3600"))
        dispatch(now=NOW)
        assert (statuses(), len(twilio.requests)) == (["cancelled", "cancelled"], 1)
        assert Step.objects.filter(kind=StepKind.MEND, status=StepStatus.ACTIVE).count() == 1
        plan_attempts(now=NOW)
        again = Attempt.objects.filter(status=AttemptStatus.PLANNED)
        assert list(again.values_list("channel", flat=True)) == [Channel.PHONE] * 2
        last = due(clinic, numbers, 1)[0]
        dispatch(now=NOW + 59 * MINUTE)
        assert len(twilio.requests) == 1
        Attempt.objects.filter(pk=last.pk).update(expires_at=NOW + 90 * MINUTE)
        assert dispatch(now=NOW + 60 * MINUTE) == Counts(sent=1)
        assert not Step.objects.filter(kind=StepKind.MEND, status=StepStatus.ACTIVE).exists()

    def test_short_pauses_without_a_message_taken_are_a_long_one(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio
    ) -> None:
        """It asks for five minutes again and again: after a quarter of an hour nobody waits for it any more."""
        Attempt.objects.filter(pk__in=[each.pk for each in due(clinic, numbers, 2)]).update(
            expires_at=NOW + 90 * MINUTE
        )
        twilio.tricks += [twilio_api.refuses(429, 20429, Retry_After="300")] * 4
        for minutes in (0, 5):
            dispatch(now=NOW + minutes * MINUTE)
        assert (statuses(), senders.down()) == (["planned", "planned"], set())
        dispatch(now=NOW + 11 * MINUTE)  # asked to wait until 16 minutes past
        assert (statuses(), senders.down()) == (["cancelled", "cancelled"], {"sms"})
        assert Step.objects.filter(kind=StepKind.MEND, status=StepStatus.ACTIVE).count() == 1
        plan_attempts(now=NOW + 11 * MINUTE)
        again = Attempt.objects.filter(status=AttemptStatus.PLANNED)
        assert list(again.values_list("channel", flat=True)) == [Channel.PHONE] * 2
        last = due(clinic, numbers, 1)[0]
        Attempt.objects.filter(pk=last.pk).update(expires_at=NOW + 90 * MINUTE)
        dispatch(now=NOW + 16 * MINUTE)  # one is tried, and it asks once more
        assert Sender.objects.get().down_since == NOW + 11 * MINUTE
        due(clinic, numbers, 1)
        assert dispatch(now=NOW + 22 * MINUTE) == Counts(sent=1)
        sender = Sender.objects.get()
        assert (sender.paused_since, sender.paused_until, sender.down_since) == (None, None, None)
        assert not Step.objects.filter(kind=StepKind.MEND, status=StepStatus.ACTIVE).exists()

    def test_short_pauses_between_which_messages_are_taken_stay_short(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio
    ) -> None:
        busy = twilio_api.refuses(429, 20429, Retry_After="300")
        for minutes in (0, 5, 10, 15, 20):
            late = [each.pk for each in due(clinic, numbers, 2)]
            Attempt.objects.filter(pk__in=late).update(expires_at=NOW + 90 * MINUTE)
            twilio.tricks += [Trick(takes=True), busy]
            dispatch(now=NOW + minutes * MINUTE)
        assert (len(twilio.taken), senders.down()) == (5, set())

    def test_a_short_pause_hours_after_another_one_is_a_short_one(self, clinic: Clinic) -> None:
        for hours in (0, 4):
            at = NOW + hours * 60 * MINUTE
            senders.pause("sms", at + MINUTE, now=at)
        assert (Sender.objects.get().paused_since, senders.down()) == (NOW + 240 * MINUTE, set())

    def test_three_who_may_not_be_written_to_just_now_are_no_failure_of_the_sender(
        self, clinic: Clinic, whatsapp: Meta
    ) -> None:
        """Too many messages to each of these persons, says WhatsApp; the fourth gets hers."""
        MessageTemplate.objects.filter(key="next_step").update(approved_as="next_step_1")
        ways = [builders.on_whatsapp(builders.patient(clinic), f"97250234567{nth}") for nth in range(4)]
        for way in ways:
            task = builders.task(builders.step(builders.journey(way.patient)), plan_from=None)
            builders.attempt(task, channel="whatsapp", contact_point=way.contact_point)
        whatsapp.tricks.extend([meta.refuses(400, 131056)] * 3)
        for _tick in range(4):  # a busy machine may need more than one
            dispatch(now=NOW)
        assert sorted(statuses()) == ["failed"] * 3 + ["sent"]
        assert (len(whatsapp.taken), senders.down()) == (1, set())


class TestClaimedAlready:
    """Another worker learns that the provider rests while this one holds messages that it has claimed."""

    def claimed(self, clinic: Clinic, numbers: Iterator[str]) -> tuple[Attempt, Parcel]:
        (attempt,) = due(clinic, numbers, 1)
        lease = uuid.uuid4()
        take(attempt.pk, lease, now=NOW, lasts=LEASE)
        (parcel,) = open_parcels([attempt.pk], lease, now=NOW)
        return attempt, parcel

    def deliver(self, parcel: Parcel, *, is_try: bool = False) -> str:
        turn = senders.Turn("sms", is_try=is_try, was_failing=is_try)
        return builders.delivered(parcel, turn)

    def test_what_the_provider_asked_to_wait_for_goes_back_until_then(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio
    ) -> None:
        attempt, parcel = self.claimed(clinic, numbers)
        senders.pause("sms", NOW + MINUTE, now=NOW)
        assert (self.deliver(parcel), twilio.requests) == ("replanned", [])
        attempt.refresh_from_db()
        assert (attempt.status, attempt.send_at) == (AttemptStatus.PLANNED, NOW + MINUTE)
        assert attempt.decisions.get().rules == "sender_rests"

    def test_what_a_sender_that_is_down_would_have_sent_is_planned_another_way(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio
    ) -> None:
        attempt, parcel = self.claimed(clinic, numbers)
        senders.failed("sms", "login", now=NOW)
        assert (self.deliver(parcel), twilio.requests) == ("replanned", [])
        attempt.refresh_from_db()
        assert (attempt.status, attempt.task.plan_from) == (AttemptStatus.CANCELLED, NOW)
        assert attempt.decisions.get().rules == "sender_down"

    def test_the_one_try_is_made_all_the_same(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio
    ) -> None:
        _attempt, parcel = self.claimed(clinic, numbers)
        senders.failed("sms", "login", now=NOW)
        assert (self.deliver(parcel, is_try=True), len(twilio.taken)) == ("sent", 1)
        assert senders.down() == set()


class TestDown:
    def fail(self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio) -> list[Attempt]:
        """Three refusals in a row; the fourth patient was not reached by then."""
        attempts = due(clinic, numbers, 4)
        twilio.tricks.extend([DOWN] * 3)
        dispatch(now=NOW)
        return attempts

    def test_after_three_failures_it_is_down_and_the_others_are_planned_another_way(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio
    ) -> None:
        *_three, spared = self.fail(clinic, numbers, twilio)
        assert len(twilio.requests) == 3
        spared.refresh_from_db()
        assert (spared.status, spared.outcome) == (AttemptStatus.CANCELLED, "replanned")
        assert plan_attempts(now=NOW) == 1
        again = Attempt.objects.get(task=spared.task, status=AttemptStatus.PLANNED)
        assert again.channel == Channel.PHONE

    def test_failures_with_successes_between_them_are_not_in_a_row(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio
    ) -> None:
        taken = Trick(takes=True)
        twilio.tricks += [DOWN, taken, DOWN, taken, DOWN, taken]
        due(clinic, numbers, 6)
        dispatch(now=NOW)
        assert len(twilio.taken) == 3
        assert Sender.objects.get().down_since is None

    def test_a_manager_is_told_once_in_each_clinic(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio
    ) -> None:
        builders.clinic()
        self.fail(clinic, numbers, twilio)
        senders.failed("sms", "busy", now=NOW + MINUTE)
        steps = Step.objects.filter(kind=StepKind.MEND)
        assert {(step.owner_role, step.status, step.name) for step in steps} == {
            (OwnerRole.MANAGER, StepStatus.ACTIVE, "SMS does not work: see Channels.")
        }
        assert steps.count() == Clinic.objects.count() == 2

    def test_a_manager_who_says_too_early_that_it_works_is_told_again(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio
    ) -> None:
        self.fail(clinic, numbers, twilio)
        complete_step(Step.objects.get(kind=StepKind.MEND), "works_sms", now=NOW + MINUTE)
        senders.failed("sms", "busy", now=NOW + 6 * MINUTE)
        assert Step.objects.get(kind=StepKind.MEND, status=StepStatus.ACTIVE).ends_with == "works_sms"

    def test_a_manager_who_says_in_the_same_moment_that_it_works_is_in_nobodys_way(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio
    ) -> None:
        builders.clinic()
        self.fail(clinic, numbers, twilio)
        first, second = Step.objects.filter(kind=StepKind.MEND).order_by("pk")

        def meanwhile(execute: Any, sql: str, *about: Any) -> Any:
            answer = execute(sql, *about)
            if "works_sms" in str(about[0]) and sql.startswith("SELECT"):  # both are read, none is ended yet
                ended = Step.objects.filter(pk=first.pk)
                ended.update(status=StepStatus.COMPLETED, outcome="works_sms", completed_at=NOW)
            return answer

        turn = senders.turn_of("sms", now=NOW + 6 * MINUTE)
        assert turn
        with connection.execute_wrapper(meanwhile):
            senders.worked(turn, now=NOW + 6 * MINUTE)
        assert senders.down() == set()
        second.refresh_from_db()
        assert second.status == StepStatus.COMPLETED

    def test_when_the_pause_is_over_one_message_is_tried_and_no_more(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio
    ) -> None:
        self.fail(clinic, numbers, twilio)
        due(clinic, numbers, 2)
        assert dispatch(now=NOW + 4 * MINUTE) == Counts()
        twilio.tricks.append(DOWN)
        assert dispatch(now=NOW + 6 * MINUTE).sent == 0
        assert len(twilio.requests) == 4
        assert dispatch(now=NOW + 20 * MINUTE) == Counts()  # it rests longer now

    def test_each_failure_frees_what_would_leave_while_it_rests_on(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio
    ) -> None:
        self.fail(clinic, numbers, twilio)
        tried, soon, late = due(clinic, numbers, 3)
        for attempt, minutes in ((tried, 6), (soon, 20), (late, 22)):
            Attempt.objects.filter(pk=attempt.pk).update(
                send_at=NOW + minutes * MINUTE, expires_at=NOW + 90 * MINUTE
            )
        twilio.tricks.append(DOWN)
        dispatch(now=NOW + 6 * MINUTE)  # it rests until 21 minutes past
        assert plan_attempts(now=NOW + 6 * MINUTE) > 0
        freed = Attempt.objects.get(task=soon.task, status=AttemptStatus.PLANNED)
        late.refresh_from_db()
        assert (freed.channel, late.status) == (Channel.PHONE, AttemptStatus.PLANNED)

    def test_a_try_is_not_spent_on_what_may_not_leave_any_more(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio
    ) -> None:
        self.fail(clinic, numbers, twilio)
        past = [attempt.pk for attempt in due(clinic, numbers, 3)]
        Attempt.objects.filter(pk__in=past).update(send_at=NOW - MINUTE, expires_at=NOW)
        due(clinic, numbers, 1)
        assert dispatch(now=NOW + 6 * MINUTE) == Counts(sent=1)
        assert (len(twilio.taken), senders.down()) == (1, set())

    def test_once_it_answers_all_is_well_and_the_managers_step_ends(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio
    ) -> None:
        self.fail(clinic, numbers, twilio)
        Attempt.objects.filter(status=AttemptStatus.PLANNED).delete()
        due(clinic, numbers, 3)
        assert dispatch(now=NOW + 6 * MINUTE) == Counts(sent=1)
        assert dispatch(now=NOW + 6 * MINUTE) == Counts(sent=2)
        sender = Sender.objects.get()
        assert (sender.failures, sender.down_since, sender.paused_until) == (0, None, None)
        assert [step.status for step in Step.objects.filter(kind=StepKind.MEND)] == ["completed"]

    def test_a_refusal_of_one_message_says_that_the_provider_is_well(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio
    ) -> None:
        self.fail(clinic, numbers, twilio)
        due(clinic, numbers, 1)
        twilio.tricks.append(twilio_api.refuses(400, 21614))
        assert dispatch(now=NOW + 6 * MINUTE) == Counts(failed=1)
        assert senders.down() == set()

    def test_a_refused_login_is_down_at_once(
        self, clinic: Clinic, numbers: Iterator[str], twilio: Twilio
    ) -> None:
        due(clinic, numbers, 2)
        twilio.tricks.append(twilio_api.refuses(401, 20003))
        dispatch(now=NOW)
        assert (len(twilio.requests), senders.down()) == (1, {"sms"})

    def test_who_has_no_other_way_is_still_planned_on_it(
        self, clinic: Clinic, settings: LazySettings
    ) -> None:
        settings.CHANNEL_TRANSPORTS = {"sms": "twilio"}
        senders.failed("sms", "login", now=NOW)
        builders.task(builders.step(builders.journey(builders.patient(clinic))))
        assert plan_attempts(now=NOW) == 1
        assert Attempt.objects.get().channel == Channel.SMS

    def test_one_tick_alone_tries(self, clinic: Clinic) -> None:
        senders.failed("sms", "login", now=NOW)
        later = NOW + 6 * MINUTE
        first = senders.turn_of("sms", now=later)
        assert (first and first.is_try, senders.turn_of("sms", now=later)) == (True, None)


def test_a_slow_provider_holds_two_ticks_at_most(
    clinic: Clinic, numbers: Iterator[str], twilio: Twilio
) -> None:
    for attempt in due(clinic, numbers, 2):
        Attempt.objects.filter(pk=attempt.pk).update(
            status=AttemptStatus.SENDING, lease=attempt.reference, lease_until=NOW + MINUTE, called_at=NOW
        )
    due(clinic, numbers, 1)
    assert dispatch_on("sms", now=NOW) == Counts()
    assert dispatch_on("sms", now=NOW + MINUTE) == Counts(sent=1)
