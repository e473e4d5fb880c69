"""Whose messenger it is: the desk says so when it makes the link, and the address is theirs from then on."""

from datetime import date

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, transaction

from outreach.actions import plan_attempts
from outreach.channels.inbound import Said
from outreach.confidence import keep_from_parents
from outreach.links_to_messengers import link_for, tie_to_messenger
from outreach.models import Attempt
from outreach.provider_models import MessengerLink
from patients.actions import CardAnswers, RefusedError, add_address, save_card
from patients.models import AddressKind, CardSource, Channel, Patient, PatientContact, Relation
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bot")]
CHILD, ADOLESCENT, ADULT = date(2018, 1, 2), date(2010, 1, 2), date(1991, 5, 4)


def linked(patient: Patient, whose: str, *, chat: str = "777") -> PatientContact:
    """Somebody at the desk has opened the link on their phone."""
    desk = builders.user(at=patient.clinic)
    _base, _bar, token = link_for(patient, whose, now=NOW, by=desk).partition("?start=")
    tie = tie_to_messenger(
        Said(Channel.TELEGRAM, AddressKind.TELEGRAM, chat, f"/start {token}", NOW), now=NOW
    )
    assert tie is not None
    tie.refresh_from_db()
    return tie


@pytest.mark.parametrize("whose", [Relation.SELF, Relation.PARENT, Relation.GUARDIAN])
def test_the_address_is_theirs_for_whom_the_link_was_made(whose: Relation) -> None:
    assert linked(builders.patient(birth_date=CHILD), whose).relation == whose


@pytest.mark.parametrize("whose", [Relation.OTHER, "", "aunt"])
def test_for_nobody_else_a_link_is_made(whose: str) -> None:
    with pytest.raises(RefusedError, match="whose phone"):
        link_for(builders.patient(), whose, now=NOW, by=None)
    assert not MessengerLink.objects.exists()


def test_without_a_bot_there_is_no_link(settings: LazySettings) -> None:
    settings.CHANNEL_TRANSPORTS = {"phone": "phone"}
    with pytest.raises(RefusedError, match="not set up"):
        link_for(builders.patient(), Relation.SELF, now=NOW, by=None)


def test_the_database_knows_whose_it_can_be() -> None:
    link_for(builders.patient(), Relation.SELF, now=NOW, by=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        MessengerLink.objects.update(relation="aunt")


def test_an_address_that_was_taken_for_hers_is_her_mothers_after_all() -> None:
    girl = builders.patient(birth_date=CHILD)
    add_address(girl, AddressKind.TELEGRAM, "777", rank=2)
    assert linked(girl, Relation.PARENT).relation == Relation.PARENT
    assert girl.contacts.filter(contact_point__kind=AddressKind.TELEGRAM).count() == 1


@pytest.mark.parametrize(
    ("born", "whose", "source"),
    [
        (ADULT, Relation.SELF, CardSource.PATIENT),
        (CHILD, Relation.PARENT, CardSource.DESK),  # her mother stands there and is told for her
        (CHILD, Relation.SELF, ""),  # a child's own phone, while her mother is told
        (ADULT, Relation.PARENT, ""),  # parents of the grown up are told nothing
    ],
)
def test_the_card_says_so_only_where_somebody_is_told_there(born: date, whose: Relation, source: str) -> None:
    patient = builders.patient(birth_date=born)
    add_address(patient, AddressKind.PHONE, "+972547654321", rank=2, relation=Relation.PARENT)
    linked(patient, whose)
    card = patient.card
    card.refresh_from_db()
    by = MessengerLink.objects.get().made_by
    expected = {
        CardSource.PATIENT: (Channel.TELEGRAM, NOW, None),
        CardSource.DESK: (Channel.TELEGRAM, NOW, by),
        "": (Channel.SMS, None, None),
    }
    assert (card.source, (card.channel, card.told_at, card.told_to)) == (source, expected[source])


def test_what_is_kept_from_the_parents_does_not_reach_her_mothers_messenger() -> None:
    builders.messages_loaded()
    girl = builders.patient(birth_date=ADOLESCENT)
    builders.opened(girl.clinic)
    hers = girl.contacts.get()
    mothers = linked(girl, Relation.PARENT)
    journey = builders.journey(girl)
    builders.task(builders.step(journey))
    plan_attempts(now=NOW)
    assert Attempt.objects.get().contact_point == mothers.contact_point
    keep_from_parents(journey, now=NOW)
    plan_attempts(now=NOW)
    assert Attempt.objects.get(status="planned").contact_point == hers.contact_point


def test_a_chat_that_is_a_parents_for_the_sibling_stays_so_for_the_sibling() -> None:
    brother = builders.patient(birth_date=CHILD, given_name="Omer")
    girl = builders.patient(brother.clinic, birth_date=CHILD, given_name="Noa")
    save_card(brother, CardAnswers(Channel.PHONE), now=NOW, by=None)
    first, second = linked(brother, Relation.PARENT), linked(girl, Relation.GUARDIAN)
    assert first.contact_point_id == second.contact_point_id
    first.refresh_from_db()
    assert (first.relation, second.relation) == (Relation.PARENT, Relation.GUARDIAN)
    assert girl.consents.count() == brother.consents.count() == 1
