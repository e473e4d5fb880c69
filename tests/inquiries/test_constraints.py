"""What the database itself refuses: above all a question about who pays before the answer."""

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from inquiries.models import Inquiry, Offering, StockBatch, WalkInHours
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


def owed(**fields: Any) -> Inquiry:
    clinic = builders.clinic()
    promise = builders.step(builders.journey(builders.patient(clinic)), kind="promise")
    return builders.inquiry(clinic, **{"answered_at": None, "said_words": "", "step": promise, **fields})


def refused(act: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        act()


@pytest.mark.parametrize("payer", [{"payer": "insured"}, {"insurance": "Maccabi"}])
def test_nobody_is_asked_who_pays_before_the_answer(payer: dict[str, str]) -> None:
    refused(lambda: owed(**payer))
    inquiry = owed()
    refused(lambda: Inquiry.objects.filter(pk=inquiry.pk).update(**payer))
    Inquiry.objects.filter(pk=inquiry.pk).update(answered_at=NOW, **payer)
    refused(lambda: Inquiry.objects.filter(pk=inquiry.pk).update(answered_at=None))


@pytest.mark.parametrize(
    "fields",
    [
        {"answered_at": None},  # and no promise
        {"answered_at": NOW - timedelta(seconds=1)},
        {"asked_by": "smoke"},
        {"outcome": "won"},
        {"outcome": "lost"},
        {"lost_because": "price"},
        {"lost_words": "too dear"},
        {"outcome": "lost", "lost_because": "weather"},
        {"outcome": "booked"},  # by nobody
        {"outcome": "joined"},
        {"said_price": 80},
        {"said_currency": "ILS"},
        {"for_whom": "cat"},
        {"payer": "king"},
        {"call_from": time(9), "call_until": time(12)},  # without being asked whether
        {"may_call_back": False, "call_from": time(9), "call_until": time(12)},
        {"may_call_back": True, "call_from": time(12), "call_until": time(9)},
        {"may_call_back": True, "call_from": time(12)},
    ],
)
def test_an_inquiry_is_not_like_that(fields: dict[str, Any]) -> None:
    refused(lambda: builders.inquiry(**fields))


@pytest.mark.parametrize("said", [{"said_available": True}, {"said_next_at": NOW}])
def test_nothing_is_said_before_the_answer(said: dict[str, Any]) -> None:
    refused(lambda: owed(**said))


def test_one_key_is_one_question_in_its_clinic() -> None:
    clinic = builders.clinic()
    builders.inquiry(clinic, request_key="k")
    builders.inquiry(request_key="k")
    refused(lambda: builders.inquiry(clinic, request_key="k"))


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "wish"},
        {"price": -1},
        {"price": None},  # with a currency
        {"currency": ""},
        {"currency": "XXX"},
    ],
)
def test_an_offering_is_not_like_that(fields: dict[str, Any]) -> None:
    refused(lambda: builders.offering(**fields))


def test_a_batch_is_once_there_and_never_below_nothing() -> None:
    offering: Offering = builders.offering(stock=3)
    refused(lambda: StockBatch.objects.create(offering=offering, number="B1", quantity=1, counted_at=NOW))
    refused(lambda: StockBatch.objects.create(offering=offering, number="B2", quantity=-1, counted_at=NOW))
    refused(lambda: StockBatch.objects.update(quantity=-1))


@pytest.mark.parametrize(
    "fields",
    [{"weekday": 7}, {"start": time(12)}, {"start": time(8), "end": time(8)}, {"end": time(13)}],
)
def test_hours_without_an_appointment_are_not_like_that(fields: dict[str, Any]) -> None:
    given = {"offering": builders.offering(), "weekday": 0, "start": time(8), "end": time(12)}
    WalkInHours.objects.create(**given)
    refused(lambda: WalkInHours.objects.create(**{**given, **fields}))
