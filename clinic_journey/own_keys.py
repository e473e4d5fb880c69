"""The single keys of the pages, and whoever wants others: one physical key in place of another, on every page."""

import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext as _, gettext_lazy
from django.views.decorators.http import require_http_methods

from clinic_journey.models import OwnKey

KEPT = "own_keys"  # in the session, so that a page costs no question of its own
CARD = gettext_lazy("Service card")
COMES = gettext_lazy("When the patient can come")
# What each key does, by the code of its place on the keyboard; the same key may do more than one thing.
COMMANDS: dict[str, tuple[str | Promise, ...]] = {
    "KeyA": (gettext_lazy("Offer to the waiting list"), gettext_lazy("Accept"), CARD),
    "KeyB": (gettext_lazy("Book a visit"), gettext_lazy("Give back"), CARD),
    "KeyC": (gettext_lazy("I am calling"), gettext_lazy("A call by hand"), gettext_lazy("Ask the institute")),
    "KeyD": (gettext_lazy("The day"), gettext_lazy("Calendar"), gettext_lazy("Done as promised")),
    "KeyE": (gettext_lazy("Export"), gettext_lazy("In your language"), CARD),
    "KeyF": (gettext_lazy("Search on this page"), CARD),
    "KeyG": (gettext_lazy("As a grid"), gettext_lazy("As a list"), COMES),
    "KeyH": (gettext_lazy("History"), CARD),
    "KeyI": (gettext_lazy("Full screen"), gettext_lazy("The result we wait for"), CARD),
    "KeyJ": (gettext_lazy("The next row"),),
    "KeyK": (gettext_lazy("The row before"),),
    "KeyL": (gettext_lazy("Lock the screen"),),
    "KeyM": (gettext_lazy("Promise an answer"), gettext_lazy("Move"), COMES),
    "KeyN": (gettext_lazy("New patient"),),
    "KeyO": (gettext_lazy("Call outside the agreed hours"), gettext_lazy("Open list")),
    "KeyP": (gettext_lazy("Park"), gettext_lazy("Plan this"), gettext_lazy("On paper"), COMES),
    "KeyQ": (gettext_lazy("Questions"), CARD),
    "KeyR": (gettext_lazy("What is new"), gettext_lazy("Refer and hold"), CARD),
    "KeyS": (CARD, gettext_lazy("Search")),
    "KeyT": (gettext_lazy("Today"), gettext_lazy("Will think about it"), CARD),
    "KeyU": (gettext_lazy("Unreadable: ask the institute again"), CARD),
    "KeyV": (gettext_lazy("Open the page"), CARD),
    "KeyW": (gettext_lazy("Write an answer"), gettext_lazy("Send the message"), gettext_lazy("Waiting list")),
    "KeyX": (gettext_lazy("The patient had to ask"), gettext_lazy("Went elsewhere"), COMES),
    "KeyY": (gettext_lazy("Why a message went out, or did not"), CARD),
    "KeyZ": (gettext_lazy("Undo"),),
    "Slash": (gettext_lazy("Search"), gettext_lazy("Keys of this page")),
    "Period": (gettext_lazy("Only tables"),),
    "Space": (gettext_lazy("Pause"),),
    **{f"Digit{digit}": () for digit in "1234567890"},
}
SIGNS = {
    "Slash": "/",
    "Period": ".",
    "Comma": ",",
    "Semicolon": ";",
    "Quote": "'",
    "BracketLeft": "[",
    "BracketRight": "]",
    "Backslash": "\\",
    "Minus": "-",
    "Equal": "=",
    "Backquote": "`",
    "Space": "␣",
}
NAME_OF = {code: SIGNS.get(code, code[-1]) for code in [*COMMANDS, *SIGNS]}
CODE_OF = {name: code for code, name in NAME_OF.items()} | {" ": "Space"}


class OwnKeysForm(forms.Form):
    """For each key of ours the one that this user presses instead; no key can mean two."""

    def __init__(self, data: Any = None, *, own: dict[str, str]) -> None:
        super().__init__(data)
        for code, words in COMMANDS.items():
            self.fields[code] = forms.CharField(
                label=_said(code, words),
                initial=NAME_OF[own.get(code, code)],
                max_length=1,
                strip=False,
                widget=forms.TextInput(attrs={"dir": "ltr", "autocomplete": "off", "data-own-key": ""}),
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        pressed: dict[str, str] = {}
        for code in [each for each in COMMANDS if each in data]:
            own = CODE_OF.get(data[code].upper())
            if own is None:
                self.add_error(
                    code, _("Choose a letter, a digit or one of these: %(signs)s") % {"signs": signs()}
                )
            elif own in pressed:
                self.add_error(code, self._clash(own, pressed[own]))
            else:
                pressed[own] = code
        return data

    def _clash(self, own: str, first: str) -> str:
        words = {"key": NAME_OF[own], "what": self.fields[first].label}
        return _("%(key)s is already the key of “%(what)s”. Choose another for one of them.") % words

    def moved(self) -> dict[str, str]:
        """Only what differs from ours."""
        own = {code: CODE_OF[self.cleaned_data[code].upper()] for code in COMMANDS}
        return {code: other for code, other in own.items() if other != code}


def _said(code: str, words: Iterable[str | Promise]) -> str:
    if code.startswith("Digit"):
        return _("The choice beside %(number)s") % {"number": code[-1]}
    return " · ".join(map(str, words))


def signs() -> str:
    return " ".join(SIGNS.values())


@transaction.atomic
def save_own_keys(user: User, moved: dict[str, str]) -> None:
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    OwnKey.objects.filter(user=user).delete()
    OwnKey.objects.bulk_create(OwnKey(user=user, key=key, own=own) for key, own in moved.items())


def own_keys_of(user: User) -> dict[str, str]:
    return dict(OwnKey.objects.filter(user=user).values_list("key", "own"))


def remember(session: SessionBase, moved: dict[str, str]) -> None:
    if moved or KEPT in session:
        session[KEPT] = moved


def logged_in(request: HttpRequest, user: User, **_more: Any) -> None:
    """Django's signal after each login."""
    remember(request.session, own_keys_of(user))


def context(request: HttpRequest) -> dict[str, object]:
    """Context processor: what keys.js has to know, as JSON; empty for who has our keys."""

    def moved() -> str:
        kept: dict[str, str] = request.session.get(KEPT, {}) if hasattr(request, "session") else {}
        return json.dumps(_named(kept.items())) if kept else ""

    return {"own_keys": SimpleLazyObject(moved)}


def _named(moved: Iterable[tuple[str, str]]) -> dict[str, dict[str, str]]:
    return {
        code: {"own": own, "was": NAME_OF[code], "is": NAME_OF[own]}
        for code, own in moved
        if code in NAME_OF and own in NAME_OF
    }


@login_required
@require_http_methods(["GET", "POST"])
def keys(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # noqa: S101 - login_required
    if "as_shipped" in request.POST:
        return _saved(request, request.user, {})
    form = OwnKeysForm(request.POST or None, own=own_keys_of(request.user))
    if form.is_valid():
        return _saved(request, request.user, form.moved())
    context = {"form": form, "names": json.dumps(NAME_OF), "signs": signs()}
    return render(request, "keys/keys.html", context, status=422 if form.errors else 200)


def _saved(request: HttpRequest, user: User, moved: dict[str, str]) -> HttpResponse:
    save_own_keys(user, moved)
    remember(request.session, moved)
    messages.success(request, _("Saved. These are your keys from now on, on every page."))
    return redirect("keys")
