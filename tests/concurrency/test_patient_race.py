"""Several desks write about one patient at once, each with a connection of its own; nobody is lost in between."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from outreach.models import Attempt
from outreach.number_test import send_test
from patients.actions import RefusedError, withdraw_consent
from patients.addresses import TieAnswers, add_tie, remove_tie
from patients.models import Channel, Consent, ContactPoint
from tests import builders
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
