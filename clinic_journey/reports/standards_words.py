"""A limit in the reader's words."""

from django.utils.translation import gettext_lazy, ngettext_lazy

from journeys.deadlines import Limit, Unit

UNIT_WORDS = {  # those a manager may choose; in the order of their length
    Unit.MINUTES: gettext_lazy("minutes"),
    Unit.HOURS: gettext_lazy("hours"),
    Unit.WORKING_HOURS: gettext_lazy("working hours"),
    Unit.SAME_DAY: gettext_lazy("the same day"),
    Unit.WORKING_DAYS: gettext_lazy("working days"),
    Unit.DAYS: gettext_lazy("days"),
}
LIMIT_WORDS = {
    Unit.MINUTES: ngettext_lazy("%(number)s minute", "%(number)s minutes", "number"),
    Unit.HOURS: ngettext_lazy("%(number)s hour", "%(number)s hours", "number"),
    Unit.WORKING_HOURS: ngettext_lazy("%(number)s working hour", "%(number)s working hours", "number"),
    Unit.WORKING_DAYS: ngettext_lazy("%(number)s working day", "%(number)s working days", "number"),
    Unit.DAYS: ngettext_lazy("%(number)s day", "%(number)s days", "number"),
}


def limit_words(limit: Limit | None) -> str:
    """As a screen says it; empty where the standard has no limit of its own."""
    if limit is None:
        return ""
    if limit.unit in LIMIT_WORDS:
        return str(LIMIT_WORDS[limit.unit] % {"number": limit.amount})
    return str(UNIT_WORDS[limit.unit])
