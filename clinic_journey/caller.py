"""The patient who calls: who it is, what to tell her at once, her chase counted, and a promise made.

The same parts serve a page of their own, the top of the patient's page, and a window over whatever screen the
call interrupted: Escape closes it, and the screen below with its draft was never left.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _, gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_GET, require_POST

from appointments.visits import FAR
from clinic_journey.caller_facts import Card, card_of
from clinic_journey.caller_line import Clock
from journeys.chases import Promise, log_chase, make_promise, promise_who_had_to_ask
from journeys.models import OwnerRole
from journeys.promise_times import Chip, choices, fits, next_fit
from patients import audit
from patients.access import Here, for_staff, patient_here
from patients.models import Patient, Role
from patients.presses import way_back
from patients.queries import first_found, patients_visible_to
from patients.windows import Hours
from referrals.intake.base import find_codes
from referrals.queries import referrals_visible_to

MOST = 8
SHORTEST = 2  # letters or digits before anybody is looked for
ME = "me"
MY_ROLE = {
    Role.RECEPTIONIST: OwnerRole.RECEPTIONIST,
    Role.DOCTOR: OwnerRole.DOCTOR,
    Role.MANAGER: OwnerRole.MANAGER,
    Role.ADMIN: OwnerRole.MANAGER,
}
CHIP_WORDS = {
    Chip.IN_AN_HOUR: gettext_lazy("in 1 hour"),
    Chip.BY_CLOSING: gettext_lazy("today by closing"),
    Chip.NEXT_NOON: gettext_lazy("next working day at noon"),
}


@dataclass(frozen=True)
class PromiseChip:
    """A time to promise with one press; the button carries the instant that was read aloud."""

    at: datetime
    said: str
    words: str


class PromiseForm(forms.Form):
    """By when the patient hears from us, as she is told; who keeps it; in which words."""

    at = forms.CharField(required=False)
    picked = forms.DateTimeField(
        label=gettext_lazy("Another time"),
        required=False,
        widget=forms.DateTimeInput(
            attrs={"type": "datetime-local", "data-draft": ""}, format="%Y-%m-%dT%H:%M"
        ),
        error_messages={"invalid": gettext_lazy("Write the day and the time.")},
    )
    words = forms.CharField(
        label=gettext_lazy("What we promise"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"data-draft": ""}),
    )
    owner = forms.ChoiceField(
        label=gettext_lazy("Who keeps it"),
        required=False,
        choices=[
            (ME, pgettext_lazy("who keeps a promise", "I myself")),
            (OwnerRole.RECEPTIONIST, OwnerRole.RECEPTIONIST.label),
            (OwnerRole.DOCTOR, OwnerRole.DOCTOR.label),
            (OwnerRole.MANAGER, OwnerRole.MANAGER.label),
        ],
    )

    def __init__(self, data: object, *, here: Here, opening: Hours) -> None:
        super().__init__(data, auto_id="promise-%s")  # type: ignore[arg-type]
        self.here, self.opening = here, opening

    def clean(self) -> dict[str, object]:
        said = super().clean() or {}
        chosen = _instant(str(said.get("at") or "")) or said.get("picked")
        if self.errors:
            return said
        if not isinstance(chosen, datetime) or not self.here.now < chosen < self.here.now + FAR:
            self.add_error("picked", _("Choose by when, a time that is still to come."))
        elif self.opening.windows and not fits(chosen, self.opening):
            self.add_error("picked", self._closed(chosen))
        said["due_at"] = chosen
        return said

    def _closed(self, at: datetime) -> str:
        opens = next_fit(at, self.opening)
        if opens is None:
            return _("The clinic is closed then.")
        when = Clock(self.here.now, self.opening.zone).in_full(opens)
        return _("The clinic is closed then; it opens %(when)s.") % {"when": when}

    def promise(self) -> Promise:
        owner, due_at = self.cleaned_data["owner"] or ME, self.cleaned_data["due_at"]
        words = self.cleaned_data["words"]
        if owner == ME:
            return Promise(words, due_at, MY_ROLE[Role(self.here.role)], self.here.user)
        return Promise(words, due_at, OwnerRole(owner))


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


@require_GET
@for_staff()
def matches(request: HttpRequest, here: Here) -> HttpResponse:
    """Whoever fits what is typed so far: by name, number, ID, or the code of a referral; at most eight."""
    text = request.GET.get("q", "").strip()
    found = _matching(text, here)
    audit.shows(rows=len(found))
    context = {"q": text, "matches": found, "next": way_back(request, or_to="")}
    part = request.headers.get("HX-Request") == "true"
    return render(request, "caller/_matches.html" if part else "caller/matches.html", context)


def _matching(text: str, here: Here) -> list[Patient]:
    if len(text) < SHORTEST:
        return []
    ours = (
        patients_visible_to(here.user).filter(clinic=here.clinic).prefetch_related("contacts__contact_point")
    )
    codes = find_codes(text)
    if codes:
        referred = referrals_visible_to(here.user).filter(clinic=here.clinic, code__in=codes)
        found = list(ours.filter(pk__in=referred.values("patient"))[:MOST])
        if found:
            return found
    return list(first_found(ours, text, MOST))


def caller_context(patient: Patient, here: Here, form: PromiseForm | None = None) -> dict[str, object]:
    """What the card's part needs, wherever it stands."""
    return {"caller": card_of(patient, here.clinic, now=here.now), **promise_context(here, form)}


