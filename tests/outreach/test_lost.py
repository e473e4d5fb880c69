"""A silent patient: what to try next, and that nobody is closed as lost on a guess."""

from datetime import UTC, datetime, timedelta

import pytest

from appointments.models import AppointmentStatus
from journeys.actions import complete_step
from journeys.models import Journey, JourneyStatus, LostBecause, Step, StepKind, StepStatus
from outreach import followup
from outreach.followup import HandOver
from outreach.lost import (
    ask_for_number,
    close_as_lost,
    refuse_a_guess,
    replan,
    say_no_other_number,
    silence_of,
)
from outreach.models import Attempt, AttemptStatus, OutreachTask, Reply, TaskStatus
from outreach.silence import Cause, DayKind, DayPart
from outreach.silent import silent_tasks
from patients.actions import CardAnswers, RefusedError, StaleStateError, mark_address, save_card
from patients.models import AddressStatus, Channel, Patient
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MORNING = datetime(2026, 3, 8, 8, tzinfo=UTC)  # Sunday, ten in the morning in Jerusalem


def silent(*tries: datetime, patient: Patient | None = None, max_attempts: int = 4) -> OutreachTask:
    """A task whose calls nobody answered."""
    who = patient or builders.patient(builders.clinic(language="en"))
    step = builders.step(builders.journey(who), due_at=NOW + DAY * 2)
    task = builders.task(step, plan_from=None, max_attempts=max_attempts)
    for at in tries:
        builders.attempt(
            task, channel=Channel.PHONE, status=AttemptStatus.FAILED, outcome="no_answer", send_at=at
        )
    return task


def exhausted(task: OutreachTask) -> OutreachTask:
    """One more try in every way that is open."""
    for cell in silence_of(task, now=NOW).untried:
        hour = {DayPart.MORNING: 8, DayPart.AFTERNOON: 11, DayPart.EVENING: 15}[cell.day_part]
        day = 6 if cell.day_kind == DayKind.WEEKEND else 2  # Friday 6 and Monday 2 March
        builders.attempt(
            task,
            channel=cell.channel,
            status=AttemptStatus.FAILED,
            outcome="no_answer",
            send_at=datetime(2026, 3, day, hour, tzinfo=UTC),
        )
    return task


def test_a_silence_shows_its_causes_and_the_next_way_not_tried() -> None:
    silence = silence_of(silent(MORNING - DAY * 3, MORNING), now=NOW)
    assert silence.causes == [Cause.ONE_CHANNEL, Cause.ONE_DAY_PART, Cause.ONE_DAY_KIND]
    assert silence.proposed in silence.untried
    assert silence.proposal is not None
    assert silence.proposal.send_at > NOW
    assert silence.proposed is not None
    assert silence.proposed.channel != Channel.PHONE
    assert not silence.is_ruled_out


def test_replanning_takes_the_place_of_what_was_planned() -> None:
    task = silent(MORNING - DAY * 3, MORNING)
    again = builders.attempt(task, channel=Channel.PHONE, send_at=NOW + DAY, expires_at=NOW + DAY + HOUR)
    made = replan(task, now=NOW, by=builders.user())
    again.refresh_from_db()
    assert (again.status, again.outcome) == (AttemptStatus.CANCELLED, "replanned")
    proposal = silence_of(task, now=NOW).proposal
    assert proposal is not None
    assert (made.channel, made.send_at) == (proposal.channel, proposal.send_at)
    assert replan(task, now=NOW) == made  # pressed twice
    assert Attempt.objects.filter(status=AttemptStatus.PLANNED).count() == 1


def test_what_was_given_up_goes_on_and_the_persons_step_ends() -> None:
    task = silent(MORNING - DAY * 3, MORNING, max_attempts=2)
    by_hand = followup.hand_over(task, HandOver.ATTEMPTS_USED, now=NOW)
    assert by_hand is not None
    question = builders.step(task.step.journey, kind=StepKind.CALL, title="asks the doctor", about=task.step)
    made = replan(task, now=NOW)
    task.refresh_from_db()
    assert (task.status, task.ended_at, task.max_attempts) == (TaskStatus.OPEN, None, 3)
    assert made.task == task
    assert dict(Step.objects.filter(kind=StepKind.CALL).values_list("pk", "outcome")) == {
        by_hand.pk: "replanned",
        question.pk: "",
    }


def test_a_call_that_is_being_made_is_not_replanned() -> None:
    task = silent(MORNING - DAY * 3, MORNING)
    builders.attempt(task, channel=Channel.PHONE, status="sending", lease="9" * 32, lease_until=NOW + HOUR)
    with pytest.raises(StaleStateError, match="right now"):
        replan(task, now=NOW)


def test_a_step_that_has_ended_is_not_replanned() -> None:
    task = silent(MORNING - DAY * 3, MORNING)
    complete_step(task.step, "booked", now=NOW)
    with pytest.raises(StaleStateError, match="settled"):
        replan(task, now=NOW)


def test_everything_tried_is_no_cause_of_ours() -> None:
    task = exhausted(silent(MORNING - DAY * 3, MORNING))
    silence = silence_of(task, now=NOW)
    assert (silence.cause, silence.untried, silence.proposal) == (Cause.EXHAUSTED, [], None)
    assert silence.is_ruled_out
    with pytest.raises(RefusedError, match="has been tried"):
        replan(task, now=NOW)


