import pytest
from django.core.management import call_command
from django.utils import timezone, translation

from clinic_journey.history_words import ENDED_AS, detail_words
from journeys.models import EventKind, StepEvent, StepTemplate


@pytest.mark.parametrize(
    ("kind", "detail", "words"),
    [
        (EventKind.COMPLETED, "kept", "Done as promised"),
        (EventKind.COMPLETED, "treat", "Treat, keep the held visit"),
        (EventKind.COMPLETED, "no_show", "Did not come"),
        (EventKind.COMPLETED, "not_this_time", "Not at this time"),
        (EventKind.CANCELLED, "not_needed", "Not needed"),
        (EventKind.CANCELLED, "asked for by phone", "asked for by phone"),
        (EventKind.ESCALATED, "manager", "Manager"),
        (EventKind.REASSIGNED, "Yael Cohen", "Yael Cohen"),
        (EventKind.DEADLINE_MOVED, "2026-03-10T07:00:00+00:00", "Tue 10 March, 09:00"),
        (EventKind.SNOOZED, "next week", "next week"),
        (EventKind.CONTACTED, "held_visit", ""),
        (EventKind.CHASED, "where are my images?", "where are my images?"),
    ],
)
def test_the_history_is_told_in_words(kind: EventKind, detail: str, words: str) -> None:
    with timezone.override("Asia/Jerusalem"):
        assert detail_words(StepEvent(kind=kind, detail=detail)) == words


@pytest.mark.django_db
def test_every_outcome_of_a_shipped_journey_has_words() -> None:
    call_command("load_catalogue", verbosity=0)
    outcomes = {code for step in StepTemplate.objects.all() for code in step.outcomes}
    assert outcomes
    assert outcomes - set(ENDED_AS) == set()


def test_words_are_the_readers() -> None:
    with translation.override("he"):
        assert detail_words(StepEvent(kind=EventKind.ESCALATED, detail="manager")) == "מנהל"
