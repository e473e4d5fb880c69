"""What a cell is read by, and what is wrong with it before that is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from clinic_journey.importing.values import clean, one_word
from patients.models import Clinic


@dataclass(frozen=True)
class Terms:
    """By what the cells of one import are read."""

    clinic: Clinic
    date_order: str
    today: date


@dataclass(frozen=True)
class Fault:
    """A problem before it is stored."""

    code: str
    field: str
    found: str = ""
    detail: str = ""


def word(cells: Mapping[str, str], name: str, known: dict[str, str], faults: list[Fault]) -> str:
    text = clean(cells.get(name, ""))
    code = one_word(text, known)
    if text and not code:
        faults.append(Fault(f"{name.removesuffix('_2')}_unknown", name, text))
    return code
