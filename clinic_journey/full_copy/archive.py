"""Writing the copy: record.json for programs, record.html to read, and the files that came in, in one ZIP.

The rows of each table are read once, a few hundred at a time, and written to both; nothing is held in memory.
"""

import json
import tempfile
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from io import TextIOWrapper
from pathlib import PurePath
from shutil import copyfileobj
from typing import IO, Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Field, ForeignKey, Model
from django.utils import translation
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format, time_format
from django.utils.html import format_html
from django.utils.translation import get_language, get_language_bidi, gettext as _

from clinic_journey.audit.words import WHAT_WORDS
from clinic_journey.full_copy.kept import Told
from clinic_journey.full_copy.sections import NAMED, OURS, SECTIONS, Section
from clinic_journey.history_words import ANSWERS, ENDED_AS
from journeys.models import Journey
from outreach.trace_words import rule_words
from patients.models import Patient
from referrals.models import DocumentFile

AT_A_TIME = 300  # rows
IN_MEMORY = 1 << 20  # bytes; what is larger is written to the disk of the machine and gone when it was sent
SUFFIX_LENGTH = 6


def write_copy(patient: Patient, out: IO[bytes], *, now: datetime, for_parents: bool = False) -> None:
    """All into `out`, in the patient's language where we have words for it. `for_parents`: what they may have."""
    keys = keys_of(patient)
    told = Told(for_parents=for_parents)
    zone = ZoneInfo(patient.clinic.time_zone)
    with (
        translation.override(patient.language),
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive,
        tempfile.SpooledTemporaryFile(IN_MEMORY) as readable,
    ):
        page = TextIOWrapper(readable, encoding="utf-8")
        page.write(_head(patient, now.astimezone(zone), is_kept=not for_parents and holds_kept(keys)))
        with archive.open("record.json", "w", force_zip64=True) as raw:
            data = TextIOWrapper(raw, encoding="utf-8", write_through=True)
            data.write('{"made_at": ' + _as_json(now))
            _write_sections(data, page, keys, zone, told)
        page.write("</html>\n")
        page.flush()
        readable.seek(0)
        with archive.open("record.html", "w") as target:
            copyfileobj(readable, target)
        _add_files(archive, keys, told)


def keys_of(patient: Patient) -> list[int]:
    """Her record and those that were merged into it."""
    return [patient.pk, *Patient.objects.filter(merged_into=patient).values_list("pk", flat=True)]


def holds_kept(keys: list[int]) -> bool:
    """Whether anything on these records is kept from the parents."""
    return Journey.objects.filter(patient__in=keys, is_confidential=True).exists()


def _write_sections(
    data: TextIOWrapper, page: TextIOWrapper, keys: list[int], zone: ZoneInfo, told: Told
) -> None:
    for section in SECTIONS:
        data.write(f",\n{_as_json(section.name)}: [")
        page.write(format_html("<h2>{}</h2>\n<ul>\n", section.heading))
        for number, row in enumerate(told.among(section.rows(keys).iterator(AT_A_TIME))):
            data.write((",\n" if number else "\n") + _as_json(_columns(row)))
            page.write(_line(section, row, zone))
        data.write("]")
        page.write("</ul>\n")
    data.write("}\n")
    data.flush()
    data.detach()


def _columns(row: Model) -> dict[str, Any]:
    """All that the table holds, but for what is only ours; a file says where it stands in the archive."""
    found = {field.name: _plain(row, field) for field in row._meta.concrete_fields if field.name not in OURS}
    return found | {"in_archive": path_of(row)} if isinstance(row, DocumentFile) else found


def _plain(row: Model, field: "Field[Any, Any]") -> Any:
    """People and things by their name; another row of the copy by the `id` that it has there."""
    if not isinstance(field, ForeignKey):
        return field.value_from_object(row)
    if field.related_model in NAMED:
        value = getattr(row, field.name)
        return _named(value) if value else None
    return getattr(row, field.attname)


def _named(value: Model) -> str:
    return (value.get_full_name() or value.get_username()) if isinstance(value, User) else str(value)


