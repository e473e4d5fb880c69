"""Calls are made by people: the attempts of this channel are the desk's call list, and end with one of these codes."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class CallOutcome(TextChoices):
    """How a call ended, with the words on the desk's buttons. "No answer" is silence, never a refusal."""

    NO_ANSWER = "no_answer", _("No answer")
    SPOKEN = "spoken", _("Spoken")
    BOOKED = "booked", _("Booked")
    CONFIRMED = "confirmed", _("Confirmed")
    CALL_AT = "call_at", _("Call at…")
    PREFERS_MESSAGE = "prefers_message", _("Prefers a message")
    WRONG_NUMBER = "wrong_number", _("Wrong number")
    NOT_NOW = "not_now", _("Not now")
    DECLINED = "declined", _("Does not want it")
    ASKED_TO_STOP = "asked_to_stop", _("Asked us to stop")
    NEEDS_DOCTOR = "needs_doctor", _("Needs the doctor")
