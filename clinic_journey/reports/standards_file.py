"""Reads the shipped standards: TOML to plain dataclasses, or every fault that the file has."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clinic_journey.reports.standards_measures import MEASURES
from clinic_journey.reports.standards_models import LONGEST, Foundation
from journeys.deadlines import Limit, parse_limit

SHIPPED = Path(__file__).parent / "standards.toml"
FIELDS = {"measure", "source", "limit", "goal", "foundation", "name", "routine"}
LANGUAGES = {"en", "he", "ru", "ar"}


class StandardsError(Exception):
    """One or more faults of the file, each naming its standard."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class StandardSpec:
    key: str
    measure: str
    source: str
    limit: Limit | None
    goal: int
    foundation: int
    names: Mapping[str, str]
    routines: Mapping[str, str]


def read_standards(path: Path = SHIPPED) -> list[StandardSpec]:
    """All standards of the file in its order; none while any has a fault."""
    tables = tomllib.loads(path.read_text(encoding="utf-8")).get("standards", {})
    faults = [f"{key}: {fault}" for key, table in tables.items() for fault in _faults(table)]
    if faults:
        raise StandardsError(faults)
    return [_spec(key, table) for key, table in tables.items()]


def _faults(table: Mapping[str, Any]) -> Iterator[str]:
    for field in sorted(table.keys() ^ FIELDS - {"limit"}):
        if field != "limit":
            yield f"{field!r} is {'unknown' if field in table else 'missing'}"
    yield from _faults_of_measure(table)
    if table.get("foundation") not in Foundation.values:
        yield "foundation is a number from 1 to 9"
    if table.get("goal") not in range(1, 101):
        yield "goal is a percentage from 1 to 100"
    for words in ("name", "routine"):
        if missing := LANGUAGES - set(table.get(words, {})):
            yield f"{words} lacks {', '.join(sorted(missing))}"
    if "limit" in table:
        yield from _faults_of_limit(str(table["limit"]))


def _faults_of_measure(table: Mapping[str, Any]) -> Iterator[str]:
    measure = MEASURES.get(table.get("measure", ""))
    if measure is None:
        yield f"no measure is called {table.get('measure')!r}"
    elif table.get("source") != measure.source:
        yield f"its measure is asked about after {measure.source.value!r}, not {table.get('source')!r}"
    elif measure.has_limit != ("limit" in table):
        yield "its measure needs a limit" if measure.has_limit else "its measure takes no limit"


def _faults_of_limit(text: str) -> Iterator[str]:
    try:
        limit = parse_limit(text)
    except ValueError as error:
        yield str(error)
        return
    if limit.amount > LONGEST.get(limit.unit, 0):
        yield f"{text!r} is longer than anything that is looked back for"


def _spec(key: str, table: Mapping[str, Any]) -> StandardSpec:
    return StandardSpec(
        key,
        table["measure"],
        table["source"],
        parse_limit(table["limit"]) if "limit" in table else None,
        table["goal"],
        table["foundation"],
        table["name"],
        table["routine"],
    )
