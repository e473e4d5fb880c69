"""The rows of the list of patients: their part is rendered once for a page and filled for each of fifty.

Rendered anew for each row, they would take as long as all the rest of the page. What can hold no markup (numbers,
a key) is marked as safe, as escaping it takes as long as fetching it.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from patients.models import Channel, Language
from patients.queries import Listed
from patients.templatetags.phones import phone

NOBODY = UUID(int=0)
NOT_KNOWN, NOTHING = SafeString("–"), SafeString("")


def rows_of(patients: Iterable[Listed], *, country: str) -> SafeString:
    """What stands in single braces in the part is filled in, escaped; the words are the reader's."""
    part = render_to_string("patients/_row.html")
    untold = format_html(' <span class="pill pill-waiting">{}</span>', _("preference not asked"))
    before, after = reverse("patient", args=[NOBODY]).split(str(NOBODY))
    languages, channels = (
        {value: conditional_escape(words) for value, words in each.choices} for each in (Language, Channel)
    )

    def filled(patient: Listed) -> Mapping[str, str]:
        return {
            "page": SafeString(f"{before}{patient.public_id}{after}"),
            "name": patient.full_name,
            "language": languages[patient.language],
            "channel": channels.get(patient.channel or "", NOTHING),
            "address": phone(patient.address, country) if patient.address else NOTHING,
            "untold": untold if patient.told_at is None else NOTHING,
            "born": _day(patient.birth_date),
            "since": _day(patient.since_on),
        }

    return format_html_join("", part, map(filled, patients))


def _day(on: date | None) -> SafeString:
    return SafeString(f"{on.day}.{on.month}.{on.year}") if on else NOT_KNOWN
