"""A manager's morning as a page, when she wants it by e-mail, and what cannot wait for it."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext as _, gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from clinic_journey.reports.digest import alerts_of, day_words, lines_of
from clinic_journey.reports.digest_actions import set_digest
from clinic_journey.reports.digest_models import LATEST, Digest
from patients.access import Here, for_staff
from patients.models import MANAGERS, Language
from patients.polling import unless_seen


class DigestForm(forms.Form):
    is_on = forms.BooleanField(label=gettext_lazy("By e-mail, too"), required=False)
    hour = forms.TypedChoiceField(
        label=gettext_lazy("At what hour"),
        coerce=int,
        choices=[(hour, f"{hour:02}:00") for hour in range(LATEST + 1)],
    )
    language = forms.ChoiceField(label=gettext_lazy("In which language"), choices=Language.choices)


@require_http_methods(["GET", "POST"])
@for_staff(*MANAGERS)
def digest(request: HttpRequest, here: Here) -> HttpResponse:
    """The same lines as in the mail, each with the way to its names."""
    form = DigestForm(request.POST if request.method == "POST" else None, initial=_wanted(here))
    if request.method == "POST" and form.is_valid():
        set_digest(here.user, here.clinic, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("digest")
    context = {
        "tab": "digest",
        "lines": lines_of(here.clinic, now=here.now),
        "day": day_words(here.clinic, now=here.now),
        "form": form,
    }
    return render(request, "reports/digest.html", context, status=422 if request.method == "POST" else 200)


def _wanted(here: Here) -> dict[str, object]:
    """As it is set; before that, eight in the morning in the language of the page, and off."""
    found = Digest.objects.filter(user=here.user, clinic=here.clinic).first()
    if found is None:
        return {"hour": 8, "language": (get_language() or here.clinic.language)[:2], "is_on": False}
    return {"hour": found.hour, "language": found.language, "is_on": found.is_on}


@require_GET
@for_staff(*MANAGERS)
def alerts(request: HttpRequest, here: Here) -> HttpResponse:
    """Asked for by the page itself: counts alone, and nobody's name."""
    found = alerts_of(here.clinic, now=here.now)
    return unless_seen(request, found, lambda: render(request, "reports/_alerts.html", {"alerts": found}))
