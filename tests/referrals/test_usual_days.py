"""How long results usually take, said to whoever refers."""

from datetime import timedelta

import pytest
from django.test import Client

from referrals.models import Referral
from referrals.queries import usual_days
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def came_after(*hours: int) -> None:
    clinic = builders.clinic()
    for each in hours:
        made_at = NOW - timedelta(days=30)
        referral = builders.referral(builders.patient(clinic, phone=""), made_at=made_at, status="completed")
        for later in (0, 500):  # a correction long after says nothing
            referral.results.create(
                document=builders.document(clinic),
                source_id=str(later),
                received_at=made_at + timedelta(hours=each + later),
            )


@pytest.mark.parametrize(
    ("hours", "days"),
    [
        ((20, 30, 40, 50), None),  # too few to say
        ((20, 30, 40, 50, 90), (2, 4)),
        ((1,) * 9 + (200,), (1, 1)),  # one in ten may be late
        ((1,) * 8 + (100, 200), (1, 5)),
    ],
)
def test_half_and_nine_out_of_ten_of_the_first_results(
    hours: tuple[int, ...], days: tuple[int, int] | None
) -> None:
    came_after(*hours)
    assert usual_days(Referral.objects.all()) == days


def test_who_refers_reads_it_and_hears_nothing_of_another_clinic() -> None:
    came_after(20, 30, 40, 50, 90)
    patient = Referral.objects.all()[0].patient
    for who, is_told in ((patient, True), (builders.patient(), False)):
        desk = Client()
        desk.force_login(builders.user(at=who.clinic))
        page = desk.get(f"/patients/{who.public_id}/refer/").content.decode()
        assert ("in days: half within 2, 9 out of 10 within 4." in page) == is_told
