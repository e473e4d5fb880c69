"""HTML input about inquiries in the order of the talk, and about what a clinic offers."""

from datetime import date
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _, gettext_lazy

from appointments.models import Practitioner
from appointments.queries import visit_types_of
from inquiries.actions import Caller
from inquiries.models import PREPARATION, Currency, ForWhom, Inquiry, LostCause, Offering, Payer
from inquiries.queries import FreeTime
from patients.actions import NewPatient, RefusedError, normal_phone
from patients.models import Clinic, Language
from patients.queries import first_weekday_of
from patients.windows import WEEK
from patients.written_hours import Stretch, stretches_in, written

NOT_SAID = ("", gettext_lazy("not said"))
USUAL_CURRENCY = {"IL": "ILS", "US": "USD", "GB": "GBP", "RU": "RUB", "UA": "UAH", "KZ": "KZT"}
SENSIBLE = (MinValueValidator(date(2000, 1, 1)), MaxValueValidator(date(2199, 12, 31)))
MOST_OF_A_BATCH = 1_000_000


class DigitRadios(forms.RadioSelect):
    """A digit presses each; 0 is the first, which stands for none."""

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(*args, **kwargs)
        option["attrs"]["data-key"] = f"Digit{option['index']}"
        return option


class CallerForm(forms.Form):
    """A time first, then the name, then whether and when we may call."""

    time = forms.ChoiceField(
        label=gettext_lazy("Which time?"),
        required=False,
        widget=DigitRadios,
        error_messages={"invalid_choice": gettext_lazy("This time is not free any more. Choose another.")},
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120, required=False)
    phone = forms.CharField(
        label=gettext_lazy("Phone"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"dir": "ltr", "inputmode": "tel"}),
    )
    for_whom = forms.ChoiceField(
        label=gettext_lazy("Is it for somebody else?"),
        required=False,
        choices=[NOT_SAID, *ForWhom.choices],
    )
    may_call_back = forms.TypedChoiceField(
        label=gettext_lazy("May we call back?"),
        required=False,
        coerce=lambda said: said == "yes",
        empty_value=None,
        choices=[NOT_SAID, ("yes", gettext_lazy("yes, gladly")), ("no", gettext_lazy("better not"))],
    )
    call_from = forms.TimeField(
        label=gettext_lazy("Call from"), required=False, widget=forms.TimeInput({"type": "time"}, "%H:%M")
    )
    call_until = forms.TimeField(
        label=gettext_lazy("until"), required=False, widget=forms.TimeInput({"type": "time"}, "%H:%M")
    )

    def __init__(self, data: Any, *, inquiry: Inquiry, times: list[FreeTime], words: list[str]) -> None:
        super().__init__(data, initial=beginning(inquiry))
        self.clinic: Clinic = inquiry.clinic
        self.times = {each.key: each for each in times}
        field = self.fields["time"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        named = list(zip(self.times, words, strict=True))
        field.choices = [("", _("no time yet")), *named]

    def clean_phone(self) -> str:
        text = self.cleaned_data["phone"].strip()
        if not text:
            return ""
        try:
            return normal_phone(text, region=self.clinic.country)
        except RefusedError as refusal:
            raise forms.ValidationError(str(refusal)) from refusal

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        start, end = given.get("call_from"), given.get("call_until")
        if bool(start) != bool(end) or (start and end and start >= end):
            self.add_error("call_until", _("Say from when to when."))
        elif start and not given.get("may_call_back"):
            self.add_error("may_call_back", _("Ask first whether we may call."))
        return given

    def caller(self) -> Caller:
        given = dict(self.cleaned_data)
        chosen = self.times.get(given.pop("time"))
        at, doctor = (chosen.at, chosen.practitioner) if chosen else (None, None)
        return Caller(**given, wants_at=at, wants_with=doctor)


def beginning(inquiry: Inquiry) -> dict[str, Any]:
    may = inquiry.may_call_back
    doctor: Practitioner | None = inquiry.wants_with
    return {
        "time": FreeTime(inquiry.wants_at, doctor).key if inquiry.wants_at and doctor else "",
        "name": inquiry.name,
        "phone": inquiry.phone,
        "for_whom": inquiry.for_whom,
        "may_call_back": "" if may is None else "yes" if may else "no",
        "call_from": inquiry.call_from,
        "call_until": inquiry.call_until,
    }


class SendForm(forms.Form):
    """Where the answer goes, and its words as they will be read."""

    to = forms.CharField(
        label=gettext_lazy("To which phone or e-mail"),
        max_length=254,
        widget=forms.TextInput(attrs={"dir": "ltr"}),
    )
    words = forms.CharField(
        label=gettext_lazy("The words"), max_length=1000, widget=forms.Textarea(attrs={"rows": 4})
    )

    def clean_to(self) -> str:
        text: str = self.cleaned_data["to"].strip()
        if "@" in text:
            text = forms.EmailField().clean(text)
        return text


class PayerForm(forms.Form):
    payer = forms.ChoiceField(label=gettext_lazy("Who pays"), choices=Payer.choices, widget=forms.RadioSelect)
    insurance = forms.CharField(label=gettext_lazy("Which insurance"), max_length=80, required=False)


class LostForm(forms.Form):
    because = forms.ChoiceField(
        label=gettext_lazy("Why"),
        choices=[each for each in LostCause.choices if each[0]],
        widget=forms.RadioSelect,
    )
    words = forms.CharField(label=gettext_lazy("In their own words"), max_length=200, required=False)


class JoinForm(forms.Form):
    """Somebody we know, or a new record with the name that was told."""

    patient = forms.UUIDField(required=False, widget=forms.HiddenInput)
    given_name = forms.CharField(label=gettext_lazy("First name"), max_length=80, required=False)
    family_name = forms.CharField(label=gettext_lazy("Family name"), max_length=80, required=False)
    language = forms.ChoiceField(label=gettext_lazy("Speaks"), choices=Language.choices, required=False)

    def __init__(self, data: Any, *, inquiry: Inquiry) -> None:
        given, _space, family = inquiry.name.partition(" ")
        names = {"given_name": given, "family_name": family, "language": inquiry.clinic.language}
        super().__init__(data, initial=names)
        self.inquiry = inquiry

    @property
    def known(self) -> UUID | None:
        found: UUID | None = self.cleaned_data.get("patient")
        return found

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("patient") and not given.get("given_name"):
            self.add_error("given_name", _("Write the name first."))
        return given

    def new_patient(self) -> NewPatient:
        given = self.cleaned_data
        return NewPatient(
            given["given_name"],
            given["family_name"],
            language=given["language"] or self.inquiry.clinic.language,
            phone=self.inquiry.phone,
        )


class WalkInField(forms.CharField):
    """One day's hours in one line; empty: by appointment."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False, max_length=80, widget=forms.TextInput(attrs={"dir": "ltr"}), **kwargs
        )

    def clean(self, value: Any) -> Any:
        try:
            return stretches_in(super().clean(value))
        except ValueError as error:
            raise forms.ValidationError(
                _("Write hours as 8:00-12:00, several as 8:00-10:00, 16:00-18:00.")
            ) from error


class OfferingForm(forms.ModelForm):  # type: ignore[type-arg]
    """One name is enough; the price without insurance, or none."""

    class Meta:
        model = Offering
        fields = [
            "kind",
            "other_words",
            "price",
            "currency",
            "visit_type",
            "done_by",
            "is_public",
            "is_active",
        ]
        labels = {"price": gettext_lazy("Price without insurance")}
        widgets = {
            "other_words": forms.Textarea(attrs={"rows": 3}),
            "done_by": forms.CheckboxSelectMultiple,
        }

    def __init__(self, *args: Any, clinic: Clinic, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        visit_type = self.fields["visit_type"]
        assert isinstance(visit_type, forms.ModelChoiceField)  # noqa: S101 - of a foreign key
        visit_type.queryset = visit_types_of(clinic)
        done_by = self.fields["done_by"]
        assert isinstance(done_by, forms.ModelMultipleChoiceField)  # noqa: S101 - of many to many
        done_by.queryset = Practitioner.objects.filter(clinic=clinic, is_active=True).order_by("name", "pk")
        self.initial["currency"] = self.initial.get("currency") or USUAL_CURRENCY.get(clinic.country, "EUR")
        for code, language in settings.LANGUAGES:
            self.fields[f"name_{code}"] = forms.CharField(
                label=language, max_length=80, required=False, initial=self.instance.names.get(code, "")
            )
            self.fields[f"preparation_{code}"] = forms.CharField(
                label=language,
                max_length=PREPARATION,
                required=False,
                initial=self.instance.preparations.get(code, ""),
            )
        self._add_week(clinic)

    def _add_week(self, clinic: Clinic) -> None:
        week = self.instance.week if self.instance.pk else {}
        self.weekdays = [(first_weekday_of(clinic) + n) % WEEK for n in range(WEEK)]
        for weekday in self.weekdays:
            self.fields[f"walk_in_{weekday}"] = WalkInField(
                label=WEEKDAYS[weekday], initial=written(week.get(weekday, []))
            )

    def name_fields(self) -> list[forms.BoundField]:
        return [self[f"name_{code}"] for code, _language in settings.LANGUAGES]

    def preparation_fields(self) -> list[forms.BoundField]:
        return [self[f"preparation_{code}"] for code, _language in settings.LANGUAGES]

    def walk_in_fields(self) -> list[forms.BoundField]:
        return [self[f"walk_in_{weekday}"] for weekday in self.weekdays]

    def week(self) -> dict[int, list[Stretch]]:
        return {weekday: self.cleaned_data[f"walk_in_{weekday}"] for weekday in self.weekdays}

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        self.instance.names = _in_languages("name", given)
        self.instance.preparations = _in_languages("preparation", given)
        if not self.instance.names:
            self.add_error(f"name_{settings.LANGUAGE_CODE}", _("Name it in at least one language."))
        price = given.get("price")
        if price is None:
            given["currency"] = ""
        elif price < 0:
            self.add_error("price", _("A price is not below zero."))
        elif given.get("currency") not in Currency.values:
            self.add_error("currency", _("Say in which currency."))
        return given


def _in_languages(what: str, given: dict[str, Any]) -> dict[str, str]:
    said = {code: given.get(f"{what}_{code}", "").strip() for code, _language in settings.LANGUAGES}
    return {code: words for code, words in said.items() if words}


class BatchForm(forms.Form):
    number = forms.CharField(
        label=gettext_lazy("Batch"), max_length=40, widget=forms.TextInput(attrs={"dir": "ltr"})
    )
    quantity = forms.IntegerField(label=gettext_lazy("How many"), min_value=0, max_value=MOST_OF_A_BATCH)
    expires_on = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        validators=SENSIBLE,
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
        help_text=gettext_lazy("Empty: it does not expire."),
    )
