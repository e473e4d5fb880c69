"""The ten outcomes of Today (surfaces.md 4.1): the key of each, its words, and what it sets going."""

from dataclasses import dataclass

from django.utils.formats import time_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _, gettext_lazy

from appointments.models import AppointmentStatus
from clinic_journey.models import DeskAction
from outreach.to_mend import was_read, works
from patients.models import Channel
from referrals.models import Decision

Words = str | Promise


@dataclass(frozen=True)
class Outcome:
    code: str
    digit: int
    words: Words
    follows: Words
    asks: bool = False  # something has to be said with it; the part today/_<code>.html asks
    needs_call: bool = False  # it is how a call ended, so there must have been one


BOOKED, NO_ANSWER, MESSAGE = "booked", "no_answer", "message"
REPLANNED = "replanned"  # a silent patient
CALL_AT, NOT_NOW, NEEDS_DOCTOR, SKIP = "call_at", "not_now", "needs_doctor", "skip"
OUTCOMES = (
    Outcome(NO_ANSWER, 2, gettext_lazy("No answer"), "", needs_call=True),
    Outcome(
        MESSAGE,
        3,
        gettext_lazy("Message sent"),
        gettext_lazy("leaves in the patient's hours, in 20 seconds at least"),
    ),
    Outcome(
        CALL_AT,
        4,
        gettext_lazy("Call at…"),
        gettext_lazy("a promise with that time, in your name"),
        asks=True,
        needs_call=True,
    ),
    Outcome(
        "prefers_message",
        5,
        gettext_lazy("Prefers a message"),
        gettext_lazy("the card is changed, a message leaves"),
        needs_call=True,
    ),
    Outcome(
        "wrong_number",
        6,
        gettext_lazy("Wrong number"),
        gettext_lazy("the number is set aside, the next address is tried"),
        needs_call=True,
    ),
    Outcome(
        NOT_NOW,
        7,
        gettext_lazy("Not now, because…"),
        gettext_lazy("the patient's own reason; we ask again on the day you choose"),
        asks=True,
    ),
    Outcome(
        "asked_to_stop",
        8,
        gettext_lazy("Asked us to stop"),
        gettext_lazy("no more contacts but safety; a person decides what becomes of the step"),
        needs_call=True,
    ),
    Outcome(
        NEEDS_DOCTOR,
        9,
        gettext_lazy("Needs the doctor"),
        gettext_lazy("the doctor gets the question with the time you promise"),
        asks=True,
        needs_call=True,
    ),
    Outcome(
        SKIP,
        0,
        gettext_lazy("Skip, because…"),
        gettext_lazy("back at the end of your list for an hour"),
        asks=True,
    ),
)
BY_CODE = {outcome.code: outcome for outcome in OUTCOMES}
ASKED_AGAIN = "asked_again"
OF_THE_DOCTOR = frozenset({*Decision.values, ASKED_AGAIN})  # saves in Results
OUTCOME_WORDS = {
    "received": gettext_lazy("It has arrived"),
    "not_done": gettext_lazy("It will not be done"),
    "been_there": gettext_lazy("Was at the institute"),
    "told": gettext_lazy("The patient has been told"),
    "told_by_phone": gettext_lazy("Told by phone"),
    "could_not_reach": gettext_lazy("Could not be reached at all"),
    "spoken": gettext_lazy("Spoken with the patient"),
    "confirmed": gettext_lazy("The visit is confirmed"),
    "another_time": gettext_lazy("Wants another time"),
    "cannot_come": gettext_lazy("Cannot come"),
    "declined": gettext_lazy("Does not want it"),
    "referred": gettext_lazy("Referred"),
    "kept": gettext_lazy("Done as promised"),
    "address_checked": gettext_lazy("The number or address was checked"),
    "done": gettext_lazy("Done"),
    "answered": gettext_lazy("Answered in writing"),
    "nothing_to_answer": gettext_lazy("Nothing to answer"),
    "complaint": gettext_lazy("Taken as a complaint"),
    "thanks": gettext_lazy("Taken as thanks"),
    "restated": gettext_lazy("Said in our own words"),
    "understood": gettext_lazy("Understood"),
    "not_understood": gettext_lazy("Not understood yet"),
    "changed": gettext_lazy("Something was changed"),
    "unchanged": gettext_lazy("Nothing is changed, and why was told"),
    REPLANNED: gettext_lazy("Planned in a new way"),
    BOOKED: gettext_lazy("Booked"),
    "moved": gettext_lazy("Moved"),
    "arrived": AppointmentStatus.ARRIVED.label,
    "attended": AppointmentStatus.FULFILLED.label,
    "no_show": AppointmentStatus.NOSHOW.label,
    "cancelled": AppointmentStatus.CANCELLED.label,
    **{works(channel): gettext_lazy("It works again") for channel in Channel.values},
    **{was_read(channel): gettext_lazy("It has been looked at") for channel in Channel.values},
    ASKED_AGAIN: gettext_lazy("Unreadable: ask the institute again"),
    **dict(Decision.choices),
}


def words_of(code: str) -> str:
    known = BY_CODE.get(code)
    return str(known.words if known else OUTCOME_WORDS.get(code, code))


def saved_words(action: DeskAction) -> str:
    """Who did what and when, for whoever comes second. Needs `user` loaded."""
    return _("%(who)s saved “%(what)s” at %(time)s.") % {
        "who": action.user.first_name or action.user.get_username(),
        "what": words_of(action.what),
        "time": time_format(localtime(action.at), "H:i"),
    }
