"""Numbers as people read them aloud, and in their own direction."""

import re
from functools import lru_cache

import phonenumbers
from django import template
from django.conf import settings
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from phonenumbers import PhoneNumberFormat

register = template.Library()
PIECE = re.compile(r"https?://[^\s<]*[^\s<.,;:!?)]|\+?\d[\d-]{5,}\d")


@register.filter
def phone(address: str, country: str = "") -> str:
    """A number in groups: as the clinic's country writes it, a foreign one with its country code.

    An e-mail address comes back as it is. Put it into <bdi dir="ltr">: in Hebrew and Arabic the groups would
    change places.
    """
    return _in_groups(address, country or settings.PHONENUMBER_DEFAULT_REGION)


@register.filter
def unbroken(words: str) -> SafeString:
    """Words in which each number and link stays in one piece and in its own direction; the words are escaped."""
    return SafeString(PIECE.sub(r'<bdi dir="ltr">\g<0></bdi>', conditional_escape(words)))


@lru_cache(maxsize=4096)
def _in_groups(address: str, country: str) -> str:
    if not address.startswith("+"):
        return address
    try:
        number = phonenumbers.parse(address)
    except phonenumbers.NumberParseException:
        return address
    here = number.country_code == phonenumbers.country_code_for_region(country)
    return str(
        phonenumbers.format_number(
            number, PhoneNumberFormat.NATIONAL if here else PhoneNumberFormat.INTERNATIONAL
        )
    )
