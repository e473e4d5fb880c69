"""The phones and e-mails of a row, in columns of their own or several in one cell, and whose each is."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import phonenumbers

from clinic_journey.importing.faults import Fault, Terms, word
from clinic_journey.importing.values import RELATIONS, clean, is_email
from patients.actions import RefusedError, normal_phone
from patients.models import AddressKind

PHONES, EMAILS = ("phone", "phone_2", "phone_3"), ("email", "email_2")
ADDRESSES = (*PHONES, *EMAILS)
PHONE_DIGITS = 8, 15
_BETWEEN = re.compile(r"[/;,\n|]+")


@dataclass(frozen=True)
class Reach:
    """One address; `relation` is empty where the file does not say whose it is."""

    kind: AddressKind
    value: str
    relation: str = ""


def read_addresses(
    cells: Mapping[str, str], terms: Terms, faults: list[Fault]
) -> tuple[dict[str, str], tuple[Reach, ...]]:
    """The first phone with its relation and the first e-mail, and all others once each."""
    relations = {
        "phone": word(cells, "relation", RELATIONS, faults),
        "phone_2": word(cells, "relation_2", RELATIONS, faults),
    }
    phones = [
        Reach(AddressKind.PHONE, number, relations.get(name, ""))
        for name in PHONES
        for number in _phones(cells.get(name, ""), name, terms, faults)
    ]
    emails = [
        Reach(AddressKind.EMAIL, address)
        for name in EMAILS
        for address in _emails(cells.get(name, ""), name, faults)
    ]
    once = list({reach.value: reach for reach in reversed([*phones, *emails])}.values())[::-1]
    first_phone = next((reach for reach in once if reach.kind == AddressKind.PHONE), None)
    first_email = next((reach for reach in once if reach.kind == AddressKind.EMAIL), None)
    first = {
        "phone": first_phone.value if first_phone else "",
        "relation": first_phone.relation if first_phone else "",
        "email": first_email.value if first_email else "",
    }
    return first, tuple(reach for reach in once if reach not in (first_phone, first_email))


def _phones(text: str, name: str, terms: Terms, faults: list[Fault]) -> Iterator[str]:
    """Several numbers in one cell are several; a comma inside one number is none."""
    text = clean(text)
    parts = [part.strip() for part in _BETWEEN.split(text)]
    whole = len(parts) == 1 or any(_digits(part) < PHONE_DIGITS[0] - 1 for part in parts)
    for part in [text] if whole else parts:
        number = _phone(part, name, terms, faults)
        if number:
            yield number


def _digits(text: str) -> int:
    return sum(sign.isdigit() for sign in text)


def _phone(text: str, name: str, terms: Terms, faults: list[Fault]) -> str:
    if not text:
        return ""
    try:
        return normal_phone(text, region=terms.clinic.country)
    except RefusedError:
        digits, (shortest, longest) = _digits(text), PHONE_DIGITS
        code = "phone_short" if digits <= shortest else "phone_long" if digits > longest else "phone_wrong"
        faults.append(Fault(code, name, text))
        return ""


def example_phone(country: str) -> str:
    """A number as people of the country write it, for the words beside a wrong one."""
    number = phonenumbers.example_number_for_type(country, phonenumbers.PhoneNumberType.MOBILE)
    if number is None:
        return "+972 50-234-5678"
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL))


def _emails(text: str, name: str, faults: list[Fault]) -> Iterator[str]:
    text = clean(text).casefold()
    parts = [part.strip() for part in _BETWEEN.split(text) if part.strip()]
    if text and not all(is_email(part) for part in parts):
        faults.append(Fault("email_wrong", name, text))
        return
    yield from parts
