"""Several that plan at once: each counts what the others have planned for the same patient."""

from collections import Counter
from functools import partial

import pytest
from django.db import connection

from outreach.actions import A_MOMENT, plan_attempts
from outreach.models import Attempt
from tests import builders
from tests.concurrency.test_booking_race import race, unexpected
from tests.conftest import NOW

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]
A_DAY = 2  # by the rules of the country


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write at a time")
def test_two_that_plan_at_once_keep_the_caps_of_one_patient() -> None:
    """Each takes some of her tasks, and neither sees what the other one plans before it is done."""
    builders.messages_loaded()
    clinic = builders.clinic()
    builders.opened(clinic)
    who = builders.patient(clinic)
    for _n in range(8):
        builders.task(builders.step(builders.journey(who), message_key="next_step"))
    found = race(*(partial(plan_attempts, now=NOW, limit=2) for _n in range(4)))
    assert not unexpected(found)
    plan_attempts(now=NOW + A_MOMENT)
    days = Counter(each.send_at.date() for each in Attempt.objects.all())
    assert max(days.values()) == A_DAY
    assert sum(days.values()) == 8
