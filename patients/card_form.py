"""The service card as a form: one key an answer, so that it is asked and saved in fifteen seconds."""

from datetime import datetime, time
from typing import Any, Self

from django import forms
from django.utils import dates
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from patients import coming
from patients.actions import CardAnswers, Coming
from patients.coming import ANY, WEEK, WHOLE_DAY, Span, Window
from patients.models import Channel, Language, Patient, ServiceCard
from patients.queries import first_phone, weekend_of

WEEKDAYS, WEEKEND = "weekdays", "weekend"
PARTS: dict[str, Span] = {
    "8-12": (time(8), time(12)),
    "12-16": (time(12), time(16)),
    "16-20": (time(16), time(20)),
    "20-24": (time(20), time.max),
}
SINGLE_DAYS = [(str(day), dates.WEEKDAYS[day]) for day in WEEK]
DAYS = [
    (WEEKDAYS, _("Weekdays")),
    (WEEKEND, _("Weekend")),
    (ANY, _("Any day")),
    *SINGLE_DAYS,
]
HOURS = [
    ("8-12", _("8 to 12")),
    ("12-16", _("12 to 16")),
    ("16-20", _("16 to 20")),
    ("20-24", _("After 20")),
    (ANY, _("Any hour")),
]
A_TIME = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
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


class KeyedComing(Keyed, forms.CheckboxSelectMultiple):
    keys = coming.KEYS


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
    coming = forms.MultipleChoiceField(
        label=_("Can come"), choices=coming.COMES, required=False, widget=KeyedComing
    )
    coming_days = forms.MultipleChoiceField(
        label=_("On these days only"),
        choices=SINGLE_DAYS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    coming_from = forms.TimeField(label=pgettext_lazy("an hour", "From"), required=False, widget=A_TIME)
    coming_until = forms.TimeField(label=pgettext_lazy("an hour", "Until"), required=False, widget=A_TIME)

    def __init__(
        self,
        *args: Any,
        weekend: frozenset[int],
        windows: tuple[Window, ...],
        comes: tuple[Window, ...],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.weekend, self.windows = weekend, windows
        self.spans = coming.named_spans(windows, PARTS)
        self.comes = coming.named_spans(comes, coming.PARTS)
        self.fields["hours"].choices = coming.with_exact(HOURS, self.spans)  # type: ignore[attr-defined]
        self.fields["coming"].choices = coming.with_exact(coming.COMES, self.comes)  # type: ignore[attr-defined]

    @classmethod
    def of(cls, patient: Patient, data: object = None, *, now: datetime) -> Self:
        """The form as the card stands, so that only what changed is typed."""
        card: ServiceCard | None = getattr(patient, "card", None)
        phone = first_phone(patient, now=now)
        windows = coming.plain(card.windows.all() if card else ())
        comes = coming.windows_of(card)
        is_told = bool(card and card.coming_told_at)
        weekend = weekend_of(patient.clinic)
        initial = {
            "channel": card.channel if card else "",
            "days": _days_said(card, windows, weekend) if card else [],
            "hours": _hours_said(card, windows) if card else [],
            "language": patient.language,
            "may_leave_voicemail": bool(phone and phone.may_leave_voicemail),
            "may_tell": card.may_tell if card else "",
            "coming": coming.names_said(comes, coming.PARTS) if is_told else [],
            "coming_days": [str(day) for day in coming.days_said(comes)],
        }
        return cls(data, initial=initial, weekend=weekend, windows=windows, comes=comes)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        start, end = data.get("coming_from"), data.get("coming_until")
        if end == time.min:  # as people write midnight
            end = data["coming_until"] = time.max
        if (start or time.min) >= (end or time.max):
            self.add_error("coming_until", _("The end is not after the beginning."))
        return data

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
            coming=self._coming(),
        )

    def _coming(self) -> Coming | None:
        """None where nobody touched it: it stays exactly as it was, also where it differs by day."""
        data, own = self.cleaned_data, "own"
        if not {"coming", "coming_days", "coming_from", "coming_until"} & set(self.changed_data):
            return None
        said = coming.said_last(data["coming"], self.initial.get("coming", []))
        spans = self.comes
        if data["coming_from"] or data["coming_until"]:
            spans = spans | {own: (data["coming_from"] or time.min, data["coming_until"] or time.max)}
            said = [*(name for name in said if name != ANY), own]
        return coming.coming_of(said, [int(day) for day in data["coming_days"]], spans)

    def _windows(self, said: set[str], hours: set[str]) -> tuple[tuple[int, time, time], ...]:
        days = {int(day) for day in said if day.isdigit()}
        days |= set(WEEK) - self.weekend if WEEKDAYS in said else set()
        days |= self.weekend if WEEKEND in said else set()
        any_day, any_hour = ANY in said or not said, ANY in hours or not hours
        if any_day and any_hour:
            return ()
        chosen = WEEK if any_day else days
        return coming.on_days(chosen, [WHOLE_DAY] if any_hour else [self.spans[name] for name in hours])


def _days_said(card: ServiceCard, windows: tuple[Window, ...], weekend: frozenset[int]) -> list[str]:
    if not card.days_told:
        return []
    days = {day for day, _start, _end in windows}
    if not days or days == set(WEEK):
        return [ANY]
    said = []
    for name, group in ((WEEKDAYS, set(WEEK) - weekend), (WEEKEND, set(weekend))):
        if group <= days:
            said.append(name)
            days -= group
    return [*said, *(str(day) for day in sorted(days))]


def _hours_said(card: ServiceCard, windows: tuple[Window, ...]) -> list[str]:
    return coming.names_said(windows, PARTS) if card.hours_told else []
