"""For managers: how each channel stands, the gate, and who gets messages while it is shut."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from clinic_journey.providers_form import ProviderForm, providers_of
from outreach import gate
from outreach.attested import answer_for, take_back, to_answer_for
from outreach.health import health_of, is_held_back
from outreach.provider_models import OFFERS, AllowedAddress, Attestation
from outreach.provider_terms import Answer, answer_for_provider
from patients.access import Here, for_staff, place_of
from patients.actions import RefusedError
from patients.country import profile_of
from patients.models import MANAGERS, AddressKind, Channel, Role
from patients.queries import key_in


class AllowForm(forms.Form):
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=AddressKind.choices)
    value = forms.CharField(
        label=gettext_lazy("Number or address"), max_length=254, widget=forms.TextInput(attrs={"dir": "ltr"})
    )


@require_GET
@for_staff(*MANAGERS)
def channels(request: HttpRequest, here: Here) -> HttpResponse:
    return _page(request, here, AllowForm(initial={"kind": AddressKind.PHONE}))


def _page(
    request: HttpRequest,
    here: Here,
    form: AllowForm,
    status: int = 200,
    provider: ProviderForm | None = None,
) -> HttpResponse:
    context = {
        "channels": health_of(here.clinic, now=here.now),
        "gate_is_open": gate.is_open(here.clinic),
        "allowed": AllowedAddress.objects.filter(clinic=here.clinic).order_by("kind", "value"),
        "form": form,
        "attestations": _attestations(here),
        "providers": providers_of(here.clinic, provider),
        "asks_of_providers": bool(profile_of(here.clinic.country).provider_asks),
    }
    return render(request, "channels/channels.html", context, status=status)


@require_POST
@for_staff(*MANAGERS)
def change_gate(request: HttpRequest, here: Here) -> HttpResponse:
    if request.POST.get("act") == "open":
        gate.open_gate(here.clinic, now=here.now, by=here.user)
        messages.success(request, _("From now on every patient gets messages."))
    else:
        gate.shut_gate(here.clinic, by=here.user)
        messages.success(request, _("From now on only the listed addresses get messages."))
    return redirect("channels")


def _attestations(here: Here) -> list[tuple[str, str, Attestation | None]]:
    """What has to be answered for here, in words, and who does."""
    given = {each.what: each for each in here.clinic.attestations.select_related("by")}
    return [
        (what, _("News and offers") if what == OFFERS else str(Channel(what).label), given.get(what))
        for what in to_answer_for(here.clinic)
    ]


@require_POST
@for_staff(Role.ADMIN)
def attest(request: HttpRequest, here: Here) -> HttpResponse:
    """An administrator answers for a channel, or takes it back."""
    try:
        if request.POST.get("act") == "answer":
            answer_for(here.clinic, request.POST.get("what", ""), now=here.now, by=here.user)
        else:
            take_back(here.clinic, request.POST.get("what", ""))
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return redirect("channels")


@require_POST
@for_staff(Role.ADMIN)
def provider(request: HttpRequest, here: Here) -> HttpResponse:
    """An administrator says who carries a channel's messages, or takes it back by leaving it empty."""
    channel = request.POST.get("channel", "")
    form = ProviderForm(channel, data=request.POST)
    if not form.is_valid():
        return _page(request, here, AllowForm(initial={"kind": AddressKind.PHONE}), 422, form)
    try:
        answer_for_provider(here.clinic, channel, Answer(**form.cleaned_data), now=here.now, by=here.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return redirect("channels")


@require_POST
@for_staff(*MANAGERS)
def allow(request: HttpRequest, here: Here) -> HttpResponse:
    """Add an address to the list, or take one off it."""
    removed = key_in(request.POST.get("remove", ""))
    if removed is not None:
        gate.disallow(here.clinic, removed)
        return redirect("channels")
    form = AllowForm(request.POST)
    if form.is_valid():
        try:
            gate.allow(here.clinic, form.cleaned_data["kind"], form.cleaned_data["value"])
            return redirect("channels")
        except RefusedError as refusal:
            form.add_error("value", str(refusal))
    return _page(request, here, form, status=422)


def context(request: HttpRequest) -> dict[str, object]:
    """Context processor: while the gate is shut every screen says so. Asked only where a page shows it."""

    def held_back() -> bool:
        here = place_of(request) if hasattr(request, "user") else None
        return here is not None and is_held_back(here.clinic)

    return {"is_held_back": SimpleLazyObject(held_back)}


urlpatterns = [
    path("channels/", channels, name="channels"),
    path("channels/gate/", change_gate, name="channels_gate"),
    path("channels/allow/", allow, name="channels_allow"),
    path("channels/answered-for/", attest, name="channels_attest"),
    path("channels/provider/", provider, name="channels_provider"),
]
