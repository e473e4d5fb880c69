"""HTML input about visits: which day to show, which time to take, why a visit is cancelled or moved."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from appointments.models import LONGEST_MINUTES, Practitioner, VisitType
from patients import coming
from patients.actions import Coming
from patients.models import ServiceCard

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
    room = forms.IntegerField(required=False)
    minutes = forms.IntegerField(required=False)
    title = forms.CharField(required=False, max_length=120)
    patient = forms.UUIDField(required=False)
    step = forms.UUIDField(required=False)
    whom = forms.CharField(required=False, max_length=120)
    type = forms.IntegerField(required=False)


class TimesForm(forms.Form):
    """With whom, from which day on, and the time that was pressed; `offered_for` is whose times were shown."""

    practitioner = forms.ModelChoiceField(
        label=_("Doctor"),
        queryset=Practitioner.objects.none(),
        widget=forms.Select(attrs={"data-refresh": "show_times"}),
    )
    not_before = forms.DateField(
        label=_("From"),
        required=False,
        validators=SENSIBLE,
        widget=forms.DateInput(attrs={"type": "date", "data-refresh": "show_times"}, format="%Y-%m-%d"),
    )
    start = InstantField(required=False)
    other = forms.CharField(required=False)  # the key of a colleague and a time, as their buttons carry it
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
        if given.get("other"):
            self._take_other(given)
        doctor = given.get("practitioner")
        if self.only_shows_times or self.errors or doctor is None:
            return given
        if given.get("start") is None:
            self.add_error("start", _("Choose one of the times shown."))
        elif given.get("offered_for") not in (None, doctor.pk):
            words = _("The times now shown are those with %(name)s. Choose again.")
            self.add_error("practitioner", words % {"name": doctor.name})
        return given

    def _take_other(self, given: dict[str, Any]) -> None:
        """A time with a colleague was pressed: the doctor changes along with it."""
        key, _space, text = given["other"].partition(" ")
        field = self.fields["practitioner"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
        try:
            given["practitioner"], given["start"] = field.clean(key), InstantField().clean(text)
        except forms.ValidationError:
            self.add_error("start", _("Choose one of the times shown."))
            return
        given["offered_for"] = given["practitioner"].pk


class TypedForm(TimesForm):
    """A visit of a type begins with its minutes; they may still be changed. Needs `minutes` beside it."""

    visit_type = forms.ModelChoiceField(
        label=_("Type of visit"),
        queryset=VisitType.objects.none(),
        required=False,
        empty_label=_("another"),
        widget=forms.Select(attrs={"data-refresh": "show_times"}),
    )
    minutes = forms.TypedChoiceField(label=_("Minutes"), coerce=int)
    shown_type = forms.IntegerField(required=False)

    def __init__(
        self, data: Any = None, *, visit_types: QuerySet[VisitType], cell_minutes: int, **kwargs: Any
    ) -> None:
        types = {str(each.pk): each for each in visit_types}
        self.has_types = bool(types)
        chosen = types.get(data.get("visit_type", "")) if data else None
        self.type_is_new = bool(chosen and data and data.get("shown_type") != str(chosen.pk))
        if chosen and self.type_is_new:
            data = data.copy()
            data["minutes"] = str(chosen.minutes)
        super().__init__(data, **kwargs)
        field = self.fields["visit_type"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
        field.queryset = visit_types
        possible = {*lengths(cell_minutes), *(each.minutes for each in types.values())}
        minutes = self.fields["minutes"]
        assert isinstance(minutes, forms.TypedChoiceField)  # noqa: S101 - declared above
        now = self.initial.get("minutes")
        minutes.choices = [(each, str(each)) for each in sorted({*possible, *([now] if now else [])})]

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if self.type_is_new and not self.only_shows_times and not self.errors:
            words = _("The times now shown are those for “%(type)s”. Choose again.")
            self.add_error("visit_type", words % {"type": given["visit_type"].name})
        return given


class MoveForm(TypedForm):
    minutes = forms.TypedChoiceField(label=_("Minutes"), coerce=int, required=False)
    because = forms.CharField(label=_("Why it is moved"), max_length=120, required=False)

    def clean(self) -> dict[str, Any]:
        """Unless it is said otherwise, the visit stays as long as it is."""
        given = super().clean()
        given["minutes"] = given.get("minutes") or self.initial["minutes"]
        return given


class BookForm(TypedForm):
    any_doctor = forms.BooleanField(
        label=_("Other doctors too"),
        required=False,
        widget=forms.CheckboxInput(attrs={"data-refresh": "show_times"}),
    )
    title = forms.CharField(label=_("What for"), max_length=120, required=False)
    keep = InstantField(required=False)  # pressed instead of a time: kept for minutes, not booked yet
    request_key = forms.CharField(widget=forms.HiddenInput, max_length=32)

    def clean(self) -> dict[str, Any]:
        """Keeping a time asks for the same as booking it."""
        kept = self.cleaned_data.get("keep")
        if kept:
            self.cleaned_data["start"] = kept
        return super().clean()


class CancelForm(forms.Form):
    because = forms.CharField(
        label=_("Why it is cancelled"), max_length=200, help_text=_("It is kept with the visit.")
    )


class ComesForm(forms.Form):
    """When the patient can come, asked while booking; what was shown tells whether anything was said."""

    coming = forms.MultipleChoiceField(
        label=_("Can come"), choices=coming.COMES, required=False, widget=forms.CheckboxSelectMultiple
    )
    coming_shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, card: ServiceCard | None) -> None:
        self.windows = coming.windows_of(card)
        self.spans = coming.named_spans(self.windows, coming.PARTS)
        self.is_told = bool(card and card.coming_told_at)
        said = coming.names_said(self.windows, coming.PARTS) if self.is_told else []
        super().__init__(data, initial={"coming": said, "coming_shown": " ".join(said)})
        self.fields["coming"].choices = coming.with_exact(coming.COMES, self.spans)  # type: ignore[attr-defined]

    def keyed(self) -> Iterator[tuple[Any, str]]:
        """Each choice with its key."""
        return ((option, coming.KEYS.get(option.data["value"], "")) for option in self["coming"])

    @property
    def days(self) -> str:
        """The days that hold, in words; empty: all."""
        return coming.days_in_words(coming.days_said(self.windows) or list(coming.WEEK))

    @property
    def words(self) -> str:
        """What is on the card, in a line; empty: not told yet."""
        said = coming.in_words(self.windows) or [str(coming.COMES[-1][1])]
        return format_html_join(", ", "{}", ([each] for each in said)) if self.is_told else ""

    def said(self) -> Coming | None:
        """None where it is as it was shown. On which days she can come stays, unless it is any time now."""
        chosen, shown = self.cleaned_data["coming"], self.cleaned_data["coming_shown"].split()
        if "coming_shown" not in self.data or set(chosen) == set(shown):
            return None
        chosen = coming.said_last(chosen, shown)
        days = [] if not chosen or coming.ANY in chosen else coming.days_said(self.windows)
        return coming.coming_of(chosen, days, self.spans)
