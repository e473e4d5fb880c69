"""Which step keeps a calling patient waiting: a table of cases."""

from datetime import timedelta

import pytest

from journeys.fault import OpenStep, step_at_fault
from tests.conftest import NOW

HOUR = timedelta(hours=1)


def step(key: int, kind: str, due: int, owner: str = "receptionist", *, told: bool = False) -> OpenStep:
    return OpenStep(key, kind, owner, NOW + HOUR * due, told)


@pytest.mark.parametrize(
    ("steps", "at_fault"),
    [
        pytest.param([], None, id="nothing open"),
        pytest.param([step(1, "review", 4, "doctor")], 1, id="the doctor has it, still in time"),
        pytest.param(
            [step(1, "review", -2, "doctor"), step(2, "tell", -5)], 2, id="the most overdue of ours"
        ),
        pytest.param(
            [step(1, "await_patient", -40, "patient"), step(2, "await_result", 9, "partner")],
            2,
            id="never the patient's own step, however late",
        ),
        pytest.param([step(1, "visit", -9), step(2, "recall", 900)], None, id="a visit and a far check-up"),
        pytest.param(
            [step(1, "await_result", 2, "partner"), step(2, "tell", 3), step(3, "review", 1, "doctor")],
            2,
            id="nothing late: the news she waits for before the decision and the result",
        ),
        pytest.param(
            [step(1, "tell", 1), step(2, "promise", 8)], 2, id="nothing late: what we promised comes first"
        ),
        pytest.param([step(1, "confirm", -3)], 1, id="decided and not told"),
        pytest.param(
            [step(1, "confirm", -3, told=True)], None, id="decided and told: the patient has the next word"
        ),
        pytest.param([step(1, "review", 0, "doctor"), step(2, "tell", 1)], 1, id="due now is late"),
        pytest.param([step(2, "tell", -1), step(1, "tell", -1)], 1, id="equally late: the older"),
    ],
)
def test_the_step_at_fault(steps: list[OpenStep], at_fault: int | None) -> None:
    found = step_at_fault(steps, now=NOW)
    assert (found.key if found else None) == at_fault
