"""What her answers teach: only from enough of them, and only where they agree."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from outreach.learned import Learned, Try, learn
from tests.conftest import NOW

ZONE = "Asia/Jerusalem"
MORNING = NOW  # 10:00 in Jerusalem
EVENING = NOW + timedelta(hours=8)  # 18:00


def call(at: datetime, *, answered: bool) -> Try:
    return Try("phone", at, answered)


def message(at: datetime, *, answered: bool) -> Try:
    return Try("sms", at, answered)


@pytest.mark.parametrize(
    ("tries", "learned"),
    [
        ([], Learned()),
        ([call(EVENING, answered=True)] * 2, Learned(None, 0, 2)),
        ([call(EVENING, answered=True)] * 3, Learned((16, 20), 3, 3)),
        ([call(EVENING, answered=True)] * 3 + [call(MORNING, answered=True)], Learned((16, 20), 3, 4)),
        ([call(EVENING, answered=True)] * 3 + [call(MORNING, answered=True)] * 2, Learned(None, 0, 5)),
        ([call(EVENING, answered=False)] * 9, Learned()),
        (
            [message(EVENING, answered=True)] * 3 + [call(MORNING, answered=False)] * 3,
            Learned((16, 20), 3, 3, "message"),
        ),
        (
            [message(EVENING, answered=True)] * 3 + [call(MORNING, answered=False)] * 2,
            Learned((16, 20), 3, 3),
        ),
        (
            [message(MORNING, answered=False)] * 3 + [call(MORNING, answered=True)] * 3,
            Learned((8, 12), 3, 3, "phone"),
        ),
        (
            [message(EVENING, answered=True)] * 3
            + [call(MORNING, answered=False)] * 5
            + [call(EVENING, answered=True)],
            Learned((16, 20), 4, 4),
        ),
    ],
)
def test_learned(tries: list[Try], learned: Learned) -> None:
    assert learn(tries, zone=ZONE) == learned
    assert bool(learned) == bool(learned.band or learned.by)


@given(
    st.lists(
        st.builds(
            Try,
            st.sampled_from(["phone", "sms", "email"]),
            st.integers(0, 200).map(lambda hours: NOW + timedelta(hours=hours)),
            st.booleans(),
        )
    )
)
def test_nothing_is_learned_from_less_than_three_answers(tries: list[Try]) -> None:
    learned = learn(tries, zone=ZONE)
    answers = sum(each.answered for each in tries)
    assert learned.answers == answers
    assert learned.in_band <= answers
    if learned:
        assert answers >= 3
