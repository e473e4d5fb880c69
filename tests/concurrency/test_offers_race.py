"""Many say yes to one freed time at the same moment, and ticks of several workers offer it: one wins, once each."""

from datetime import timedelta
from functools import partial

import pytest

from appointments import actions, waitlist
from appointments.models import Appointment, SlotUse
from appointments.openings import offer_openings
from appointments.waiting_models import Offer, Opening, WaitlistEntry
from appointments.waitlist import OfferTakenError
from tests import builders
from tests.concurrency.test_booking_race import (
    assert_every_visit_has_its_cells_and_no_cell_two_takers,
    people,
    race,
    unexpected,
)
from tests.conftest import NOW

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FREE_AT = NOW + 2 * DAY
RACERS = 20


def waiting_people() -> list[WaitlistEntry]:
    doctor = builders.practitioner()
    return [
        builders.waiting_entry(who, visit={"start": NOW + 14 * DAY + n * HOUR, "practitioner": doctor})
        for n, who in enumerate(people(doctor, RACERS))
    ]


def test_of_twenty_who_say_yes_at_once_one_wins_and_the_rest_keep_their_date() -> None:
    entries = waiting_people()
    kept = {entry.appointment_id: entry.appointment.start for entry in entries if entry.appointment}
    doctor = builders.practitioner(entries[0].clinic)
    opening = builders.opening(doctor, FREE_AT)
    offers = [builders.offer(opening, entry) for entry in entries]
    results = race(*(partial(waitlist.accept, offer, now=NOW) for offer in offers))
    winners = [each for each in results if isinstance(each, Appointment)]
    assert unexpected(results, OfferTakenError) == []
    assert len(winners) == 1
    assert SlotUse.objects.get(slot__start=FREE_AT).appointment == winners[0]
    moved = {pk: start for pk, start in Appointment.objects.values_list("pk", "start") if start != kept[pk]}
    assert moved == {winners[0].pk: FREE_AT}
    offer_openings(now=NOW)
    statuses = sorted(opening.offers.values_list("status", flat=True))
    assert statuses == ["accepted"] + ["taken"] * (RACERS - 1)
    assert not opening.offers.filter(is_settled=False).exists()
    assert WaitlistEntry.objects.filter(status__in=["waiting", "offered"]).count() == RACERS - 1
    assert_every_visit_has_its_cells_and_no_cell_two_takers()


def test_workers_that_offer_several_times_at_once_ask_nobody_twice() -> None:
    entries = waiting_people()
    doctor = builders.practitioner(entries[0].clinic)
    for n in range(3):
        freed = builders.appointment(
            builders.patient(doctor.clinic, phone=""), practitioner=doctor, start=FREE_AT + n * HOUR
        )
        actions.cancel(freed, because="ill", now=NOW)
    results = race(*[partial(offer_openings, now=NOW)] * 6)
    assert unexpected(results) == []
    assert sum(results) == 15
    assert sorted(Opening.objects.values_list("wave", flat=True)) == [1, 1, 1]
    assert Offer.objects.values("entry").distinct().count() == Offer.objects.count() == 15


def test_yes_and_no_and_leaving_at_once_end_in_one_of_them() -> None:
    entry = waiting_people()[0]
    offer = builders.offer(builders.opening(builders.practitioner(entry.clinic), FREE_AT), entry)
    results = race(
        partial(waitlist.accept, offer, now=NOW),
        partial(waitlist.decline, offer, now=NOW),
        partial(waitlist.leave, entry, now=NOW),
    )
    offer.refresh_from_db()
    entry.refresh_from_db()
    won = isinstance(results[0], Appointment)
    assert SlotUse.objects.filter(slot__start=FREE_AT).exists() == won
    assert (offer.status == "accepted") == won
    assert entry.status == ("placed" if won else "withdrawn")
