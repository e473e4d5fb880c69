"""The link to a patient's own page: as short as it may be, and nobody's who was not given it."""

from base64 import urlsafe_b64encode

import pytest

from journeys.models import Journey
from outreach.links import OLD_LENGTH, SIGNATURE_LENGTH, TOKEN_LENGTH, journey_for, made_for, token_for
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
LAST = 36**6 - 1  # of the journeys whose links are no longer than we count with


def a_journey(pk: int = 7) -> Journey:
    journey = builders.journey(builders.patient())
    Journey.objects.filter(pk=journey.pk).update(id=pk)
    return Journey.objects.get(pk=pk)


def first_link(journey: Journey) -> str:
    """As links were made at first, and stand in messages that patients still have."""
    return urlsafe_b64encode(journey.public_id.bytes).decode().rstrip("=") + token_for(journey)[-22:]


@pytest.mark.parametrize("pk", [1, 35, 36, 100_000, LAST])
def test_it_names_its_journey_in_few_letters(pk: int) -> None:
    journey = a_journey(pk)
    token = token_for(journey)
    assert SIGNATURE_LENGTH < len(token) <= TOKEN_LENGTH < OLD_LENGTH
    assert journey_for(token, now=NOW) == made_for(token) == journey


def test_the_first_links_open_as_before_and_are_void_with_the_others() -> None:
    journey = a_journey()
    token = first_link(journey)
    assert len(token) == OLD_LENGTH
    assert journey_for(token, now=NOW) == made_for(token) == journey
    Journey.objects.update(link_version=2)
    assert journey_for(token, now=NOW) is None
    assert made_for(token) == journey


def test_no_letter_of_it_may_be_another() -> None:
    token, neighbour = token_for(a_journey(7)), a_journey(8)
    for place, letter in enumerate(token):
        changed = token[:place] + ("A" if letter != "A" else "B") + token[place + 1 :]
        assert journey_for(changed, now=NOW) is None, changed
    assert journey_for(token_for(neighbour)[:-SIGNATURE_LENGTH] + token[-SIGNATURE_LENGTH:], now=NOW) is None


@pytest.mark.parametrize("name", ["", "-1", "_", "8", "zzzzzzzzzzzzz", "0" * 40, "é", "\0"])
def test_what_is_no_number_of_ours_names_nobody(name: str) -> None:
    token = name + token_for(a_journey())[-SIGNATURE_LENGTH:]
    assert journey_for(token, now=NOW) is None
    assert journey_for(token[:10], now=NOW) is None
