"""What every page needs to know about its reader's language, and which part of the product it belongs to.

The language itself is chosen by Django's LocaleMiddleware: the cookie that `own_language` writes, else what
the browser asks for.
"""

from typing import Literal

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language, pgettext_lazy

# Each language by its own name: the reader who needs the switch may not read the page it stands on.
NATIVE_NAMES = {"en": "English", "he": "עברית", "ru": "Русский", "ar": "العربية"}


def text_direction(language: str) -> Literal["rtl", "ltr"]:
    return "rtl" if language.partition("-")[0] in settings.LANGUAGES_BIDI else "ltr"


def context(request: HttpRequest) -> dict[str, object]:
    """Context processor of base.html; `section`, the first part of the path, marks the current nav item."""
    language = get_language() or settings.LANGUAGE_CODE
    return {
        "text_direction": text_direction(language),
        "page_languages": [(code, NATIVE_NAMES[code]) for code, _name in settings.LANGUAGES],
        "section": request.path_info.strip("/").split("/")[0],
        "demo": settings.DEMO,
    }


# Dates are written with "E" right after the day. Django's names lack what Hebrew puts before a month there, so the
# catalogues have names of our own; these lines are where `make locale` finds them.
MONTHS_AFTER_A_DAY = (
    pgettext_lazy("alt. month", "January"),
    pgettext_lazy("alt. month", "February"),
    pgettext_lazy("alt. month", "March"),
    pgettext_lazy("alt. month", "April"),
    pgettext_lazy("alt. month", "May"),
    pgettext_lazy("alt. month", "June"),
    pgettext_lazy("alt. month", "July"),
    pgettext_lazy("alt. month", "August"),
    pgettext_lazy("alt. month", "September"),
    pgettext_lazy("alt. month", "October"),
    pgettext_lazy("alt. month", "November"),
    pgettext_lazy("alt. month", "December"),
)
