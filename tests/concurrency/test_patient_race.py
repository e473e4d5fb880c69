"""Several desks write about one patient at once, each with a connection of its own; nobody is lost in between."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction

from outreach.models import Attempt
from outreach.number_test import send_test
from patients.actions import RefusedError, merge_patients, withdraw_consent
from patients.addresses import TieAnswers, add_tie, confirm_alone, remove_tie
from patients.models import Channel, Consent, ContactPoint, Patient, PatientStatus
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
