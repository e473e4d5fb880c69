"""Who does what is offered, what is asked most, and what we could not answer."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from appointments.models import AppointmentStatus, Practitioner
from inquiries.gaps import could_not_answer, lost_by_cause, top_questions
from inquiries.models import Inquiry
from inquiries.on_offer import Offered, change_offering, offer
from inquiries.queries import answer_about, who_does
from patients.actions import RefusedError
from patients.models import Clinic
from patients.queries import opening_hours
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


def test_only_times_of_those_who_do_it_are_offered(clinic: Clinic) -> None:
    cohen = builders.practitioner(clinic, name="Dr Cohen")
    levi = builders.practitioner(clinic, name="Dr Levi")
    builders.open_time(cohen, NOW + HOUR)
    builders.open_time(levi, NOW + 3 * HOUR)
    flu = builders.offering(clinic, stock=3, visit_type=builders.visit_type(clinic))

    def told() -> list[str]:
        opening = opening_hours(clinic, now=NOW)
        return [each.practitioner.name for each in answer_about(flu, clinic, opening=opening, now=NOW).times]

    assert told() == []  # nobody was said, and nobody is known to do it
    flu.done_by.set([levi])
    assert told() == ["Dr Levi"]
    flu.done_by.set([cohen, levi])
    assert told() == ["Dr Cohen"]  # the soonest of those who do it
    flu.done_by.set([levi])
    type(levi).objects.filter(pk=levi.pk).update(is_active=False)
    assert told() == []  # who does it has left; nobody else is offered instead
    assert who_does(flu, clinic, now=NOW) == []


def test_whoever_did_such_visits_lately_is_known_to_do_it(clinic: Clinic) -> None:
    cohen = builders.practitioner(clinic, name="Dr Cohen")
    levi = builders.practitioner(clinic, name="Dr Levi")
    kind, other = builders.visit_type(clinic), builders.visit_type(clinic)
    flu, dana = builders.offering(clinic, stock=3, visit_type=kind), builders.patient(clinic)

    def visit(of: Practitioner, days: int, **fields: Any) -> None:
        given = {"status": AppointmentStatus.FULFILLED, "visit_type": kind, **fields}
        builders.appointment(dana, practitioner=of, start=NOW - days * DAY, **given)

    visit(cohen, 1, visit_type=other)
    visit(cohen, 2, status=AppointmentStatus.NOSHOW)
    visit(cohen, 183)
    assert who_does(flu, clinic, now=NOW) == []
    assert answer_about(flu, clinic, opening=opening_hours(clinic, now=NOW), now=NOW).is_nobodys
    visit(levi, 181)
    assert who_does(flu, clinic, now=NOW) == [levi]
    assert not answer_about(flu, clinic, opening=opening_hours(clinic, now=NOW), now=NOW).is_nobodys


def test_who_receives_alone_does_what_needs_a_visit(clinic: Clinic) -> None:
    cohen = builders.practitioner(clinic)
    builders.practitioner(clinic, is_active=False)
    builders.practitioner()
    flu = builders.offering(clinic, stock=3, visit_type=builders.visit_type(clinic))
    assert who_does(flu, clinic, now=NOW) == [cohen]


def test_somebody_of_another_clinic_does_nothing_here(clinic: Clinic) -> None:
    stranger = builders.practitioner()
    with pytest.raises(RefusedError, match="another clinic"):
        offer(clinic, Offered("service", {"en": "x"}, done_by=[stranger]), now=NOW)


def test_a_price_is_to_check_until_somebody_looked_within_a_week(clinic: Clinic) -> None:
    flu = builders.offering(clinic, stock=3)
    assert answer_about(flu, clinic, now=NOW).is_price_to_check
    change_offering(flu, Offered("vaccine", {"en": "Flu"}, price=Decimal(80), currency="ILS"), now=NOW)
    flu.refresh_from_db()
    assert not answer_about(flu, clinic, now=NOW + 6 * DAY).is_price_to_check
    assert answer_about(flu, clinic, now=NOW + 7 * DAY).is_price_to_check
    assert not answer_about(
        builders.offering(clinic, price=None, currency=""), clinic, now=NOW
    ).is_price_to_check


def test_what_was_asked_most_this_week(clinic: Clinic) -> None:
    flu, tick = builders.offering(clinic), builders.offering(clinic, names={"en": "Tick vaccine"})
    for times, offering in ((1, flu), (2, tick)):
        for _time in range(times):
            builders.inquiry(clinic, offering=offering)
    builders.inquiry(clinic, offering=flu, asked_at=NOW - 8 * DAY)
    builders.inquiry(clinic, offering=None, asked="whitening")
    builders.inquiry(builders.clinic(), offering=builders.offering())
    assert [(each.offering, each.times) for each in top_questions(clinic, now=NOW)] == [(tick, 2), (flu, 1)]


def test_what_we_could_not_answer_is_told_once_for_all_its_wordings(clinic: Clinic) -> None:
    builders.inquiry(clinic, asked="Do you have teeth whitening", asked_at=NOW - DAY)
    builders.inquiry(clinic, asked="whitening teeth?", asked_at=NOW)
    builders.inquiry(clinic, asked="flu", offering=builders.offering(clinic), said_available=True)
    builders.inquiry(clinic, asked="tick", offering=builders.offering(clinic), said_available=None)
    found = could_not_answer(Inquiry.objects.filter(clinic=clinic))
    assert [(gap.asked, gap.times, gap.last_at) for gap in found] == [
        ("whitening teeth?", 2, NOW),
        ("tick", 1, NOW),
    ]


def test_causes_are_counted_the_most_frequent_first(clinic: Clinic) -> None:
    for because in ("slow", "manner", "slow"):
        builders.inquiry(clinic, outcome="lost", lost_because=because)
    builders.inquiry(clinic)
    assert lost_by_cause(Inquiry.objects.all()) == [("slow", 2), ("manner", 1)]
