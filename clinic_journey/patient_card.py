"""The service card on the patient's own page: she changes it herself, in her words, and reads it back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Self

from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_http_methods

from clinic_journey.language import NATIVE_NAMES
from clinic_journey.patient_door import Visitor, with_page
from clinic_journey.patient_who import hers_alone
from outreach.by_card import plan_by_card
from outreach.channels import in_use
from outreach.reach import ORDER, channels_of
from patients.actions import CardAnswers, RefusedError
from patients.card_form import DAYS, SINGLE_DAYS, CardForm
from patients.coming import COMES, in_words, windows_of
from patients.models import AddressStatus, Channel, Patient, ServiceCard
from patients.own_card import own_phones, save_own_card

OWN_WORDS = 300


class OwnCardForm(CardForm):
    """The desk's card asked of herself: the same answers, and which of her numbers may be rung."""

    channel = forms.ChoiceField(
        label=gettext_lazy("How shall we reach you?"), choices=[], widget=forms.RadioSelect
    )
    days = forms.MultipleChoiceField(
        label=gettext_lazy("On which days?"),
        choices=DAYS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    hours = forms.MultipleChoiceField(
        label=gettext_lazy("At which hours?"), required=False, widget=forms.CheckboxSelectMultiple
    )
    language = forms.ChoiceField(
        label=gettext_lazy("In which language?"), choices=list(NATIVE_NAMES.items()), widget=forms.RadioSelect
    )
    may_call = forms.MultipleChoiceField(
        label=gettext_lazy("On which numbers may we call you?"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    may_leave_voicemail = forms.BooleanField(
        label=gettext_lazy("You may leave me a voice message"), required=False
    )
    may_tell = forms.CharField(
        label=gettext_lazy("Who else may be told about your visits?"), max_length=120, required=False
    )
    coming = forms.MultipleChoiceField(
        label=gettext_lazy("When can you come to us?"),
        choices=COMES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    coming_days = forms.MultipleChoiceField(
        label=gettext_lazy("Only on these days"),
        choices=SINGLE_DAYS,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    words = forms.CharField(
        label=gettext_lazy("Anything else, in your own words"),
        help_text=gettext_lazy("For example: never call me at work."),
        max_length=OWN_WORDS,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    @classmethod
    def of(cls, patient: Patient, data: object = None, *, now: datetime) -> Self:
        form = super().of(patient, data, now=now)
        card: ServiceCard | None = getattr(patient, "card", None)
        phones = list(own_phones(patient))
        form.initial["words"] = card.words if card else ""
        form.initial["may_call"] = [str(tie.pk) for tie in phones if tie.may_be_called]
        form.initial["may_leave_voicemail"] = any(tie.may_leave_voicemail for tie in phones)
        channels = list(_channels_for(patient, card))
        form.fields["channel"].choices = [(each.value, each.label) for each in channels]  # type: ignore[attr-defined]
        form.fields["may_call"].choices = [  # type: ignore[attr-defined]
            (str(tie.pk), tie.contact_point.value) for tie in phones
        ]
        if not phones:
            del form.fields["may_call"], form.fields["may_leave_voicemail"]
        return form

    def names_single_days(self) -> bool:
        """Whether what is chosen is to be seen among the single days."""
        return any(len(day) == 1 for day in self["days"].value() or [])

    def names_own_hours(self) -> bool:
        """Whether days or hours of her own are to be seen."""
        return bool(self["coming_days"].value() or self["coming_from"].value() or self["coming_until"].errors)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        asks_for_calls = data.get("channel") == Channel.PHONE
        if asks_for_calls and "may_call" in self.fields and not data.get("may_call"):
            self.add_error("may_call", _("You asked us to call: tell us at least one number for it."))
        return data

    def answers(self) -> CardAnswers:
        """What she did not touch stays as it was at each of her numbers, as what she was not asked does."""
        self.cleaned_data.setdefault("may_leave_voicemail", False)
        said = super().answers()
        may_leave = said.may_leave_voicemail if "may_leave_voicemail" in self.changed_data else None
        return replace(said, words=self.cleaned_data["words"], may_leave_voicemail=may_leave)


def _channels_for(patient: Patient, card: ServiceCard | None) -> Iterator[Channel]:
    """Those that are on and for which we have an address of hers; and the one that she has now.

    A machine that calls is nobody's wish: it is the last way, where the others are used up.
    """
    ties = patient.contacts.select_related("contact_point")
    kinds = {tie.contact_point.kind for tie in ties if tie.contact_point.status != AddressStatus.BAD}
    served = {channel for kind in kinds for channel in channels_of(kind)} & {*in_use(), Channel.PHONE}
    served.discard(Channel.VOICE)
    now_asked = card.channel if card and card.told_at else ""
    return (channel for channel in ORDER if channel in served or channel == now_asked)


def how_reached(patient: Patient, *, now: datetime) -> list[str]:
    """Her card in words, for her to read back; nothing where she was never asked."""
    card: ServiceCard | None = getattr(patient, "card", None)
    if card is None or card.told_at is None:
        return []
    form = CardForm.of(patient, now=now)
    chosen: list[str] = [str(Channel(card.channel).label)] if card.channel else []
    for name in ("days", "hours"):
        labels = dict(form.fields[name].choices)  # type: ignore[attr-defined]
        chosen += [labels[code] for code in form.initial[name] if code in labels]
    return [*chosen, NATIVE_NAMES[patient.language]]


def comes_in_words(patient: Patient) -> list[str]:
    """When she can come, for her to read back; nothing where she has not said."""
    card: ServiceCard | None = getattr(patient, "card", None)
    if card is None or card.coming_told_at is None:
        return []
    return in_words(windows_of(card)) or [str(COMES[-1][1])]


@require_http_methods(["GET", "HEAD", "POST"])
@with_page
@hers_alone
def card(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Only she may see and change it."""
    data = request.POST if request.method == "POST" else None
    form = OwnCardForm.of(visitor.patient, data, now=visitor.now)
    refusal, status = "", 200
    if form.is_valid():
        try:
            _save(visitor.patient, form, now=visitor.now)
        except RefusedError as refused:
            refusal, status = str(refused), 409
        else:
            if "language" in form.changed_data:  # else she goes on in the one she reads
                translation.activate(form.cleaned_data["language"])  # with_page gives back the one before
            return visitor.back("card")
    context = {"form": form, "refusal": refusal, **visitor.frame()}
    return render(request, "patient_page/card.html", context, status=422 if form.errors else status)


@transaction.atomic
def _save(patient: Patient, form: OwnCardForm, *, now: datetime) -> None:
    """What she says holds from now on, also for what was planned before."""
    may_call = [int(key) for key in form.cleaned_data.get("may_call", [])]
    saved = save_own_card(patient, form.answers(), may_call, now=now)
    plan_by_card(patient, saved, now=now)
