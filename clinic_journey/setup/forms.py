"""HTML input of the first run. Hours are typed as people write them: 8:00-13:00, 16:00-19:00."""

import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils import dates
from django.utils.translation import gettext as _, gettext_lazy
from holidays.registry import COUNTRIES

from clinic_journey.setup.actions import NewDoctor, Stretches
from patients.actions import RefusedError, normal_phone
from patients.models import Clinic, HoursKind, Language
from patients.written_hours import Stretch, stretches_in, written

SUNDAY_FIRST, MONDAY_FIRST = (6, 0, 1, 2, 3, 4, 5), (0, 1, 2, 3, 4, 5, 6)
FRIDAY, SATURDAY = "friday", "saturday"
LTR = {"dir": "ltr"}
# English names by code, as the calendar of holidays has them: UnitedStates is written in two words.
COUNTRY_NAMES = {entry[1]: re.sub(r"(?<=[a-z])(?=[A-Z])", " ", entry[0]) for entry in COUNTRIES.values()}


def parse_stretches(text: str) -> list[Stretch]:
    """The stretches of one day; nothing typed is a day of rest."""
    try:
        return stretches_in(text)
    except ValueError as error:
        raise ValidationError(
            _("Write hours as 8:00-19:00, with a break as 8:00-13:00, 16:00-19:00. Empty: closed.")
        ) from error


class HoursField(forms.CharField):
    """One day's stretches in one line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=80, widget=forms.TextInput(attrs=LTR), **kwargs)

    def clean(self, value: Any) -> Any:
        return parse_stretches(super().clean(value))


class ClinicForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript at run time
    """Who the clinic is, and which week it lives in."""

    phone = forms.CharField(
        label=gettext_lazy("Phone"), max_length=40, widget=forms.TextInput(attrs={**LTR, "type": "tel"})
    )
    country = forms.ChoiceField(
        label=gettext_lazy("Country"), help_text=gettext_lazy("Its holidays close the calendar.")
    )
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"))
    rest = forms.ChoiceField(
        label=gettext_lazy("The week"),
        choices=[
            (FRIDAY, gettext_lazy("Sunday to Thursday, Friday until noon")),
            (SATURDAY, gettext_lazy("Monday to Friday, Saturday until noon")),
        ],
        widget=forms.RadioSelect,
        initial=FRIDAY,
    )

    class Meta:
        model = Clinic
        fields = ["name", "phone", "language", "country", "time_zone"]
        labels = {
            "name": gettext_lazy("Name of the clinic"),
            "language": gettext_lazy("Language of most patients"),
        }

    field_order = ["name", "phone", "language", "country", "time_zone", "rest"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = sorted(COUNTRY_NAMES.items(), key=lambda each: each[1])  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = [(zone, zone) for zone in sorted(available_timezones())]  # type: ignore[attr-defined]
        self.fields["language"].choices = Language.choices  # type: ignore[attr-defined]
        for name in ("country", "time_zone"):
            self.fields[name].widget.attrs["lang"] = "en"  # the names come from libraries, in English
            self.initial[name] = getattr(
                self.instance, name
            )  # a new clinic begins with what most of ours have
        if self.instance.pk:
            del self.fields["rest"]  # hours exist: they are changed day by day in the next step

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        try:
            data["phone"] = normal_phone(data.get("phone", ""), region=data.get("country", "IL"))
        except RefusedError as refusal:
            if "phone" in data:
                self.add_error("phone", str(refusal))
        return data

    def given(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    @property
    def rest_from_friday(self) -> bool:
        return bool(self.cleaned_data["rest"] == FRIDAY)


class WeekForm(forms.Form):
    """The hours of one kind, a line for each day."""

    def __init__(self, clinic: Clinic, kind: HoursKind, data: Any = None) -> None:
        super().__init__(data, prefix=str(kind))
        week: dict[int, list[Stretch]] = {}
        for row in clinic.hours.filter(kind=kind).order_by("start"):
            week.setdefault(row.weekday, []).append((row.start, row.end))
        for weekday in SUNDAY_FIRST if 6 in week else MONDAY_FIRST:  # noqa: PLR2004 - Sunday
            self.fields[str(weekday)] = HoursField(
                label=dates.WEEKDAYS[weekday], initial=written(week.get(weekday, []))
            )

    def week(self) -> Mapping[int, Stretches]:
        return {int(name): stretches for name, stretches in self.cleaned_data.items()}


class DoctorForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name of the doctor"), max_length=120)
    weekdays = forms.MultipleChoiceField(
        label=gettext_lazy("Receives on"),
        choices=[(str(day), dates.WEEKDAYS[day]) for day in SUNDAY_FIRST],
        widget=forms.CheckboxSelectMultiple,
    )
    hours = HoursField(label=gettext_lazy("From and to"), initial="09:00-17:00")

    def clean_hours(self) -> Any:
        if not self.cleaned_data["hours"]:
            raise ValidationError(_("Write from when to when the doctor receives, such as 9:00-17:00."))
        return self.cleaned_data["hours"]

    def doctor(self) -> NewDoctor:
        weekdays = [int(day) for day in self.cleaned_data["weekdays"]]
        return NewDoctor(self.cleaned_data["name"], weekdays, self.cleaned_data["hours"])
