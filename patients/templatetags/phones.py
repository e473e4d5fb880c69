"""Numbers as people read them aloud."""

from functools import lru_cache

import phonenumbers
from django import template
from django.conf import settings
from phonenumbers import PhoneNumberFormat

register = template.Library()


@register.filter
def phone(address: str, country: str = "") -> str:
    """A number in groups: as the clinic's country writes it, a foreign one with its country code.

    An e-mail address comes back as it is. Put it into <bdi dir="ltr">: in Hebrew and Arabic the groups would
    change places.
    """
    return _in_groups(address, country or settings.PHONENUMBER_DEFAULT_REGION)


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
