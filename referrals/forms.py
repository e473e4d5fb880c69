"""HTML input about referrals: the referral with its held visit in one form, decisions, matching by hand."""

from datetime import MAXYEAR, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from appointments.models import Practitioner, VisitType
from journeys.models import Urgency
from patients.windows import starts_at
from referrals.models import Referral

MINUTES = ((10, "10"), (20, "20"), (30, "30"), (40, "40"), (60, "60"), (90, "90"))
NO_HOLD = "none"
PROMISED_AT = time(18)  # a promised day ends when institutes close


class ReferralForm(forms.Form):
    """Refer and hold in one step. `hold` is a start instant in ISO form, or NO_HOLD with a reason."""

    template_key = forms.ChoiceField(
        label=_("Kind"),
        choices=[("imaging_treatment", _("Treatment after images")), ("urgent_treatment", _("Urgent: pain"))],
    )
    title = forms.CharField(
        label=_("Treatment"), max_length=120, required=False, help_text=_("For staff, e.g. tooth 36.")
    )
    service = forms.CharField(label=_("What is needed"), max_length=120)
    question = forms.CharField(
        label=_("Question to answer"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    practitioner = forms.ModelChoiceField(label=_("Doctor"), queryset=Practitioner.objects.none())
    performer = forms.CharField(label=_("Institute"), max_length=120)
    performer_email = forms.EmailField(
        label=_("Institute's e-mail"), required=False, widget=forms.EmailInput(attrs={"dir": "ltr"})
    )
    performer_phone = forms.CharField(
        label=_("Institute's phone"),
        max_length=32,
        required=False,
        widget=forms.TextInput(attrs={"dir": "ltr", "type": "tel"}),
    )
    expected_on = forms.DateField(
        label=_("Images expected by"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    visit_type = forms.ModelChoiceField(
        label=_("Type of visit"),
        queryset=VisitType.objects.none(),
        required=False,
        empty_label=_("another"),
        widget=forms.Select(attrs={"data-refresh": "show_times"}),
    )
    shown_type = forms.IntegerField(required=False)
    minutes = forms.TypedChoiceField(label=_("Visit, minutes"), choices=MINUTES, coerce=int)
    hold = forms.CharField(required=False, widget=forms.HiddenInput)
    hold_refused_because = forms.CharField(label=_("Why no visit is held"), max_length=200, required=False)
    hold_despite_because = forms.CharField(
        label=_("Why it is held all the same"), max_length=200, required=False
    )
    request_key = forms.CharField(widget=forms.HiddenInput, max_length=80)

    def __init__(
        self,
        data: Any = None,
        *,
        practitioners: QuerySet[Practitioner],
        visit_types: QuerySet[VisitType],
        **kwargs: Any,
    ) -> None:
        """A newly chosen type brings its minutes along; the times are then shown anew."""
        types = {str(each.pk): each for each in visit_types}
        self.has_types = bool(types)
        chosen = types.get(data.get("visit_type", "")) if data else None
        self.type_is_new = bool(chosen and data.get("shown_type") != str(chosen.pk))
        if chosen and self.type_is_new:
            data = data.copy()
            data["minutes"] = str(chosen.minutes)
        super().__init__(data, **kwargs)
        for name, rows in (("practitioner", practitioners), ("visit_type", visit_types)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
            field.queryset = rows
        minutes = self.fields["minutes"]
        assert isinstance(minutes, forms.TypedChoiceField)  # noqa: S101 - declared above
        possible = {number for number, _text in MINUTES} | {each.minutes for each in types.values()}
        minutes.choices = [(number, str(number)) for number in sorted(possible)]

    def clean_visit_type(self) -> VisitType | None:
        chosen: VisitType | None = self.cleaned_data["visit_type"]
        if chosen and self.type_is_new and self.data.get("hold") not in (None, "", NO_HOLD):
            words = _("The times now shown are those for “%(type)s”. Choose again.")
            raise forms.ValidationError(words, params={"type": chosen.name})
        return chosen

    def clean_hold(self) -> datetime | None:
        text = self.cleaned_data["hold"]
        if not text or text == NO_HOLD:
            return None
        try:
            start = datetime.fromisoformat(text)
        except ValueError as error:
            raise forms.ValidationError(_("Choose one of the times shown.")) from error
        if start.tzinfo is None or not 1 < start.year < MAXYEAR:
            raise forms.ValidationError(_("Choose one of the times shown."))
        return start

    def clean_expected_on(self) -> date:
        on: date = self.cleaned_data["expected_on"]
        if not 1 < on.year < MAXYEAR:
            raise forms.ValidationError(_("Choose a date that is still to come."))
        return on

    def expected_at(self, zone: str) -> datetime:
        return starts_at(zone, self.cleaned_data["expected_on"], PROMISED_AT)

    def urgency(self) -> str:
        urgent = self.cleaned_data["template_key"] == "urgent_treatment"
        return Urgency.URGENT if urgent else Urgency.ROUTINE


def usual_wait(now: datetime, last: Referral | None) -> dict[str, object]:
    """What a new referral begins with: the same institute as last time, images in three days."""
    return {
        "expected_on": (now + timedelta(days=3)).date(),
        "minutes": 30,
        "service": last.service if last else _("Panoramic image"),
        "performer": last.performer if last else "",
        "performer_email": last.performer_email if last else "",
        "performer_phone": last.performer_phone if last else "",
    }


class RevokeForm(forms.Form):
    because = forms.CharField(label=_("Why the referral is taken back"), max_length=200)
    is_told = forms.BooleanField(label=_("The patient has been told already"), required=False)


class RejectForm(forms.Form):
    because = forms.CharField(label=_("Why it is not ours"), max_length=200)


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("Image or report (PDF, JPEG, PNG, TIFF, DICOM)"),
        error_messages={"empty": _("This file is empty. Export it again and send that one.")},
    )
