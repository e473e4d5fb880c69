"""The routine of the desk on one page, and the clinic's own lines in it, which a manager writes."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from clinic_journey.models import Moment, RoutineWords
from clinic_journey.routine import LONGEST, day_of, two_minutes, write_routine
from patients.access import Here, for_staff
from patients.models import MANAGERS


class RoutineForm(forms.Form):
    opening = forms.CharField(
        label=gettext_lazy("Besides, when we open"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
        help_text=gettext_lazy("A line for each thing."),
    )
    closing = forms.CharField(
        label=gettext_lazy("Besides, before we close"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"}),
        help_text=gettext_lazy("A line for each thing."),
    )


@require_GET
@for_staff()
def routine(request: HttpRequest, here: Here) -> HttpResponse:
    return _shown(request, here, _form(here) if here.role in MANAGERS else None)


@require_POST
@for_staff(*MANAGERS)
def change_routine(request: HttpRequest, here: Here) -> HttpResponse:
    form = RoutineForm(request.POST)
    if not form.is_valid():
        return _shown(request, here, form, status=422)
    for moment in Moment:
        write_routine(here.clinic, moment, form.cleaned_data[moment.value], now=here.now)
    messages.success(request, _("Saved."))
    return redirect("routine")


def _form(here: Here) -> RoutineForm:
    words = RoutineWords.objects.filter(clinic=here.clinic).values_list("moment", "words")
    return RoutineForm(initial=dict(words))


def _shown(request: HttpRequest, here: Here, form: RoutineForm | None, status: int = 200) -> HttpResponse:
    context = {"halves": day_of(here), "today_two": two_minutes(here), "form": form}
    return render(request, "today/routine.html", context, status=status)


urlpatterns = [
    path("routine/", routine, name="routine"),
    path("routine/change/", change_routine, name="routine_change"),
]
