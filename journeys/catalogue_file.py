"""Reads catalogue files: TOML to plain dataclasses, or a list of what is wrong and on which line."""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from journeys import routing
from journeys.deadlines import Limit, Unit, parse_limit

FIELDS = {
    "kind", "owner", "limit", "escalates_to", "entry", "joins", "contact", "contact_lead", "message",
    "late_message", "told_outcome", "needs_answer", "max_attempts", "outcomes", "after", "closed_by",
    "name", "patient_name",
}  # fmt: skip
REQUIRED = ("kind", "owner", "limit", "outcomes", "name")
LEAD_MINUTES = {Unit.MINUTES: 1, Unit.HOURS: 60, Unit.DAYS: 24 * 60}


class CatalogueError(Exception):
    """One or more faults of a catalogue file, each as "file:line: what is wrong"."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class StepSpec:
    key: str
    given: Mapping[str, Any]
    limit: Limit
    lead_minutes: int

    def outcomes(self) -> list[str]:
        return list(self.given["outcomes"])


@dataclass(frozen=True)
class TemplateSpec:
    key: str
    names: Mapping[str, str]
    follow_up: str
    steps: tuple[StepSpec, ...]
    edges: tuple[routing.Edge, ...]
    checksum: str


def read_folder(folder: Path, allowed: Mapping[str, set[str]]) -> list[TemplateSpec]:
    """All files of a folder, or CatalogueError with every fault; `allowed` has kinds, roles and contacts."""
    faults: list[str] = []
    raw: dict[str, tuple[Path, str, dict[str, Any]]] = {}
    for path in sorted(folder.glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            faults.append(f"{path.name}:{_line_in(str(error))}: {error}")
            continue
        raw[str(data.get("key", path.stem))] = (path, text, data)
    specs = []
    for path, text, data in raw.values():
        reader = _Reader(path, text, _extended(data, raw), allowed)
        spec = reader.read()
        faults += reader.faults
        if spec:
            specs.append(spec)
    if faults:
        raise CatalogueError(faults)
    return specs


def _line_in(message: str) -> str:
    found = re.search(r"line (\d+)", message)
    return found.group(1) if found else "1"


def _extended(data: dict[str, Any], raw: Mapping[str, tuple[Path, str, dict[str, Any]]]) -> dict[str, Any]:
    """The file itself over the one it extends, step by step and field by field."""
    base = raw.get(data.get("extends", ""))
    if base is None:
        return data
    steps = {key: dict(step) for key, step in base[2].get("steps", {}).items()}
    for key, step in data.get("steps", {}).items():
        steps[key] = {**steps.get(key, {}), **step}
    return {**base[2], **data, "steps": steps}


class _Reader:
    def __init__(self, path: Path, text: str, data: dict[str, Any], allowed: Mapping[str, set[str]]) -> None:
        self.path, self.lines, self.data, self.allowed = path, text.splitlines(), data, allowed
        self.faults: list[str] = []

    def fault(self, message: str, *, step: str = "", field: str = "") -> None:
        self.faults.append(f"{self.path.name}:{self._line(step, field)}: {message}")

    def _line(self, step: str, field: str) -> int:
        """The line of a field inside a step's table; the table's head, or 1, when it is not there."""
        head = 1
        for number, line in enumerate(self.lines, start=1):
            if step and line.strip() == f"[steps.{step}]":
                head = number
            elif line.startswith("[") and head > 1:
                break
            elif field and (head > 1 or not step) and re.match(rf"\s*{re.escape(field)}\s*=", line):
                return number
        return head

    def read(self) -> TemplateSpec | None:
        key = self.data.get("key")
        if not key or not isinstance(key, str):
            self.fault('the file needs a key, e.g. key = "recall"')
            return None
        if "extends" in self.data and "steps" not in self.data:
            self.fault(f"extends {self.data['extends']!r}, which is not in this folder", field="extends")
        self._check_names("name of the journey", self.data.get("name"), field="name")
        tables = self.data.get("steps", {})
        steps = [spec for name, table in tables.items() if (spec := self._step(name, table))]
        edges = tuple(self._edges(tables))
        if not self.faults:
            self._check_graph(steps, edges)
        if self.faults:
            return None
        return TemplateSpec(
            key, self.data["name"], self.data.get("follow_up", ""), tuple(steps), edges, _checksum(self.data)
        )

    def _step(self, name: str, table: dict[str, Any]) -> StepSpec | None:
        before = len(self.faults)
        for field in table.keys() - FIELDS:
            self.fault(f"step {name!r} has an unknown field {field!r}", step=name, field=field)
        for field in REQUIRED:
            if field not in table:
                self.fault(f"step {name!r} needs {field!r}", step=name)
        for field, choices in (
            ("kind", "kinds"),
            ("owner", "roles"),
            ("escalates_to", "roles"),
            ("contact", "contacts"),
        ):
            value = table.get(field, "")
            if value and value not in self.allowed[choices]:
                known = ", ".join(sorted(self.allowed[choices] - {""}))
                self.fault(f"{field} {value!r} is not one of: {known}", step=name, field=field)
        if table.get("contact") and not table.get("message"):
            self.fault(f"step {name!r} contacts the patient but names no message", step=name, field="contact")
        self._check_names(f"name of step {name!r}", table.get("name"), step=name, field="name")
        limit = self._limit(name, table, "limit")
        lead = self._limit(name, table, "contact_lead") if "contact_lead" in table else Limit(0, Unit.MINUTES)
        if lead and lead.unit not in LEAD_MINUTES:
            self.fault("contact_lead takes minutes, hours or days", step=name, field="contact_lead")
        if len(self.faults) > before or limit is None or lead is None:
            return None
        return StepSpec(name, table, limit, lead.amount * LEAD_MINUTES[lead.unit])

    def _limit(self, name: str, table: dict[str, Any], field: str) -> Limit | None:
        try:
            return parse_limit(str(table.get(field, "")))
        except ValueError as error:
            if field in table:
                self.fault(str(error), step=name, field=field)
            return None

    def _check_names(self, what: str, names: object, *, step: str = "", field: str = "") -> None:
        if not isinstance(names, dict) or not names.get("en"):
            self.fault(f'the {what} needs at least English: name = {{ en = "..." }}', step=step, field=field)

    def _edges(self, tables: dict[str, dict[str, Any]]) -> list[routing.Edge]:
        edges = []
        for name, table in tables.items():
            for before in table.get("after", []):
                if not isinstance(before, dict) or "step" not in before:
                    self.fault(
                        'after takes a list of { step = "...", outcome = "..." }', step=name, field="after"
                    )
                    continue
                edges.append(routing.Edge(before["step"], name, before.get("outcome", ""), "opens"))
            edges += [routing.Edge(closer, name, "", "closes") for closer in table.get("closed_by", [])]
        return edges

    def _check_graph(self, steps: list[StepSpec], edges: tuple[routing.Edge, ...]) -> None:
        nodes = tuple(
            routing.Node(
                step.key,
                bool(step.given.get("entry")),
                step.given.get("joins", "any"),
                frozenset(step.outcomes()),
            )
            for step in steps
        )
        for problem in routing.problems(routing.Graph(nodes, edges)):
            named = next((step.key for step in steps if f"'{step.key}'" in problem), "")
            self.fault(problem, step=named)


def _checksum(data: dict[str, Any]) -> str:
    return hashlib.sha256(repr(data).encode()).hexdigest()
