"""Load the words of messages: all of them or, when any file is broken, none."""

import tomllib
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from outreach.models import MessageTemplate
from outreach.wording import Draft, Remark, remarks
from patients.models import Channel, Gender, Language, Purpose

SHIPPED = Path(__file__).resolve().parents[2] / "messages"
CHANNELS = {"body": "", **{channel.value: channel.value for channel in Channel}}  # entry -> channel it is for
# "body" and "phone" for everybody, "body_f" and "body_m" for a reader whose form is known.
WORDS_OF = {
    f"{entry}_{variant}" if variant else entry: (channel, variant)
    for entry, channel in CHANNELS.items()
    for variant in Gender.values
}
ENTRIES = {"subject", "purpose", *WORDS_OF}


class Command(BaseCommand):
    help = "Load message texts from TOML files, one a language. Words that a clinic has written itself stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, default=SHIPPED)

    def handle(self, *_args: Any, folder: Path, **_options: Any) -> None:
        drafts, faults = read_folder(folder)
        if faults:
            raise CommandError("Nothing was loaded. Mend these and run it again:\n" + "\n".join(faults))
        if not drafts:
            raise CommandError(f"No *.toml files in {folder}.")
        with transaction.atomic():
            changed = save(drafts)
        self.stdout.write(f"{len(drafts)} message texts; new or changed: {changed}")


def save(drafts: Iterable[Draft]) -> int:
    """Write what differs from what is there. A clinic's own words are other rows.

    What a provider approved were the words as they stood: others have yet to be.
    """
    shipped = {
        (row.key, row.channel, row.language, row.variant): row
        for row in MessageTemplate.objects.filter(clinic=None)
    }
    new, changed = [], []
    for draft in drafts:
        row = shipped.get((draft.key, draft.channel, draft.language, draft.variant))
        words = (draft.subject, draft.body, draft.purpose)
        if row is None:
            new.append(MessageTemplate(**asdict(draft)))
        elif words != (row.subject, row.body, row.purpose):
            row.approved_as = row.approved_as if row.body == draft.body else ""
            row.subject, row.body, row.purpose = words
            changed.append(row)
    MessageTemplate.objects.bulk_create(new)
    MessageTemplate.objects.bulk_update(changed, ["subject", "body", "purpose", "approved_as"])
    return len(new) + len(changed)


def read_folder(folder: Path) -> tuple[list[Draft], list[str]]:
    """Every text of every file, and every fault as "file: [message] entry: what is wrong"."""
    drafts: list[Draft] = []
    faults: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:  # not TOML, with the line, or not UTF-8
            faults.append(f"{path.name}: {error}")
            continue
        if path.stem not in Language.values:
            faults.append(f"{path.name}: the file must be named for one of {', '.join(Language.values)}")
            continue
        for key, entries in data.items():
            read = list(_drafts_or_faults(key, path.stem, entries))
            faults += [f"{path.name}: [{key}] {fault}" for fault in read if isinstance(fault, str)]
            drafts += [draft for draft in read if isinstance(draft, Draft)]
    return drafts, faults + _faults_of_class(drafts)


def _faults_of_class(drafts: Iterable[Draft]) -> list[str]:
    """A message is of one class, whoever reads it."""
    classes: dict[str, set[str]] = {}
    for draft in drafts:
        classes.setdefault(draft.key, set()).add(draft.purpose)
    return [
        f"[{key}] purpose: must be one in every language" for key, found in classes.items() if len(found) > 1
    ]


def _drafts_or_faults(key: str, language: str, entries: Any) -> Iterator[Draft | str]:
    shape = list(_faults_of_shape(entries))
    yield from shape
    if shape:
        return
    for entry, (channel, variant) in WORDS_OF.items():
        if entry in entries:
            draft = Draft(
                key=key,
                channel=channel,
                language=language,
                variant=variant,
                purpose=entries.get("purpose", Purpose.SERVICE),
                subject=entries.get("subject", ""),
                body=entries[entry],
            )
            yield draft
            yield from (f"{entry}: {remark}" for remark in refused(draft))


def refused(draft: Draft) -> list[Remark]:
    return [remark for remark in remarks(draft) if remark.is_refused]


def _faults_of_shape(entries: Any) -> Iterator[str]:
    if not isinstance(entries, dict) or not all(isinstance(text, str) for text in entries.values()):
        yield f"must be a table of texts: {', '.join(sorted(ENTRIES))}"
        return
    if not entries.keys() & CHANNELS.keys():
        yield f"has no words for everybody; give it at least one of {', '.join(CHANNELS)}"
    if entries.get("purpose", Purpose.SERVICE) not in Purpose.values:
        yield f"purpose: must be one of {', '.join(Purpose.values)}"
    for entry in sorted(entries.keys() - ENTRIES):
        yield f"{entry}: unknown; allowed are {', '.join(sorted(ENTRIES))}"
