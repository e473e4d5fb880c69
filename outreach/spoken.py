"""What an automated call says around its message, from the texts of the clinic or ours, in the language of the call."""

from outreach.models import Attempt
from outreach.rendering import CannotRender, Facts, Texts
from patients.models import Channel

MENU = "voice_menu"
THANKS_OF = {"1": "voice_confirmed", "2": "voice_another_time", "9": "voice_no_more"}


def spoken(attempt: Attempt, key: str) -> str:
    """Empty where there are no words for it: then nothing is said, rather than something that is not so."""
    clinic = attempt.patient.clinic
    language = attempt.language or attempt.patient.language
    try:
        texts = Texts([key], [clinic.pk])
        return texts.render(key, Channel.VOICE, language, Facts(name="", link=""), clinic).body
    except CannotRender:
        return ""
