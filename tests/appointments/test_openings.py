"""Freed times found from their rows and offered in waves by a tick; what is over is ended by the next one."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from appointments import actions, openings, waitlist
from appointments.actions import Visit
from appointments.models import Appointment, Practitioner
from appointments.openings import offer_openings
from appointments.waiting import who_fits
from appointments.waiting_models import Offer, Opening, WaitlistEntry
from journeys.models import Journey, Step, StepKind, StepStatus
from journeys.watch import watch_steps
from patients.actions import CardAnswers, RefusedError, save_card
from patients.models import Channel, Patient
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FREE_AT = NOW + 2 * DAY  # Wednesday, 10:00 in Jerusalem


@pytest.fixture
def doctor() -> Practitioner:
    return builders.practitioner()


def person(doctor: Practitioner, n: int = 0) -> Patient:
    return builders.patient(doctor.clinic, phone=f"050-234-56{n:02}", given_name=f"Patient {n}")


def waits(doctor: Practitioner, n: int = 0, **fields: Any) -> WaitlistEntry:
    """A different place in the calendar, and the longer on the list the smaller `n`."""
    visit = {"start": NOW + 14 * DAY + n * HOUR, "practitioner": doctor}
    since = NOW - DAY + n * HOUR
    return builders.waiting_entry(person(doctor, n), **{"visit": visit, "since_at": since, **fields})


def freed(doctor: Practitioner, at: datetime = FREE_AT, *, now: datetime = NOW) -> Appointment:
    visit = builders.appointment(builders.patient(doctor.clinic, phone=""), practitioner=doctor, start=at)
    actions.cancel(visit, because="ill", now=now)
    return visit


def asked() -> list[int]:
    return list(Offer.objects.order_by("pk").values_list("entry_id", flat=True))


def test_a_cancelled_visit_is_offered_to_who_waits_and_the_step_is_the_clock(doctor: Practitioner) -> None:
    entry = waits(doctor)
    freed(doctor)
    assert offer_openings(now=NOW) == 1
    offer = Offer.objects.select_related("step", "entry").get()
    assert (offer.entry, offer.entry.status, offer.start) == (entry, "offered", FREE_AT)
    assert (offer.step.kind, offer.step.message_key) == (StepKind.AWAIT_PATIENT, "sooner_time")
    assert (offer.step.contact_from, offer.answer_by) == (NOW, NOW + DAY)
    assert offer.step.due_at == offer.answer_by + 10 * MINUTE
    assert offer_openings(now=NOW) == 0


def test_a_moved_visit_frees_its_old_time_and_a_released_hold_too(doctor: Practitioner) -> None:
    visit = builders.appointment(person(doctor), practitioner=doctor, start=FREE_AT)
    builders.open_time(doctor, FREE_AT + DAY)
    actions.move(visit, start=FREE_AT + DAY, now=NOW)
    assert list(Opening.objects.values_list("start", "end")) == [(FREE_AT, FREE_AT + 30 * MINUTE)]
    until: dict[str, Any] = {"hold_until": NOW + HOUR, "status": "pending"}
    hold = builders.appointment(person(doctor, 1), practitioner=doctor, start=FREE_AT + 3 * HOUR, **until)
    actions.cancel(hold, because="not needed", now=NOW)
    assert Opening.objects.filter(start=hold.start).exists()


def test_five_are_asked_then_the_next_after_half_an_hour_of_message_hours(doctor: Practitioner) -> None:
    entries = [waits(doctor, n) for n in range(12)]
    freed(doctor)
    keys = [entry.pk for entry in entries]
    assert offer_openings(now=NOW) == 5
    assert asked() == keys[:5]
    assert offer_openings(now=NOW + 29 * MINUTE) == 0
    assert offer_openings(now=NOW + 30 * MINUTE) == 5
    assert offer_openings(now=NOW + 60 * MINUTE) == 2
    assert asked() == keys
    assert Opening.objects.get().wave == 3


def test_at_night_a_wave_waits_until_messages_may_leave(doctor: Practitioner) -> None:
    night = datetime(2026, 3, 9, 22, 0, tzinfo=UTC)  # midnight in Jerusalem
    for n in range(6):
        waits(doctor, n)
    freed(doctor, FREE_AT + DAY, now=night)
    assert offer_openings(now=night) == 5
    opening = Opening.objects.get()
    assert opening.wave_from is not None
    local = opening.wave_from + 2 * HOUR
    assert (local.day, local.time()) == (10, time(9, 30)), "half an hour after the clinic may write"


def test_it_is_closed_when_it_becomes_too_near_whatever_the_hour(doctor: Practitioner) -> None:
    waits(doctor)
    evening = NOW + 9 * HOUR  # 19:00 in Jerusalem
    freed(doctor, evening)
    while (opening := Opening.objects.get()).wave_from:
        assert opening.wave_from <= evening - 2 * HOUR + MINUTE
        offer_openings(now=opening.wave_from)
    assert opening.status == "expired"


def test_a_time_less_than_two_hours_ahead_is_not_offered(doctor: Practitioner) -> None:
    waits(doctor)
    freed(doctor, NOW + 110 * MINUTE)
    assert offer_openings(now=NOW) == 0
    assert Opening.objects.get().status == "expired"


def test_a_time_that_is_taken_again_is_not_offered(doctor: Practitioner) -> None:
    waits(doctor)
    freed(doctor)
    actions.book(Visit(person(doctor, 1), doctor, FREE_AT, 30), now=NOW)
    assert offer_openings(now=NOW) == 0
    assert Opening.objects.get().status == "gone"


def test_the_hours_to_be_reached_do_not_say_when_she_can_come(doctor: Practitioner) -> None:
    entry = waits(doctor)
    save_card(entry.patient, CardAnswers(Channel.SMS, ((2, time(12), time(20)),), "en"), now=NOW, by=None)
    freed(doctor)
    assert offer_openings(now=NOW) == 1


@pytest.mark.parametrize(("until", "asks"), [(time(10, 30), 1), (time(10, 29), 0)])
def test_a_time_is_offered_to_who_can_come_then(doctor: Practitioner, until: time, asks: int) -> None:
    entry = waits(doctor)
    builders.comes(entry.patient, (2, time(10), until))
    freed(doctor)
    assert offer_openings(now=NOW) == asks


def test_who_fits_costs_the_same_for_one_and_for_three_with_hours(
    doctor: Practitioner, django_assert_num_queries: Any
) -> None:
    for n in range(3):
        builders.comes(waits(doctor, n).patient, (2, time(9), time(20, n)))
        opening = builders.opening(doctor, FREE_AT + n * HOUR)
        with django_assert_num_queries(4):  # free cells, who waits with her card, its hours, her other visits
            assert len(who_fits(opening, now=NOW)) == n + 1


def test_offers_end_when_the_time_is_booked_otherwise(doctor: Practitioner) -> None:
    entry = waits(doctor)
    freed(doctor)
    offer_openings(now=NOW)
    actions.book(Visit(person(doctor, 1), doctor, FREE_AT, 30), now=NOW)
    offer_openings(now=NOW + MINUTE)
    offer = Offer.objects.select_related("step").get()
    entry.refresh_from_db()
    assert (offer.status, offer.is_settled, entry.status) == ("taken", True, "waiting")
    assert (offer.step.status, offer.step.outcome) == (StepStatus.COMPLETED, "taken")


def test_no_answer_in_time_frees_her_for_other_times_and_counts_as_no_lateness(doctor: Practitioner) -> None:
    entry = waits(doctor)
    freed(doctor)
    offer_openings(now=NOW)
    late = NOW + DAY
    watch_steps(now=late)
    offer_openings(now=late)
    watch_steps(now=late + HOUR)
    offer = Offer.objects.select_related("step").get()
    entry.refresh_from_db()
    assert (offer.status, entry.status, offer.step.stalled_at) == ("expired", "waiting", None)
    other = freed(doctor, FREE_AT + 3 * DAY, now=late)
    assert offer_openings(now=late) == 1
    assert Offer.objects.filter(entry=entry).latest("pk").start == other.start


def test_the_same_time_is_never_offered_again_to_who_said_no(doctor: Practitioner) -> None:
    waits(doctor)
    freed(doctor)
    offer_openings(now=NOW)
    waitlist.decline(Offer.objects.get(), now=NOW)
    assert offer_openings(now=NOW + HOUR) == 0
    assert Offer.objects.count() == 1


def test_who_asked_for_no_more_is_asked_about_nothing(doctor: Practitioner) -> None:
    waitlist.leave(waits(doctor), now=NOW, no_more=True)
    freed(doctor)
    assert offer_openings(now=NOW) == 0


@pytest.mark.parametrize("end", ["cancelled", "begun", "latest"])
def test_entries_end_with_their_visit_or_their_last_day(doctor: Practitioner, end: str) -> None:
    entry = waits(doctor, latest_on=(NOW + 3 * DAY).date())
    freed(doctor)
    offer_openings(now=NOW)
    now = NOW
    if end == "cancelled":
        visit = Appointment.objects.select_related("step", "practitioner").get(waiting_entries=entry)
        actions.cancel(visit, because="moves away", now=NOW)
    else:
        now += 20 * DAY if end == "begun" else 5 * DAY
    offer_openings(now=now)
    entry.refresh_from_db()
    offer = Offer.objects.get()
    assert (entry.status, entry.ended_at) == ("expired", now)
    assert offer.status == "withdrawn"
    assert offer.is_settled


def test_a_first_date_given_by_the_desk_ends_the_waiting(doctor: Practitioner) -> None:
    entry = waitlist.wait_for_any(person(doctor), None, waitlist.Wanted(30), now=NOW)
    builders.open_time(doctor, FREE_AT)
    assert entry.step is not None
    actions.book_for_step(entry.step, Visit(entry.patient, doctor, FREE_AT, 30), now=NOW)
    offer_openings(now=NOW)
    entry.refresh_from_db()
    assert entry.status == "placed"


def test_an_entry_whose_journey_has_ended_stops_no_other(doctor: Practitioner) -> None:
    gone, waiting_on = waits(doctor, 0), waits(doctor, 1)
    Journey.objects.filter(pk=gone.journey_id).update(status="cancelled", ended_at=NOW)
    freed(doctor)
    assert offer_openings(now=NOW) == 1
    assert asked() == [waiting_on.pk]


def test_another_clinics_time_is_not_offered(doctor: Practitioner) -> None:
    waits(doctor)
    freed(builders.practitioner())
    assert offer_openings(now=NOW) == 0


def test_the_desk_offers_a_free_time_to_the_chosen_and_it_goes_on_in_waves(doctor: Practitioner) -> None:
    chosen, later = waits(doctor, 5), waits(doctor, 1)
    builders.open_time(doctor, FREE_AT)
    assert openings.offer_by_hand(doctor, FREE_AT, [chosen.pk], now=NOW) == 1
    assert asked() == [chosen.pk]
    with pytest.raises(RefusedError, match="Nobody chosen"):
        openings.offer_by_hand(doctor, FREE_AT, [chosen.pk], now=NOW)
    assert offer_openings(now=NOW + 30 * MINUTE) == 1
    assert asked() == [chosen.pk, later.pk]


@pytest.mark.parametrize("at", [FREE_AT + 5 * HOUR, NOW + HOUR])
def test_the_desk_cannot_offer_what_is_not_free_or_too_near(doctor: Practitioner, at: datetime) -> None:
    entry = waits(doctor)
    builders.open_time(doctor, NOW + HOUR)
    with pytest.raises(RefusedError, match="not free any more"):
        openings.offer_by_hand(doctor, at, [entry.pk], now=NOW)
    assert not Opening.objects.exists()


@pytest.mark.parametrize(("outcome", "status"), [("declined", "declined"), ("spoken", "expired")])
def test_only_a_no_is_a_no_however_else_a_call_ended(doctor: Practitioner, outcome: str, status: str) -> None:
    waits(doctor)
    freed(doctor)
    offer_openings(now=NOW)
    ended = {"status": StepStatus.COMPLETED, "completed_at": NOW, "outcome": outcome, "note": "at work then"}
    Step.objects.filter(offer__isnull=False).update(**ended)
    offer_openings(now=NOW)
    assert Offer.objects.get().status == status


def test_a_visit_longer_than_what_was_freed_gets_what_was_free_beside_it(doctor: Practitioner) -> None:
    hers = {"start": NOW + 14 * DAY, "practitioner": doctor, "minutes": 50}
    longer, shorter = waits(doctor, 0, minutes=50, visit=hers), waits(doctor, 1, minutes=20)
    too_long = waits(doctor, 2, minutes=60)
    builders.open_time(doctor, FREE_AT - 10 * MINUTE, minutes=10)
    builders.open_time(doctor, FREE_AT + 30 * MINUTE, minutes=10)
    freed(doctor)  # 30 minutes; 50 with what is free before and after
    assert offer_openings(now=NOW) == 2
    starts = dict(Offer.objects.values_list("entry_id", "start"))
    assert starts == {longer.pk: FREE_AT - 10 * MINUTE, shorter.pk: FREE_AT}
    assert too_long.pk not in starts
    visit = waitlist.accept(Offer.objects.get(entry=longer), now=NOW)
    assert (visit.start, visit.end) == (FREE_AT - 10 * MINUTE, FREE_AT + 40 * MINUTE)


def test_a_freed_time_is_offered_for_the_same_type_of_visit(doctor: Practitioner) -> None:
    crown, check_up = builders.visit_type(doctor.clinic), builders.visit_type(doctor.clinic)
    same, other, unsaid = (
        waits(doctor, n, visit_type=kind) for n, kind in enumerate((crown, check_up, None))
    )
    visit = builders.appointment(
        builders.patient(doctor.clinic, phone=""), practitioner=doctor, start=FREE_AT, visit_type=crown
    )
    actions.cancel(visit, because="ill", now=NOW)
    assert Opening.objects.get().visit_type == crown
    offer_openings(now=NOW)
    assert asked() == [same.pk, unsaid.pk]
    assert other.pk not in asked()


def test_who_waits_for_a_sooner_day_waits_for_the_same_type(doctor: Practitioner) -> None:
    kind = builders.visit_type(doctor.clinic)
    visit = builders.appointment(person(doctor), practitioner=doctor, start=NOW + DAY, visit_type=kind)
    entry = waitlist.wait_for_sooner(visit, waitlist.Wanted(30), now=NOW)
    step = builders.step(builders.journey(person(doctor, 1)))
    assert step.journey.patient
    first = waitlist.wait_for_any(step.journey.patient, step, waitlist.Wanted(30, visit_type=kind), now=NOW)
    assert (entry.visit_type, first.visit_type) == (kind, kind)
