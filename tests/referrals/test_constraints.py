"""Each invariant of house.md 10 about referrals and documents, broken on purpose past all Python checks."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from referrals.models import DocumentFile, IncomingDocument, Referral, Result, ReviewPass
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


def refused(write: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        write()


def result(referral: Referral, **fields: object) -> Result:
    given = {
        "document": builders.document(referral.clinic),
        "source_id": "mail-1",
        "version": 1,
        "received_at": NOW,
        **fields,
    }
    return Result.objects.create(referral=referral, **given)


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (Referral, "status"),
        (Referral, "urgency"),
        (IncomingDocument, "source"),
        (IncomingDocument, "status"),
        (Result, "status"),
        (Result, "decision"),
    ],
)
def test_choices_are_checked_by_the_database(model: Any, field: str) -> None:
    result(builders.referral())
    refused(lambda: model.objects.update(**{field: "x"}))


def test_active_referral_has_a_waiting_step() -> None:
    builders.referral()
    refused(lambda: Referral.objects.update(step=None))
    Referral.objects.update(status="revoked")
    assert Referral.objects.update(step=None) == 1


def test_referral_code_is_once_in_the_whole_organisation() -> None:
    first = builders.referral()
    refused(lambda: builders.referral(code=first.code))


def test_request_key_makes_one_referral_per_clinic() -> None:
    first = builders.referral(request_key="form-1")
    builders.referral(request_key="form-1")  # another clinic
    refused(lambda: builders.referral(first.patient, request_key="form-1"))
    builders.referral(first.patient)
    builders.referral(first.patient)  # without a key any number


def test_document_is_once_per_source() -> None:
    builders.document(source_id="mail-a")
    builders.document(source_id="mail-a", source="upload")
    refused(lambda: builders.document(source_id="mail-a"))


def test_received_document_is_on_the_matchers_clock() -> None:
    refused(lambda: builders.document(match_from=None))


def test_matched_document_names_its_referral() -> None:
    document = builders.document()
    refused(lambda: IncomingDocument.objects.filter(pk=document.pk).update(status="matched"))


def test_unmatched_document_has_an_owner_and_a_clock() -> None:
    document = builders.document()
    refused(lambda: IncomingDocument.objects.filter(pk=document.pk).update(status="unmatched"))


def test_rejected_document_says_why() -> None:
    document = builders.document()
    refused(lambda: IncomingDocument.objects.filter(pk=document.pk).update(status="rejected"))


def test_file_has_its_own_place_in_a_document() -> None:
    document = builders.document()

    def add() -> None:
        DocumentFile.objects.create(
            document=document, position=1, content_type="application/pdf", size=1, content="documents/x.pdf"
        )

    add()
    refused(add)


def test_result_version_is_once() -> None:
    referral = builders.referral()
    result(referral)
    result(referral, version=2)
    refused(lambda: result(referral, version=2))


def test_result_is_decided_exactly_when_it_has_a_time() -> None:
    result(builders.referral())
    refused(lambda: Result.objects.update(decision="treat"))
    refused(lambda: Result.objects.update(decided_at=NOW))
    assert Result.objects.update(decision="treat", decided_at=NOW) == 1


def a_pass(**fields: object) -> ReviewPass:
    given = {"by": builders.user(), "to": builders.user(), "made_at": NOW, **fields}
    return ReviewPass.objects.create(**{"review": builders.step(kind="review"), **given})


def test_a_review_has_one_open_pass() -> None:
    first = a_pass()
    refused(lambda: a_pass(review=first.review))
    ReviewPass.objects.update(answer="given_back", answered_at=NOW)
    a_pass(review=first.review)


def test_a_pass_is_answered_exactly_when_it_has_a_time() -> None:
    a_pass()
    refused(lambda: ReviewPass.objects.update(answer="accepted"))
    refused(lambda: ReviewPass.objects.update(answered_at=NOW))
    refused(lambda: ReviewPass.objects.update(answer="x", answered_at=NOW))


def test_nobody_passes_a_review_to_themselves() -> None:
    refused(lambda: a_pass(to=(same := builders.user()), by=same))
