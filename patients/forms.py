"""HTML input about patients: registration, corrections, and an address with what may be done there."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from patients.actions import NewPatient
from patients.addresses import TieAnswers
from patients.details import DETAILS
from patients.models import (
    GUARDIANS,
    AddressKind,
    Gender,
    Language,
    MaySay,
    Patient,
    PatientContact,
    Place,
    Relation,
)


class WhoForm(forms.Form):
    given_name = forms.CharField(label=_("First name"), max_length=80)
    family_name = forms.CharField(label=_("Family name"), max_length=80, required=False)
    birth_date = forms.DateField(
        label=_("Date of birth"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    national_id = forms.CharField(
        label=_("ID number"), max_length=32, required=False, widget=forms.TextInput(attrs={"dir": "ltr"})
    )
    gender = forms.ChoiceField(label=_("Address as (woman / man)"), choices=Gender.choices, required=False)


class DetailsForm(WhoForm):
    """What is put right on the record; the page carries what it showed, so only what was changed is written."""

    def __init__(self, data: QueryDict | None, patient: Patient) -> None:
        super().__init__(data, initial={name: getattr(patient, name) for name in DETAILS})
        for field in self.fields.values():
            field.show_hidden_initial = True

    def changes(self) -> dict[str, object]:
        return {name: self.cleaned_data[name] for name in self.changed_data}


class PatientForm(WhoForm):
    phone = forms.CharField(
        label=_("Phone"), max_length=40, required=False, widget=forms.TextInput(attrs={"dir": "ltr"})
    )
    email = forms.EmailField(label=_("E-mail"), required=False, widget=forms.EmailInput(attrs={"dir": "ltr"}))
    language = forms.ChoiceField(label=_("Speaks"), choices=Language.choices)

    def clean(self) -> dict[str, object]:
        data = super().clean() or {}
        if not data.get("phone") and not data.get("email"):
            self.add_error("phone", _("Write a phone number or an e-mail, so that we can reach the patient."))
        return data

    def new_patient(self) -> NewPatient:
        return NewPatient(**self.cleaned_data)


class TieForm(forms.Form):
    """Whose an address is, when it is tried, and what may be done and said there."""

    relation = forms.ChoiceField(label=_("Whose is it?"), choices=Relation.choices)
    place = forms.ChoiceField(label=_("Where?"), choices=Place.choices, required=False)
    rank = forms.IntegerField(
        label=_("Tried as number"), min_value=1, max_value=9, required=False, help_text=_("1 is tried first.")
    )
    may_be_called = forms.BooleanField(
        label=_("May be called here"), required=False, help_text=_("Off means never, for example at work.")
    )
    may_leave_voicemail = forms.BooleanField(label=_("We may leave a voice message"), required=False)
    may_say = forms.ChoiceField(
        label=_("What may be said there?"),
        choices=MaySay.choices,
        widget=forms.RadioSelect,
        help_text=_(
            "Choose “Nothing” for a parent who is not to be told, for instance where only the other parent is."
        ),
    )
    other_parent = forms.BooleanField(
        label=_("The other parent’s, who is told too"),
        required=False,
        help_text=_(
            "For parents who live apart: tick all addresses of one of them. What one was told, the other is told in"
            " a message or call of their own."
        ),
    )

    @staticmethod
    def beginning(tie: PatientContact | None = None) -> dict[str, object]:
        """The answers as they stand; for a new address the usual ones."""
        shown = tie or PatientContact()
        names = TieForm.base_fields
        return {name: getattr(shown, name) for name in names} | {"rank": tie.rank if tie else None}

    def clean(self) -> dict[str, object]:
        data = super().clean() or {}
        if data.get("other_parent") and data.get("relation") not in GUARDIANS:
            self.add_error("other_parent", _("Choose above that it is a parent’s or a guardian’s."))
        return data

    def answers(self) -> TieAnswers:
        data = {name: self.cleaned_data[name] for name in TieForm.base_fields}
        return TieAnswers(**{**data, "rank": data["rank"] or 0})


# A Telegram identity cannot be typed: the patient links it herself.
TYPED = [(kind.value, kind.label) for kind in AddressKind if kind != AddressKind.TELEGRAM]


class NewTieForm(TieForm):
    kind = forms.ChoiceField(label=_("Kind"), choices=TYPED, widget=forms.RadioSelect)
    value = forms.CharField(
        label=_("Number or address"), max_length=254, widget=forms.TextInput(attrs={"dir": "ltr"})
    )
    field_order = ("kind", "value")

    def clean(self) -> dict[str, object]:
        data = super().clean() or {}
        if data.get("kind") == AddressKind.EMAIL and data.get("value"):
            try:
                data["value"] = forms.EmailField().clean(data["value"])
            except forms.ValidationError as error:
                self.add_error("value", error)
        return data
