"""The audit trail for managers: looked through page by page, or taken out as a file."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from appointments.forms import SENSIBLE
from clinic_journey.audit.middleware import event_by, origin_of
from clinic_journey.audit.search import Line, Place, Wanted, all_lines, lines, name_of, what_words
from clinic_journey.audit.words import CHOICES
from clinic_journey.spreadsheet import csv_lines
from patients import audit
from patients.access import Here, for_staff
from patients.models import MANAGERS, AuditAction, Patient
from patients.queries import first_found, patients_visible_to

PAGE, FOUND, ASKED = 50, 8, 300
HEADINGS = ("at", "who", "action", "what", "patient", "patient_id", "detail", "changes", "ip", "agent")


class TrailForm(forms.Form):
    """What to look for. Nothing is required."""

    person = forms.ModelChoiceField(User.objects.none(), label=gettext_lazy("Who"), required=False)
    q = forms.CharField(label=gettext_lazy("Patient: name, phone or ID"), max_length=120, required=False)
    action = forms.ChoiceField(label=gettext_lazy("Did what"), required=False)
    what = forms.ChoiceField(label=gettext_lazy("Page or part of the record"), required=False)
    first = forms.DateField(
        label=gettext_lazy("From day"),
        validators=SENSIBLE,
        widget=forms.DateInput(attrs={"type": "date"}),
        required=False,
    )
    last = forms.DateField(
        label=gettext_lazy("To day"),
        validators=SENSIBLE,
        widget=forms.DateInput(attrs={"type": "date"}),
        required=False,
    )
    patient = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(self, data: QueryDict, *, here: Here) -> None:
        super().__init__(data)
        person = self.fields["person"]
        assert isinstance(person, forms.ModelChoiceField)  # noqa: S101 - as declared above
        people = User.objects.filter(memberships__clinic=here.clinic)
        person.queryset = people.order_by("first_name", "last_name", "username")
        person.label_from_instance = name_of  # type: ignore[method-assign, assignment]
        person.empty_label = _("Anybody")
        any_action, any_page = ("", _("Anything")), ("", _("Any"))
        self.fields["action"].choices = [any_action, *AuditAction.choices]  # type: ignore[attr-defined]
        named = sorted(((what, what_words(what)) for what in CHOICES), key=lambda pair: pair[1])
        self.fields["what"].choices = [any_page, *named]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, object]:
        data = super().clean() or {}
        if data.get("first") and data.get("last") and data["first"] > data["last"]:
            self.add_error("last", _("Choose a last day that is not before the first."))
        return data

    def wanted(self, here: Here, patient: Patient | None) -> Wanted:
        data = self.cleaned_data
        return Wanted(
            here.clinic,
            person=data.get("person"),
            patient=patient,
            action=data.get("action", ""),
            what=data.get("what", ""),
            first=data.get("first"),
            last=data.get("last"),
        )


@require_GET
@for_staff(*MANAGERS)
def trail(request: HttpRequest, here: Here) -> HttpResponse:
    """Who looked at a record and who changed it. A name that fits several patients is asked about."""
    form = TrailForm(request.GET, here=here)
    is_valid = form.is_valid()
    patient, candidates = _patient_of(form, here)
    shown: list[Line] = []
    if is_valid and not candidates:
        after = Place.of(request.GET.get("after", ""))
        shown = lines(form.wanted(here, patient), after=after, limit=PAGE + 1)
    audit.shows(*[patient] if patient else [], rows=len(shown[:PAGE]))
    context = {
        "form": form,
        "patient": patient,
        "candidates": candidates,
        "nobody": bool(is_valid and form.cleaned_data["q"] and not patient and not candidates),
        "lines": shown[:PAGE],
        "next_url": _address(request, after=str(shown[PAGE - 1].place)) if len(shown) > PAGE else "",
        "export": [(name, value) for name, value in request.GET.items() if name != "after"],
        "without_patient": _address(request, patient="", q="", after=""),
    }
    return render(request, "audit/trail.html", context, status=200 if is_valid else 422)


@require_POST
@for_staff(*MANAGERS)
def export(request: HttpRequest, here: Here) -> HttpResponse | StreamingHttpResponse:
    """The same lines as a file for a spreadsheet; that somebody took them out is itself in the trail."""
    form = TrailForm(request.POST, here=here)
    if not form.is_valid():
        return render(request, "audit/trail.html", {"form": form}, status=422)
    patient, _candidates = _patient_of(form, here)
    if form.cleaned_data["q"] and patient is None:  # nobody, or several: never everybody instead
        return redirect("/audit/?" + urlencode({"q": form.cleaned_data["q"]}))
    asked = {name: str(value) for name, value in form.cleaned_data.items() if value}
    words = "&".join(f"{name}={value}" for name, value in asked.items())[:ASKED]
    said = event_by(origin_of(request), now=here.now, what="audit", action=AuditAction.EXPORT, asked=words)
    said.clinic, said.patient = here.clinic, patient
    audit.record(said)
    rows = all_lines(form.wanted(here, patient))
    answer = StreamingHttpResponse(
        csv_lines(_as_rows(rows, here.clinic.time_zone)), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="audit-{here.now:%Y-%m-%d}.csv"'
    return answer


def _patient_of(form: TrailForm, here: Here) -> tuple[Patient | None, list[Patient]]:
    """The patient that is named, or those that the typed name may mean."""
    of_clinic = patients_visible_to(here.user).filter(clinic=here.clinic)
    public_id, text = form.cleaned_data.get("patient"), form.cleaned_data.get("q", "")
    if isinstance(public_id, UUID):
        return get_object_or_404(of_clinic, public_id=public_id), []
    found = list(first_found(of_clinic, text, FOUND)) if text else []
    return (found[0], []) if len(found) == 1 else (None, found)


def _address(request: HttpRequest, **changed: str) -> str:
    asked = request.GET.copy()
    for name, value in changed.items():
        asked[name] = value
    return "?" + asked.urlencode()


def _as_rows(rows: Iterator[Line], zone: str) -> Iterator[Sequence[str]]:
    yield HEADINGS
    for row in rows:
        yield _cells(row, ZoneInfo(zone))


def _cells(row: Line, zone: ZoneInfo) -> list[str]:
    local: datetime = row.at.astimezone(zone)
    changes = "; ".join(f"{name}: {before} > {after}" for name, before, after in row.changes)
    patient = (row.patient.full_name, str(row.patient.public_id)) if row.patient else ("", "")
    return [
        local.isoformat(" ", "seconds"),
        row.who,
        row.action,
        row.what,
        *patient,
        row.detail,
        changes,
        row.ip,
        row.agent,
    ]
