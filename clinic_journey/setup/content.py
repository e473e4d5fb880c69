"""What messages may name beside the clinic: less than the country allows, never more."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_http_methods

from clinic_journey.setup import actions
from clinic_journey.setup.views import after_the_first_step
from patients.access import Here
from patients.country import profile_of
from patients.models import Clinic

FIELDS = {
    "names_first_name": "first_name",
    "names_visit_time": "visit_time",
    "names_colleague": "colleague",
}


class ContentForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript at run time
    """What the country does not allow stands there switched off, so that nobody looks for it."""

    class Meta:
        model = Clinic
        fields = ["sender_name", *FIELDS]
        labels = {
            "sender_name": gettext_lazy("How messages name the clinic"),
            "names_first_name": gettext_lazy("The patient's first name"),
            "names_visit_time": gettext_lazy("Day and hour of a visit"),
            "names_colleague": gettext_lazy("The first name of the doctor or colleague"),
        }
        help_texts = {
            "sender_name": gettext_lazy("Choose a neutral name if the clinic's own tells its specialty."),
            "names_first_name": gettext_lazy("Without it the greeting has no name."),
            "names_visit_time": gettext_lazy(
                "Without it a message only says that there is something to look at, her page shows the rest once she"
                " has said who she is, and no machine calls."
            ),
            "names_colleague": gettext_lazy("Without it the reception writes."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        allowed = profile_of(self.instance.country).may_name
        for name, what in FIELDS.items():
            if what not in allowed:
                self.fields[name].disabled = True
                self.initial[name] = False
                self.fields[name].help_text = _("The country's rules do not allow it.")

    def given(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.Meta.fields if not self.fields[name].disabled}


@require_http_methods(["GET", "POST"])
@after_the_first_step
def content(request: HttpRequest, here: Here) -> HttpResponse:
    form = ContentForm(request.POST or None, instance=Clinic.objects.get(pk=here.clinic.pk))
    if request.method == "POST" and form.is_valid():
        actions.set_content(here.clinic, form.given())
        messages.success(request, _("Saved. Messages that leave from now on keep to it."))
        return redirect("setup_content")
    status = 422 if request.method == "POST" else 200
    return render(request, "setup/content.html", {"form": form}, status=status)
