"""Choosing a PIN."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from patients.identity import ascii_digits

DIGITS = 4
RUNS = "01234567890", "09876543210"


class PinForm(forms.Form):
    """The password once more, as the PIN opens in its place; digits may be pasted, in any script."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "dir": "ltr"}),
    )
    pin = forms.CharField(
        label=_("New PIN"),
        help_text=_("Four digits. They open the screen again where you have logged in."),
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "inputmode": "numeric", "dir": "ltr"}),
    )

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data)
        self.user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise forms.ValidationError(_("This is not your password."))
        return password

    def clean_pin(self) -> str:
        pin = plain(self.cleaned_data["pin"])
        if len(pin) != DIGITS or not pin.isdecimal():
            raise forms.ValidationError(_("A PIN has exactly four digits."))
        if len(set(pin)) == 1 or any(pin in run for run in RUNS):
            raise forms.ValidationError(_("These digits are the first that anybody tries. Choose others."))
        return pin


def plain(text: str) -> str:
    """Digits as everybody's keyboard and clipboard bring them: other scripts, spaces around."""
    return "".join(ascii_digits(text).split())
