"""How a patient is reached, on her page: whose number it is, what may be said there, and the test that proves it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from clinic_journey.messenger_link import can_link
from outreach.at_once import channels_at
from outreach.confidence import change_address
from outreach.models import Attempt, AttemptStatus
from outreach.not_me import correct_address, is_hers, remove_address
from outreach.number_test import AT_THE_DESK, send_test, sent_to
from outreach.voice_consent import standing_at
from patients import addresses
from patients.access import Here, for_staff, patient_here
from patients.actions import RefusedError
from patients.country import profile_of
from patients.forms import NewTieForm, TieForm
from patients.models import (
    AddressStatus,
    Channel,
    Consent,
    Patient,
    PatientContact,
    PatientStatus,
)
from patients.presses import back_from, pressed
from patients.queries import others_at, refusals_at, ties_visible_to
from patients.told import (
    hears_for_herself,
    lacks_guardian,
    lacks_own_address,
    may_have_two_parents,
    may_keep_from_parents,
    others_on,
    perhaps_not_hers_alone,
    with_sharing,
)

SHOWN_FOR = timedelta(hours=1)  # a test older than that says nothing about who stands at the desk
NOT_MODIFIED = 304
MESSENGERS = {Channel.WHATSAPP, Channel.TELEGRAM}
TEST_WORDS = {
    AttemptStatus.PLANNED: gettext_lazy("On its way…"),
    AttemptStatus.SENDING: gettext_lazy("On its way…"),
    AttemptStatus.SENT: gettext_lazy("Sent. Has it arrived?"),
    AttemptStatus.DELIVERED: gettext_lazy("Delivered to the phone."),
    AttemptStatus.FAILED: gettext_lazy("Not sent: the provider does not take this number."),
    AttemptStatus.UNKNOWN: gettext_lazy("Nobody knows whether it was sent. Has it arrived?"),
    AttemptStatus.CANCELLED: gettext_lazy("Not sent."),
}
SETTLED = (AttemptStatus.DELIVERED, AttemptStatus.FAILED, AttemptStatus.UNKNOWN, AttemptStatus.CANCELLED)


class CorrectForm(forms.Form):
    value = forms.CharField(
        label=gettext_lazy("As read aloud"), max_length=254, widget=forms.TextInput(attrs={"dir": "ltr"})
    )


@dataclass(frozen=True)
class TestShown:
    """The last test of an address, while it matters."""

    attempt: Attempt
    is_settled: bool

    @property
    def words(self) -> str:
        return str(TEST_WORDS[AttemptStatus(self.attempt.status)])

    @property
    def version(self) -> str:
        return f"{self.attempt.pk}-{self.attempt.status}"


@dataclass(frozen=True)
class Address:
    tie: PatientContact
    others: list[Patient]
    channels: list[Channel]
    test: TestShown | None
    refusals: list[Consent]  # what she does not allow there now
    doubts: str | None = (
        None  # who is on it, too, where nothing that is kept goes there before the desk has asked
    )


def reach_of(patient: Patient, here: Here) -> dict[str, object]:
    """What the panel "Reached at" shows."""
    others = others_at(patient)
    rows = patient.contacts.select_related("contact_point", "patient", "confirmed_to")
    ties = list(with_sharing(rows))
    today = _today(patient, here)
    last: dict[int, Attempt] = {}
    refusals = refusals_at(patient)
    doubtful = _doubtful(patient, ties, on=today)
    for attempt in sent_to(patient).filter(send_at__gt=here.now - SHOWN_FOR):
        last.setdefault(attempt.contact_point_id, attempt)
    return {
        "addresses": [
            Address(
                tie,
                others.get(tie.contact_point_id, []),
                channels_at(tie),
                _test(tie, last.get(tie.contact_point_id), here),
                refusals.get(tie.contact_point_id, []),
                doubtful.get(tie.pk),
            )
            for tie in ties
        ],
        "can_link_messenger": can_link(),
        "asked_in_vain": _asked_in_vain(patient, ties),
        "lacks_guardian": lacks_guardian(patient, on=today),
        "lacks_own_address": lacks_own_address(patient, ties, on=today),
        "told_by_age": _told_by_age(patient, on=today),
    }


def _today(patient: Patient, here: Here) -> date:
    return here.now.astimezone(ZoneInfo(patient.zone)).date()


def _doubtful(patient: Patient, ties: Iterable[PatientContact], *, on: date) -> dict[int, str]:
    """Her own addresses that others are on, with those as the page names them, where it matters: something is kept
    from the parents, or may be.
    """
    own = perhaps_not_hers_alone(ties)
    matters = own and (
        may_keep_from_parents(patient, on=on) or patient.journeys.filter(is_confidential=True).exists()
    )
    others = others_on(own) if matters else {}
    return {tie: " ".join(addresses.known_as(each) for each in found) for tie, found in others.items()}


def _told_by_age(patient: Patient, *, on: date) -> str:
    """Why these addresses and not others are used for somebody who is not grown up."""
    if not patient.is_minor(on=on):
        return ""
    ages = {"own": profile_of(patient.clinic.country).own_word_age}
    if hears_for_herself(patient, on=on):
        words = _(
            "From the age of %(own)s the patient's own address is used, if there is one, and no parent's."
        )
        return words % ages
    return _("Until the age of %(own)s parents and guardians are told.") % ages


def _asked_in_vain(patient: Patient, ties: Iterable[PatientContact]) -> str:
    """The messenger that she asked for, while no identity on it is on the list; a phone number is none."""
    card = getattr(patient, "card", None)
    if card is None or card.told_at is None or card.channel not in MESSENGERS:
        return ""
    has = any(tie.contact_point.kind == card.channel for tie in ties)
    return "" if has else str(Channel(card.channel).label)


def _test(tie: PatientContact, attempt: Attempt | None, here: Here) -> TestShown | None:
    if attempt is None or (tie.confirmed_at and tie.confirmed_at >= attempt.send_at):
        return None
    if tie.contact_point.status == AddressStatus.BAD and attempt.status != AttemptStatus.FAILED:
        return None  # corrected: other digits have taken its place
    over = attempt.status in SETTLED or here.now > attempt.send_at + AT_THE_DESK
    return TestShown(attempt, over)


def _back(request: HttpRequest, tie_or_patient: PatientContact | Patient) -> HttpResponse:
    patient = tie_or_patient.patient if isinstance(tie_or_patient, PatientContact) else tie_or_patient
    return back_from(request, or_to=reverse("patient", args=[patient.public_id]) + "#reach")


def _tie(here: Here, patient_id: UUID, tie_id: int) -> PatientContact:
    ties = ties_visible_to(here.user).filter(patient__clinic=here.clinic)
    return get_object_or_404(ties, patient__public_id=patient_id, pk=tie_id)


def _pressed(
    request: HttpRequest, tie: PatientContact, act: Callable[[], object], words: str
) -> HttpResponse:
    return pressed(request, act, words, _back(request, tie))


@require_http_methods(["GET", "POST"])
@for_staff()
def address_add(request: HttpRequest, here: Here, patient_id: UUID) -> HttpResponse:
    """One more way to reach the patient. A number that others have too asks first what may be said there."""
    patient = patient_here(here, patient_id)
    beginning = TieForm.beginning() | {"kind": "phone"}
    form = NewTieForm(request.POST if request.method == "POST" else None, initial=beginning)
    others: list[Patient] = []
    if form.is_valid():
        kind, text = form.cleaned_data["kind"], form.cleaned_data["value"]
        try:
            others = _others(patient, addresses.normal_address(patient.clinic, kind, text), kind)
            if not others or request.POST.get("seen") == text:
                addresses.add_tie(patient, kind, text, form.answers())
                messages.success(request, _("Saved. Send a test message while she is here."))
                return redirect(reverse("patient", args=[patient.public_id]) + "#reach")
            names = ", ".join(other.full_name for other in others)
            form.add_error(
                "may_say",
                _("Also used by %(names)s. What may be said there? Choose and save.") % {"names": names},
            )
        except RefusedError as refusal:
            form.add_error("value", str(refusal))
    context = {
        "patient": patient,
        "form": form,
        "seen": form.data.get("value", "") if others else "",
        "has_parents": may_have_two_parents(patient, on=_today(patient, here)),
    }
    return render(request, "patient_record/address.html", context, status=422 if form.errors else 200)


def _others(patient: Patient, value: str, kind: str) -> list[Patient]:
    """Who has this address already in the clinic."""
    same = Patient.objects.filter(
        clinic=patient.clinic_id, contacts__contact_point__kind=kind, contacts__contact_point__value=value
    )
    return list(same.exclude(pk=patient.pk).exclude(status=PatientStatus.MERGED))


@require_http_methods(["GET", "POST"])
@for_staff()
def address(request: HttpRequest, here: Here, patient_id: UUID, tie_id: int) -> HttpResponse:
    """Whose it is, when it is tried, what may be done there."""
    tie = _tie(here, patient_id, tie_id)
    form = TieForm(request.POST if request.method == "POST" else None, initial=TieForm.beginning(tie))
    if form.is_valid():
        words = _("Saved. Calls and messages keep to it from now on.")
        return _pressed(request, tie, lambda: change_address(tie, form.answers(), now=here.now), words)
    others = others_at(tie.patient).get(tie.contact_point_id, [])
    refusals = refusals_at(tie.patient).get(tie.contact_point_id, [])
    by_machine = standing_at(tie)  # such calls have a part of their own, where there are any
    context = {
        "patient": tie.patient,
        "tie": tie,
        "form": form,
        "others": others,
        "refusals": [each for each in refusals if each.channel != Channel.VOICE or not by_machine],
        "calls_by_machine": by_machine,
        "has_parents": may_have_two_parents(tie.patient, on=_today(tie.patient, here)),
    }
    return render(request, "patient_record/address.html", context, status=422 if form.errors else 200)


@require_POST
@for_staff()
def address_remove(request: HttpRequest, here: Here, patient_id: UUID, tie_id: int) -> HttpResponse:
    tie = _tie(here, patient_id, tie_id)
    words = _("Removed. Nothing more goes there for this patient.")
    return _pressed(request, tie, lambda: remove_address(tie, now=here.now, by=here.user), words)


@require_http_methods(["GET", "POST"])
@for_staff()
def address_test(request: HttpRequest, here: Here, patient_id: UUID, tie_id: int) -> HttpResponse:
    """POST sends the test; GET says how it stands, and nothing (304) while that is what the page shows."""
    tie = _tie(here, patient_id, tie_id)
    if request.method == "POST":
        try:
            send_test(tie, request.POST.get("channel", ""), now=here.now, by=here.user)
        except RefusedError as refusal:
            messages.error(request, str(refusal))
        return _back(request, tie)
    last = sent_to(tie.patient).filter(contact_point=tie.contact_point).first()
    test = _test(tie, last, here)
    version = test.version if test and not test.is_settled else ""
    if version and request.headers.get("HX-PTag") == version:
        return HttpResponse(status=NOT_MODIFIED)
    return render(request, "patient_record/_test_state.html", {"tie": tie, "test": test})


@require_POST
@for_staff()
def address_confirm(request: HttpRequest, here: Here, patient_id: UUID, tie_id: int) -> HttpResponse:
    tie = _tie(here, patient_id, tie_id)
    words = _("Confirmed: this is how we reach %(name)s.") % {"name": tie.patient.given_name}
    return _pressed(request, tie, lambda: addresses.confirm_tie(tie, now=here.now, by=here.user), words)


@require_POST
@for_staff()
def address_hers(request: HttpRequest, here: Here, patient_id: UUID, tie_id: int) -> HttpResponse:
    """Somebody there said that it is not she; the desk has checked, and it is."""
    tie = _tie(here, patient_id, tie_id)
    words = _("Checked. Calls and messages may go there again.")
    return _pressed(request, tie, lambda: is_hers(tie, now=here.now, by=here.user), words)


@require_POST
@for_staff()
def address_alone(request: HttpRequest, here: Here, patient_id: UUID, tie_id: int) -> HttpResponse:
    """She was asked, and says that nobody else reads or answers there."""
    tie = _tie(here, patient_id, tie_id)
    words = _("Noted. What is kept from the parents may go there.")
    seen = request.POST.get("seen", "").split()
    return _pressed(request, tie, lambda: addresses.confirm_alone(tie, seen, now=here.now), words)


@require_POST
@for_staff()
def address_allow(request: HttpRequest, here: Here, patient_id: UUID, tie_id: int) -> HttpResponse:
    """She allows again what she had refused at this address; her words are kept."""
    tie = _tie(here, patient_id, tie_id)
    current = refusals_at(tie.patient).get(tie.contact_point_id, [])
    refusal = next((each for each in current if str(each.pk) == request.POST.get("refusal")), None)
    try:
        if refusal is None:
            raise RefusedError(_("What the patient allows was changed meanwhile."))
        addresses.allow_again(
            refusal, request.POST.get("words", "").replace("\0", ""), now=here.now, by=here.user
        )
    except RefusedError as refused:
        messages.error(request, str(refused))
        return redirect("address", patient_id, tie_id)
    messages.success(request, _("Saved with her words. Messages may go there again."))
    return _back(request, tie)


@require_POST
@for_staff()
def address_correct(request: HttpRequest, here: Here, patient_id: UUID, tie_id: int) -> HttpResponse:
    """Not received: other digits were read aloud. They are tested next."""
    tie = _tie(here, patient_id, tie_id)
    form = CorrectForm(request.POST)
    if form.is_valid():
        try:
            correct_address(tie, form.cleaned_data["value"], now=here.now, by=here.user)
        except RefusedError as refusal:
            form.add_error("value", str(refusal))
        else:
            messages.success(request, _("Corrected. Send the test once more."))
            return _back(request, tie)
    context = {"patient": tie.patient, "tie": tie, "correct_form": form}
    return render(request, "patient_record/address.html", context, status=422)


_ONE = "patients/<uuid:patient_id>/addresses/<int:tie_id>/"
urlpatterns = [
    path("patients/<uuid:patient_id>/addresses/add/", address_add, name="address_add"),
    path(_ONE, address, name="address"),
    path(f"{_ONE}remove/", address_remove, name="address_remove"),
    path(f"{_ONE}test/", address_test, name="address_test"),
    path(f"{_ONE}confirm/", address_confirm, name="address_confirm"),
    path(f"{_ONE}hers/", address_hers, name="address_hers"),
    path(f"{_ONE}alone/", address_alone, name="address_alone"),
    path(f"{_ONE}allow/", address_allow, name="address_allow"),
    path(f"{_ONE}correct/", address_correct, name="address_correct"),
]
