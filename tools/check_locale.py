"""Is every string translated, in every language, and is what is compiled the same as what is written?

The sources are copied aside and their strings collected anew, so nothing in locale/ is touched. A machine
without gettext is told so and passes; with REQUIRE_SERVICES=1 (CI) it fails.
"""

import gettext
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("he", "ru", "ar")
HEADER = 'msgid ""\nmsgstr'
NOT_SOURCE = shutil.ignore_patterns(
    ".*", "var", "tests", "bench", "tools", "docs", "static", "media", "__pycache__", "*.mo"
)


def catalogue(root: Path, language: str) -> Path:
    return root / "locale" / language / "LC_MESSAGES" / "django.po"


def collect_anew(copy: Path) -> None:
    shutil.copytree(ROOT, copy, ignore=NOT_SOURCE)
    languages = [argument for language in LANGUAGES for argument in ("--locale", language)]
    command = [sys.executable, "manage.py", "makemessages", "--no-location", "--no-obsolete", *languages]
    # The pot file and the progress it prints are of no interest; its complaints are.
    environment = os.environ | {"VAR_DIR": str(copy / "var")}
    subprocess.run(command, cwd=copy, check=True, stdout=subprocess.DEVNULL, env=environment)


def entries(path: Path, *, kind: str) -> list[str]:
    """The strings of the catalogue that are `untranslated` or `only-fuzzy`."""
    command = ["msgattrib", f"--{kind}", "--no-obsolete", "--no-wrap", str(path)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    strings = (block[block.index("msgid ") :] for block in text.split("\n\n") if "msgid " in block)
    return [string.partition("\nmsgstr")[0] for string in strings if not string.startswith(HEADER)]


def compiled_is_stale(written: Path, scratch: Path) -> bool:
    """Compare what the two say, not their bytes: those differ between versions of msgfmt."""
    committed = written.with_suffix(".mo")
    fresh = scratch / "fresh.mo"
    subprocess.run(["msgfmt", "--check-format", "-o", str(fresh), str(written)], check=True)
    return not committed.exists() or said_by(committed) != said_by(fresh)


def said_by(path: Path) -> dict[object, str]:
    with path.open("rb") as file:
        catalog: dict[object, str] = vars(gettext.GNUTranslations(file))["_catalog"]
    return {key: text for key, text in catalog.items() if key != ""}


def breaches(scratch: Path) -> Iterator[str]:
    copy = scratch / "copy"
    collect_anew(copy)
    for language in LANGUAGES:
        written = catalogue(ROOT, language)
        if not written.exists():
            yield f"{written.relative_to(ROOT)} is missing: run make locale and translate it"
            continue
        for kind, words in (("untranslated", "is not translated"), ("only-fuzzy", "has only a guess")):
            for message in entries(catalogue(copy, language), kind=kind):
                yield f"{language}: {message} {words}: run make locale, then write it"
        if compiled_is_stale(written, scratch):
            yield f"{written.with_suffix('.mo').relative_to(ROOT)} is older than its source: run make locale"


def main() -> int:
    if shutil.which("xgettext") is None:
        print("The translations were not checked: gettext is missing (Debian: apt install gettext).")
        return 1 if os.environ.get("REQUIRE_SERVICES") == "1" else 0
    with tempfile.TemporaryDirectory() as scratch:
        found = list(breaches(Path(scratch)))
    for breach in found:
        print(breach)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
