"""A patient's link fetched by many scanners and previews at once, and many hands at her door: nothing moves."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.test import Client

from clinic_journey.patient_door import LASTS
from journeys.models import Step, StepKind
from outreach.links import path_for
from outreach.matters import open_matter
from outreach.models import Reply
from patients.models import TRIES, AuditEvent, IdentityTries
from patients.proving import closed_until, proves
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]
FETCHES = 50
PEOPLE = 8


def at_once(act: Callable[[int], Any], people: int) -> list[Any]:
    start = Barrier(people)

    def one(nth: int) -> Any:
        try:
            start.wait(timeout=60)
            return act(nth)
        finally:
            connection.close()

    with ThreadPoolExecutor(people) as crowd:
        return list(crowd.map(one, range(people)))


def everything() -> dict[str, list[Any]]:
    """All rows of all tables, but for the trail of who looked."""
    models = [model for model in apps.get_models() if model is not AuditEvent]
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())  # noqa: SLF001 - of any model
        for model in models
    }


def test_fifty_fetches_of_a_link_and_its_page_change_nothing() -> None:
    patient = builders.patient()
    step = builders.step(builders.journey(patient), kind=StepKind.VISIT)
    builders.appointment(patient, step=step)
    link = path_for(step.journey)

    def fetch(nth: int) -> tuple[int, int, bool]:
        scanner = Client()
        read = scanner.head if nth % 2 else scanner.get
        entered = read(link)
        page = read(entered["Location"])
        return entered.status_code, page.status_code, b"csrfmiddlewaretoken" in page.content

    with time_machine.travel(NOW, tick=False):
        before = everything()
        answers = at_once(fetch, FETCHES)
        assert everything() == before
    assert sorted(set(answers)) == [(302, 200, False), (302, 200, True)]


def test_many_who_guess_at_once_have_five_tries_among_them() -> None:
    patient = builders.patient()
    guesses = at_once(lambda nth: proves(patient, str(1960 + nth), now=NOW), PEOPLE)
    assert guesses == [False] * PEOPLE
    assert IdentityTries.objects.get().failed == TRIES
    assert closed_until(patient, now=NOW)
    assert not proves(patient, "1991", now=NOW + LASTS)


def test_a_worry_pressed_by_several_fingers_at_once_is_one() -> None:
    journey = builders.step().journey
    opened = at_once(lambda _nth: open_matter(journey, "worried", "", now=NOW).pk, PEOPLE)
    assert len(set(opened)) == 1
    assert (Reply.objects.count(), Step.objects.filter(kind=StepKind.CALL).count()) == (1, 1)
