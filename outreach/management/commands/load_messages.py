"""Load the words of messages: all of them or, when any file is broken, none."""

import tomllib
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from outreach.models import MessageTemplate
from outreach.rendering import PLACEHOLDERS, sms_parts, unknown_placeholders
from patients.models import Channel, Language, Purpose

SHIPPED = Path(__file__).resolve().parents[2] / "messages"
WORDS_OF = {"body": "", **{channel.value: channel.value for channel in Channel}}  # entry -> channel it is for
ENTRIES = {"subject", "purpose", *WORDS_OF}
MAX_SMS_PARTS = 4  # with names and a link still to be filled in


class Command(BaseCommand):
    help = "Load message texts from TOML files, one a language. Words that the clinic has changed stay as they are."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, default=SHIPPED)
        parser.add_argument("--overwrite", action="store_true", help="Replace the clinic's own words too.")

    def handle(self, *_args: Any, folder: Path, overwrite: bool, **_options: Any) -> None:
        templates, faults = read_folder(folder)
        if faults:
            raise CommandError("Nothing was loaded. Mend these and run it again:\n" + "\n".join(faults))
        if not templates:
            raise CommandError(f"No *.toml files in {folder}.")
        with transaction.atomic():
            new = sum(save(template, overwrite=overwrite) for template in templates)
        self.stdout.write(f"{len(templates)} message texts; new or changed: {new}")


def save(template: MessageTemplate, *, overwrite: bool) -> bool:
    named = {"key": template.key, "channel": template.channel, "language": template.language}
    words = {"subject": template.subject, "body": template.body, "purpose": template.purpose}
    found = MessageTemplate.objects.filter(**named)
    if overwrite and found.update(**words):
        return True
    return not found.exists() and bool(MessageTemplate.objects.create(**named, **words))


def read_folder(folder: Path) -> tuple[list[MessageTemplate], list[str]]:
    """Every text of every file, and every fault as "file: [message] entry: what is wrong"."""
    templates: list[MessageTemplate] = []
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
            found = list(_faults_of(entries))
            faults += [f"{path.name}: [{key}] {fault}" for fault in found]
            if not found:
                templates += _templates(key, path.stem, entries)
    return templates, faults


def _faults_of(entries: Any) -> Iterator[str]:
    if not isinstance(entries, dict) or not all(isinstance(text, str) for text in entries.values()):
        yield f"must be a table of texts: {', '.join(sorted(ENTRIES))}"
        return
    if not entries.keys() & WORDS_OF.keys():
        yield f"has no words; give it at least one of {', '.join(WORDS_OF)}"
    if entries.get("purpose", Purpose.SERVICE) not in Purpose.values:
        yield f"purpose: must be one of {', '.join(Purpose.values)}"
    for entry, text in entries.items():
        if entry not in ENTRIES:
            yield f"{entry}: unknown; allowed are {', '.join(sorted(ENTRIES))}"
            continue
        try:
            unknown = unknown_placeholders(text)
        except ValueError as error:
            yield f"{entry}: {error}"
            continue
        for name in sorted(unknown):
            yield f"{entry}: unknown placeholder {{{name}}}; allowed are {', '.join(sorted(PLACEHOLDERS))}"
        if entry != Channel.EMAIL and sms_parts(text) > MAX_SMS_PARTS:
            yield f"{entry}: takes {sms_parts(text)} SMS; at most {MAX_SMS_PARTS}, so that people read it"


def _templates(key: str, language: str, entries: dict[str, str]) -> Iterator[MessageTemplate]:
    for entry, channel in WORDS_OF.items():
        if entry in entries:
            yield MessageTemplate(
                key=key,
                channel=channel,
                language=language,
                purpose=entries.get("purpose", Purpose.SERVICE),
                subject=entries.get("subject", ""),
                body=entries[entry],
            )
