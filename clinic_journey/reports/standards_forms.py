"""A manager's own strictness: within how long, how often at least, or why not; and a standard of the clinic itself."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _, gettext_lazy

from clinic_journey.reports.standards_actions import OwnStandard, Strictness
from clinic_journey.reports.standards_measures import MEASURES
from clinic_journey.reports.standards_models import LONGEST, Foundation, Standard
from clinic_journey.reports.standards_words import UNIT_WORDS
from journeys.deadlines import Limit, Unit

ROUTINE = gettext_lazy("What to do about it in two minutes a day")


class LimitForm(forms.Form):
    """How strict: a limit where the measure has one, and how often at least."""

    amount = forms.IntegerField(label=gettext_lazy("Within"), min_value=1, max_value=9999)
    unit = forms.ChoiceField(
        label=gettext_lazy("counted in"), choices=[(unit.value, words) for unit, words in UNIT_WORDS.items()]
    )
    goal = forms.IntegerField(label=gettext_lazy("Goal, in percent"), min_value=1, max_value=100)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("amount") and data.get("unit") and data["amount"] > LONGEST[Unit(data["unit"])]:
            longest = LONGEST[Unit(data["unit"])]
            self.add_error(
                "amount", _("%(number)s at most; later than that nobody waits.") % {"number": longest}
            )
        return data

    @property
    def limit(self) -> Limit | None:
        data = self.cleaned_data
        return Limit(data["amount"], Unit(data["unit"])) if data.get("amount") and data.get("unit") else None


class StandardForm(LimitForm):
    is_on = forms.BooleanField(label=gettext_lazy("This standard is counted"), required=False)
    off_because = forms.CharField(
        label=gettext_lazy("If it is not counted: why"), max_length=200, required=False
    )
    routine = forms.CharField(
        label=ROUTINE,
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Empty: our words."),
    )

    def __init__(self, standard: Standard, data: Any = None) -> None:
        given = {
            "amount": standard.limit_amount,
            "unit": standard.limit_unit,
            "goal": standard.goal,
            "is_on": standard.is_on,
            "off_because": standard.off_because,
            "routine": standard.own_routine,
        }
        super().__init__(data, initial=given)
        if not MEASURES[standard.measure].has_limit:
            del self.fields["amount"], self.fields["unit"]

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if not data.get("is_on") and not data.get("off_because"):
            self.add_error("off_because", _("Say why, so that nobody wonders in a year."))
        return data

    def strictness(self) -> Strictness:
        data = self.cleaned_data
        return Strictness(data["goal"], data["is_on"], self.limit, data["off_because"], data["routine"])


class OwnStandardForm(LimitForm):
    """The limit may stay empty only where the measure takes none."""

    name = forms.CharField(label=gettext_lazy("What you hold yourselves to"), max_length=80)
    measure = forms.ChoiceField(
        label=gettext_lazy("What is counted"), choices=[(key, each.counts) for key, each in MEASURES.items()]
    )
    foundation = forms.TypedChoiceField(
        label=gettext_lazy("Which foundation it serves"), coerce=int, choices=Foundation.choices
    )
    routine = forms.CharField(
        label=ROUTINE, max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    field_order = ("name", "measure", "amount", "unit", "goal", "foundation", "routine")

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, initial={"goal": 90, "unit": Unit.WORKING_HOURS.value})
        amount, unit = self.fields["amount"], self.fields["unit"]
        amount.required = unit.required = False
        amount.help_text = gettext_lazy("Empty where only yes or no is counted.")

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        measure = MEASURES.get(data.get("measure", ""))
        if measure and measure.has_limit and not data.get("amount") and "amount" not in self.errors:
            self.add_error("amount", _("Say within how long."))
        if measure and not measure.has_limit and data.get("amount"):
            self.add_error("amount", _("Here only yes or no is counted: leave it empty."))
        return data

    def standard(self) -> OwnStandard:
        data = self.cleaned_data
        return OwnStandard(
            data["name"], data["measure"], data["goal"], data["foundation"], self.limit, data["routine"]
        )
