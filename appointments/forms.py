"""HTML input about visits: which day to show, which time to take, why a visit is cancelled or moved."""

from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from appointments.models import LONGEST_MINUTES, Practitioner

YEARS = range(2000, 2200)
USUAL_MINUTES = 30
IN_CELLS = (1, 2, 3, 4, 6, 8, 9, 12, 18, 24)
SENSIBLE = (MinValueValidator(date(YEARS.start, 1, 1)), MaxValueValidator(date(YEARS.stop - 1, 12, 31)))


def lengths(cell_minutes: int) -> list[int]:
    """How long a visit may last on a clinic's grid."""
    return [cell_minutes * n for n in IN_CELLS if n == 1 or cell_minutes * n <= LONGEST_MINUTES]


def usual_length(cell_minutes: int) -> int:
    return min(lengths(cell_minutes), key=lambda minutes: abs(minutes - USUAL_MINUTES))


class InstantField(forms.Field):
    """An aware instant in ISO form, as the pages' own links and buttons carry it."""

    default_error_messages = {"invalid": _("Choose one of the times shown.")}
    widget = forms.HiddenInput

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        try:
            at = datetime.fromisoformat(str(value).replace(" ", "+"))  # an address read “+” as a space
        except ValueError as error:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error
        if at.tzinfo is None or at.year not in YEARS:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return at.astimezone(UTC)


class AskedForm(forms.Form):
    """What the address of the calendar or of a booking asks for; nonsense in it is a page that is not."""

    on = forms.DateField(required=False, validators=SENSIBLE)
    at = InstantField(required=False)
    doctor = forms.IntegerField(required=False)
    minutes = forms.IntegerField(required=False)
    title = forms.CharField(required=False, max_length=120)
    patient = forms.UUIDField(required=False)
    step = forms.UUIDField(required=False)
    whom = forms.CharField(required=False, max_length=120)


class TimesForm(forms.Form):
    """With whom, from which day on, and the time that was pressed; `offered_for` is whose times were shown."""

    practitioner = forms.ModelChoiceField(label=_("Doctor"), queryset=Practitioner.objects.none())
    not_before = forms.DateField(
        label=_("From"),
        required=False,
        validators=SENSIBLE,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    start = InstantField(required=False)
    offered_for = forms.IntegerField(required=False)

    def __init__(self, *args: Any, practitioners: QuerySet[Practitioner], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["practitioner"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
        field.queryset = practitioners

    @property
    def only_shows_times(self) -> bool:
        return "show_times" in self.data

    def clean(self) -> dict[str, Any]:
        """A time is taken with the doctor it was shown for: a changed doctor means to look again."""
        given = super().clean() or self.cleaned_data
        doctor = given.get("practitioner")
        if self.only_shows_times or self.errors or doctor is None:
            return given
        if given.get("start") is None:
            self.add_error("start", _("Choose one of the times shown."))
        elif given.get("offered_for") not in (None, doctor.pk):
            words = _("The times now shown are those with %(name)s. Choose again.")
            self.add_error("practitioner", words % {"name": doctor.name})
        return given


class MoveForm(TimesForm):
    because = forms.CharField(label=_("Why it is moved"), max_length=120, required=False)


class BookForm(TimesForm):
    minutes = forms.TypedChoiceField(label=_("Minutes"), coerce=int)
    title = forms.CharField(label=_("What for"), max_length=120, required=False)
    request_key = forms.CharField(widget=forms.HiddenInput, max_length=32)

    def __init__(self, *args: Any, cell_minutes: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["minutes"]
        assert isinstance(field, forms.TypedChoiceField)  # noqa: S101 - declared above
        field.choices = [(minutes, str(minutes)) for minutes in lengths(cell_minutes)]


class CancelForm(forms.Form):
    because = forms.CharField(
        label=_("Why it is cancelled"), max_length=200, help_text=_("It is kept with the visit.")
    )
