"""Fetch the vendored front-end files again, exactly as static/vendor/vendor.json lists them.

    python tools/vendor_assets.py            fetch with `npm pack`, refuse any file whose sha256 differs
    python tools/vendor_assets.py --accept   the same, but write the new sha256 (after raising a version)
    python tools/vendor_assets.py --check    compare the files on disk with the list; no network

A file without "from" is kept by hand (a licence text its package does not carry).
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"
LISTING = VENDOR / "vendor.json"
# The maps are not shipped, and Django's manifest storage fails on a reference to a file that is missing.
SOURCE_MAP = re.compile(rb"\n?(/\*# sourceMappingURL=[^*]*\*/|//# sourceMappingURL=\S*)\s*$")
ICON_BODY = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
ICON_FRAME = re.compile(r'\s*<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>')


@dataclass(frozen=True)
class Fetched:
    entry: dict[str, Any]
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def unpack(package: dict[str, Any], into: Path) -> Path:
    """The package's own folder, from the tarball npm fetched and verified."""
    spec = f"{package['name']}@{package['version']}"
    command = ["npm", "pack", "--silent", "--pack-destination", str(into), spec]
    packed = subprocess.run(command, check=True, capture_output=True, text=True)
    with tarfile.open(into / packed.stdout.split()[-1]) as tarball:
        tarball.extractall(into / "unpacked", filter="data")
    return into / "unpacked" / "package"


def sprite(folder: Path, names: list[str]) -> bytes:
    """One SVG holding the named outline icons as symbols; colour and stroke come from the page's CSS."""
    symbols = []
    for name in sorted(names):
        match = ICON_BODY.search((folder / f"{name}.svg").read_text())
        if match is None:
            message = f"{name}.svg is not an SVG icon"
            raise ValueError(message)
        body = re.sub(r"\s*\n\s*", "", ICON_FRAME.sub("", match[1]))
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>')
    return ('<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n").encode()


def fetched_files(package: dict[str, Any]) -> Iterator[Fetched]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = unpack(package, Path(temporary))
        for entry in package["files"]:
            if "icons" in entry:
                yield Fetched(entry, sprite(folder / entry["from"], entry["icons"]))
            elif "from" in entry:
                yield Fetched(entry, SOURCE_MAP.sub(b"\n", (folder / entry["from"]).read_bytes()))


def kept_files(package: dict[str, Any], *, all_of_them: bool) -> Iterator[Fetched]:
    for entry in package["files"]:
        if all_of_them or "from" not in entry:
            path = VENDOR / entry["to"]
            yield Fetched(entry, path.read_bytes() if path.exists() else b"")


def unlisted(listing: dict[str, Any]) -> list[str]:
    listed = {entry["to"] for package in listing["packages"] for entry in package["files"]} | {LISTING.name}
    found = (path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file())
    return sorted(set(found) - listed)


def differences(*, fetch: bool, accept: bool) -> list[str]:
    """What does not agree with the list; with `fetch` the agreeing files are written to disk as well."""
    listing = json.loads(LISTING.read_text())
    wrong = []
    for package in listing["packages"]:
        files = list(kept_files(package, all_of_them=not fetch))
        if fetch:
            files += fetched_files(package)
        for file in files:
            if accept:
                file.entry["sha256"] = file.sha256
            if file.sha256 != file.entry.get("sha256"):
                wrong.append(f"{file.entry['to']}: sha256 is {file.sha256}")
            elif fetch:
                target = VENDOR / file.entry["to"]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.content)
    if accept:
        LISTING.write_text(json.dumps(listing, indent=2, ensure_ascii=False) + "\n")
    return wrong + [f"{name}: not in vendor.json" for name in unlisted(listing)]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare the files on disk; no network")
    parser.add_argument("--accept", action="store_true", help="write the sha256 of what was fetched")
    options = parser.parse_args()
    wrong = differences(fetch=not options.check, accept=options.accept)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
