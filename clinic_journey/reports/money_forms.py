"""What a visit is worth on average, as a manager types it."""

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from clinic_journey.reports.money_models import VisitValue
from inquiries.models import Currency, Offering
from patients.models import Clinic


class VisitValueForm(forms.Form):
    amount = forms.DecimalField(
        label=gettext_lazy("A visit is worth, on average"),
        min_value=Decimal(1),
        max_digits=9,
        decimal_places=2,
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), choices=Currency.choices)

    def __init__(self, clinic: Clinic, value: VisitValue | None, data: Any = None) -> None:
        initial = {"currency": value.currency if value else _usual(clinic)}
        if value:
            initial["amount"] = f"{value.amount.normalize():f}"
        super().__init__(data, initial=initial)


def _usual(clinic: Clinic) -> str:
    """The currency of what the clinic offers."""
    named = Offering.objects.filter(clinic=clinic).exclude(currency="").values_list("currency", flat=True)
    return named.first() or Currency.ILS
