"""HTML input about patients: registration and the service card."""

from datetime import time

from django import forms
from django.utils import dates
from django.utils.translation import gettext_lazy as _

from patients.actions import CardAnswers, NewPatient
from patients.models import Channel, Gender, Language, Patient

WEEKDAYS = [(str(day), dates.WEEKDAYS[day]) for day in (6, 0, 1, 2, 3, 4, 5)]  # the week begins on Sunday
DAY_PARTS = (
    ("8-12", _("8 to 12")),
    ("12-16", _("12 to 16")),
    ("16-20", _("16 to 20")),
    ("20-22", _("20 to 22")),
)


class PatientForm(forms.Form):
    given_name = forms.CharField(label=_("First name"), max_length=80)
    family_name = forms.CharField(label=_("Family name"), max_length=80, required=False)
    phone = forms.CharField(
        label=_("Phone"), max_length=40, required=False, widget=forms.TextInput(attrs={"dir": "ltr"})
    )
    email = forms.EmailField(label=_("E-mail"), required=False, widget=forms.EmailInput(attrs={"dir": "ltr"}))
    language = forms.ChoiceField(label=_("Speaks"), choices=Language.choices)
    birth_date = forms.DateField(
        label=_("Date of birth"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    national_id = forms.CharField(
        label=_("ID number"), max_length=32, required=False, widget=forms.TextInput(attrs={"dir": "ltr"})
    )
    gender = forms.ChoiceField(label=_("Grammar of messages"), choices=Gender.choices, required=False)

    def clean(self) -> dict[str, object]:
        data = super().clean() or {}
        if not data.get("phone") and not data.get("email"):
            self.add_error("phone", _("Write a phone number or an e-mail, so that we can reach the patient."))
        return data

    def new_patient(self) -> NewPatient:
        return NewPatient(**self.cleaned_data)


class CardForm(forms.Form):
    """How, on which days and at which hours. Days or hours left empty mean any."""

    channel = forms.ChoiceField(label=_("By"), choices=Channel.choices, widget=forms.RadioSelect)
    days = forms.MultipleChoiceField(
        label=_("Days"), choices=WEEKDAYS, required=False, widget=forms.CheckboxSelectMultiple
    )
    hours = forms.MultipleChoiceField(
        label=_("Hours"), choices=DAY_PARTS, required=False, widget=forms.CheckboxSelectMultiple
    )
    language = forms.ChoiceField(label=_("Speaks"), choices=Language.choices, widget=forms.RadioSelect)
    may_leave_voicemail = forms.BooleanField(label=_("We may leave a voice message"), required=False)
    may_tell = forms.CharField(label=_("Somebody else who may be told"), max_length=120, required=False)

    @classmethod
    def of(cls, patient: Patient, data: object = None) -> "CardForm":
        """The form as the card stands, so that only what changed is typed."""
        card = getattr(patient, "card", None)
        windows = list(card.windows.all()) if card else []
        parts = [f"{w.start.hour}-{w.end.hour}" for w in windows]
        first_tie = patient.contacts.first()
        return cls(
            data,  # type: ignore[arg-type]  # request.POST or nothing
            initial={
                "channel": card.channel if card else "",
                "days": sorted({str(w.weekday) for w in windows}),
                "hours": sorted({part for part in parts if part in dict(DAY_PARTS)}),
                "language": patient.language,
                "may_leave_voicemail": bool(first_tie and first_tie.may_leave_voicemail),
                "may_tell": card.may_tell if card else "",
            },
        )

    def answers(self) -> CardAnswers:
        data = self.cleaned_data
        days = [int(day) for day in data["days"]] or (list(range(7)) if data["hours"] else [])
        hours = [part.split("-") for part in data["hours"]]
        spans = [(time(int(start)), time(int(end))) for start, end in hours]
        if days and not spans:
            spans = [(time.min, time.max)]
        windows = tuple((day, start, end) for day in days for start, end in spans)
        return CardAnswers(
            data["channel"], windows, data["language"], data["may_leave_voicemail"], data["may_tell"]
        )
