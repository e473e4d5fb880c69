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
    """No measure without the event after which it is asked about, and none without saying what it counts."""

    cases: Callable[[Clinic, Span], list[Case]]
    source: SourceEvent
    counts: str | Promise
    none_yet: str | Promise
    has_limit: bool = True


MEASURES: dict[str, Measure] = {
    "told_arrived": Measure(
        cases.told_arrived,
        SourceEvent.RESULT,
        _("From the arrival of a result until a message says so, or somebody has told the patient."),
        _("No result has arrived yet."),
    ),
    "decided": Measure(
        cases.decided,
        SourceEvent.RESULT,
        _("From the arrival of a result until the doctor has decided on it."),
        _("No result has arrived yet."),
    ),
    "reached": Measure(
        cases.reached,
        SourceEvent.DECISION,
        _(
            "From the doctor’s decision until the patient was reached; where she told us hours, only "
            "these count."
        ),
        _("No doctor has decided on a result yet."),
    ),
    "leaves_with_date": Measure(
        cases.leaves_with_date,
        SourceEvent.REFERRAL,
        _("From a referral until a visit is held or booked in its journey."),
        _("No referral was made yet."),
    ),
    "card": Measure(
        cases.card,
        SourceEvent.VISIT,
        _(
            "Whoever came to a visit, and whether how, days and hours are known, told at most six "
            "months before."
        ),
        _("No visit was counted yet."),
        has_limit=False,
    ),
    "kept_window": Measure(
        cases.kept_window,
        SourceEvent.CONTACT,
        _("Calls and messages to patients who told us hours, and whether they were made in these."),
        _("Nobody who told us her hours was contacted yet."),
        has_limit=False,
    ),
    "answered_first": Measure(
        cases.answered_first,
        SourceEvent.QUESTION,
        _("From a question about what we offer until its answer."),
        _("Nobody has asked what we offer yet."),
    ),
    "answered_later": Measure(
        cases.answered_later,
        SourceEvent.QUESTION,
        _("From a question that was not answered in the same talk until its answer."),
        _("Every question so far was answered at once."),
    ),
    "promise_kept": Measure(
        cases.promise_kept,
        SourceEvent.PROMISE,
        _("Promises, and whether each was kept at the time it was given for."),
        _("No promise has come due yet."),
        has_limit=False,
    ),
    "message_answered": Measure(
        cases.message_answered,
        SourceEvent.WORDS,
        _("From a patient’s own words until somebody has answered them."),
        _("No patient has written to us yet."),
    ),
    "thanked": Measure(
        cases.thanked,
        SourceEvent.ATTENDED,
        _("From the end of a visit until the thank-you has left."),
        _("No visit that is thanked for is over yet."),
    ),
    "apology_first": Measure(
        cases.apology_first,
        SourceEvent.LATE,
        _(
            "Steps that are late and for which the journey plans an apology: whether it left before "
            "the patient had to ask. Other messages, calls and late steps are not counted here."
        ),
        _("Nothing we owe a patient was late yet."),
        has_limit=False,
    ),
    "not_on_a_guess": Measure(
        cases.not_on_a_guess,
        SourceEvent.GIVEN_UP,
        _("Patients whom the machine has given up, and whether three different ways were tried before."),
        _("Nobody was given up yet."),
        has_limit=False,
    ),
    "own_language": Measure(
        cases.own_language,
        SourceEvent.MESSAGE,
        _("Messages that left, and whether each was in the patient’s language."),
        _("No message has left yet."),
        has_limit=False,
    ),
}
