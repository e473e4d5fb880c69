"""An answer in writing, as the desk sees it before it leaves: the words, where they go, and when that will be."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from clinic_journey.ask_line import letter, written
from clinic_journey.caller_line import Clock
from clinic_journey.language import text_direction
from inquiries.forms import SendForm
from inquiries.models import Inquiry
from inquiries.queries import answer_about
from inquiries.sending import LEAVES_AFTER
from inquiries.sent_models import SentAnswer
from outreach.strangers import leaves_at
from patients.access import Here

AT_ONCE = timedelta(minutes=1)


@dataclass(frozen=True)
class Letter:
    """The form, with the way its words run, and in a sentence when they leave; that is empty where they cannot."""

    form: SendForm
    language: str
    leaves: str

    @property
    def direction(self) -> str:
        return text_direction(self.language)


def letter_of(found: Inquiry, here: Here, data: Any = None) -> Letter:
    language = found.said_in or here.clinic.language
    begins = {"to": found.phone, "words": "" if data else _words(found, language, here)}
    form = SendForm(data, initial=begins, auto_id="letter_%s")  # other forms of the page have words, too
    if not found.phone:
        form.fields["to"].widget.attrs["autofocus"] = True
    return Letter(form, language, _leaves(here))


def _words(found: Inquiry, language: str, here: Here) -> str:
    """What we offer, with its dates in full; where nothing on the list was meant, what was said."""
    with translation.override(language):
        said = found.said_words
        if found.offering:
            answer = answer_about(found.offering, here.clinic, opening=here.opening, now=here.now)
            if answer.may_be_given:
                said = written(answer, Clock(here.now, here.clinic.time_zone))
        return letter(here.clinic, said)


def _leaves(here: Here) -> str:
    at = leaves_at(here.clinic, now=here.now + LEAVES_AFTER)
    if at is None:
        return ""
    if at - here.now < AT_ONCE:
        return _("It leaves at once.")
    when = Clock(here.now, here.clinic.time_zone).said(at)
    return _("It leaves %(when)s: until then no message may.") % {"when": when}


def last_sending(found: Inquiry) -> SentAnswer | None:
    return found.sendings.select_related("step").order_by("-pk").first()
