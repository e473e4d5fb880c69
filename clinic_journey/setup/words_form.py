"""The form of one text: its words for everybody and, where it reads better, for a woman and for a man."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic_journey.language import text_direction
from outreach.own_words import Spot
from outreach.wording import WITH_SUBJECT, Draft, remarks
from patients.models import Clinic, Gender

BODIES = {"body": Gender.UNKNOWN.value, "body_f": Gender.FEMALE.value, "body_m": Gender.MALE.value}


class WordsForm(forms.Form):
    """Its errors are what is refused; what is only advised is shown beside it."""

    subject = forms.CharField(label=_("Title of the e-mail"), max_length=120)
    body = forms.CharField(label=_("The words"), max_length=1000)
    body_f = forms.CharField(
        label=_("To a woman"),
        max_length=1000,
        required=False,
        help_text=_("Only if it reads better. Empty: the words above."),
    )
    body_m = forms.CharField(label=_("To a man"), max_length=1000, required=False)

    def __init__(self, spot: Spot, clinic: Clinic, *, purpose: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spot, self.clinic, self.purpose = spot, clinic, purpose
        if spot.channel not in WITH_SUBJECT:
            del self.fields["subject"]
        attributes = {"lang": spot.language, "dir": text_direction(spot.language)}
        for name, field in self.fields.items():
            field.widget = forms.Textarea(attrs={"rows": 4}) if name in BODIES else field.widget
            field.widget.attrs.update(attributes)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name, draft in self.drafts(data):
            for remark in remarks(draft, clinic=self.clinic):
                if remark.is_refused:
                    self.add_error(name, remark.isolated)
        return data

    def drafts(self, data: dict[str, Any]) -> Iterator[tuple[str, Draft]]:
        """The forms that have words, by the name of their field."""
        for name, variant in BODIES.items():
            if data.get(name):
                yield (
                    name,
                    Draft(
                        key=self.spot.key,
                        channel=self.spot.channel,
                        language=self.spot.language,
                        variant=variant,
                        purpose=self.purpose,
                        subject=data.get("subject", ""),
                        body=data[name],
                    ),
                )

    def bodies(self) -> dict[str, str]:
        return {variant: self.cleaned_data[name] for name, variant in BODIES.items()}
