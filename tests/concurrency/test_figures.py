"""The summary of a night names what is amiss: a judge who never finds anything proves nothing."""

from pathlib import Path

import pytest

from outreach.models import AttemptStatus
from tests import builders
from tests.concurrency.figures import IN_ALL, LOST, PERSON, SENT, TWICE, WAITING, Figures, table
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("status", "contacts", "became", "twice"),
    [
        (AttemptStatus.SENT, 1, SENT, 0),
        (AttemptStatus.DELIVERED, 2, SENT, 1),
        (AttemptStatus.SENT, 0, LOST, 0),
        (AttemptStatus.PLANNED, 0, WAITING, 0),
        (AttemptStatus.PLANNED, 1, LOST, 0),
        (AttemptStatus.UNKNOWN, 1, LOST, 0),
    ],
)
def test_what_became_of_a_message(
    status: str, contacts: int, became: str, twice: int, tmp_path: Path
) -> None:
    sent_at = NOW if status in {AttemptStatus.SENT, AttemptStatus.DELIVERED} else None
    attempt, ledger = builders.attempt(status=status, sent_at=sent_at), tmp_path / "ledger"
    ledger.write_text(f"{attempt.reference}\n" * contacts)
    figures = Figures()
    figures.look(ledger, "sms", "dropped after")
    assert {fault for _channel, fault, _row in figures.rows} == {"dropped after", IN_ALL}
    for _channel, _fault, row in figures.rows:
        assert (row["trials"], row["messages"], row[became], row[TWICE]) == (1, 1, 1, twice)


def test_a_person_has_what_nobody_knows(tmp_path: Path) -> None:
    attempt, ledger = builders.attempt(status=AttemptStatus.UNKNOWN), tmp_path / "ledger"
    ledger.write_text(f"{attempt.contact_point.value}\n")
    builders.step(attempt.task.step.journey, kind="call", about=attempt.task.step)
    figures = Figures()
    figures.look(ledger, "sms", "dropped after")
    assert {row[PERSON] for _channel, _fault, row in figures.rows} == {1}


def test_a_key_that_the_provider_knows_makes_a_repetition_the_same_contact(tmp_path: Path) -> None:
    attempt, ledger = builders.attempt(status=AttemptStatus.SENT, sent_at=NOW), tmp_path / "ledger"
    ledger.write_text(f"{attempt.reference}\n" * 2)
    figures = Figures()
    figures.look(ledger, "sms", "killed", honours=True)
    assert {row[TWICE] for _channel, _fault, row in figures.rows} == {0}


def test_a_line_for_each_channel_and_fault_and_one_for_all() -> None:
    row = {"trials": 1, "messages": 2, SENT: 1, PERSON: 1, TWICE: 0}
    rows = [(channel, fault, row) for channel in ("sms", "voice") for fault in ("429", IN_ALL)]
    head, *lines = table([*rows, *rows])
    assert [line.split()[:2] for line in lines[:4]] == [
        ["sms", "429"],
        ["sms", "in"],
        ["voice", "429"],
        ["voice", "in"],
    ]
    assert lines[-1].split() == ["in", "all", "4", "8", "4", "4", "0", "0", "0"]
    assert head.split()[0] == "channel"
