"""A form that was kept, as whoever filled it in knows it: the names of its fields, and the words of what she chose."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django import forms
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from appointments.forms import BookForm, CancelForm
from appointments.setup_forms import ExceptionForm, HoursForm
from clinic_journey.caller import PromiseForm
from clinic_journey.outcomes import BY_CODE, OUTCOME_WORDS, words_of
from clinic_journey.setup.forms import ClinicForm
from clinic_journey.waiting import WaitForm
from inquiries.forms import CallerForm, LostForm, OfferingForm
from outreach.by_hand import NotNowReason
from patients.card_form import CardForm
from patients.forms import NewTieForm, PatientForm
from referrals.forms import ReferralForm, RejectForm, RevokeForm

# The first that knows a field says what it is called.
FORMS: tuple[Any, ...] = (
    PatientForm,
    CardForm,
    NewTieForm,
    ReferralForm,
    BookForm,
    CancelForm,
    WaitForm,
    PromiseForm,
    CallerForm,
    LostForm,
    OfferingForm,
    RevokeForm,
    RejectForm,
    HoursForm,
    ExceptionForm,
    ClinicForm,
)
# Fields of forms that are written out in their templates.
WRITTEN_OUT: dict[str, str | Promise] = {
    "note": gettext_lazy("Note"),
    "words": gettext_lazy("What was written"),
    "body": gettext_lazy("What was written"),
    "outcome": gettext_lazy("How it ended"),
    "reason": gettext_lazy("The patient's own reason"),
    "because": gettext_lazy("Why"),
    "on": gettext_lazy("Day"),
    "at": gettext_lazy("Time"),
    "call_again_at": gettext_lazy("Time"),
    "start": gettext_lazy("Time"),
    "call_by": gettext_lazy("If we promise a call: by when"),
}


class Shown(NamedTuple):
    """A field as it was called, where that is known, and what it said."""

    label: str
    words: str


def shown(fields: Iterable[Sequence[str]]) -> list[Shown]:
    """What a person typed or chose, in its order; marks that pages carry for themselves are left out."""
    by_name: dict[str, list[str]] = {}
    for name, value in fields:
        if str(value).strip():
            by_name.setdefault(name, []).append(str(value).strip())
    found = (_shown(name, values) for name, values in by_name.items())
    return [each for each in found if each]


def _shown(name: str, values: list[str]) -> Shown | None:
    if name in WRITTEN_OUT:
        return Shown(str(WRITTEN_OUT[name]), ", ".join(_said(name, value) for value in values))
    field: forms.Field | None = next(
        (form.base_fields[name] for form in FORMS if name in form.base_fields), None
    )
    if field is not None:
        if isinstance(field, forms.ModelChoiceField) or isinstance(field.widget, forms.HiddenInput):
            return None  # a key of ours; the page it is sent to shows whom it names
        return Shown(str(field.label or ""), ", ".join(_chosen(field, value) for value in values))
    sentences = [value for value in values if " " in value]
    return Shown("", ", ".join(sentences)) if sentences else None


def _chosen(field: forms.Field, value: str) -> str:
    if isinstance(field, forms.BooleanField):
        return "✓"
    if isinstance(field, forms.ChoiceField):
        choices: Any = field.choices
        return next((str(label) for code, label in choices if str(code) == value), value)
    return _when(value)


def _said(name: str, value: str) -> str:
    if name == "outcome" and (value in BY_CODE or value in OUTCOME_WORDS):
        return words_of(value)
    if name == "reason" and value in NotNowReason.values:
        return str(NotNowReason(value).label)
    return _when(value)


def _when(value: str) -> str:
    """A day or a time as the page writes it; anything else as it is."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return value
    if not value[:4].isdecimal() or "-" not in value:
        return value  # figures that only look like a day
    return date_format(at, "j E Y" if len(value) == len("2026-03-09") else "j E Y, H:i")
