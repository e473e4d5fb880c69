"""Joining and leaving the list, the answers to an offer, and the rows that the database refuses."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from appointments import actions, ties, waitlist
from appointments.models import Appointment
from appointments.waiting_models import Offer, OfferStatus, Opening, WaitlistEntry
from appointments.waitlist import OfferTakenError, Wanted
from journeys.models import Journey, Step, StepKind
from patients.actions import RefusedError, StaleStateError
from patients.models import ClinicHours
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FREE_AT = NOW + 2 * DAY
HALF_AN_HOUR = Wanted(30)


def offered(entries: int = 1, **fields: Any) -> list[Offer]:
    """One freed time, offered to some who have a date in two weeks."""
    doctor = builders.practitioner()
    opening = builders.opening(doctor, FREE_AT)
    made = []
    for n in range(entries):
        who = builders.patient(doctor.clinic, phone=f"050-234-56{n:02}", given_name=f"Patient {n}")
        entry = builders.waiting_entry(
            who, visit={"start": NOW + 14 * DAY + n * HOUR, "practitioner": doctor}
        )
        made.append(builders.offer(opening, entry, **fields))
    return made


def status_of(offer: Offer) -> tuple[str, str, str]:
    offer.refresh_from_db()
    offer.entry.refresh_from_db()
    offer.step.refresh_from_db()
    return offer.status, offer.entry.status, offer.step.status


def test_the_first_yes_wins_and_the_others_keep_their_date_and_their_place() -> None:
    first, second = offered(2)
    kept = second.entry.appointment
    assert kept is not None
    visit = waitlist.accept(first, now=NOW)
    assert (visit.start, visit.confirmed_at) == (FREE_AT, NOW)
    assert status_of(first) == ("accepted", "placed", "completed")
    assert status_of(second)[:2] == ("taken", "waiting")
    with pytest.raises(OfferTakenError, match="You keep your date"):
        waitlist.accept(second, now=NOW + HOUR)
    assert Appointment.objects.get(pk=kept.pk).start == kept.start
    assert status_of(second) == ("taken", "waiting", "completed")
    assert second.entry.since_at == NOW
    assert Opening.objects.get(pk=first.opening_id).status == "taken"


def test_what_she_had_becomes_a_new_opening() -> None:
    (offer,) = offered()
    had = offer.entry.appointment
    assert had is not None
    waitlist.accept(offer, now=NOW)
    opening = Opening.objects.get(status="open")
    assert (opening.start, opening.end, opening.wave_from) == (had.start, had.end, NOW)


def test_yes_twice_is_no_error_and_changes_nothing() -> None:
    (offer,) = offered()
    first = waitlist.accept(offer, now=NOW)
    assert waitlist.accept(offer, now=NOW + HOUR) == first
    assert Offer.objects.get().ended_at == NOW


def test_a_yes_after_its_time_counts_while_the_time_is_free() -> None:
    (offer,) = offered()
    waitlist.end_offer(offer, OfferStatus.EXPIRED, now=NOW)
    assert waitlist.accept(offer, now=NOW + HOUR).start == FREE_AT


def test_a_yes_after_the_time_has_begun_is_too_late() -> None:
    (offer,) = offered()
    with pytest.raises(OfferTakenError):
        waitlist.accept(offer, now=FREE_AT)
    assert Appointment.objects.get().start == NOW + 14 * DAY


def test_a_time_booked_by_the_desk_meanwhile_is_taken() -> None:
    (offer,) = offered()
    doctor = offer.opening.practitioner
    actions.book(actions.Visit(builders.patient(doctor.clinic, phone=""), doctor, FREE_AT, 30), now=NOW)
    with pytest.raises(OfferTakenError):
        waitlist.accept(offer, now=NOW)
    assert status_of(offer) == ("taken", "waiting", "completed")


def test_who_has_no_date_gets_the_first_one_as_the_step_asks() -> None:
    doctor = builders.practitioner()
    patient = builders.patient(doctor.clinic)
    entry = waitlist.wait_for_any(patient, None, HALF_AN_HOUR, now=NOW)
    offer = builders.offer(builders.opening(doctor, FREE_AT), entry)
    visit = waitlist.accept(offer, now=NOW)
    entry.refresh_from_db()
    assert (entry.status, entry.appointment) == ("placed", visit)
    assert entry.step is not None
    entry.step.refresh_from_db()
    assert entry.step.outcome == "booked"
    assert visit.step is not None
    assert visit.step.journey_id == entry.journey_id


def test_no_keeps_her_on_the_list_and_no_more_takes_her_off_for_this_visit() -> None:
    first, second = offered(2)
    waitlist.decline(first, now=NOW)
    assert status_of(first) == ("declined", "waiting", "completed")
    waitlist.decline(first, now=NOW)  # twice is no error
    waitlist.decline(second, now=NOW, no_more=True)
    assert status_of(second) == ("declined", "withdrawn", "completed")
    visit = second.entry.appointment
    assert visit is not None
    with pytest.raises(RefusedError, match="asked not to be offered"):
        waitlist.wait_for_sooner(visit, HALF_AN_HOUR, now=NOW, by=builders.user(at=visit.clinic))
    assert waitlist.wait_for_sooner(visit, HALF_AN_HOUR, now=NOW).status == "waiting"  # at her own word


def test_a_visit_without_a_journey_gets_one_and_joining_twice_is_one_entry() -> None:
    visit = builders.appointment(start=NOW + 14 * DAY)
    entry = waitlist.wait_for_sooner(visit, HALF_AN_HOUR, now=NOW)
    assert waitlist.wait_for_sooner(visit, HALF_AN_HOUR, now=NOW + HOUR) == entry
    step = Appointment.objects.get(pk=visit.pk).step
    assert step is not None
    assert (step.kind, step.due_at, step.journey) == (StepKind.VISIT, visit.end, entry.journey)


def test_two_who_give_a_visit_its_journey_at_once_leave_one() -> None:
    visit = builders.appointment(start=NOW + 14 * DAY)
    seen = Appointment.objects.get(pk=visit.pk)
    waitlist.wait_for_sooner(visit, HALF_AN_HOUR, now=NOW)
    with pytest.raises(StaleStateError, match="changed by somebody else"), transaction.atomic():
        ties.give_journey(seen, now=NOW, by=None)
    assert Journey.objects.count() == 1


def test_waiting_for_a_first_date_asks_for_the_opening_hours_first() -> None:
    patient = builders.patient()
    ClinicHours.objects.filter(clinic=patient.clinic).delete()
    with pytest.raises(RefusedError, match="no opening hours yet"):
        waitlist.wait_for_any(patient, None, HALF_AN_HOUR, now=NOW)
    assert not Journey.objects.exists()


@pytest.mark.parametrize("fields", [{"status": "pending", "hold_until": NOW + DAY}, {"start": NOW - DAY}])
def test_what_is_held_or_over_cannot_become_sooner(fields: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="Only a booked visit"):
        waitlist.wait_for_sooner(builders.appointment(**fields), HALF_AN_HOUR, now=NOW)


def test_who_waits_with_no_visit_has_a_step_of_the_reception_with_a_deadline() -> None:
    entry = waitlist.wait_for_any(builders.patient(), None, HALF_AN_HOUR, now=NOW)
    step = Step.objects.get()
    assert (entry.step, step.kind, step.owner_role) == (step, StepKind.BOOK, "receptionist")
    assert step.due_at is not None
    assert step.due_at > NOW


def test_a_shorter_visit_leaves_the_rest_to_be_offered() -> None:
    doctor = builders.practitioner()
    entry = builders.waiting_entry(builders.patient(doctor.clinic))
    offer = builders.offer(builders.opening(doctor, FREE_AT, minutes=60), entry)
    waitlist.accept(offer, now=NOW)
    rest = Opening.objects.filter(practitioner=doctor, status="open").get()
    assert (rest.start, rest.end) == (FREE_AT + HOUR / 2, FREE_AT + HOUR)


BROKEN: list[tuple[str, dict[str, Any]]] = [
    ("waiting_entry_status_is_known", {"status": "bored"}),
    ("waiting_entry_ended_iff_not_waiting", {"ended_at": NOW}),
    ("waiting_entry_ended_iff_not_waiting", {"status": "placed"}),
    ("waiting_entry_has_a_visit_or_a_step", {"appointment": None}),
    (
        "waiting_entry_earliest_before_latest",
        {"earliest_on": date(2026, 3, 2), "latest_on": date(2026, 3, 1)},
    ),
    ("waiting_entry_has_a_length", {"minutes": 0}),
    ("who_wants_no_more_is_not_on_the_list", {"wants_no_more": True}),
]


@pytest.mark.parametrize(("rule", "broken"), BROKEN)
def test_the_database_refuses_a_broken_entry(rule: str, broken: dict[str, Any]) -> None:
    entry = builders.waiting_entry()
    with pytest.raises(IntegrityError), transaction.atomic():
        WaitlistEntry.objects.filter(pk=entry.pk).update(**broken)
    assert WaitlistEntry.objects.get(pk=entry.pk).status == "waiting", rule


@pytest.mark.parametrize("about", ["appointment", "step"])
def test_one_visit_or_step_waits_once(about: str) -> None:
    fields = {"step": builders.step()} if about == "step" else {"appointment": builders.appointment()}
    builders.waiting_entry(**fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        builders.waiting_entry(**fields)
    WaitlistEntry.objects.update(status="expired", ended_at=NOW)
    builders.waiting_entry(**fields)


@pytest.mark.parametrize(
    "broken", [{"status": "lost"}, {"status": "gone"}, {"wave_from": None}, {"end": FREE_AT}]
)
def test_the_database_refuses_a_broken_opening(broken: dict[str, Any]) -> None:
    opening = builders.opening(builders.practitioner(), FREE_AT)
    with pytest.raises(IntegrityError), transaction.atomic():
        Opening.objects.filter(pk=opening.pk).update(**broken)
    with pytest.raises(IntegrityError), transaction.atomic():
        builders.opening(opening.practitioner, FREE_AT)


@pytest.mark.parametrize(
    "broken", [{"status": "maybe"}, {"status": "declined"}, {"ended_at": NOW}, {"end": FREE_AT}]
)
def test_the_database_refuses_a_broken_offer(broken: dict[str, Any]) -> None:
    (offer,) = offered()
    with pytest.raises(IntegrityError), transaction.atomic():
        Offer.objects.filter(pk=offer.pk).update(**broken)


def test_the_database_knows_one_yes_an_opening_one_open_offer_an_entry_and_no_second_asking() -> None:
    first, second = offered(2)
    elsewhere = builders.opening(builders.practitioner(first.opening.clinic), FREE_AT)
    ended = {"status": "accepted", "ended_at": NOW}
    with pytest.raises(IntegrityError), transaction.atomic():
        builders.offer(elsewhere, first.entry)
    with pytest.raises(IntegrityError), transaction.atomic():
        builders.offer(first.opening, first.entry, status="declined", ended_at=NOW)
    Offer.objects.filter(pk=first.pk).update(**ended)
    with pytest.raises(IntegrityError), transaction.atomic():
        Offer.objects.filter(pk=second.pk).update(**ended)
