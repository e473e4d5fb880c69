"""The decision trace in words: one entry for each rule, and one for how things stand with a step's message."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from outreach.because import Because

RULE_WORDS = {
    Because.WINDOW: _("outside the hours the patient asked for"),
    Because.CLINIC_HOURS: _("outside the clinic's hours for this"),
    Because.REST_DAY: _("a day of rest"),
    Because.REST_EVE: _("the eve of a day of rest"),
    Because.LAW_HOURS: _("outside the hours the country allows"),
    Because.SPACING: _("too soon after the last contact"),
    Because.DAY_CAP: _("enough contacts on that day"),
    Because.WEEK_CAP: _("enough contacts in that week"),
    Because.CHANNEL_OFF: _("the channel is off or lacks a key"),
    Because.SENDER_RESTS: _("the provider asked us to wait"),
    Because.SENDER_DOWN: _("the channel does not work at the moment"),
    Because.GATE: _("only the listed addresses get messages now, and this is none of them"),
    Because.CONSENT: _("the patient does not want this channel at this address"),
    Because.STOP: _("the patient asked us to stop"),
    Because.MAYBE_STOP: _("the patient may have asked us to stop, and a person reads it first"),
    Because.BAD_ADDRESS: _("the number or address does not work"),
    Because.NOT_HERS: _("somebody there said that it is not the patient, and a person checks it first"),
    Because.REFUSED_HERE: _("the channel did not take it at this address"),
    Because.NOT_CALLED: _("not to be called at this number"),
    Because.CALL_BACK_ONLY: _("only a call back may be asked for there"),
    Because.NOTHING_SAID: _("nothing may be said there: others are told"),
    Because.TOLD_ALREADY: _("whoever is reached there knows it already; this is for the other parent"),
    Because.SOMEBODY_ELSE: _("somebody else's address, whom a message would tell"),
    Because.NO_LONGER_TOLD: _("by the patient's age, others are told"),
    Because.IN_CONFIDENCE: _("this matter is kept from the parents: only the patient is told"),
    Because.NOT_HERS_ALONE: _(
        "this matter is kept from the parents, and nobody has confirmed that this address is the patient's alone"
    ),
    Because.ADDRESS_REMOVED: _("the address was removed or may get no messages"),
    Because.CALLS_ONLY: _("there are no words to send about it; a person calls"),
    Because.NOT_READ_OUT: _("a machine does not read this out"),
    Because.NO_AUTOMATED_CALLS: _("the country's rules allow no automated calls"),
    Because.NOT_AGREED_TO_CALLS: _("the patient has not agreed to automated calls"),
    Because.NOT_ANSWERED_FOR: _("the country's rules ask an administrator to answer for this channel first"),
    Because.PROVIDER_UNKNOWN: _("the country's rules ask an administrator to answer for the provider first"),
    Because.OFFERS_OFF: _("this clinic sends no news and offers"),
    Because.OFFERS_NOT_WANTED: _("the patient has not asked for news and offers here"),
    Because.TOO_LATE: _("its time had passed"),
    Because.NOT_MADE: _("nobody called in that time"),
    Because.ON_HOLD: _("the step rests"),
    Because.STEP_ENDED: _("the step had ended"),
    Because.DECIDED_ANEW: _("something new has come, and the doctor looks at it once more first"),
    Because.VISIT_GONE: _("the visit it speaks of is gone"),
    Because.OFFER_OVER: _("the offer was over"),
    Because.RECORD_CLOSED: _("the record is closed"),
    Because.NO_WORDS: _("what it was to say is not true any more"),
    Because.BY_HAND: _("a person decided so"),
}


class Standing(TextChoices):
    """How it stands with the message of one step: the answer to "why did this patient get no message?"."""

    SENT = "sent", _("A message or a call has gone out.")
    LEAVING = "leaving", _("It is leaving at this moment.")
    PLANNED = "planned", _("It is planned and has not left yet.")
    PLANNING = "planning", _("Its next time is being worked out.")
    ASKED_AGAIN = "asked_again", _("It has left, and we ask again if no answer comes.")
    WITH_A_PERSON = "with_a_person", _("The machine has stopped, and a person has it.")
    NOT_NEEDED = "not_needed", _("It ended before anything was sent.")
    NO_MESSAGE = "no_message", _("No message belongs to this step: whoever has it speaks with the patient.")
    NOT_YET = "not_yet", _("The first contact is not due yet.")
    TAKEN_UP = "taken_up", _("It is due and is being taken up.")
    RESTS = "rests", _("The step rests, and nothing is sent meanwhile.")
    RECORD_CLOSED = "record_closed", _("The record is closed, and nothing is sent any more.")
    STEP_ENDED = "step_ended", _("The step ended before a contact was due.")
    NOT_ASKED = "not_asked", _("Nothing has asked for a message about it.")


# How a contact that was planned ended without leaving, where no rule is written down: by what happened meanwhile.
CANCELLED_WORDS = {
    "replanned": _("planned another way"),
    "not_needed": _("not needed any more"),
    "opted_out": RULE_WORDS[Because.STOP],
    "asked_to_stop": RULE_WORDS[Because.STOP],
    "undone": _("taken back by whoever had saved it"),
}
SETTLED = _("it was settled meanwhile")


def rule_words(code: str) -> str:
    """The words of one code; one that is not known, as of a later version, is shown as it is."""
    return str(RULE_WORDS[Because(code)]) if code in RULE_WORDS else code
