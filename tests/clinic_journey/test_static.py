"""The front-end files keep their promises: vendored as listed, readable colours, a small patient page."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOKEN = re.compile(r"--([a-z-]+): light-dark\((#[0-9a-f]{3,6}), (#[0-9a-f]{3,6})\)")
GROUNDS = ("ground", "surface", "sunk", "accent-soft")


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    channels = (int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    darker, lighter = sorted((luminance(first), luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def tokens(theme: int) -> dict[str, str]:
    text = (ROOT / "static" / "css" / "tokens.css").read_text()
    return {found[1]: found[2 + theme] for found in TOKEN.finditer(text)}


PAIRS = [
    *((text, ground) for text in ("ink", "ink-soft", "accent") for ground in GROUNDS),
    *(("ink-faint", ground) for ground in ("ground", "surface", "sunk")),
    *((state, f"{state}-soft") for state in ("late", "due", "held", "done")),
    *((state, ground) for state in ("late", "due", "held", "done") for ground in ("ground", "surface")),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_colour_is_readable_on_its_ground(text: str, ground: str, theme: int) -> None:
    colours = tokens(theme)
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_control_edge_stands_out_from_the_page(theme: int) -> None:
    colours = tokens(theme)
    assert min(contrast(colours["edge"], colours[ground]) for ground in ("ground", "surface")) >= 3


def test_patient_page_styles_stay_small() -> None:
    assert (ROOT / "static" / "css" / "public.css").stat().st_size < 12_000


def test_vendored_files_are_exactly_those_listed() -> None:
    command = [sys.executable, str(ROOT / "tools" / "vendor_assets.py"), "--check"]
    checked = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (checked.stderr, checked.returncode) == ("", 0)
