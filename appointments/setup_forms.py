"""HTML input of managers: weekly hours, their exceptions, types of visit."""

from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.utils import dates
from django.utils.translation import gettext_lazy as _

from appointments.forms import SENSIBLE
from appointments.models import (
    LONGEST_MINUTES,
    ExceptionKind,
    Location,
    Schedule,
    ScheduleException,
    VisitType,
)
from patients.models import Clinic

SHORTEST_MINUTES = 5
WEEK = [(day, dates.WEEKDAYS[day]) for day in (6, 0, 1, 2, 3, 4, 5)]  # the week begins on Sunday
WRONG_WAY_ROUND = _("The end must be after the start.")


def day_field(label: Any, *, required: bool = True, help_text: Any = "") -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(
        label=label, required=required, help_text=help_text, validators=SENSIBLE, widget=widget
    )


def time_field(label: Any, *, required: bool = True) -> forms.TimeField:
    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    return forms.TimeField(label=label, required=required, widget=widget)


def rooms_of(clinic: Clinic) -> QuerySet[Location]:
    return Location.objects.filter(clinic=clinic).order_by("name")


class InRoomsOf(forms.ModelForm):  # type: ignore[type-arg]
    """Only the clinic's own rooms are a choice; two forms of one page read them once."""

    def __init__(
        self, *args: Any, clinic: Clinic, rooms: QuerySet[Location] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["location"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - of a foreign key
        field.label = _("Room")
        field.queryset = rooms_of(clinic)
        if rooms is not None:
            field.choices = [("", field.empty_label or ""), *((room.pk, str(room)) for room in rooms)]

    def _refuse_wrong_order(self, given: dict[str, Any], first: str, last: str) -> None:
        start, end = given.get(first), given.get(last)
        if start is not None and end is not None and end <= start:
            self.add_error(last, WRONG_WAY_ROUND)


class HoursForm(InRoomsOf):
    weekday = forms.TypedChoiceField(label=_("Day"), choices=WEEK, coerce=int)
    start = time_field(_("from"))
    end = time_field(_("to"))
    valid_from = day_field(_("Holds from"))
    valid_until = day_field(_("Last day"), required=False, help_text=_("Empty: for good."))

    class Meta:
        model = Schedule
        fields = ["weekday", "start", "end", "location", "valid_from", "valid_until"]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        self._refuse_wrong_order(given, "start", "end")
        first, last = given.get("valid_from"), given.get("valid_until")
        if first and last and last < first:
            self.add_error("valid_until", WRONG_WAY_ROUND)
        return given


class EndForm(forms.Form):
    last_on = day_field(_("Last day"))


class ExceptionForm(InRoomsOf):
    first_on = day_field(_("First day"))
    last_on = day_field(_("Last day"), required=False, help_text=_("Empty: one day."))
    start = time_field(_("from"), required=False)
    end = time_field(_("to"), required=False)

    class Meta:
        model = ScheduleException
        fields = ["kind", "first_on", "last_on", "start", "end", "location", "because"]
        labels = {"kind": _("What is different"), "because": _("Why")}

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        first, last = given.get("first_on"), given.get("last_on")
        given["last_on"] = last or first
        if first and last and last < first:
            self.add_error("last_on", WRONG_WAY_ROUND)
        self._refuse_wrong_order(given, "start", "end")
        has_hours = given.get("kind") in {ExceptionKind.CHANGED, ExceptionKind.EXTRA}
        start, end = given.get("start"), given.get("end")
        if not self.errors and (has_hours or start or end) and not (start and end):
            self.add_error("start" if start is None else "end", _("Say from when to when."))
        if has_hours and not given.get("location"):
            self.add_error("location", _("Say in which room."))
        return given


class VisitTypeForm(forms.ModelForm):  # type: ignore[type-arg]
    """One name is enough; a language without its own shows the English one, else any there is."""

    class Meta:
        model = VisitType
        fields = ["minutes", "is_active"]

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.grid = clinic.cell_minutes
        for code, language in settings.LANGUAGES:
            self.fields[f"name_{code}"] = forms.CharField(
                label=language, max_length=60, required=False, initial=self.instance.names.get(code, "")
            )

    def name_fields(self) -> list[forms.BoundField]:
        return [self[f"name_{code}"] for code, _language in settings.LANGUAGES]

    def clean_minutes(self) -> int:
        minutes: int = self.cleaned_data["minutes"]
        if minutes % self.grid or not SHORTEST_MINUTES <= minutes <= LONGEST_MINUTES:
            words = _(
                "The calendar is divided into %(grid)s minutes: choose a multiple of it, %(longest)s at most."
            )
            raise forms.ValidationError(words, params={"grid": self.grid, "longest": LONGEST_MINUTES})
        return minutes

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        said = {code: given.get(f"name_{code}", "").strip() for code, _language in settings.LANGUAGES}
        self.instance.names = {code: name for code, name in said.items() if name}
        if not self.instance.names:
            self.add_error(f"name_{settings.LANGUAGE_CODE}", _("Name it in at least one language."))
        return given
