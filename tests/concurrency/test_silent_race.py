"""Several people plan for the same silent patients at one moment: each patient is planned for once."""

import pytest
from django.test import Client

from outreach.models import Attempt, AttemptStatus
from tests import builders
from tests.clinic_journey.test_silent import silent
from tests.clinic_journey.test_silent_together import KEY, PICK, PLAN, looked_at
from tests.concurrency.test_inquiry_race import PRESSES, at_once
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.time_machine(NOW, tick=False)]


def test_each_is_planned_once_whoever_presses() -> None:
    clinic = builders.clinic(language="en")
    tasks = [silent(clinic, n) for n in range(2)]
    pages = []
    for _nth in range(PRESSES):
        desk = Client()
        desk.force_login(builders.user(at=clinic))
        page = looked_at(desk, *tasks)
        pages.append((desk, {"plan": PICK.findall(page), "key": KEY.findall(page)[0]}))
    left = iter(pages)

    def press() -> int:
        desk, said = next(left)
        return desk.post(PLAN, said).status_code

    assert at_once(press) == [302] * PRESSES
    planned = Attempt.objects.filter(status=AttemptStatus.PLANNED).order_by("patient")
    assert list(planned.values_list("task", flat=True)) == [task.pk for task in tasks]
