"""The measures a standard may name: what is read, after which event, and what to say while there is nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clinic_journey.reports import standards_cases as cases
from clinic_journey.reports.standards_cases import Span
from clinic_journey.reports.standards_models import SourceEvent
from clinic_journey.reports.standards_verdict import Case
from patients.models import Clinic


@dataclass(frozen=True)
class Measure:
    """No measure without the event after which it is asked about."""

    cases: Callable[[Clinic, Span], list[Case]]
    source: SourceEvent
    none_yet: str | Promise
    has_limit: bool = True


MEASURES: dict[str, Measure] = {
    "told_arrived": Measure(cases.told_arrived, SourceEvent.RESULT, _("No result has arrived yet.")),
    "decided": Measure(cases.decided, SourceEvent.RESULT, _("No result has arrived yet.")),
    "reached": Measure(cases.reached, SourceEvent.DECISION, _("No doctor has decided on a result yet.")),
    "leaves_with_date": Measure(cases.leaves_with_date, SourceEvent.REFERRAL, _("No referral was made yet.")),
    "card": Measure(cases.card, SourceEvent.VISIT, _("No visit was counted yet."), has_limit=False),
    "kept_window": Measure(
        cases.kept_window,
        SourceEvent.CONTACT,
        _("Nobody who told us her hours was contacted yet."),
        has_limit=False,
    ),
    "answered_first": Measure(
        cases.answered_first, SourceEvent.QUESTION, _("Nobody has asked what we offer yet.")
    ),
    "answered_later": Measure(
        cases.answered_later, SourceEvent.QUESTION, _("Every question so far was answered at once.")
    ),
    "promise_kept": Measure(
        cases.promise_kept, SourceEvent.PROMISE, _("No promise has come due yet."), has_limit=False
    ),
    "message_answered": Measure(
        cases.message_answered, SourceEvent.WORDS, _("No patient has written to us yet.")
    ),
    "thanked": Measure(cases.thanked, SourceEvent.ATTENDED, _("No visit that is thanked for is over yet.")),
    "apology_first": Measure(
        cases.apology_first, SourceEvent.LATE, _("Nothing we owe a patient was late yet."), has_limit=False
    ),
    "not_on_a_guess": Measure(
        cases.not_on_a_guess, SourceEvent.GIVEN_UP, _("Nobody was given up yet."), has_limit=False
    ),
    "own_language": Measure(
        cases.own_language, SourceEvent.MESSAGE, _("No message has left yet."), has_limit=False
    ),
}
