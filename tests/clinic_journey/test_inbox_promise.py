"""A call that an answer in the inbox promises: by when, whose it is, and where it belongs."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from journeys.models import Step, StepKind, StepStatus
from outreach.models import Attempt
from patients.models import Clinic
from tests import builders
from tests.clinic_journey.test_inbox import a_writer, answer, at_the_desk, page
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


@pytest.fixture
def clinic() -> Clinic:
    builders.messages_loaded()
    return builders.clinic()


def test_a_promised_call_has_an_owner_and_its_time(clinic: Clinic) -> None:
    client, user = at_the_desk(clinic)
    patient = a_writer(clinic, 1)
    answer(client, patient, call_by="2026-03-09T16:00")
    promise = Step.objects.get(kind=StepKind.PROMISE)
    assert (promise.owner, promise.due_at) == (user, datetime(2026, 3, 9, 14, 0, tzinfo=UTC))
    assert promise.status == StepStatus.ACTIVE


def test_a_promised_call_is_in_the_journey_of_the_conversation(clinic: Clinic) -> None:
    client, _user = at_the_desk(clinic)
    patient = a_writer(clinic, 1)
    asked = Step.objects.get(kind=StepKind.CALL)
    more_pressing = builders.journey(patient)
    builders.step(more_pressing, due_at=NOW - timedelta(days=1))
    answer(client, patient, call_by="2026-03-09T16:00")
    assert Step.objects.get(kind=StepKind.PROMISE).journey == asked.journey


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one lock for everything")
def test_no_journey_is_locked_after_the_patient(clinic: Clinic) -> None:
    client, _user = at_the_desk(clinic)
    patient = a_writer(clinic, 1)
    builders.step(builders.journey(patient), due_at=NOW - timedelta(days=1))
    with CaptureQueriesContext(connection) as asked:
        answer(client, patient, call_by="2026-03-09T16:00")
    locks = [each["sql"] for each in asked if "FOR NO KEY UPDATE" in each["sql"]]
    of_patient = next(n for n, sql in enumerate(locks) if 'FROM "patients_patient"' in sql)
    of_journeys = {sql for sql in locks if 'FROM "journeys_journey"' in sql}
    assert of_journeys
    assert of_journeys == {sql for sql in locks[:of_patient] if 'FROM "journeys_journey"' in sql}


@pytest.mark.parametrize("call_by", ["2026-03-09T09:00", "2026-03-09T23:00", "never"])
def test_a_call_is_promised_only_when_somebody_is_there(clinic: Clinic, call_by: str) -> None:
    client, _user = at_the_desk(clinic)
    assert answer(client, a_writer(clinic, 1), call_by=call_by).status_code == 409
    assert not Attempt.objects.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("call me at six, is it normal?", "These words may ask for a call: today 18:00"),
        ("can't talk, write me on WhatsApp after 5", "These words may ask for a message: today 18:00"),
        ("לא יכולה לדבר, תכתבו לי בוואטסאפ אחרי 5", "These words may ask for a message: today 18:00"),
        ("When do you open?", ""),
    ],
)
def test_a_time_in_her_words_is_told_with_what_she_asks_for(clinic: Clinic, words: str, told: str) -> None:
    client, _user = at_the_desk(clinic)
    patient = a_writer(clinic, 1, words)
    text = page(client, f"/inbox/{patient.public_id}/")
    assert told in text
    assert ("may ask for" in text) == bool(told)
    assert ('data-call-by="2026-03-09T18:00"' in text) == ("a call" in told), (
        "no call is offered for a message"
    )
