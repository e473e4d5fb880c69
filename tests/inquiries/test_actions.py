"""From the question to a patient: each step once, in its order, and what is promised has a clock."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from appointments.models import Appointment
from appointments.visits import SlotTakenError
from inquiries import actions
from inquiries.actions import Caller, Question, Said
from inquiries.models import Inquiry, LostCause, Offering
from inquiries.queries import answer_about
from journeys.chases import Promise
from journeys.models import Journey, OwnerRole, Step, StepStatus
from patients.actions import NewPatient, RefusedError, StaleStateError
from patients.models import Clinic, ContactWindow, Patient, PatientContact
from patients.queries import opening_hours
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
YES = Said(available=True, price=Decimal(80), currency="ILS", words="Yes, we have it.")
NOA = NewPatient("Noa", "Levi", phone="050-234-5678", language="en")


@pytest.fixture
def clinic() -> Clinic:
    call_command("load_catalogue", verbosity=0)
    return builders.clinic()


@pytest.fixture
def rina(clinic: Clinic) -> User:
    return builders.user(at=clinic)


def answered(clinic: Clinic, key: str = "k") -> Inquiry:
    question = Question("flu vaccine", NOW - MINUTE, builders.offering(clinic), request_key=key)
    return actions.record_answer(clinic, question, YES, now=NOW, by=None)


def owed(clinic: Clinic, *, due_at: datetime = NOW + 60 * MINUTE) -> Inquiry:
    question = Question("whitening", NOW, request_key="k")
    return actions.promise_answer(
        clinic, question, Promise("Find out about whitening", due_at), now=NOW, by=None
    )


def told(inquiry: Inquiry, caller: Caller, *, now: datetime = NOW) -> None:
    actions.note_caller(inquiry, caller, now=now, by=builders.user(at=inquiry.clinic))


def test_what_was_said_is_kept_as_it_was_said(clinic: Clinic) -> None:
    answered(clinic)
    Offering.objects.update(price=99)
    kept = Inquiry.objects.get()
    assert (kept.said_available, kept.said_price_words, kept.said_words) == (True, "80 ₪", "Yes, we have it.")
    assert (kept.answered_at, kept.asked_at) == (NOW, NOW - MINUTE)


def test_pressed_twice_it_is_one_question(clinic: Clinic) -> None:
    assert answered(clinic).pk == answered(clinic).pk
    assert owed(builders.clinic()).step is not None
    assert Inquiry.objects.count() == 2


def test_a_promise_pressed_twice_has_one_clock(clinic: Clinic) -> None:
    assert owed(clinic).pk == owed(clinic).pk
    assert Step.objects.get().due_at == NOW + 60 * MINUTE
    assert Journey.objects.count() == 1


def test_the_promised_answer_keeps_the_promise(clinic: Clinic, rina: User) -> None:
    inquiry = owed(clinic)
    actions.answer_later(inquiry, YES, None, now=NOW + MINUTE, by=rina)
    step = Step.objects.get()
    assert (step.status, step.outcome, step.completed_at) == (StepStatus.COMPLETED, "kept", NOW + MINUTE)
    assert (inquiry.answered_at, inquiry.outcome) == (NOW + MINUTE, "")
    with pytest.raises(StaleStateError):
        actions.answer_later(inquiry, YES, None, now=NOW + MINUTE, by=rina)


def test_what_nobody_answers_at_once_is_owed_within_an_hour_of_work(clinic: Clinic) -> None:
    saturday = NOW + timedelta(days=5)
    inquiry = actions.keep_question(clinic, Question("flu", saturday), now=saturday, by=None)
    assert inquiry.step
    assert inquiry.step.owner_role == OwnerRole.RECEPTIONIST
    sunday_at_nine = datetime.fromisoformat("2026-03-15T09:00+02:00")
    assert inquiry.step.due_at == sunday_at_nine


def test_who_pays_is_asked_last(clinic: Clinic) -> None:
    inquiry = owed(clinic)
    told(inquiry, Caller("Noa", "+972502345678"))
    with pytest.raises(actions.AnswerFirstError):
        actions.note_payer(inquiry, "insured", "Maccabi")
    assert Inquiry.objects.get().payer == ""
    ours = answered(builders.clinic())
    actions.note_payer(ours, "insured", "Maccabi")
    assert ours.insurance == "Maccabi"


def test_what_was_not_told_this_time_stays_as_a_colleague_has_written_it(clinic: Clinic, rina: User) -> None:
    inquiry = answered(clinic)
    before = Inquiry.objects.get()
    told(inquiry, Caller("Noa", "+972502345678", may_call_back=True, call_from=time(16), call_until=time(18)))
    actions.note_payer(inquiry, "insured", "Maccabi")
    actions.note_caller(before, Caller("Noa Levi"), now=NOW, by=rina, only=["name"])
    actions.note_payer(before, insurance="Clalit")
    now = Inquiry.objects.get()
    assert (now.name, now.phone, now.call_from) == ("Noa Levi", "+972502345678", time(16))
    assert (now.payer, now.insurance) == ("insured", "Clalit")


def test_hours_of_a_call_that_a_colleague_has_refused_meanwhile_are_refused(
    clinic: Clinic, rina: User
) -> None:
    inquiry = answered(clinic)
    told(inquiry, Caller("Noa", may_call_back=False))
    hours = Caller(call_from=time(16), call_until=time(18))
    with pytest.raises(StaleStateError):
        actions.note_caller(inquiry, hours, now=NOW, by=rina, only=["call_from", "call_until"])


def test_whoever_goes_elsewhere_leaves_no_promise_open(clinic: Clinic, rina: User) -> None:
    inquiry = owed(clinic)
    actions.lose(inquiry, LostCause.MANNER, "asked me for my insurance first", now=NOW, by=rina)
    assert Step.objects.get().status == StepStatus.CANCELLED
    assert Journey.objects.get().ended_at == NOW
    assert (inquiry.outcome, inquiry.lost_because) == ("lost", "manner")
    with pytest.raises(RefusedError):
        actions.will_think(inquiry, now=NOW)
    with pytest.raises(StaleStateError):
        actions.answer_later(inquiry, YES, None, now=NOW, by=rina)


def test_she_may_think_and_then_go_elsewhere_or_come(clinic: Clinic, rina: User) -> None:
    inquiry = answered(clinic)
    actions.will_think(inquiry, now=NOW)
    actions.lose(inquiry, LostCause.PRICE, now=NOW, by=rina)
    actions.will_think(inquiry, now=NOW)
    assert (inquiry.outcome, inquiry.lost_because) == ("will_think", "")


GLADLY = Caller("Noa", "+972502345678", may_call_back=True)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("hours", "thought", "due_at", "title"),
    [
        ((), NOW, "2026-03-10T10:00+02:00", "Call Noa back"),  # Monday; one working day
        ((16, 18), NOW, "2026-03-09T18:00+02:00", "Call Noa back, 16:00–18:00"),
        ((16, 18), NOW + 7.5 * HOUR, "2026-03-10T18:00+02:00", "Call Noa back, 16:00–18:00"),
        ((16, 23), NOW, "2026-03-09T19:00+02:00", "Call Noa back, 16:00–23:00"),  # the clinic closes
        ((22, 23), NOW, "2026-03-10T10:00+02:00", "Call Noa back, 22:00–23:00"),  # never open then
    ],
)
def test_who_thinks_about_it_is_promised_a_call_in_her_hours(
    clinic: Clinic, hours: tuple[int, ...], thought: datetime, due_at: str, title: str
) -> None:
    start, end = (time(hour) for hour in hours) if hours else (None, None)
    inquiry = answered(clinic)
    told(inquiry, replace(GLADLY, call_from=start, call_until=end))
    assert not Step.objects.exists()
    for _press in range(2):
        actions.will_think(inquiry, now=thought)
    step = Step.objects.get()
    assert (inquiry.step, step.kind, step.status) == (step, "promise", StepStatus.ACTIVE)
    assert (step.due_at, step.names["en"]) == (datetime.fromisoformat(due_at), title)
    assert (step.owner, step.owner_role) == (None, OwnerRole.RECEPTIONIST)


@pytest.mark.parametrize("caller", [Caller("Noa", "+972502345678"), Caller("Noa", may_call_back=True)])
def test_nobody_is_called_without_a_number_or_leave(clinic: Clinic, caller: Caller) -> None:
    inquiry = answered(clinic)
    told(inquiry, caller)
    actions.will_think(inquiry, now=NOW)
    assert not Step.objects.exists()


def test_the_call_goes_by_what_she_said_last(clinic: Clinic) -> None:
    inquiry = answered(clinic)
    actions.will_think(inquiry, now=NOW)
    told(inquiry, GLADLY)
    first = Step.objects.get()
    told(inquiry, replace(GLADLY, name="Noa Levi"), now=NOW + HOUR)
    assert inquiry.step == first
    told(inquiry, replace(GLADLY, call_from=time(16), call_until=time(18)), now=NOW + HOUR)
    moved = Step.objects.get(status=StepStatus.ACTIVE)
    assert (moved.due_at, inquiry.step, inquiry.owes_a_call) == (NOW + 8 * HOUR, moved, True)
    told(inquiry, replace(GLADLY, may_call_back=False), now=NOW + HOUR)
    assert set(Step.objects.values_list("status", flat=True)) == {StepStatus.CANCELLED}
    assert not Journey.objects.filter(ended_at=None).exists()


@pytest.mark.parametrize("way", ["called", "lost", "came"])
def test_the_promised_call_ends_with_the_call_or_with_the_matter(
    clinic: Clinic, rina: User, way: str
) -> None:
    inquiry = answered(clinic)
    told(inquiry, GLADLY)
    actions.will_think(inquiry, now=NOW)
    stale = Inquiry.objects.get()
    call = Step.objects.get()
    if way == "called":
        actions.called(inquiry, now=NOW + HOUR, by=rina)
    elif way == "lost":
        actions.lose(inquiry, LostCause.PRICE, now=NOW + HOUR, by=rina)
    else:
        actions.convert(inquiry, None, NOA, now=NOW + HOUR, by=rina)
    call.refresh_from_db()
    ended = (StepStatus.COMPLETED, "kept") if way == "called" else (StepStatus.CANCELLED, "")
    assert (call.status, call.outcome) == ended
    assert Journey.objects.get(pk=call.journey_id).ended_at == NOW + HOUR
    with pytest.raises(StaleStateError):
        actions.called(stale, now=NOW + HOUR, by=rina)


def test_a_record_and_a_journey_in_one_step(clinic: Clinic, rina: User) -> None:
    inquiry = answered(clinic)
    caller = Caller("Noa Levi", "+972502345678", may_call_back=True, call_from=time(16), call_until=time(19))
    told(inquiry, caller)
    for _press in range(2):
        actions.convert(inquiry, None, NOA, now=NOW, by=rina)
    patient = Patient.objects.get()
    journey = Journey.objects.get()
    assert (inquiry.patient, inquiry.journey, inquiry.outcome) == (patient, journey, "joined")
    assert (journey.template.key if journey.template else "", journey.title) == ("first_visit", "Flu vaccine")
    hours = ContactWindow.objects.filter(card__patient=patient)
    assert {(each.start, each.end) for each in hours} == {(time(16), time(19))}
    assert hours.count() == 7


@pytest.mark.parametrize(
    ("for_whom", "may_call_back", "tie"),
    [
        ("", None, ("self", "all", True)),
        ("self", True, ("self", "all", True)),
        ("self", False, ("self", "all", False)),
        ("other", True, ("other", "call_back", True)),
        ("client", None, ("other", "call_back", True)),
        ("client", False, ("other", "call_back", False)),
    ],
)
def test_the_number_of_who_asks_for_somebody_else_is_not_the_patients(
    clinic: Clinic, rina: User, for_whom: str, may_call_back: bool | None, tie: tuple[str, str, bool]
) -> None:
    inquiry = answered(clinic)
    told(inquiry, Caller("Ira", "+972502345678", for_whom=for_whom, may_call_back=may_call_back))
    actions.convert(inquiry, None, NOA, now=NOW, by=rina)
    contact = PatientContact.objects.get()
    assert (contact.relation, contact.may_say, contact.may_be_called) == tie
    assert contact.contact_point.value == "+972502345678"


def test_a_chosen_time_is_booked_with_it(clinic: Clinic, rina: User) -> None:
    inquiry = chosen(clinic)
    actions.convert(inquiry, None, NOA, now=NOW, by=rina)
    visit = Appointment.objects.get()
    assert (visit.start, visit.patient, inquiry.outcome) == (inquiry.wants_at, inquiry.patient, "booked")
    assert visit.step
    assert visit.step.journey == inquiry.journey


def chosen(clinic: Clinic) -> Inquiry:
    doctor = builders.practitioner(clinic)
    start = builders.open_time(doctor, NOW + timedelta(days=1))[0].start
    inquiry = answered(clinic, key="chosen")
    Offering.objects.update(visit_type=builders.visit_type(clinic))
    told(inquiry, Caller("Noa", "+972502345678", wants_at=start, wants_with=doctor))
    return inquiry


def test_what_was_told_stays_when_there_is_a_record(clinic: Clinic, rina: User) -> None:
    inquiry = chosen(clinic)
    stale = Inquiry.objects.get(pk=inquiry.pk)
    actions.convert(inquiry, None, NOA, now=NOW, by=rina)
    with pytest.raises(StaleStateError, match="There is a record now"):
        told(stale, Caller("Somebody", "+972547654321"))
    kept = Inquiry.objects.get()
    assert (kept.name, kept.phone, kept.wants_at) == (
        stale.name,
        stale.phone,
        Appointment.objects.get().start,
    )


def test_a_time_that_somebody_took_meanwhile_leaves_nothing_behind(clinic: Clinic, rina: User) -> None:
    inquiry = chosen(clinic)
    builders.appointment(builders.patient(clinic), practitioner=inquiry.wants_with, start=inquiry.wants_at)
    with pytest.raises(SlotTakenError):
        actions.convert(inquiry, None, NewPatient("Noa", phone="054-765-4321"), now=NOW, by=rina)
    inquiry.refresh_from_db()
    assert (inquiry.patient, Patient.objects.count()) == (None, 1)


def test_somebody_we_know_stays_one_record(clinic: Clinic, rina: User) -> None:
    dana = builders.patient(clinic)
    inquiry = answered(clinic)
    actions.convert(inquiry, dana, None, now=NOW, by=rina)
    assert (inquiry.patient, Patient.objects.count()) == (dana, 1)
    assert inquiry.journey
    assert inquiry.journey.template
    assert inquiry.journey.template.key == "single_visit"


def test_nobody_becomes_a_patient_before_the_answer(clinic: Clinic, rina: User) -> None:
    with pytest.raises(RefusedError):
        actions.convert(owed(clinic), None, NOA, now=NOW, by=rina)


def test_the_next_times_are_the_soonest_of_all_doctors_while_the_clinic_is_open(clinic: Clinic) -> None:
    offering = builders.offering(clinic, stock=1, visit_type=builders.visit_type(clinic))
    first, second = builders.practitioner(clinic), builders.practitioner(clinic, name="Dr Shaham")
    offering.done_by.set([first, second])
    builders.open_time(first, NOW + timedelta(hours=12))  # 22:00, closed
    builders.open_time(first, NOW + timedelta(days=1))
    builders.open_time(first, NOW + timedelta(days=2))
    builders.open_time(first, NOW + timedelta(days=3))
    builders.open_time(first, NOW + timedelta(hours=3))
    builders.open_time(second, NOW + timedelta(hours=2))
    answer = answer_about(offering, clinic, opening=opening_hours(clinic, now=NOW), now=NOW)
    assert [each.at for each in answer.times] == [
        NOW + timedelta(hours=2),
        NOW + timedelta(days=1),
        NOW + timedelta(days=2),
    ]
    assert answer.times[0].practitioner == second
