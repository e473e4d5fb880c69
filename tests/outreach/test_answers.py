"""What a patient says: acted on once, never "invalid", never lost."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import translation
from django.utils.translation import gettext

from appointments.models import Appointment, AppointmentStatus
from journeys import actions
from journeys.actions import NewJourney
from journeys.models import Journey, Step, StepKind, StepStatus
from outreach.answers import answer
from outreach.models import Attempt, AttemptStatus, Reply, TaskStatus
from patients.actions import RefusedError
from patients.models import Clinic, Consent
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def journey() -> Journey:
    """Decided: the visit is booked for tomorrow, and the patient is asked to confirm it."""
    call_command("load_catalogue", verbosity=0)
    journey = actions.start_journey(builders.patient(), NewJourney("imaging_treatment"), now=NOW)
    actions.complete_step(journey.steps.get(kind=StepKind.AWAIT_RESULT), "received", now=NOW)
    actions.complete_step(journey.steps.get(kind=StepKind.REVIEW), "treat", now=NOW)
    builders.appointment(journey.patient, step=journey.steps.get(kind=StepKind.VISIT))
    return journey


def confirming(journey: Journey) -> Step:
    return journey.steps.get(kind=StepKind.CONFIRM)


def say(step: Step, meaning: str, **said: object) -> Reply:
    return answer(step, meaning, now=NOW, channel="page", **said)  # type: ignore[arg-type]


def open_kinds(journey: Journey) -> set[str]:
    return set(journey.steps.filter(status=StepStatus.ACTIVE).values_list("kind", flat=True))


def test_yes_confirms_the_visit_ends_the_step_and_what_was_planned_about_it(journey: Journey) -> None:
    step = confirming(journey)
    planned = builders.attempt(builders.task(step, plan_from=None))
    for _press in range(2):
        say(step, "confirm")
    step.refresh_from_db()
    planned.refresh_from_db()
    planned.task.refresh_from_db()
    assert (Appointment.objects.get().confirmed_at, step.outcome) == (NOW, "confirmed")
    assert (planned.status, planned.task.status) == (AttemptStatus.CANCELLED, TaskStatus.DONE)
    assert open_kinds(journey) == {StepKind.VISIT}


def test_yes_to_a_visit_that_is_gone_says_so_and_is_not_lost(journey: Journey) -> None:
    Appointment.objects.update(status=AppointmentStatus.CANCELLED)
    with pytest.raises(RefusedError, match="no longer kept"):
        say(confirming(journey), "confirm")
    assert Reply.objects.get().meaning == "confirm"


def test_another_time_for_a_visit_that_is_gone_is_booked_at_once(journey: Journey) -> None:
    gone = Appointment.objects.get()
    Appointment.objects.update(status=AppointmentStatus.CANCELLED)
    start = gone.start + timedelta(days=2)
    builders.open_time(gone.practitioner, start, minutes=30)
    say(confirming(journey), "another_time", start=start)
    booked = Appointment.objects.get(status=AppointmentStatus.BOOKED)
    assert (booked.start, booked.confirmed_at) == (start, NOW)
    assert (confirming(journey).outcome, open_kinds(journey)) == ("another_time", {StepKind.VISIT})


def test_a_time_chosen_later_moves_the_visit_kept_meanwhile(journey: Journey) -> None:
    say(confirming(journey), "another_time")
    visit = Appointment.objects.get()
    start = visit.start + timedelta(days=2)
    builders.open_time(visit.practitioner, start, minutes=30)
    say(journey.steps.get(kind=StepKind.BOOK), "another_time", start=start)
    moved = Appointment.objects.get()
    assert (moved.start, moved.confirmed_at) == (start, NOW)
    assert open_kinds(journey) == {StepKind.VISIT}


def test_another_time_chosen_moves_the_visit_and_confirms_it(journey: Journey) -> None:
    visit = Appointment.objects.get()
    start = visit.start + timedelta(days=2)
    builders.open_time(visit.practitioner, start, minutes=30)
    for _press in range(2):
        say(confirming(journey), "another_time", start=start)
    moved = Appointment.objects.get(status=AppointmentStatus.BOOKED)
    assert (moved.start, moved.confirmed_at) == (start, NOW)
    assert confirming(journey).outcome == "confirmed"


@pytest.mark.parametrize(
    "away",
    [
        timedelta(days=-30),
        timedelta(minutes=30),  # nobody at the clinic would see it in time
        timedelta(days=2, hours=12),  # at night
        timedelta(days=60),
    ],
)
def test_a_time_the_page_never_offered_is_refused(journey: Journey, away: timedelta) -> None:
    visit = Appointment.objects.get()
    builders.open_time(visit.practitioner, NOW + away, minutes=30)
    with pytest.raises(RefusedError, match="cannot offer this time"):
        say(confirming(journey), "another_time", start=NOW + away)
    assert Appointment.objects.get().start == visit.start


class TestAHeldVisit:
    """It waits for the doctor: it may be moved, but neither confirmed nor given up."""

    @pytest.fixture
    def held(self) -> Appointment:
        waiting = builders.step(kind=StepKind.AWAIT_RESULT, due_at=NOW + timedelta(days=1))
        start = NOW + timedelta(days=3)
        return builders.appointment(
            waiting.journey.patient,
            start=start,
            status=AppointmentStatus.PENDING,
            awaits=waiting,
            hold_until=start - timedelta(days=1),
        )

    def test_it_moves_as_a_hold_and_still_waits(self, held: Appointment) -> None:
        assert held.awaits is not None
        start = held.start + timedelta(days=3, hours=1)
        builders.open_time(held.practitioner, start, minutes=30)
        for _press in range(2):
            say(held.awaits, "another_time", start=start)
        moved = Appointment.objects.get()
        assert (moved.start, moved.status, moved.awaits) == (start, AppointmentStatus.PENDING, held.awaits)
        assert (moved.hold_until, moved.confirmed_at) == (start - timedelta(days=1), None)
        assert open_kinds(held.awaits.journey) == {StepKind.AWAIT_RESULT}

    def test_it_never_moves_before_the_result(self, held: Appointment) -> None:
        assert held.awaits is not None
        start = NOW + timedelta(days=1, hours=3)
        builders.open_time(held.practitioner, start, minutes=30)
        with pytest.raises(RefusedError, match="cannot offer this time"):
            say(held.awaits, "another_time", start=start)

    def test_yes_to_it_waits_for_the_doctor(self, held: Appointment) -> None:
        assert held.awaits is not None
        with pytest.raises(RefusedError, match="not decided yet"):
            say(held.awaits, "confirm")

    @pytest.mark.parametrize("meaning", ["cannot_come", "another_time"])
    def test_that_it_does_not_suit_is_heard_by_a_person_and_the_time_kept(
        self, held: Appointment, meaning: str
    ) -> None:
        assert held.awaits is not None
        for _press in range(2):
            say(held.awaits, meaning)
        held.refresh_from_db()
        assert held.status == AppointmentStatus.PENDING
        assert open_kinds(held.awaits.journey) == {StepKind.AWAIT_RESULT, StepKind.CALL}


def test_another_time_that_is_taken_keeps_the_present_one(journey: Journey) -> None:
    visit = Appointment.objects.get()
    other = builders.appointment(practitioner=visit.practitioner, start=visit.start + timedelta(days=2))
    with pytest.raises(RefusedError):
        say(confirming(journey), "another_time", start=other.start)
    visit.refresh_from_db()
    assert visit.status == AppointmentStatus.BOOKED


def test_another_time_without_one_is_booked_by_a_person(journey: Journey) -> None:
    say(confirming(journey), "another_time")
    assert (confirming(journey).outcome, Appointment.objects.get().status) == ("another_time", "booked")
    assert StepKind.BOOK in open_kinds(journey)


def test_cannot_come_frees_the_time_and_opens_the_next_booking_once(journey: Journey) -> None:
    for _press in range(2):
        say(confirming(journey), "cannot_come")
    assert Appointment.objects.get().status == AppointmentStatus.CANCELLED
    assert confirming(journey).outcome == "cannot_come"
    assert journey.steps.filter(kind=StepKind.BOOK, status=StepStatus.ACTIVE).count() == 1


@pytest.mark.parametrize("meaning", ["cannot_come", "confirm", "another_time"])
def test_an_answer_about_a_visit_never_ends_a_question_unanswered(meaning: str) -> None:
    journey = builders.journey()
    question = builders.step(journey, kind=StepKind.CALL, title="Answer: May I eat before?")
    planned = builders.attempt(builders.task(question, plan_from=None), channel="phone")
    builders.appointment(journey.patient, step=builders.step(journey, kind=StepKind.VISIT))
    say(question, meaning)
    question.refresh_from_db()
    planned.refresh_from_db()
    assert (question.status, planned.status) == (StepStatus.ACTIVE, AttemptStatus.PLANNED)


def test_a_visit_outside_a_template_goes_on_when_confirmed_and_is_asked_for_anew_when_not() -> None:
    visit = builders.appointment(step=builders.step(kind=StepKind.VISIT))
    assert visit.step is not None
    say(visit.step, "confirm")
    assert open_kinds(visit.step.journey) == {StepKind.VISIT}
    say(visit.step, "cannot_come")
    visit.refresh_from_db()
    assert visit.status == AppointmentStatus.CANCELLED
    assert open_kinds(visit.step.journey) == {StepKind.BOOK}


def test_a_question_is_read_by_a_person_within_two_working_hours(journey: Journey) -> None:
    step = confirming(journey)
    for _press in range(2):
        say(step, "ask", body="May I eat before?")
    asked = journey.steps.get(kind=StepKind.CALL)
    assert (asked.due_at, asked.about) == (NOW + timedelta(hours=2), None)
    assert "May I eat before?" in asked.title
    assert Reply.objects.count() == 2

    say(step, "confirm")  # what else is settled meanwhile answers nobody's question
    asked.refresh_from_db()
    assert asked.status == StepStatus.ACTIVE


def test_a_question_after_the_end_is_a_new_reason_to_be_with_us(journey: Journey) -> None:
    actions.cancel_journey(journey, reason="treated elsewhere", now=NOW)
    for _press in range(2):
        say(confirming(journey), "ask", body="May I come back?")
    asked = Step.objects.get(status=StepStatus.ACTIVE)
    assert "May I come back?" in asked.title
    assert (asked.journey.patient, asked.journey_id == journey.pk) == (journey.patient, False)


def test_what_staff_will_read_is_written_in_the_clinics_language(journey: Journey) -> None:
    Clinic.objects.update(language="he")
    with translation.override("ru"):
        say(confirming(journey), "cannot_come")
        said = Appointment.objects.get().ended_because
    with translation.override("he"):
        assert said == gettext("the patient cannot come")


def test_a_question_is_announced_in_the_readers_language_with_the_patients_own_words(
    journey: Journey,
) -> None:
    Clinic.objects.update(language="he")
    say(confirming(journey), "ask", body="May I eat before?")
    asked = journey.steps.get(kind=StepKind.CALL)
    with translation.override("en"):
        assert asked.name == "Answer: \u2068May I eat before?\u2069"
    with translation.override("ru"):
        assert asked.name == gettext("Answer: %(words)s") % {
            "words": "\u2068May I eat before?\u2069",
        }
        assert asked.name != "Answer: \u2068May I eat before?\u2069"


def test_a_stop_that_nothing_was_sent_for_is_read_by_a_person(journey: Journey) -> None:
    say(confirming(journey), "stop", body="STOP")
    assert "STOP" in journey.steps.get(kind=StepKind.CALL).title


def test_stop_silences_that_address_and_channel_for_that_patient(journey: Journey) -> None:
    step = confirming(journey)
    builders.attempt(builders.task(step, plan_from=None), status=AttemptStatus.SENT, sent_at=NOW)
    say(step, "stop", body="STOP")
    consent = Consent.objects.get()
    assert (consent.patient, consent.channel, consent.how) == (journey.patient, "sms", "STOP")
    assert Attempt.objects.filter(status=AttemptStatus.PLANNED).count() == 0


def test_choosing_a_time_books_what_had_no_date() -> None:
    call_command("load_catalogue", verbosity=0)
    patient = builders.patient()
    doctor = builders.practitioner(patient.clinic)
    journey = actions.start_journey(patient, NewJourney("next_stage"), now=NOW)
    start = NOW + timedelta(days=1)
    builders.open_time(doctor, start, minutes=30)
    say(journey.steps.get(kind=StepKind.BOOK), "another_time", start=start)
    booked = Appointment.objects.get()
    assert (booked.start, booked.status, booked.confirmed_at) == (start, AppointmentStatus.BOOKED, NOW)
    assert journey.steps.get(kind=StepKind.BOOK).outcome == "booked"
    assert journey.steps.get(kind=StepKind.VISIT).due_at == booked.end
