"""One form: what is changed about which step, by whom, since when."""

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy

from appointments.forms import SENSIBLE
from clinic_journey.reports.improvements_actions import Idea
from journeys.models import StepTemplate, TemplateStatus
from patients.access import Here


class IdeaForm(forms.Form):
    step = forms.ChoiceField(label=gettext_lazy("Step"))
    words = forms.CharField(label=gettext_lazy("What we change"), max_length=200)
    owner = forms.ModelChoiceField(User.objects.none(), label=gettext_lazy("Who sees to it"))
    begun_on = forms.DateField(
        label=gettext_lazy("Since"),
        validators=SENSIBLE,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def __init__(self, *args: object, here: Here, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        steps = StepTemplate.objects.filter(template__status=TemplateStatus.ACTIVE).select_related("template")
        self.fields["step"].choices = [  # type: ignore[attr-defined]
            (f"{step.template.key}:{step.key}", f"{step.template.name}: {step.name}")
            for step in steps.order_by("template__key", "position")
        ]
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ModelChoiceField)  # noqa: S101 - as declared above
        people = User.objects.filter(memberships__clinic=here.clinic)
        owner.queryset = people.order_by("first_name", "last_name", "username")
        owner.label_from_instance = lambda person: person.get_full_name() or person.username  # type: ignore[method-assign, assignment]

    def idea(self) -> Idea:
        data = self.cleaned_data
        template, _colon, step = data["step"].partition(":")
        return Idea(template, step, data["words"], data["owner"], data["begun_on"])
