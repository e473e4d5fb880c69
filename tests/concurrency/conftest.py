"""The summary of a night, judged by the ledgers outside the product."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.concurrency.figures import Figures, table


@pytest.fixture
def figures(transactional_db: None, record_property: Callable[[str, object], None]) -> Iterator[Figures]:
    figures = Figures()
    yield figures
    figures.last()
    record_property("figures", figures.rows)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Seed by seed, so that a night that is ended early has tried everything equally often.

    What has no seed is made once, and first: the backlog takes longest, and the seeds go on beside it.
    """
    if os.environ.get("NIGHTLY"):
        items.sort(key=_seed)


def _seed(item: pytest.Item) -> int:
    made_of: Any = getattr(item, "callspec", None)
    seed: int = made_of.params.get("seed", -1) if made_of else -1
    return seed


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A trial that failed counts with what was seen of it."""
    if not os.environ.get("NIGHTLY"):
        return
    reports = [each for group in terminalreporter.stats.values() for each in group]
    kept = [value for each in reports for name, value in _properties(each) if name == "figures"]
    terminalreporter.section("what became of the messages")
    for line in table(row for rows in kept for row in rows):
        terminalreporter.write_line(line)


def _properties(report: Any) -> list[tuple[str, Any]]:
    """Those of the last report of each test, which has them all."""
    return report.user_properties if getattr(report, "when", "") == "teardown" else []
