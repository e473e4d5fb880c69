"""The one line of the caller card, and the words for when she had to ask: a table of true states."""

from datetime import UTC, datetime

import pytest
from django.utils import translation

from clinic_journey.caller_line import Clock, Story, apology, line
from tests.clocks import local

# Thursday 13 November 2025, 16:42 in Jerusalem.
NOW = datetime(2025, 11, 13, 14, 42, tzinfo=UTC)
CLOCK = Clock(NOW, "Asia/Jerusalem")
WEDNESDAY = local("2025-11-12 09:14")
HELD = {"visit_at": local("2025-11-18 14:30"), "is_held": True}


@pytest.fixture(autouse=True)
def _english() -> object:
    with translation.override("en"):
        yield


@pytest.mark.parametrize(
    ("story", "said"),
    [
        pytest.param(
            Story(expected_at=local("2025-11-16 12:00"), **HELD),  # type: ignore[arg-type]
            "Nothing has arrived yet, your results are expected by Sunday 12:00; "
            "Tuesday 18 November 14:30 is kept for you.",
            id="nothing arrived yet",
        ),
        pytest.param(
            Story(expected_at=local("2025-11-10 12:00")),
            "Your results were expected by Monday 12:00, have not arrived, and we are asking for them.",
            id="the institute is late",
        ),
        pytest.param(
            Story(arrived_at=WEDNESDAY, doctor="Dr Cohen", decides_by=local("2025-11-13 18:00")),
            "Your results arrived yesterday 09:14, Dr Cohen has it and decides by 18:00.",
            id="the doctor has it until",
        ),
        pytest.param(
            Story(arrived_at=local("2025-11-11 09:14"), decides_by=local("2025-11-12 18:00"), **HELD),  # type: ignore[arg-type]
            "Your results arrived Tuesday 09:14, the doctor was to decide by yesterday 18:00 and is late; "
            "Tuesday 18 November 14:30 is kept for you.",
            id="the doctor is late",
        ),
        pytest.param(
            Story(
                arrived_at=WEDNESDAY,
                decided_at=local("2025-11-13 16:02"),
                untold_since=local("2025-11-13 16:02"),
                promised_by=local("2025-11-13 18:00"),
                **HELD,  # type: ignore[arg-type]
            ),
            "Your results arrived yesterday 09:14, the doctor decided today 16:02, we have not told you yet, "
            "we promised you an answer by 18:00; Tuesday 18 November 14:30 is kept for you.",
            id="decided and not told, with a promise",
        ),
        pytest.param(
            Story(
                arrived_at=WEDNESDAY,
                decided_at=local("2025-11-13 10:00"),
                told_at=local("2025-11-13 12:00"),
                visit_at=local("2025-11-18 14:30"),
            ),
            "Your results arrived yesterday 09:14, the doctor decided today 10:00, we told you today 12:00; "
            "Tuesday 18 November 14:30 is booked for you.",
            id="decided, told and booked",
        ),
        pytest.param(
            Story(promised_by=local("2025-11-13 12:00")),
            "We promised you an answer by today 12:00 and are late.",
            id="a broken promise",
        ),
        pytest.param(
            Story(next_by=local("2025-11-14 12:00")), "You hear from us by tomorrow 12:00.", id="ours next"
        ),
        pytest.param(
            Story(next_by=local("2025-10-14 12:00")),
            "You were to hear from us by Tuesday 14 October 12:00 and we are late.",
            id="ours and late",
        ),
        pytest.param(
            Story(check_up_at=local("2026-05-10 12:00")),
            "Nothing is open; your next check-up is in May.",
            id="nothing but a far check-up",
        ),
        pytest.param(
            Story(check_up_at=local("2025-11-20 12:00")),
            "Nothing is open; your next check-up is due by Thursday 20 November 12:00.",
            id="a near check-up",
        ),
        pytest.param(
            Story(visit_at=local("2025-11-18 14:30")),
            "Tuesday 18 November 14:30 is booked for you.",
            id="a visit",
        ),
        pytest.param(Story(), "Nothing is open with us.", id="nothing at all"),
    ],
)
def test_one_line_that_can_be_read_aloud(story: Story, said: str) -> None:
    assert line(story, CLOCK) == said


@pytest.mark.parametrize(
    ("story", "said"),
    [
        pytest.param(
            Story(arrived_at=local("2025-11-11 09:14"), decides_by=local("2025-11-13 18:00")),
            "You are right: it reached us Tuesday 09:14 and it was for us to call. Sorry. "
            "The doctor decides by 18:00, and then we call you.",
            id="we have had it for days",
        ),
        pytest.param(
            Story(arrived_at=WEDNESDAY, promised_by=local("2025-11-13 12:00")),
            "You are right: we promised you an answer by today 12:00 and it did not come. Sorry. "
            "This is what happens now, and by when you hear from us:",
            id="a broken promise comes before everything",
        ),
        pytest.param(
            Story(expected_at=local("2025-11-10 12:00"), promised_by=local("2025-11-13 18:00")),
            "You are right: it has not reached us yet, and it was for us to tell you. Sorry. "
            "You hear from us by 18:00.",
            id="nothing arrived, and promised since",
        ),
        pytest.param(
            Story(next_by=local("2025-11-16 12:00")),
            "You are right: it was for us to call. Sorry. You hear from us by Sunday 12:00.",
            id="ours to call",
        ),
    ],
)
def test_the_words_for_a_patient_who_had_to_ask(story: Story, said: str) -> None:
    assert apology(story, CLOCK) == said


def test_the_most_pressing_story_comes_first() -> None:
    in_order = [
        Story(promised_by=local("2025-11-13 12:00")),
        Story(decides_by=local("2025-11-12 18:00")),
        Story(untold_since=local("2025-11-13 16:02")),
        Story(promised_by=local("2025-11-13 18:00")),
        Story(decides_by=local("2025-11-13 18:00")),
        Story(expected_at=local("2025-11-16 12:00")),
        Story(next_by=local("2025-11-14 12:00")),
        Story(visit_at=local("2025-11-18 14:30")),
        Story(check_up_at=local("2026-05-10 12:00")),
    ]
    shuffled = [in_order[n] for n in (8, 2, 5, 0, 7, 3, 6, 1, 4)]
    assert sorted(shuffled, key=lambda story: story.pressing(NOW)) == in_order
