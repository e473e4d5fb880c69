"""What is offered is set up by managers and counted by everybody at the desk; the next caller hears it."""

import pytest
from django.test import Client

from inquiries.models import Offering, StockBatch
from patients.models import Clinic, Role
from tests import builders
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
FLU = {
    "kind": "vaccine",
    "name_en": "Flu vaccine",
    "other_words": "jab, шот",
    "price": "80",
    "currency": "ILS",
}


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(language="en")


@pytest.fixture
def manager(clinic: Clinic) -> Client:
    return logged_in(Role.MANAGER, clinic)


def heard(client: Client, asked: str) -> str:
    return client.get("/ask/", {"what": asked}, headers={"HX-Request": "true"}).content.decode()


def test_what_is_added_is_answered_and_counted_at_the_desk(manager: Client, clinic: Clinic) -> None:
    assert manager.post("/offerings/", {**FLU, "is_active": "on"}).status_code == 302
    offering = Offering.objects.get()
    assert (offering.clinic, offering.names, offering.price_words) == (clinic, {"en": "Flu vaccine"}, "80 ₪")
    desk = logged_in(Role.RECEPTIONIST, clinic)
    page = f"/offerings/{offering.pk}/"
    for count in ("12", "11"):
        told = {"number": "FL-1", "quantity": count, "expires_on": "2026-12-01"}
        assert desk.post(f"{page}batch/", told).status_code == 302
    batch = StockBatch.objects.get()
    assert (batch.quantity, batch.counted_at) == (11, NOW)
    assert "11 in stock" in heard(desk, "jab")
    manager.post(page, {**FLU, "price": ""})
    assert "Nothing on our list" in heard(desk, "jab")  # not offered any more
    offering.refresh_from_db()
    assert (offering.price, offering.currency, offering.is_active) == (None, "", False)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name_en": ""}, "Name it in at least one language."),
        ({"price": "-1"}, "A price is not below zero."),
        ({"currency": ""}, "Say in which currency."),
        ({"kind": "wish"}, "Select a valid choice"),
    ],
)
def test_nonsense_is_refused_in_words(manager: Client, fields: dict[str, str], says: str) -> None:
    answer = manager.post("/offerings/", {**FLU, **fields})
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not Offering.objects.exists()


def test_the_desk_counts_and_does_not_set_prices(clinic: Clinic) -> None:
    offering = builders.offering(clinic, stock=3)
    desk = logged_in(Role.RECEPTIONIST, clinic)
    page = desk.get(f"/offerings/{offering.pk}/").content.decode()
    assert ('name="quantity"' in page, 'name="price"' in page) == (True, False)
    assert desk.post(f"/offerings/{offering.pk}/", FLU).status_code == 403
    assert (
        desk.post(f"/offerings/{offering.pk}/batch/", {"number": "B1", "quantity": "-1"}).status_code == 422
    )
    assert StockBatch.objects.get().quantity == 3


def test_a_type_of_visit_of_another_clinic_is_no_choice(manager: Client) -> None:
    strange = builders.visit_type()
    answer = manager.post("/offerings/", {**FLU, "visit_type": str(strange.pk)})
    assert answer.status_code == 422


def test_who_does_it_is_said_by_managers_and_whoever_looked_says_it_is_still_so(
    manager: Client, clinic: Clinic
) -> None:
    cohen, stranger = builders.practitioner(clinic), builders.practitioner()
    assert (
        manager.post("/offerings/", {**FLU, "is_active": "on", "done_by": [stranger.pk]}).status_code == 422
    )
    assert manager.post("/offerings/", {**FLU, "is_active": "on", "done_by": [cohen.pk]}).status_code == 302
    offering = Offering.objects.get()
    assert list(offering.done_by.all()) == [cohen]
    Offering.objects.update(looked_at=None)
    desk = logged_in(Role.RECEPTIONIST, clinic)
    assert "nobody has looked at it for a week: check" in heard(desk, "jab")
    assert desk.post(f"/offerings/{offering.pk}/looked/").status_code == 302
    assert "nobody has looked at it for a week" not in heard(desk, "jab")
