"""S1: held before the images exist, decided the day they arrive, told before she has to ask."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import pytest

from appointments.actions import cancel
from appointments.models import Appointment, AppointmentStatus
from journeys.models import EventKind, OwnerRole, Step, StepEvent, StepKind, StepStatus
from journeys.queries import journeys_without_next_date
from outreach.models import Attempt, AttemptStatus
from outreach.rendering import date_words
from patients.actions import CardAnswers, save_card
from patients.models import Channel, Patient, Role
from referrals.actions import revoke
from referrals.models import DocumentStatus, IncomingDocument, Referral, ReferralStatus, Result
from tests.clinic_journey.own_page import OwnPage
from tests.scenarios.house import MONDAY, House, frozen, link_in, run_by_two_workers, run_once, run_twice

pytestmark = pytest.mark.django_db(transaction=True)
TUESDAY_10 = MONDAY + timedelta(days=1)
TOLD = (AttemptStatus.SENT, AttemptStatus.DELIVERED)


@pytest.fixture(params=[run_once, run_twice, run_by_two_workers])
def house(request: pytest.FixtureRequest) -> House:
    run: Callable[[datetime], None] = request.param
    return House(run)


@pytest.fixture
def dana(house: House) -> Patient:
    return house.dana()


def refer(house: House, dana: Patient) -> Referral:
    """At the desk: one form, one key; both dates in her hand."""
    page = house.get(Role.RECEPTIONIST, f"/patients/{dana.public_id}/refer/", MONDAY)
    first = page.context["times"][0]
    form = page.context["form"]
    answer = house.post(
        Role.RECEPTIONIST,
        f"/patients/{dana.public_id}/refer/",
        MONDAY,
        template_key="imaging_treatment",
        title="Tooth 36",
        service="Panoramic image",
        practitioner=house.doctor.pk,
        performer="Carmel Imaging",
        expected_on="2026-03-12",
        minutes=30,
        hold=first.isoformat(),
        request_key=form.initial["request_key"],
    )
    assert answer.status_code == 302, answer.content.decode()
    return Referral.objects.get()


def messages_to(dana: Patient) -> list[Attempt]:
    return list(Attempt.objects.filter(patient=dana, status__in=TOLD).order_by("sent_at", "pk"))


def step(kind: StepKind) -> Step:
    return Step.objects.select_related("template_step").filter(kind=kind).order_by("-round").get()


def decide(house: House, decision: str, at: datetime) -> None:
    result = Result.objects.get()
    assert b"Dana" in house.get(Role.DOCTOR, "/results/", at).content
    house.post(Role.DOCTOR, f"/results/{result.public_id}/decide/", at, decision=decision)


def confirm_on_her_page(asked: Attempt, at: datetime) -> None:
    """She opens the link she got and presses the button, twice."""
    with frozen(at):
        page = OwnPage(link_in(asked))
        assert page.get().status_code == 200
        assert step(StepKind.CONFIRM).status == StepStatus.ACTIVE  # looking is not answering
        for _press in range(2):
            page.post("answer", {"meaning": "confirm"})


def test_she_has_the_date_and_what_comes_before_it_in_writing_on_the_spot(
    house: House, dana: Patient
) -> None:
    refer(house, dana)
    house.tick(MONDAY)
    (kept,) = messages_to(dana)
    assert date_words(Appointment.objects.get().start, house.clinic.time_zone, "en") in kept.body
    assert "First the results have to come, then the doctor confirms it" in kept.body
    assert kept.task.step.outcome == "told"
    with frozen(MONDAY):
        assert OwnPage(link_in(kept)).get().status_code == 200


@pytest.mark.parametrize("how", ["cancelled", "arrived", "revoked"])
def test_what_is_kept_no_more_is_not_told(house: House, dana: Patient, how: str) -> None:
    """At night nothing leaves; by the morning the time is given back, or more is to be told."""
    save_card(dana, CardAnswers(Channel.SMS, ((1, time(12), time(20)),), "en"), now=MONDAY, by=None)
    referral = refer(house, dana)
    house.tick(MONDAY)
    told = Step.objects.get(message_key="held_first")
    assert (told.status, messages_to(dana)) == (StepStatus.ACTIVE, [])
    if how == "cancelled":
        cancel(Appointment.objects.get(), because="by mistake", now=MONDAY)
    elif how == "revoked":
        revoke(referral, because="not needed", now=MONDAY)
    else:
        house.drop_mail(referral.code, TUESDAY_10)
        house.tick(TUESDAY_10)
    house.tick(TUESDAY_10 + timedelta(hours=4))
    told.refresh_from_db()
    assert told.status == StepStatus.CANCELLED
    assert "held_first" not in [attempt.task.message_key for attempt in messages_to(dana)]


def test_who_likes_calls_is_not_rung_to_hear_it_again(house: House) -> None:
    refer(house, house.dana(channel=Channel.PHONE))
    house.tick(MONDAY)
    assert not Step.objects.filter(kind=StepKind.TELL).exists()


def test_the_whole_story(house: House, dana: Patient) -> None:
    referral = refer(house, dana)
    held = Appointment.objects.get()
    assert (held.status, held.awaits, referral.status) == ("pending", referral.step, "active")
    house.tick(MONDAY, TUESDAY_10)
    assert [attempt.task.message_key for attempt in messages_to(dana)] == ["held_first"]

    house.drop_mail(referral.code, TUESDAY_10)
    at = TUESDAY_10 + timedelta(minutes=1)
    house.tick(at)
    review = step(StepKind.REVIEW)
    assert (review.status, review.due_at) == (StepStatus.ACTIVE, datetime(2026, 3, 10, 17, 0, tzinfo=UTC))
    arrived = messages_to(dana)[1:]
    assert [attempt.task.message_key for attempt in arrived] == ["result_arrived"]
    assert "Tuesday 10 March, 19:00" in arrived[0].body
    assert arrived[0].task.step.outcome == "told"
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.COMPLETED

    at += timedelta(hours=1)
    decide(house, "treat", at)
    held.refresh_from_db()
    assert (held.status, step(StepKind.VISIT).due_at) == (AppointmentStatus.BOOKED, held.end)
    assert held.step == step(StepKind.VISIT)
    house.tick(at)
    assert messages_to(dana)[-1].task.message_key == "result_arrived"  # he may take it back for a moment
    house.tick(at + timedelta(minutes=1))
    asked = messages_to(dana)[-1]
    assert asked.task.message_key == "held_visit"

    confirm_on_her_page(asked, at + timedelta(minutes=6))
    held.refresh_from_db()
    assert held.confirmed_at == at + timedelta(minutes=6)
    assert step(StepKind.CONFIRM).outcome == "confirmed"
    assert not journeys_without_next_date().exists()
    house.tick(at + timedelta(minutes=10))
    assert len(messages_to(dana)) == 3


def test_a_late_doctor_is_seen_and_the_patient_hears_before_she_asks(house: House, dana: Patient) -> None:
    referral = refer(house, dana)
    house.drop_mail(referral.code, TUESDAY_10)
    house.tick(TUESDAY_10 + timedelta(minutes=1))
    close = datetime(2026, 3, 10, 17, 0, tzinfo=UTC)
    house.tick(close)
    review = step(StepKind.REVIEW)
    assert (review.stalled_at, review.owner_role) == (close, OwnerRole.MANAGER)
    assert StepEvent.objects.filter(step=review, kind=EventKind.STALLED).count() == 1
    assert [attempt.task.message_key for attempt in messages_to(dana)] == [
        "result_arrived",
        "apology",
    ]
    assert b"Dana" in house.get(Role.MANAGER, "/today/", close).content
    with frozen(close + timedelta(minutes=1)):
        page = OwnPage(link_in(messages_to(dana)[0])).text()
    assert "We are late, and we are sorry" in page
    assert Appointment.objects.get().status == AppointmentStatus.PENDING  # the hold waits for the decision


def test_no_treatment_frees_the_time_and_says_so_kindly(house: House, dana: Patient) -> None:
    referral = refer(house, dana)
    house.drop_mail(referral.code, TUESDAY_10)
    house.tick(TUESDAY_10)
    decide(house, "no_treatment", TUESDAY_10 + timedelta(hours=1))
    assert Appointment.objects.get().status == AppointmentStatus.CANCELLED
    house.tick(TUESDAY_10 + timedelta(hours=1, minutes=1))
    assert messages_to(dana)[-1].task.message_key == "no_visit_needed"


def test_a_result_that_never_comes_is_chased_and_the_hold_moves_once(house: House, dana: Patient) -> None:
    refer(house, dana)
    house.tick(MONDAY)
    first = Appointment.objects.get().start
    promised = step(StepKind.AWAIT_RESULT).due_at
    assert promised is not None
    house.tick(promised, promised + timedelta(days=8))
    waiting = step(StepKind.AWAIT_RESULT)
    assert (waiting.status, waiting.owner_role) == (StepStatus.ACTIVE, OwnerRole.RECEPTIONIST)
    keys = [attempt.task.message_key for attempt in messages_to(dana)]
    assert keys.count("apology") == 1
    assert keys.count("hold_moved") == 1
    moved = Appointment.objects.order_by("-start")[0]
    assert moved.start > first
    assert not journeys_without_next_date().exists()


def test_a_mail_for_nobody_has_an_owner_and_a_clock_and_a_person_matches_it(
    house: House, dana: Patient
) -> None:
    referral = refer(house, dana)
    house.tick(MONDAY)
    house.drop_mail("", TUESDAY_10)
    house.tick(TUESDAY_10)
    document = IncomingDocument.objects.get()
    assert document.status == DocumentStatus.UNMATCHED
    assert document.step is not None
    assert (document.step.owner_role, document.step.status) == (OwnerRole.RECEPTIONIST, StepStatus.ACTIVE)
    assert Result.objects.count() == 0
    at = TUESDAY_10 + timedelta(minutes=20)
    house.post(Role.RECEPTIONIST, f"/documents/{document.public_id}/match/", at, code=referral.code)
    house.tick(at)
    assert step(StepKind.REVIEW).status == StepStatus.ACTIVE
    assert [attempt.task.message_key for attempt in messages_to(dana)] == ["held_first", "result_arrived"]


def test_the_same_mail_twice_is_one_result(house: House, dana: Patient) -> None:
    referral = refer(house, dana)
    mail = house.drop_mail(referral.code, TUESDAY_10)
    content = mail.read_bytes()
    house.tick(TUESDAY_10)
    mail.with_name("again.eml").write_bytes(content)
    house.tick(TUESDAY_10 + timedelta(minutes=5))
    assert (IncomingDocument.objects.count(), Result.objects.count()) == (1, 1)
    assert len(messages_to(dana)) == 1