def test_a_bad_number_is_a_question_to_the_desk() -> None:
    task = silent()
    point = task.patient.contacts.get().contact_point
    builders.attempt(task, channel=Channel.PHONE, status=AttemptStatus.FAILED, outcome="wrong_number")
    mark_address(point, AddressStatus.BAD, now=NOW)
    silence = silence_of(task, now=NOW)
    assert (silence.cause, silence.proposal, silence.is_ruled_out) == (Cause.NUMBER_BAD, None, False)
    asked = ask_for_number(task, now=NOW)
    assert ask_for_number(task, now=NOW) == asked
    assert asked.title == "Find another number for Dana Levi"
    with pytest.raises(RefusedError, match="guess"):
        close_as_lost(task.step.journey, now=NOW)
    say_no_other_number(task, now=NOW)
    assert Step.objects.get(pk=asked.pk).outcome == "no_other_number"
    assert silence_of(task, now=NOW).is_ruled_out


def kept_for(task: OutreachTask) -> object:
    visit = builders.step(task.step.journey, kind=StepKind.VISIT, due_at=NOW + DAY * 3)
    return builders.appointment(task.patient, step=visit, start=NOW + DAY * 2)


def test_a_guess_closes_nothing() -> None:
    task = silent(MORNING - DAY * 3, MORNING)
    visit = kept_for(task)
    for words in ("", "   "):
        with pytest.raises(RefusedError, match="guess"):
            close_as_lost(task.step.journey, words=words, now=NOW)
    assert Journey.objects.get().status == JourneyStatus.ACTIVE
    assert OutreachTask.objects.get().status == TaskStatus.OPEN
    visit.refresh_from_db()  # type: ignore[attr-defined]
    assert visit.status == AppointmentStatus.BOOKED  # type: ignore[attr-defined]


def test_a_journey_without_any_attempt_is_not_lost() -> None:
    with pytest.raises(RefusedError, match="guess"):
        close_as_lost(builders.step().journey, now=NOW)


def test_the_patients_own_words_close_everything() -> None:
    task = silent(MORNING)
    visit = kept_for(task)
    close_as_lost(task.step.journey, words=" I go to a dentist near work ", now=NOW, by=builders.user())
    journey = Journey.objects.get()
    assert (journey.status, journey.lost_because) == (JourneyStatus.CANCELLED, LostBecause.OWN_WORDS)
    assert journey.lost_words == "I go to a dentist near work"
    reply = Reply.objects.get()
    assert (reply.body, reply.meaning) == ("I go to a dentist near work", "declined")
    visit.refresh_from_db()  # type: ignore[attr-defined]
    assert visit.status == AppointmentStatus.CANCELLED  # type: ignore[attr-defined]
    assert set(Step.objects.values_list("status", flat=True)) == {StepStatus.CANCELLED}
    assert OutreachTask.objects.get().status == TaskStatus.CANCELLED
    with pytest.raises(StaleStateError):
        close_as_lost(journey, words="again", now=NOW)


def test_all_causes_ruled_out_close_without_words() -> None:
    task = exhausted(silent(MORNING - DAY * 3, MORNING))
    close_as_lost(task.step.journey, now=NOW)
    journey = Journey.objects.get()
    assert (journey.status, journey.lost_because, journey.lost_words) == (
        JourneyStatus.CANCELLED,
        LostBecause.CAUSES_RULED_OUT,
        "",
    )
    assert not Reply.objects.exists()


def test_could_not_be_reached_is_said_only_when_everything_was_tried() -> None:
    task = silent(MORNING - DAY * 3, MORNING)
    with pytest.raises(RefusedError, match="Not every way"):
        refuse_a_guess(task.step, now=NOW)
    refuse_a_guess(exhausted(task).step, now=NOW)


def test_silent_is_whoever_did_not_answer_twice_or_was_given_up() -> None:
    clinic = builders.clinic(language="en")

    def patient(n: int) -> Patient:
        return builders.patient(clinic, phone=f"050-234-56{n}0")

    twice = silent(MORNING - DAY * 3, MORNING, patient=patient(1))
    once = silent(MORNING, patient=patient(2))
    given_up = silent(MORNING, patient=patient(3))
    followup.hand_over(given_up, HandOver.ATTEMPTS_USED, now=NOW)
    ended = silent(MORNING - DAY * 3, MORNING, patient=patient(4))
    complete_step(ended.step, "booked", now=NOW)
    silent(MORNING - DAY * 3, MORNING)  # of another clinic
    found = set(silent_tasks(builders.user(at=clinic)))
    assert found == {twice, given_up}
    assert once not in found


def test_an_answer_ends_the_silence() -> None:
    task = silent(MORNING - DAY * 3, MORNING)
    builders.attempt(
        task,
        channel=Channel.PHONE,
        status=AttemptStatus.DELIVERED,
        outcome="prefers_message",
        send_at=NOW - HOUR,
        sent_at=NOW - HOUR,
    )
    assert not silence_of(task, now=NOW).is_silent


def test_a_channel_the_patient_asked_for_and_nobody_tried_comes_first() -> None:
    task = silent(MORNING - DAY * 3, MORNING + HOUR * 4)
    builders.on_whatsapp(task.patient)
    save_card(task.patient, CardAnswers(Channel.WHATSAPP, (), "en"), now=NOW, by=builders.user())
    silence = silence_of(OutreachTask.objects.get(), now=NOW)
    assert silence.cause == Cause.ONE_CHANNEL
    assert silence.proposed is not None
    assert silence.proposed.channel == Channel.WHATSAPP


def test_what_a_lost_journey_waited_for_is_waited_for_no_more() -> None:
    referral = builders.referral()
    other = builders.referral(referral.patient)
    close_as_lost(referral.journey, words="I had it done elsewhere", now=NOW)
    referral.refresh_from_db()
    other.refresh_from_db()
    assert (referral.status, referral.ended_because) == ("revoked", "I had it done elsewhere")
    assert other.status == "active"
    assert not Step.objects.filter(message_key="referral_revoked").exists()  # her own words: nobody tells her
