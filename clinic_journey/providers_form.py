"""What an administrator answers of the provider that carries a channel's messages, as it stands under Channels."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clinic_journey.setup.forms import COUNTRY_NAMES
from outreach.channels import leaving
from outreach.provider_models import BY_A_PROVIDER, ProviderTerms
from outreach.provider_terms import Missing, missing_of, terms_of
from patients.models import Channel, Clinic


class ProviderForm(forms.Form):
    """All of it may stay open; what is missing is said beside it."""

    country = forms.ChoiceField(
        label=_("Country in which it keeps the data"),
        required=False,
        widget=forms.Select(attrs={"lang": "en"}),
    )
    basis = forms.CharField(
        label=_("Legal basis, where that is another country"),
        help_text=_("Such as: standard contractual clauses of 3.2.2026."),
        max_length=200,
        required=False,
    )
    has_agreement = forms.BooleanField(
        label=_("An agreement about patients' data is signed"),
        help_text=_(
            "In the United States the business associate agreement, in Europe the contract of article 28."
        ),
        required=False,
    )

    def __init__(self, channel: str, **kwargs: Any) -> None:
        super().__init__(auto_id=f"id_{channel}_%s", **kwargs)
        names = sorted(COUNTRY_NAMES.items(), key=lambda each: each[1])
        self.fields["country"].choices = [("", "---"), *names]  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Provider:
    """One channel's, with what was said of it and what is missing."""

    channel: Channel
    terms: ProviderTerms | None
    missing: list[Missing]
    form: ProviderForm

    @property
    def country(self) -> str:
        code = self.terms.country if self.terms else ""
        return COUNTRY_NAMES.get(code, code)


def providers_of(clinic: Clinic, refused: ProviderForm | None = None) -> list[Provider]:
    """Of every channel whose messages leave this machine."""
    given, out = terms_of(clinic), leaving()
    return [
        _provider(clinic, channel, given.get(channel), refused) for channel in BY_A_PROVIDER if channel in out
    ]


def _provider(
    clinic: Clinic, channel: str, terms: ProviderTerms | None, refused: ProviderForm | None
) -> Provider:
    names = ("country", "basis", "has_agreement")
    form = ProviderForm(channel, initial={name: getattr(terms, name) for name in names} if terms else None)
    if refused is not None and refused.auto_id == form.auto_id:
        form = refused
    return Provider(Channel(channel), terms, missing_of(clinic, terms), form)
