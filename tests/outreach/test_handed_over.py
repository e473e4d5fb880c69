"""What a person reads where the machine stops: what it is about, and what to do."""

import pytest

from journeys.models import Step, StepKind
from outreach.followup import HandOver, hand_over
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


def test_an_apology_that_cannot_be_said_any_more_names_what_we_are_late_with() -> None:
    late = builders.step(kind=StepKind.REVIEW)
    promise = builders.step(late.journey, kind=StepKind.PROMISE, about=late)
    asked = hand_over(builders.task(promise), HandOver.NO_WORDS, now=NOW)
    assert asked
    assert asked.names["en"] == (
        f"We are late with “{late.name}”: what our message was to say is not true any more; call and say how it stands."
    )
    assert Step.objects.get(about=promise).kind == StepKind.CALL


def test_a_promise_in_words_is_named_by_them() -> None:
    promise = builders.step(kind=StepKind.PROMISE, title="The price of the crown")
    asked = hand_over(builders.task(promise), HandOver.NOT_KNOWN, now=NOW)
    assert asked
    assert asked.names["en"].startswith("The price of the crown: ")
