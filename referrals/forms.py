"""HTML input about referrals: the referral with its held visit in one form, decisions, matching by hand."""

from datetime import MAXYEAR, date, datetime, time, timedelta

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from appointments.models import Practitioner
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
    title = forms.CharField(label=_("Treatment"), max_length=120, help_text=_("For staff, e.g. tooth 36."))
    service = forms.CharField(label=_("What is needed"), max_length=120)
    question = forms.CharField(
        label=_("Question to answer"), required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    practitioner = forms.ModelChoiceField(label=_("Doctor"), queryset=Practitioner.objects.none())
    performer = forms.CharField(label=_("Institute"), max_length=120)
    performer_email = forms.EmailField(
        label=_("Institute's e-mail"), required=False, widget=forms.EmailInput(attrs={"dir": "ltr"})
    )
    expected_on = forms.DateField(
        label=_("Images expected by"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    minutes = forms.TypedChoiceField(label=_("Visit, minutes"), choices=MINUTES, coerce=int)
    hold = forms.CharField(required=False, widget=forms.HiddenInput)
    hold_refused_because = forms.CharField(label=_("Why no visit is held"), max_length=200, required=False)
    request_key = forms.CharField(widget=forms.HiddenInput, max_length=80)

    def __init__(self, *args: object, practitioners: QuerySet[Practitioner], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        field = self.fields["practitioner"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
        field.queryset = practitioners

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
    }


class RejectForm(forms.Form):
    because = forms.CharField(label=_("Why it is not ours"), max_length=200)


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("Image or report (PDF, JPEG, PNG, TIFF, DICOM)"),
        error_messages={"empty": _("This file is empty. Export it again and send that one.")},
    )
