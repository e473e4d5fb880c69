"""Somebody who works in two clinics: each page shows the clinic chosen, and the other's objects are not found."""

import pytest
from django.test import Client
from django.urls import URLPattern

from patients.access import CLINIC_KEY
from patients.models import Clinic, Membership, Role
from tests import builders
from tests.clinic_journey.test_access import ALL_ROUTES, WITHOUT_AN_OBJECT, filled, logged_in, objects_of
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def in_first_of_two(first: Clinic, second: Clinic, role: str) -> Client:
    """Logged in at the first; in the second with every right."""
    client = logged_in(role, first)
    user = Membership.objects.get(clinic=first, role=role).user
    Membership.objects.create(user=user, clinic=second, role=Role.ADMIN)
    session = client.session
    session[CLINIC_KEY] = first.pk
    session.save()
    return client


@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.ADMIN])
@pytest.mark.parametrize(("path", "pattern"), ALL_ROUTES)
def test_the_other_clinics_rows_are_not_found(path: str, pattern: URLPattern, role: str) -> None:
    if pattern.name in WITHOUT_AN_OBJECT:
        return
    first, second = builders.clinic(), builders.clinic()
    address = filled(path, objects_of(second))
    client = in_first_of_two(first, second, role)
    for answer in (client.get(address), client.post(address)):
        assert answer.status_code in {403, 404, 405}, address