def promise_context(here: Here, form: PromiseForm | None = None) -> dict[str, object]:
    """What `caller/_chase_promise.html` needs beside `patient` and `return`, on any screen."""
    opening = here.opening
    clock = Clock(here.now, here.clinic.time_zone)
    return {
        "promise_form": form or PromiseForm(None, here=here, opening=opening),
        "promise_chips": [
            PromiseChip(choice.at, clock.said(choice.at), str(CHIP_WORDS[choice.chip]))
            for choice in choices(here.now, opening)
        ],
    }


@require_GET
@for_staff()
def card(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    return _shown(request, here, patient_here(here, patient_id))


def _shown(
    request: HttpRequest, here: Here, patient: Patient, *, form: PromiseForm | None = None, done: str = ""
) -> HttpResponse:
    """The card as a page, or as the part that the window over the interrupted screen holds."""
    over = request.headers.get("HX-Request") == "true"
    context = {
        "patient": patient,
        "over": over,
        "next": way_back(request, or_to=""),
        **caller_context(patient, here, form),
        "done": done,
    }
    status = 422 if form is not None else 200
    return render(request, "caller/_window.html" if over else "caller/card.html", context, status=status)


@require_POST
@for_staff()
def chased(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """She had to ask: one press, counted against the step that we are slow with (S1.10).

    Where nothing of ours is open, an answer is promised by this press, and it counts against that.
    """
    patient = patient_here(here, patient_id)
    words = request.POST.get("words", "").strip()
    step = card_of(patient, here.clinic, now=here.now).fault
    if step is None:
        due_at = choices(here.now, here.opening)[0].at
        new = Promise(words, due_at, MY_ROLE[Role(here.role)], here.user)
        promise_who_had_to_ask(patient, new, now=here.now, by=here.user)
        when = Clock(here.now, here.clinic.time_zone).said(due_at)
        return _done(request, here, patient, _("Noted. Promised: an answer by %(when)s.") % {"when": when})
    counted = log_chase(step, now=here.now, by=here.user, words=words)
    said = (
        _("Noted against “%(step)s”.")
        if counted
        else _("Noted once already for this call, against “%(step)s”.")
    )
    return _done(request, here, patient, said % {"step": step.name})


@require_POST
@for_staff()
def promise(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    patient = patient_here(here, patient_id)
    form = PromiseForm(request.POST, here=here, opening=here.opening)
    if not form.is_valid():
        return _shown(request, here, patient, form=form)
    made = form.promise()
    make_promise(patient, made, now=here.now, by=here.user)
    when = Clock(here.now, here.clinic.time_zone).said(made.due_at)
    return _done(request, here, patient, _("Promised: an answer by %(when)s.") % {"when": when})


def _done(request: HttpRequest, here: Here, patient: Patient, said: str) -> HttpResponse:
    """Back to where she was. Away from the card, the words to say now go along."""
    if request.headers.get("HX-Request") == "true":
        return _shown(request, here, patient, done=said)
    own = reverse("caller", args=[patient.public_id])
    back = way_back(request, or_to=own)
    if back not in {own, reverse("patient", args=[patient.public_id])}:
        said = " ".join([said, *_words_to_say(card_of(patient, here.clinic, now=here.now))])
    messages.success(request, said)
    return HttpResponseRedirect(back)  # redirect() would take a bare word for the name of a page


def _words_to_say(card: Card) -> list[str]:
    """In her language first: these are the words that leave the clinic."""
    return [words for _language, words in reversed(card.sorry)]
