"""One more contact by hand: the clinic's own limit asks why and counts it; the law's is passed over by nobody."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from clinic_journey.reports.numbers import beyond_the_limit
from journeys.actions import AdHoc, add_step
from journeys.chases import Promise, make_promise
from journeys.models import Journey, Step, StepKind
from outreach.by_hand import message_now
from outreach.calls import call_now, claim_call, record_outcome
from outreach.channels import PHONE
from outreach.channels.inbound import Said
from outreach.dispatch import dispatch
from outreach.models import Attempt, AttemptStatus, Reply
from outreach.queries import why_words
from outreach.replies import receive_reply
from patients.actions import RefusedError
from patients.models import Patient
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
LATER = NOW + timedelta(hours=6)
OWN, LAW = "the clinic's own limit|The clinic's own limit", "rules of the country"


@pytest.fixture
def step() -> Step:
    """Of a patient who has had one contact today, in a clinic that wants no more than one a day."""
    builders.messages_loaded()
    return one_today(builders.patient(builders.clinic(contacts_a_day=1)))


def one_today(patient: Patient, *, days_ago: int = 0) -> Step:
    journey = builders.journey(patient)
    made = NOW - timedelta(days=days_ago, hours=1)
    builders.attempt(
        builders.task(builders.step(journey), plan_from=None, status="done", ended_at=NOW),
        status=AttemptStatus.SENT,
        send_at=made,
        called_at=made,
        sent_at=made,
    )
    return builders.step(journey, message_key="next_step")


def write(step: Step, because: str = "") -> Attempt:
    by = builders.user(at=step.clinic)
    return message_now(step, call=None, now=NOW, by=by, not_before=NOW, because=because)


def ring(step: Step, because: str = "") -> Attempt:
    return call_now(step, by=builders.user(at=step.clinic), now=NOW, because=because)


def rules_of(attempt: Attempt) -> list[str]:
    return list(attempt.decisions.values_list("rules", flat=True))


def test_a_message_beyond_the_clinics_own_limit_asks_why_and_keeps_it(step: Step) -> None:
    with pytest.raises(RefusedError, match=OWN):
        write(step)
    assert not Attempt.objects.filter(task__step=step).exists()
    attempt = write(step, "she stands at the institute and asks")
    assert why_words(attempt).endswith("she stands at the institute and asks")
    assert rules_of(attempt) == ["day_cap by_hand"]


def test_a_call_beyond_it_asks_why_and_keeps_it(step: Step) -> None:
    with pytest.raises(RefusedError, match=OWN):
        ring(step)
    attempt = ring(step, "the doctor asked")
    assert (attempt.status, attempt.why) == (AttemptStatus.SENDING, "|the doctor asked")
    assert rules_of(attempt) == ["day_cap by_hand"]


def test_what_was_passed_over_is_counted_once_it_was_made(step: Step) -> None:
    write(step, "she asks")
    assert not beyond_the_limit(step.clinic, now=NOW).exists()
    dispatch(now=NOW)
    counted = beyond_the_limit(step.clinic, now=NOW).get()
    assert counted.task.step == step
    assert not beyond_the_limit(builders.clinic(), now=NOW).exists()
    assert not beyond_the_limit(step.clinic, now=NOW + timedelta(days=15)).exists()


def test_below_the_limit_nothing_is_asked_and_nothing_counted() -> None:
    builders.messages_loaded()
    step = builders.step(builders.journey(builders.patient()), message_key="next_step")
    attempt = write(step)
    assert ("|" in attempt.why, rules_of(attempt)) == (False, ["by_hand"])
    dispatch(now=NOW)
    assert not beyond_the_limit(step.clinic, now=NOW).exists()


def test_what_is_planned_for_the_day_fills_it_too() -> None:
    builders.messages_loaded()
    patient = builders.patient(builders.clinic(contacts_a_day=1))
    journey = builders.journey(patient)
    builders.attempt(builders.task(builders.step(journey), plan_from=None), send_at=NOW + timedelta(hours=2))
    step = builders.step(journey, message_key="next_step")
    with pytest.raises(RefusedError, match=OWN):
        write(step)
    other = builders.step(builders.journey(builders.patient(patient.clinic)), message_key="next_step")
    assert write(other).status == AttemptStatus.PLANNED


def test_the_own_contact_that_gives_way_does_not_fill_the_day() -> None:
    builders.messages_loaded()
    patient = builders.patient(builders.clinic(contacts_a_day=1))
    step = builders.step(builders.journey(patient), message_key="next_step")
    builders.attempt(builders.task(step, plan_from=None), send_at=NOW + timedelta(hours=2))
    assert write(step).status == AttemptStatus.PLANNED


def test_a_full_week_is_a_limit_of_its_own() -> None:
    builders.messages_loaded()
    patient = builders.patient(builders.clinic(contacts_a_week=2))
    one_today(patient, days_ago=2)
    step = one_today(patient, days_ago=4)
    with pytest.raises(RefusedError, match=OWN):
        write(step)
    assert rules_of(write(step, "she asks")) == ["week_cap by_hand"]


@pytest.mark.parametrize("act", [write, ring])
def test_no_reason_opens_what_the_law_allows_no_more(act: Any) -> None:
    """Once a day in the United States; a clinic that sets less is asked why below that."""
    builders.messages_loaded()
    clinic = builders.clinic(country="US", time_zone="Asia/Jerusalem")
    step = one_today(builders.patient(clinic, phone="+972502345678"))
    with pytest.raises(RefusedError, match=LAW):
        act(step, "she asks")
    assert not Attempt.objects.filter(task__step=step).exists()


def test_news_waits_for_no_limit_that_is_not_the_law() -> None:
    builders.messages_loaded()
    patient = builders.patient(builders.clinic(contacts_a_day=1))
    one_today(patient)
    news = builders.step(builders.journey(patient), kind=StepKind.TELL, message_key="result_arrived")
    assert rules_of(write(news)) == ["by_hand"]


def test_whoever_wrote_to_us_waits_for_our_call(step: Step) -> None:
    asked = builders.step(step.journey, kind=StepKind.CALL)
    Reply.objects.create(
        clinic=step.clinic, patient=step.journey.patient, channel="sms", at=NOW, body="When?", matter=asked
    )
    assert ring(asked, "by hand, inside the agreed hours").status == AttemptStatus.SENDING


@pytest.fixture
def american() -> Patient:
    """Where the caps are law; by the clock of the others."""
    builders.messages_loaded()
    return builders.patient(builders.clinic(country="US", time_zone="Asia/Jerusalem"), phone="+972502345678")


def call_at(patient: Patient, rina: User) -> None:
    """She was reached, and said when to call again."""
    journey = Journey.objects.filter(patient=patient).latest("pk")
    ringing = claim_call(
        builders.attempt(
            builders.task(builders.step(journey), plan_from=None),
            channel=PHONE,
            send_at=NOW,
            expires_at=LATER,
        ),
        by=rina,
        now=NOW,
    )
    record_outcome(ringing, "call_at", now=NOW, by=rina, call_again_at=LATER)


def rang_us(patient: Patient, rina: User) -> None:
    """She rang, and was promised a call on the telephone."""
    make_promise(patient, Promise("A call at six", LATER), now=NOW, by=rina)


@pytest.mark.parametrize("asks", [call_at, rang_us])
def test_a_call_that_she_asked_for_in_a_talk_is_kept_where_the_cap_is_law(
    american: Patient, asks: Callable[[Patient, User], None]
) -> None:
    one_today(american)
    asks(american, builders.user(at=american.clinic))
    promised = Step.objects.get(kind=StepKind.PROMISE)
    attempt = call_now(
        promised, by=builders.user(at=american.clinic), now=LATER, because="by hand, as she asked"
    )
    assert (attempt.status, rules_of(attempt)) == (AttemptStatus.SENDING, [])


def test_what_the_machine_promises_in_a_message_was_asked_for_by_nobody(american: Patient) -> None:
    late = one_today(american)
    promise = AdHoc(StepKind.PROMISE, "", LATER, message_key="we_are_late", about=late)
    ours = add_step(late.journey, promise, now=NOW, by=builders.user(at=american.clinic))
    with pytest.raises(RefusedError, match=LAW):
        ring(ours, "as we said")


def test_a_call_at_the_time_that_she_wrote_is_kept_where_the_cap_is_law(american: Patient) -> None:
    journey = one_today(american).journey
    said = Said("sms", "phone", "+972502345678", "Call me at 18:00", at=NOW)
    assert receive_reply(said, now=NOW) == "call_at"
    promised = Step.objects.get(kind=StepKind.PROMISE)
    assert ring(promised, "by hand, as she asked").status == AttemptStatus.SENDING
    ours = builders.step(journey, kind=StepKind.PROMISE)
    with pytest.raises(RefusedError, match=LAW):
        ring(ours, "as we said")
