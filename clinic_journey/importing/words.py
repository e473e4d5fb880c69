"""What was wrong with a row, what was expected instead, and what can be done about it: in words."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy as _

from clinic_journey.importing.addresses import example_phone
from clinic_journey.importing.models import ImportKind
from patients.models import Clinic

Text = str | Promise


@dataclass(frozen=True)
class Words:
    title: Text
    expected: Text
    without: Text = ""  # what is done if the rows are imported all the same; empty: that would do harm


_PHONE = _("A phone number with all its digits, such as %(phone)s")
_NO_PHONE = _("Import without the phone")
_BORN = _("A date such as 4.5.1991")
_NO_BIRTH = _("Import without the date of birth")
PROBLEMS: dict[str, Words] = {
    "name_missing": Words(_("The name is missing"), _("A first name, or a whole name")),
    "name_long": Words(_("The name is too long"), _("At most 80 letters for each name")),
    "phone_short": Words(_("The phone has too few digits"), _PHONE, _NO_PHONE),
    "phone_long": Words(_("The phone has too many digits, or holds two numbers"), _PHONE, _NO_PHONE),
    "phone_wrong": Words(_("The phone cannot be called"), _PHONE, _NO_PHONE),
    "email_wrong": Words(
        _("The e-mail is not complete"),
        _("One address such as name@mail.com"),
        _("Import without the e-mail"),
    ),
    "birth_unreadable": Words(_("The date of birth cannot be read"), _BORN, _NO_BIRTH),
    "birth_impossible": Words(_("Nobody living was born on this date"), _BORN, _NO_BIRTH),
    "id_wrong": Words(
        _("The ID number has a wrong digit"),
        _("Nine digits with the right last one"),
        _("Import without the ID number"),
    ),
    "language_unknown": Words(
        _("The language is not one we know"),
        _("English, Hebrew, Russian or Arabic"),
        _("Import with the language of the clinic"),
    ),
    "relation_unknown": Words(
        _("Whose phone it is cannot be read"),
        _("Own, parent, guardian or other"),
        _("Import without saying whose phone it is"),
    ),
    "gender_unknown": Words(
        _("Female or male cannot be read"), _("F or M, or nothing"), _("Import with the neutral wording")
    ),
    "no_address": Words(
        _("There is neither a phone nor an e-mail"),
        _("A phone or an e-mail"),
        _("Import all the same; nobody can reach these patients yet"),
    ),
    "repeated": Words(_("The same as an earlier row of this file"), _("One row for each")),
    "perhaps_known": Words(
        _("Perhaps a patient you have already: same name and birth date, another phone"),
        _("An ID number in both, or the same phone"),
        _("Import as new patients"),
    ),
    "too_many_cells": Words(
        _("The row has more cells than there are columns"),
        _("As many cells as column names; put text with a comma between quotation marks"),
    ),
    "patient_unknown": Words(
        _("The patient is not registered"), _("A patient of this clinic; import the patients first")
    ),
    "patient_several": Words(
        _("Several patients it could be"), _("An ID number or the number in the other program")
    ),
    "doctor_unknown": Words(_("The doctor is not known"), _("One of: %(detail)s")),
    "start_unreadable": Words(
        _("Date and time of the visit cannot be read"), _("A date and a time such as 4.12.2026 14:30")
    ),
    "start_past": Words(_("The visit is in the past"), _("A time that is still to come")),
    "minutes_wrong": Words(
        _("The length does not fit the calendar"),
        _("Minutes that can be divided by %(detail)s"),
        _("Import with 30 minutes"),
    ),
    "outside_hours": Words(_("The doctor does not receive then"), "%(detail)s"),
    "taken": Words(_("This time is taken"), _("A time at which the doctor is free")),
}


def may_be_left_empty(code: str, kind: str) -> bool:
    """A visit without its patient, doctor or time is none, so of a visit only the length may be left out."""
    if kind == ImportKind.APPOINTMENTS:
        return code == "minutes_wrong"
    return code in PROBLEMS and bool(PROBLEMS[code].without)


def expected(code: str, detail: str, clinic: Clinic) -> str:
    if code == "repeated":
        return gettext("One row for each; the first is row %(row)s") % {"row": detail}
    if code == "perhaps_known":
        return gettext("%(text)s. We have: %(names)s") % {"text": PROBLEMS[code].expected, "names": detail}
    return str(PROBLEMS[code].expected) % {"detail": detail, "phone": example_phone(clinic.country)}
