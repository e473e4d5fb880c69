"""The same button pressed by several fingers at one moment: one question, one promise, one patient."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.core.management import call_command
from django.db import connection

from inquiries import actions
from inquiries.actions import Question, Said
from inquiries.models import Inquiry
from inquiries.outbox import send_answers
from inquiries.sending import LEAVES_AFTER, Letter, send_answer
from inquiries.sent_models import SentAnswer
from journeys.chases import Promise
from journeys.models import Journey, Step
from patients.actions import NewPatient, StaleStateError
from patients.models import Patient
from tests import builders
from tests.conftest import NOW
from tests.outreach.test_dispatch import Fake, played_by

pytestmark = pytest.mark.django_db(transaction=True)
PRESSES = 4
ASKED = Question("flu vaccine", NOW, request_key="k")
PROMISE = Promise("", NOW + timedelta(hours=1))


def at_once(press: Callable[[], object]) -> list[object]:
    """What each press got; one that came too late counts as None."""
    barrier = Barrier(PRESSES)

    def finger(_nth: int) -> object:
        barrier.wait()
        try:
            return press()
        except StaleStateError:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(PRESSES) as fingers:
        return list(fingers.map(finger, range(PRESSES)))


def test_one_answer_is_one_question() -> None:
    clinic = builders.clinic()
    said = Said(available=True, words="Yes.")
    made = at_once(lambda: actions.record_answer(clinic, ASKED, said, now=NOW, by=None).pk)
    assert made == [Inquiry.objects.get().pk] * PRESSES


def test_one_promise_has_one_clock() -> None:
    clinic = builders.clinic()
    made = at_once(lambda: actions.promise_answer(clinic, ASKED, PROMISE, now=NOW, by=None).pk)
    assert made == [Inquiry.objects.get().pk] * PRESSES
    assert (Step.objects.count(), Journey.objects.count()) == (1, 1)


def test_one_promise_is_kept_once() -> None:
    clinic = builders.clinic()
    rina = builders.user(at=clinic)
    owed = actions.promise_answer(clinic, ASKED, PROMISE, now=NOW, by=None)

    def answer() -> bool:
        inquiry = Inquiry.objects.get(pk=owed.pk)
        actions.answer_later(inquiry, Said(words="Yes."), None, now=NOW, by=rina)
        return True

    assert sorted(map(bool, at_once(answer))) == [False] * (PRESSES - 1) + [True]
    assert Step.objects.get().outcome == "kept"


def test_one_caller_is_one_patient() -> None:
    call_command("load_catalogue", verbosity=0)
    clinic = builders.clinic()
    rina = builders.user(at=clinic)
    asked = builders.inquiry(clinic)
    noa = NewPatient("Noa", phone="050-234-5678")
    at_once(lambda: actions.convert(Inquiry.objects.get(pk=asked.pk), None, noa, now=NOW, by=rina).pk)
    assert (Patient.objects.count(), Journey.objects.count()) == (1, 1)


def test_one_who_thinks_is_promised_one_call() -> None:
    asked = builders.inquiry(phone="+972502345678", may_call_back=True)
    at_once(lambda: actions.will_think(Inquiry.objects.get(pk=asked.pk), now=NOW))
    asked.refresh_from_db()
    assert asked.step == Step.objects.get()
    assert Journey.objects.count() == 1


@pytest.fixture
def fake() -> Iterator[Fake]:
    yield from played_by(Fake())


def test_one_answer_in_writing_leaves_once(fake: Fake) -> None:
    inquiry, rina = builders.inquiry(), builders.user()
    letter = Letter("054-765-4321", "Yes, we have it.", "en")
    made = at_once(lambda: send_answer(Inquiry.objects.get(), letter, now=NOW, by=rina).pk)
    assert made == [SentAnswer.objects.get(inquiry=inquiry).pk] * PRESSES
    left = at_once(lambda: send_answers(now=NOW + LEAVES_AFTER))
    assert (left.count(1), left.count(0), len(fake.sent)) == (1, PRESSES - 1, 1)
