"""The rows of the list of patients: their part is rendered once for a page and filled for each of fifty.

Rendered anew for each row, they would take as long as all the rest of the page.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from patients.models import Channel, Language
from patients.queries import Listed
from patients.templatetags.phones import phone

NOBODY = UUID(int=0)
NOT_KNOWN = "–"


def rows_of(patients: Iterable[Listed], *, country: str) -> SafeString:
    """What stands in single braces in the part is filled in, escaped; the words are the reader's."""
    parts = {told: render_to_string("patients/_row.html", {"is_told": told}) for told in (True, False)}
    page = reverse("patient", args=[NOBODY])
    languages, channels = (
        {value: str(words) for value, words in each.choices} for each in (Language, Channel)
    )

    def filled(patient: Listed) -> Mapping[str, str]:
        return {
            "page": page.replace(str(NOBODY), str(patient.public_id)),
            "name": patient.full_name,
            "language": languages[patient.language],
            "channel": channels.get(patient.channel or "", ""),
            "address": phone(patient.address, country) if patient.address else "",
            "born": _day(patient.birth_date),
            "since": _day(patient.since_on),
        }

    rows = ((format_html(parts[each.told_at is not None], **filled(each)),) for each in patients)
    return format_html_join("", "{}", rows)


def _day(on: date | None) -> str:
    return f"{on.day}.{on.month}.{on.year}" if on else NOT_KNOWN
