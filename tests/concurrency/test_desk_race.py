"""Two people at the desk and one patient at the same moment: one save, and the other hears what it was."""

from datetime import timedelta
from functools import partial
from threading import Thread
from typing import Any

import pytest
from django.db import connection

from clinic_journey.desk import Press, save, serve
from clinic_journey.models import DeskAction, Serving
from clinic_journey.undo import undo
from journeys.actions import complete_step
from journeys.models import Step, StepKind
from outreach.channels.inbound import Said
from outreach.models import Reply
from outreach.replies import receive_reply
from patients.access import Here
from patients.actions import RefusedError, StaleStateError
from patients.models import Consent, ConsentStatus, Role
from tests import builders
from tests.concurrency.test_booking_race import race, unexpected
from tests.conftest import NOW

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]


def a_promise_and(number: int) -> tuple[Step, list[Here]]:
    step = builders.step(kind=StepKind.PROMISE, title="call back")
    desk = [builders.user(Role.RECEPTIONIST, at=step.clinic, first_name=f"Rina {n}") for n in range(number)]
    return step, [Here(user, step.clinic, Role.RECEPTIONIST, NOW) for user in desk]


def finish(step: Step, here: Here, key: str) -> Any:
    def act() -> None:
        complete_step(step, "kept", now=here.now, by=here.user)

    return save(step, Press("kept", key, 0), act, here=here)


def test_of_many_who_save_at_once_one_does() -> None:
    step, desk = a_promise_and(8)
    results = race(*(partial(finish, step, here, f"key {n}") for n, here in enumerate(desk)))
    assert not unexpected(results, RefusedError)
    assert sum(isinstance(each, DeskAction) for each in results) == 1
    assert DeskAction.objects.count() == 1
    words = {str(each) for each in results if isinstance(each, StaleStateError)}
    assert all("saved “Done as promised”" in each or "is with this patient" in each for each in words)


def test_the_same_press_sent_many_times_at_once_is_one_save() -> None:
    step, (here,) = a_promise_and(1)
    results = race(*(partial(finish, step, here, "one key") for _n in range(6)))
    assert {each.pk for each in results} == {DeskAction.objects.get().pk}


def test_of_many_who_open_a_patient_at_once_one_serves() -> None:
    step, desk = a_promise_and(8)
    patient = step.journey.patient
    assert patient
    names = race(*(partial(serve, patient, here) for here in desk))
    assert not unexpected(names)
    assert names.count("") == 1
    assert set(names) == {"", Serving.objects.get().user.first_name}


def test_an_undo_pressed_many_times_at_once_is_one_undo() -> None:
    step, (here,) = a_promise_and(1)
    action = finish(step, here, "key")
    results = race(*(partial(undo, action, now=NOW, by=here.user) for _n in range(6)))
    assert results.count(None) == 1
    assert not unexpected(results, StaleStateError)
    step.refresh_from_db()
    assert step.status == "active"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write at a time")
def test_a_stop_that_commits_while_a_save_runs_is_no_part_of_it() -> None:
    builders.messages_loaded()
    step, (here,) = a_promise_and(1)
    heard: list[object] = []

    def she_writes() -> None:
        soon = NOW + timedelta(seconds=1)
        try:
            heard.append(receive_reply(Said("sms", "phone", "+972502345678", "STOP", at=soon), now=soon))
        except Exception as error:  # noqa: BLE001 - the test looks at every error there is
            heard.append(error)
        finally:
            connection.close()

    def act() -> None:
        complete_step(step, "kept", now=here.now, by=here.user)
        other = Thread(target=she_writes)
        other.start()
        other.join(timeout=60)

    action = save(step, Press("kept"), act, here=here)
    assert heard == ["stop"]
    undo(action, now=NOW + timedelta(minutes=1), by=here.user)
    step.refresh_from_db()
    assert step.status == "active"
    assert Reply.objects.get().meaning == "stop"
    consent = Consent.objects.get()
    assert (consent.status, consent.superseded_at) == (ConsentStatus.WITHDRAWN, None)
    last_word = Step.objects.get(outreach_tasks__message_key="stopped")
    assert last_word.status == "active"
