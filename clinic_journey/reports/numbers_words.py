"""The numbers in words: what each is, how it is written, and where its names are."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _, ngettext, ngettext_lazy

from clinic_journey.reports.numbers import Figure

DAY_HOURS = 48  # above it a wait is said in days


@dataclass(frozen=True)
class Words:
    title: str | Promise
    hint: str | Promise
    of: Any  # what it rests on, by how many: a lazy ngettext
    unit: str = "%"


NUMBERS: dict[str, Words] = {
    "chases": Words(
        _("Patients had to ask"),
        _("Calls of “what about my…?” for each hundred journeys that began."),
        ngettext_lazy("of %(n)s journey", "of %(n)s journeys", "n"),
        unit="",
    ),
    "told": Words(
        _("From arrival to the patient told"),
        _("Half of those who have heard of their result heard of it within this time."),
        ngettext_lazy("of %(n)s result", "of %(n)s results", "n"),
        unit="h",
    ),
    "leaves_with_date": Words(
        _("Referred, and left with a date"),
        _("Of all referrals, for images or anything else, those with a visit held or booked at once."),
        ngettext_lazy("of %(n)s referral", "of %(n)s referrals", "n"),
    ),
    "kept_window": Words(
        _("Contacted in the agreed hours"),
        _("Of people and of the machine alike; only of patients who told us hours."),
        ngettext_lazy("of %(n)s contact", "of %(n)s contacts", "n"),
    ),
    "promise_kept": Words(
        _("Promises kept"),
        _("At the time they were given for."),
        ngettext_lazy("of %(n)s promise", "of %(n)s promises", "n"),
    ),
    "returned": Words(
        _("Came within 15 days of our first contact"),
        _("Of those we invited or asked to book."),
        ngettext_lazy("of %(n)s patient", "of %(n)s patients", "n"),
    ),
    "holds": Words(
        _("Held visits that took place"),
        _("Of the visits kept before a result existed, whose time has come."),
        ngettext_lazy("of %(n)s visit", "of %(n)s visits", "n"),
    ),
}


def figure_words(figure: Figure, unit: str) -> str:
    if figure.value is None:
        return "–"
    if unit == "h":
        return wait_words(timedelta(hours=figure.value))
    return f"{figure.value:.0f}{unit}"


def wait_words(wait: timedelta) -> str:
    """As one says it: minutes, then hours, then days."""
    minutes = round(wait / timedelta(minutes=1))
    hours = round(minutes / 60)
    if minutes < 2 * 60:
        return ngettext("%(number)s minute", "%(number)s minutes", minutes) % {"number": minutes}
    if hours < DAY_HOURS:
        return ngettext("%(number)s hour", "%(number)s hours", hours) % {"number": hours}
    days = round(hours / 24)
    return ngettext("%(number)s day", "%(number)s days", days) % {"number": days}
