"""The service card as a form: one key an answer, so that it is asked and saved in fifteen seconds."""

from datetime import time
from typing import Any, Self

from django import forms
from django.utils import dates
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from patients.actions import CardAnswers
from patients.models import Channel, ContactWindow, Language, Patient, ServiceCard
from patients.queries import first_phone, weekend_of

Span = tuple[time, time]

WEEK = (6, 0, 1, 2, 3, 4, 5)  # begins on Sunday
WEEKDAYS, WEEKEND, ANY = "weekdays", "weekend", "any"
WHOLE_DAY: Span = (time.min, time.max)
PARTS: dict[str, Span] = {
    "8-12": (time(8), time(12)),
    "12-16": (time(12), time(16)),
    "16-20": (time(16), time(20)),
    "20-24": (time(20), time.max),
}
DAYS = [
    (WEEKDAYS, _("Weekdays")),
    (WEEKEND, _("Weekend")),
    (ANY, _("Any day")),
    *((str(day), dates.WEEKDAYS[day]) for day in WEEK),
]
HOURS = [
    ("8-12", _("8 to 12")),
    ("12-16", _("12 to 16")),
    ("16-20", _("16 to 20")),
    ("20-24", _("After 20")),
    (ANY, _("Any hour")),
]
# The keys of surfaces.md 4.2, by what they choose. They are heard while the card has the focus.
KEYS = {
    "phone": "1",
    "whatsapp": "2",
    "sms": "3",
    "email": "4",
    "telegram": "5",
    WEEKDAYS: "W",
    WEEKEND: "F",
    "8-12": "Q",
    "12-16": "T",
    "16-20": "Y",
    "20-24": "U",
    "he": "H",
    "ru": "R",
    "ar": "B",
    "en": "E",
}


class Keyed(forms.RadioSelect):
    """Each choice with its key, for data-key and for the eye."""

    keys = KEYS

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(*args, **kwargs)
        key = self.keys.get(str(option["value"]), "")
        if key:
            option["key"] = key
            option["attrs"]["data-key"] = f"Digit{key}" if key.isdigit() else f"Key{key}"
        return option


class KeyedDays(Keyed, forms.CheckboxSelectMultiple):
    keys = KEYS | {ANY: "A"}


class KeyedHours(Keyed, forms.CheckboxSelectMultiple):
    keys = KEYS | {ANY: "I"}


class CardForm(forms.Form):
    """How, on which days, at which hours, in which language. What is left out was not asked: half a card."""

    channel = forms.ChoiceField(
        label=pgettext_lazy("way of reaching", "By"),
        choices=[
            (each.value, each.label)
            for each in (Channel.PHONE, Channel.WHATSAPP, Channel.SMS, Channel.EMAIL, Channel.TELEGRAM)
        ],
        required=False,
        widget=Keyed,
    )
    days = forms.MultipleChoiceField(label=_("Days"), choices=DAYS, required=False, widget=KeyedDays)
    hours = forms.MultipleChoiceField(label=_("Hours"), choices=HOURS, required=False, widget=KeyedHours)
    language = forms.ChoiceField(
        label=_("Speaks"),
        choices=[(code, Language(code).label) for code in ("he", "ru", "ar", "en")],
        widget=Keyed,
    )
    may_leave_voicemail = forms.BooleanField(
        label=_("We may leave a voice message"),
        required=False,
        widget=forms.CheckboxInput(attrs={"data-key": "KeyV"}),
    )
    may_tell = forms.CharField(label=_("Somebody else who may be told"), max_length=120, required=False)

    def __init__(
        self, *args: Any, weekend: frozenset[int], windows: list[ContactWindow], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.weekend = weekend
        self.windows = tuple((row.weekday, row.start, row.end) for row in windows)
        exact = sorted({(start, end) for _day, start, end in self.windows} - {*PARTS.values(), WHOLE_DAY})
        self.spans: dict[str, Span] = PARTS | {
            f"{start:%H:%M}-{end:%H:%M}": (start, end) for start, end in exact
        }
        said = [(name, _clock(*self.spans[name])) for name in list(self.spans)[len(PARTS) :]]
        self.fields["hours"].choices = [*HOURS[:-1], *said, HOURS[-1]]  # type: ignore[attr-defined]

    @classmethod
    def of(cls, patient: Patient, data: object = None) -> Self:
        """The form as the card stands, so that only what changed is typed."""
        card: ServiceCard | None = getattr(patient, "card", None)
        phone = first_phone(patient)
        windows = list(card.windows.all()) if card else []
        weekend = weekend_of(patient.clinic)
        initial = {
            "channel": card.channel if card else "",
            "days": _days_said(card, windows, weekend) if card else [],
            "hours": _hours_said(card, windows) if card else [],
            "language": patient.language,
            "may_leave_voicemail": bool(phone and phone.may_leave_voicemail),
            "may_tell": card.may_tell if card else "",
        }
        return cls(data, initial=initial, weekend=weekend, windows=windows)

    def answers(self) -> CardAnswers:
        """What was said. Days and hours nobody touched stay exactly as they were, even where they differ by day."""
        data = self.cleaned_data
        untouched = not {"days", "hours"} & set(self.changed_data)
        return CardAnswers(
            channel=data["channel"],
            windows=self.windows if untouched else self._windows(set(data["days"]), set(data["hours"])),
            language=data["language"],
            may_leave_voicemail=data["may_leave_voicemail"],
            may_tell=data["may_tell"],
            days_told=bool(data["days"]),
            hours_told=bool(data["hours"]),
        )

    def _windows(self, said: set[str], hours: set[str]) -> tuple[tuple[int, time, time], ...]:
        days = {int(day) for day in said if day.isdigit()}
        days |= set(WEEK) - self.weekend if WEEKDAYS in said else set()
        days |= self.weekend if WEEKEND in said else set()
        any_day, any_hour = ANY in said or not said, ANY in hours or not hours
        if any_day and any_hour:
            return ()
        spans = {WHOLE_DAY} if any_hour else {self.spans[name] for name in hours}
        by_start = {start: (start, end) for start, end in sorted(spans)}  # of two with one start the longer
        chosen = sorted(WEEK) if any_day else sorted(days)
        return tuple((day, start, end) for day in chosen for start, end in by_start.values())


def _clock(start: time, end: time) -> str:
    """In Hebrew and Arabic too the earlier hour stands first."""
    return format_html('<bdi dir="ltr">{}–{}</bdi>', f"{start:%H:%M}", f"{end:%H:%M}")


def _days_said(card: ServiceCard, windows: list[ContactWindow], weekend: frozenset[int]) -> list[str]:
    if not card.days_told:
        return []
    days = {window.weekday for window in windows}
    if not days or days == set(WEEK):
        return [ANY]
    said = []
    for name, group in ((WEEKDAYS, set(WEEK) - weekend), (WEEKEND, set(weekend))):
        if group <= days:
            said.append(name)
            days -= group
    return [*said, *(str(day) for day in sorted(days))]


def _hours_said(card: ServiceCard, windows: list[ContactWindow]) -> list[str]:
    if not card.hours_told:
        return []
    names = {span: name for name, span in PARTS.items()}
    spans = {(window.start, window.end) for window in windows}
    if not spans or spans == {WHOLE_DAY}:
        return [ANY]
    return [names.get((start, end), f"{start:%H:%M}-{end:%H:%M}") for start, end in sorted(spans)]
