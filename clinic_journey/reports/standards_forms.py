"""A manager's own strictness: within how long, and how often at least."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _, gettext_lazy

from clinic_journey.reports.standards_actions import Strictness
from clinic_journey.reports.standards_measures import MEASURES
from clinic_journey.reports.standards_models import LONGEST, Standard
from clinic_journey.reports.standards_words import UNIT_WORDS
from journeys.deadlines import Limit, Unit


class StandardForm(forms.Form):
    amount = forms.IntegerField(label=gettext_lazy("Within"), min_value=1, max_value=9999)
    unit = forms.ChoiceField(
        label=gettext_lazy("counted in"), choices=[(unit.value, words) for unit, words in UNIT_WORDS.items()]
    )
    goal = forms.IntegerField(label=gettext_lazy("Goal, in percent"), min_value=1, max_value=100)
    is_on = forms.BooleanField(label=gettext_lazy("This standard is counted"), required=False)

    def __init__(self, standard: Standard, data: Any = None) -> None:
        given = {
            "amount": standard.limit_amount,
            "unit": standard.limit_unit,
            "goal": standard.goal,
            "is_on": standard.is_on,
        }
        super().__init__(data, initial=given)
        if not MEASURES[standard.measure].has_limit:
            del self.fields["amount"], self.fields["unit"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("amount") and data.get("unit") and data["amount"] > LONGEST[Unit(data["unit"])]:
            longest = LONGEST[Unit(data["unit"])]
            self.add_error(
                "amount", _("%(number)s at most; later than that nobody waits.") % {"number": longest}
            )
        return data

    def strictness(self) -> Strictness:
        data = self.cleaned_data
        limit = Limit(data["amount"], Unit(data["unit"])) if "amount" in self.fields else None
        return Strictness(data["goal"], data["is_on"], limit)
