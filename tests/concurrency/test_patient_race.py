"""Several desks write about one patient at once, each with a connection of its own; nobody is lost in between."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Thread

import pytest
from django.conf import LazySettings
from django.db import connection, transaction

from outreach.channels.inbound import Said
from outreach.links_to_messengers import link_for, tie_to_messenger
from outreach.models import Attempt
from outreach.number_test import send_test
from patients.actions import RefusedError, add_address, lock_addresses, merge_patients, withdraw_consent
from patients.addresses import TieAnswers, add_tie, change_tie, confirm_alone, confirm_tie, remove_tie
from patients.models import (
    AddressKind,
    Channel,
    Consent,
    ContactPoint,
    Patient,
    PatientContact,
    PatientStatus,
    Relation,
)
from tests import builders
from tests.concurrency.test_answers_race import until_somebody_waits
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

DESKS = 4


def at_once(act: Callable[[int], object], desks: int = DESKS) -> list[str]:
    """What each was refused with, empty for the ones that went through."""
    barrier = Barrier(desks)

    def one(nth: int) -> str:
        barrier.wait()
        try:
            act(nth)
        except RefusedError as refusal:
            return str(refusal)
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(desks) as crowd:
        return sorted(crowd.map(one, range(desks)))


def test_withdrawn_at_once_by_several_ways_it_is_withdrawn_once() -> None:
    patient = builders.patient()
    point = ContactPoint.objects.get()

    def withdraw(nth: int) -> None:
        withdraw_consent(patient, point, Channel.SMS, now=NOW, words=f"STOP {nth}")

    assert at_once(withdraw) == [""] * DESKS
    assert Consent.objects.count() == DESKS
    assert Consent.objects.filter(superseded_at__isnull=True).count() == 1


def test_the_last_two_addresses_removed_at_once_leave_one() -> None:
    patient = builders.patient()
    add_tie(patient, "phone", "054-765-4321", TieAnswers())
    ties = list(patient.contacts.all())
    words = at_once(lambda nth: remove_tie(ties[nth]), desks=2)
    assert words[0] == ""
    assert "only address" in words[1]
    assert patient.contacts.count() == 1


def test_a_test_asked_for_by_several_at_once_is_sent_once() -> None:
    tie = builders.patient().contacts.select_related("contact_point", "patient__clinic").get()
    rina = builders.user()
    assert at_once(lambda _nth: send_test(tie, Channel.SMS, now=NOW, by=rina)) == [""] * DESKS
    assert Attempt.objects.count() == 1


def test_two_records_merged_into_each_other_at_once_leave_one_that_is_active() -> None:
    clinic = builders.clinic()
    for nth in range(8):
        pair = [builders.patient(clinic, phone=f"050-234-5{nth}{k}7") for k in range(2)]
        for patient in pair:  # the merge writes the other record, too: what she refused under either holds
            point = patient.contacts.get().contact_point
            withdraw_consent(patient, point, Channel.SMS, now=NOW, words="STOP")

        def merge(which: int, pair: list[Patient] = pair) -> None:
            merge_patients(pair[which], pair[1 - which])

        words = at_once(merge, desks=2)
        assert words[0] == ""
        assert "closed" in words[1]
        rows = Patient.objects.filter(pk__in=[patient.pk for patient in pair])
        assert sorted(rows.values_list("status", flat=True)) == [PatientStatus.ACTIVE, PatientStatus.MERGED]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write at a time")
def test_who_is_put_on_an_address_in_the_moment_of_the_note_is_seen_by_it() -> None:
    girl = builders.patient()
    words: list[str] = []

    def notes() -> None:
        words.extend(at_once(lambda _nth: confirm_alone(girl.contacts.get(), [], now=NOW), desks=1))

    desk = Thread(target=notes)
    with transaction.atomic():
        builders.patient(girl.clinic, given_name="Ruth")
        desk.start()
        until_somebody_waits()
    desk.join(timeout=60)
    assert "Ruth Levi (Own)" in words[0]
    assert girl.contacts.get().hers_alone_at is None


def links_anew(tie: PatientContact) -> None:
    _base, _bar, token = link_for(tie.patient, Relation.PARENT, now=NOW, by=None).partition("?start=")
    said = Said(Channel.TELEGRAM, AddressKind.TELEGRAM, tie.contact_point.value, f"/start {token}", NOW)
    assert tie_to_messenger(said, now=NOW)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write at a time")
@pytest.mark.parametrize(
    "writes",
    [
        lambda tie: change_tie(tie, TieAnswers(relation=Relation.PARENT)),
        lambda tie: confirm_tie(tie, now=NOW, by=None),
        links_anew,
    ],
    ids=["changed", "confirmed", "linked"],
)
def test_who_writes_an_address_and_its_tie_waits_for_whoever_notes_that_it_is_hers(
    settings: LazySettings, writes: Callable[[PatientContact], None]
) -> None:
    settings.TELEGRAM_BOT_TOKEN, settings.TELEGRAM_BOT_NAME = "1:x", "alon_bot"
    settings.TELEGRAM_WEBHOOK_SECRET = "secret"
    settings.CHANNEL_TRANSPORTS = {"telegram": "telegram"}
    girl = builders.patient()
    point = add_address(girl, AddressKind.TELEGRAM, "777", rank=2).contact_point
    ties = PatientContact.objects.select_related("contact_point", "patient__clinic")
    ends: list[str] = []

    def desk() -> None:
        ends.extend(at_once(lambda _nth: writes(ties.get(contact_point=point)), desks=1))

    other = Thread(target=desk)
    with transaction.atomic():
        lock_addresses([point])
        other.start()
        until_somebody_waits()
        confirm_alone(ties.get(contact_point=point), [], now=NOW)
    other.join(timeout=60)
    assert ends == [""]
