"""An answer in writing, as the desk sees it: the words, where they go, when they leave, and what came back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q
from django.urls import reverse
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
from journeys.models import StepStatus
from outreach.models import Reply
from outreach.strangers import leaves_at
from patients.access import Here

AT_ONCE = timedelta(minutes=1)
SHOWN = 5  # of what came back, the newest


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
    """The one that somebody has to look at, else the last."""
    sent = found.sendings.select_related("step").order_by("-pk")
    return sent.filter(step__status=StepStatus.ACTIVE).first() or sent.first()


@dataclass(frozen=True)
class Back:
    """What was written from where an answer went, and the page on which a person answers it."""

    words: str
    at: datetime
    place: str
    waits: bool


def came_back(found: Inquiry) -> list[Back]:
    """The newest words from the addresses that the answers went to, since the first one left."""
    to = {
        (each.kind, each.value): each.sent_at for each in found.sendings.order_by("-sent_at") if each.sent_at
    }
    there = reduce(or_, (_from(*address, since) for address, since in to.items()), Q(pk__in=[]))
    said = Reply.objects.filter(there, clinic=found.clinic_id).select_related("matter", "patient")
    return [_back(each) for each in said.order_by("-at", "-pk")[:SHOWN]]


def _from(kind: str, value: str, since: datetime) -> Q:
    return Q(contact_point__kind=kind, contact_point__value=value, at__gte=since)


def _back(reply: Reply) -> Back:
    """Whose words they are may have been found out since."""
    place = ""
    if reply.patient:
        place = reverse("conversation", args=[reply.patient.public_id])
    elif reply.matter:
        place = reverse("unknown_writer", args=[reply.matter.public_id])
    waits = reply.matter is not None and reply.matter.status == StepStatus.ACTIVE
    return Back(reply.body, reply.at, place, waits)