def _as_json(value: object) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def _head(patient: Patient, made: datetime, *, is_kept: bool) -> str:
    head = format_html(
        '<!doctype html>\n<html lang="{}" dir="{}">\n<meta charset="utf-8">\n'
        "<title>{}</title>\n<h1>{}</h1>\n<p>{}</p>\n",
        get_language(),
        "rtl" if get_language_bidi() else "ltr",
        patient.full_name,
        _("All that %(clinic)s holds about %(name)s")
        % {"clinic": patient.clinic.name, "name": patient.full_name},
        date_format(made, "j.n.Y H:i"),
    )
    warning = _("Some of this is kept from the parents: for the patient alone.")
    return head + (format_html("<p><strong>{}</strong></p>\n", warning) if is_kept else "")


def _line(section: Section, row: Model, zone: ZoneInfo) -> str:
    """One row for a person to read: what is empty is left out, and a file is a link to it."""
    parts = [(str(word), _words(row, name, zone)) for word, name in section.shown]
    said = " · ".join(f"{word} {value}".strip() for word, value in parts if value)
    if isinstance(row, DocumentFile) and (path := path_of(row)):
        return format_html('<li><a href="{}"><bdi>{}</bdi></a></li>\n', path, said or path)
    if isinstance(row, Journey) and row.is_confidential:
        said = f"{said} · " + _("kept from the parents")
    return format_html("<li><bdi>{}</bdi></li>\n", said or "–")


def _words(row: Model, name: str, zone: ZoneInfo) -> str:
    label: Callable[[], object] | None = getattr(row, f"get_{name}_display", None)
    value = label() if label else getattr(row, name)
    return "" if value in (None, "") else str(_said(name, value, zone))


def _said(name: str, value: Any, zone: ZoneInfo) -> object:
    """A code in words, an instant by the clinic's clock, somebody by name."""
    if isinstance(value, datetime):
        return date_format(value.astimezone(zone), "j.n.Y H:i")
    if name in BY_NAME:
        return BY_NAME[name](value)
    known = CODES.get(name, {})
    said = BY_KIND.get(type(value))
    if isinstance(value, Model):
        return _named(value)
    return said(value) if said else known.get(value, value)


BY_NAME: dict[str, Callable[[Any], object]] = {
    "weekday": lambda day: WEEKDAYS[day],
    "cells": lambda cells: ", ".join(str(cell) for cell in cells if cell),
    "rules": lambda codes: ", ".join(rule_words(code) for code in codes.split()),
}
BY_KIND: dict[type, Callable[[Any], object]] = {
    date: lambda on: date_format(on, "j.n.Y"),
    time: lambda clock: time_format(clock, "H:i"),
}
CODES: dict[str, dict[str, Any]] = {
    "outcome": dict(ENDED_AS),
    "detail": {**ANSWERS, **ENDED_AS},
    "meaning": dict(ANSWERS),
    "what": {**WHAT_WORDS, **ENDED_AS},
}


def path_of(file: DocumentFile) -> str:
    """Where it stands in the archive, under a name of ours; empty for one that should not be trusted."""
    if file.problem:
        return ""
    suffix = PurePath(file.name).suffix.casefold()
    is_plain = suffix[1:].isascii() and suffix[1:].isalnum() and len(suffix) <= SUFFIX_LENGTH
    return f"files/{file.pk}{suffix if is_plain else ''}"


def _add_files(archive: zipfile.ZipFile, keys: list[int], told: Told) -> None:
    """A piece at a time. What the disk has lost is missed here as it is on her record, and the rest is still hers."""
    (files,) = (section for section in SECTIONS if section.model is DocumentFile)
    for file in told.among(files.rows(keys).iterator(AT_A_TIME)):
        assert isinstance(file, DocumentFile)  # noqa: S101 - of that table
        if not path_of(file):
            continue
        try:
            stored = file.content.open("rb")
        except FileNotFoundError:
            continue
        with stored, archive.open(path_of(file), "w", force_zip64=True) as target:
            copyfileobj(stored, target)
