"""The house rules that no linter knows: sizes, one vocabulary of excuses, templates and styles.

Prints each breach as `file:line: what and what instead` and ends with 1 if there is any.
"""

import ast
import re
import statistics
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = {".venv", ".git", "var", "vendor", "migrations", "__pycache__"}
PRODUCT = ("appointments", "clinic_journey", "inquiries", "journeys", "outreach", "patients", "referrals")
FILE_LINES_MAX, FILE_LINES_USUAL, FILE_LINES_MEDIAN = 500, 350, 100
FUNCTION_LINES_MAX, FUNCTION_LINES_USUAL, FUNCTION_LINES_MEDIAN = 60, 35, 8
PAGE_LINES_MAX, PART_LINES_MAX = 200, 60
VAGUE_NAMES = {"common", "core", "helpers", "manager", "managers", "misc", "services", "utils"}
LATE_IMPORT = re.compile(r"#\s*noqa:.*PLC0415")
LATE_IMPORT_REASONS = ("slow import", "app ready", "optional dependency")

# Text that may not appear, by kind of file, and what to write instead.
PYTHON_BANS = (
    (re.compile(r"\bauto_now(_add)?="), "the caller passes the time: no auto_now fields"),
    (re.compile(r"\bATOMIC_REQUESTS\s*="), "actions open their own transactions: no ATOMIC_REQUESTS"),
    (re.compile(r"\bapply_async\(.*\b(eta|countdown)="), "when to act is a column, not a message: no ETA"),
)
TEMPLATE_BANS = (
    (re.compile(r"<style\b|\sstyle="), "the content security policy forbids inline style: use static/css"),
    (
        re.compile(r"<script\b(?![^>]*\bsrc=)"),
        "the content security policy forbids inline script: use static/js",
    ),
    (
        re.compile(r"\son(click|change|submit|load|input|key\w+)="),
        "no inline handlers: use hx-* or static/js",
    ),
)
STYLE_BANS = (
    (
        re.compile(
            r"(?<![\w-])((margin|padding|border)-(left|right)|left|right)\s*:"
            r"|\b(text-align|float|clear)\s*:\s*(left|right)"
        ),
        "half of our readers read from the right: use start and end (logical properties)",
    ),
)


def files(pattern: str, *folders: str) -> list[Path]:
    found = (path for folder in folders for path in (ROOT / folder).rglob(pattern))
    return sorted(path for path in found if not SKIPPED.intersection(path.relative_to(ROOT).parts))


def functions(path: Path) -> Iterator[tuple[int, str, int]]:
    """Yield (line, name, number of lines) of every function; a function holds those defined inside it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            yield node.lineno, node.name, node.end_lineno - node.lineno + 1


def line_count(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def size_breaches(paths: list[Path]) -> Iterator[str]:
    for path in paths:
        name = path.relative_to(ROOT)
        if (lines := line_count(path)) > FILE_LINES_MAX:
            yield f"{name}:1: {lines} lines; divide it, no file has more than {FILE_LINES_MAX}"
        for line, function, length in functions(path):
            if length > FUNCTION_LINES_MAX:
                yield f"{name}:{line}: {function} has {length} lines; the limit is {FUNCTION_LINES_MAX}"
        if path.stem in VAGUE_NAMES:
            yield f"{name}:1: {path.stem!r} says nothing; name the file for what is in it"


def usual_size_breaches(paths: list[Path]) -> Iterator[str]:
    """Most of the product stays small: the limits for the median and for 19 of 20."""
    file_lines = [line_count(path) for path in paths]
    function_lines = [length for path in paths for _line, _name, length in functions(path)]
    limits = (
        ("files", file_lines, FILE_LINES_MEDIAN, FILE_LINES_USUAL),
        ("functions", function_lines, FUNCTION_LINES_MEDIAN, FUNCTION_LINES_USUAL),
    )
    for kind, lengths, median, usual in limits:
        if lengths and statistics.median(lengths) > median:
            yield f"the median of our {kind} has {statistics.median(lengths):g} lines; the limit is {median}"
        if sum(length > usual for length in lengths) > len(lengths) / 20:
            yield f"more than 1 in 20 {kind} has over {usual} lines"


def text_breaches(paths: Iterable[Path], bans: tuple[tuple[re.Pattern[str], str], ...]) -> Iterator[str]:
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            for pattern, cure in bans:
                if pattern.search(line):
                    yield f"{path.relative_to(ROOT)}:{number}: {cure}"


def excuse_breaches(paths: list[Path]) -> Iterator[str]:
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if LATE_IMPORT.search(line) and not any(reason in line for reason in LATE_IMPORT_REASONS):
                yield (
                    f"{path.relative_to(ROOT)}:{number}: a late import needs one of the reasons: "
                    + ", ".join(LATE_IMPORT_REASONS)
                )


def template_size_breaches(paths: list[Path]) -> Iterator[str]:
    for path in paths:
        limit = PART_LINES_MAX if path.name.startswith("_") else PAGE_LINES_MAX
        if (lines := line_count(path)) > limit:
            yield f"{path.relative_to(ROOT)}:1: {lines} lines; include parts, the limit is {limit}"


def contract_breaches() -> Iterator[str]:
    """An app that import-linter is not told about would be bound by no contract at all."""
    told = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"])
    for app in PRODUCT:
        if (ROOT / app / "__init__.py").exists() and app not in told:
            yield f"pyproject.toml:1: add {app!r} to root_packages and to the layers of import-linter"


def main() -> int:
    product = files("*.py", *PRODUCT)
    everything = product + files("*.py", "tests", "bench", "tools")
    templates = files("*.html", "templates")
    breaches = [
        *size_breaches(everything),
        *usual_size_breaches(product),
        *text_breaches(product, PYTHON_BANS),
        *excuse_breaches(everything),
        *text_breaches(templates, TEMPLATE_BANS),
        *template_size_breaches(templates),
        *text_breaches(files("*.css", "static"), STYLE_BANS),
        *contract_breaches(),
    ]
    for breach in breaches:
        print(breach)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
