"""The gaps of a journey in order: by how long patients waited beyond the standard, or by what may be lost there."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from clinic_journey.reports.map import Line
from clinic_journey.reports.map_open import OpenNow
from clinic_journey.reports.money import ONE_DAY, Risk, Worth, lost_by_age
from clinic_journey.reports.money_models import VisitValue
from clinic_journey.reports.money_range import by_age, in_all
from clinic_journey.reports.stages import Edge
from clinic_journey.reports.stuck_asked import BY_MONEY, Asked
from patients.models import Clinic


@dataclass(frozen=True)
class Gap:
    """One edge on which somebody waits beyond the standard, left, or waits for a visit that may be lost."""

    line: Line
    risk: Risk | None  # None: nobody has said what a visit is worth
    query: str  # what the list of its names is asked for

    @cached_property
    def at_risk(self) -> tuple[Decimal, Decimal]:
        return in_all(self.risk.rows) if self.risk else (Decimal(0), Decimal(0))

    @property
    def over_words(self) -> str:
        return self.line.wording.wait(self.line.over) if self.line.over else "–"


@dataclass(frozen=True)
class Gaps:
    rows: list[Gap]
    whole: Risk | None  # of the journey, each patient once

    @property
    def is_default(self) -> bool:
        return any(gap.risk.is_default for gap in self.rows if gap.risk)


def gaps_of(asked: Asked) -> Gaps:
    """The widest first, or, where that is asked for, the dearest: the middle of the range decides."""
    risks = risks_of(asked.here.clinic, asked.open, now=asked.here.now)
    rows = [
        Gap(line, risks.get((line.source, line.target)), _names(asked, line))
        for line in asked.map.lines
        if line.over or line.lost or (line.source, line.target) in risks
    ]
    return Gaps(sorted(rows, key=_dearest if asked.order == BY_MONEY else _widest), risks.get(WHOLE))


WHOLE: Edge = ("*", "*")


def _widest(gap: Gap) -> tuple[int, int, Decimal]:
    return (-gap.line.over, -gap.line.lost, -sum(gap.at_risk, Decimal(0)))


def _dearest(gap: Gap) -> tuple[Decimal, int, int]:
    return (-sum(gap.at_risk, Decimal(0)), -gap.line.over, -gap.line.lost)


def _names(asked: Asked, line: Line) -> str:
    """Who waits there; where nobody does now, who left there."""
    return asked.query((line.source, line.target), **({} if line.now.open else {"who": "lost"}))


def risks_of(clinic: Clinic, waiting: OpenNow, *, now: datetime) -> dict[Edge, Risk]:
    """By edge, and of all together; nothing until a manager has said what a visit is worth."""
    value = VisitValue.objects.filter(clinic=clinic).first()
    if value is None:
        return {}
    worth, known = Worth(clinic, value), lost_by_age(clinic, now=now)
    waits: dict[Edge, list[tuple[float, Decimal]]] = {WHOLE: []}
    for journey, each in waiting.before_visit.items():
        case = ((now - each.since) / ONE_DAY, worth.of(journey))
        waits.setdefault(each.edge, []).append(case)
        waits[WHOLE].append(case)
    return {edge: Risk(value, by_age(cases, known)) for edge, cases in waits.items()}
