"""A person asks whether we have something: the answer while it is typed, one key to keep it, questions after that.

Nothing on the page asks who she is or who pays before the answer is kept; the database refuses it too (S3.2).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.http import urlencode
from django.utils.translation import get_language, gettext as _
from django.views.decorators.http import require_GET, require_POST

from clinic_journey.ask_line import not_for_us, not_offered, spoken, to_check, turn_to
from clinic_journey.caller import PromiseForm, promise_context
from clinic_journey.caller_line import Clock
from clinic_journey.language import text_direction
from inquiries import actions
from inquiries.actions import Question, Said
from inquiries.gaps import top_questions
from inquiries.models import Inquiry, Offering
from inquiries.queries import Answer, answer_about, inquiries_visible_to, matching, offered_by
from patients import audit
from patients.access import Here, for_staff
from patients.actions import RefusedError, normal_phone
from patients.models import Language
from patients.queries import first_found, key_in, named_by, patients_of

SALT = "clinic_journey.ask"
LONGEST = 200
SEND = "?then=send"  # no fragment: a browser that jumps to a part leaves autofocus alone
CALLERS = 3  # records that a number may be
CHOICES = 9  # each has a digit
ONE_CALL = timedelta(hours=1)  # what began longer ago is another call
PAGE_LASTS = timedelta(days=1)


@dataclass(frozen=True)
class Asked:
    """What is asked so far, in whose language the answer is read, and when the call began."""

    text: str
    language: str
    began: datetime
    chosen: int | None = None
    owed: Inquiry | None = None  # the question whose answer was promised
    phone: str = ""  # as the telephone shows it

    @property
    def direction(self) -> str:
        """Of what is read aloud: a name in other letters at its beginning must not turn the sentence around."""
        return text_direction(self.language)

    @classmethod
    def of(cls, request: HttpRequest, here: Here) -> "Asked":
        given = request.GET
        language = given.get("language", "")
        known = language in Language.values
        own = named_by(_inquiries(here), given.get("for", ""))
        text = given.get("what", "").replace("\0", "").strip()[:LONGEST]
        return cls(
            text or (own.asked if own else ""),
            language if known else (get_language() or here.clinic.language)[:2],
            _began(given.get("began", ""), here.now),
            key_in(given.get("offering", "")),
            own if own and own.is_unanswered else None,
            _dialled_from(given.get("from", ""), here),
        )


def _began(text: str, now: datetime) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return now
    return at if at.tzinfo and now - ONE_CALL < at <= now else now


def _dialled_from(text: str, here: Here) -> str:
    """The caller's number, where the telephone shows one; what is no number says nothing."""
    try:
        return normal_phone(text, region=here.clinic.country) if text.strip() else ""
    except RefusedError:
        return ""


def _inquiries(here: Here) -> Any:
    return inquiries_visible_to(here.user).filter(clinic=here.clinic)


def inquiry_of(here: Here, inquiry_id: UUID) -> Inquiry:
    found: Inquiry = get_object_or_404(_inquiries(here), public_id=inquiry_id)
    return found


@require_GET
@for_staff()
def ask(request: HttpRequest, here: Here) -> HttpResponse:
    """One field; below it the answer, or the few things that may be meant, or that we do not know."""
    asked = Asked.of(request, here)
    part = request.headers.get("HX-Request") == "true"
    return render(request, "ask/_answer.html" if part else "ask/ask.html", _context(asked, here))


def _context(asked: Asked, here: Here, form: PromiseForm | None = None) -> dict[str, Any]:
    context: dict[str, Any] = {"asked": asked, "languages": Language.choices}
    if asked.phone:
        context["callers"] = list(first_found(patients_of(here.clinic), asked.phone, CALLERS))
        audit.shows(*context["callers"])
    if not asked.text:
        return context | {"top": top_questions(here.clinic, now=here.now)}
    found = matching(asked.text, offered_by(here.clinic))
    by_key = {each.pk: each for each in [*found.fitting, *found.near]}
    fitting = [by_key[asked.chosen]] if asked.chosen in by_key else found.fitting
    if len(fitting) > 1:
        shown = [answer_about(each, here.clinic, now=here.now) for each in fitting[:CHOICES]]
        return context | {"choices": shown}
    answer = answer_about(fitting[0], here.clinic, opening=here.opening, now=here.now) if fitting else None
    words = _words(answer, asked, here)
    with translation.override(asked.language):
        context |= {"words_not_us": not_for_us(), "words_turn_to": turn_to("…")}
    context |= {"answer": answer, "words": words}
    context["said"] = _signed(asked, answer, words, here)
    if answer is None:
        with translation.override(asked.language):
            context["words_no"] = not_offered()
        context["said_no"] = _signed(asked, None, context["words_no"], here, available=False)
    if asked.chosen is None:
        context["near"] = [answer_about(each, here.clinic, now=here.now) for each in found.near[:CHOICES]]
    return context | promise_context(here, form)


def _words(answer: Answer | None, asked: Asked, here: Here) -> str:
    with translation.override(asked.language):
        return spoken(answer, Clock(here.now, here.clinic.time_zone)) if answer else to_check()


def _signed(
    asked: Asked, answer: Answer | None, words: str, here: Here, *, available: bool | None = None
) -> str:
    """What stands on the page, so that what is kept is what was read aloud, whatever has changed since."""
    price = answer.price if answer else None
    said = {
        "clinic": here.clinic.pk,
        "asked": asked.text,
        "began": asked.began.isoformat(),
        "key": uuid4().hex,
        "offering": answer.offering.pk if answer else None,
        "available": answer.available if answer else available,
        "price": None if price is None else str(price),
        "currency": answer.offering.currency if answer else "",
        "next_at": answer.times[0].at.isoformat() if answer and answer.times else None,
        "words": words,
        "phone": asked.phone,
        "language": asked.language,
    }
    return signing.dumps(said, salt=SALT, compress=True)


@dataclass(frozen=True)
class Read:
    """What the page said, as its button brings it back."""

    question: Question
    said: Said


def _read(request: HttpRequest, here: Here) -> Read | None:
    try:
        given = signing.loads(request.POST.get("said", ""), salt=SALT, max_age=PAGE_LASTS)
    except signing.BadSignature:
        return None
    if given["clinic"] != here.clinic.pk:
        return None
    offering = Offering.objects.filter(pk=given["offering"], clinic=here.clinic).first()
    next_at = datetime.fromisoformat(given["next_at"]) if given["next_at"] else None
    price = None if given["price"] is None else Decimal(given["price"])
    return Read(
        Question(
            given["asked"],
            datetime.fromisoformat(given["began"]),
            offering,
            request_key=given["key"],
            phone=given["phone"],
        ),
        Said(
            given["available"],
            price,
            given["currency"],
            next_at,
            given["words"],
            given.get("language", ""),
        ),
    )


def _too_old(request: HttpRequest) -> HttpResponse:
    messages.error(request, _("This page is too old. Type the question again."))
    return redirect("ask")


@require_POST
@for_staff()
def answered(request: HttpRequest, here: Here) -> HttpResponse:
    """It was read aloud. From here on there is something to offer, and something to ask."""
    read = _read(request, here)
    if read is None:
        return _too_old(request)
    inquiry = actions.record_answer(here.clinic, read.question, read.said, now=here.now, by=here.user)
    place = reverse("inquiry", args=[inquiry.public_id])
    return redirect(f"{place}{SEND}" if request.POST.get("then") == "send" else place)


@require_POST
@for_staff()
def elsewhere(request: HttpRequest, here: Here) -> HttpResponse:
    """It is not for us, with what else to do; or the caller is in the wrong place, with where to turn."""
    read, words = _read(request, here), request.POST.get("words", "").replace("\0", "").strip()[:LONGEST]
    if read is None:
        return _too_old(request)
    if not words:
        messages.error(request, _("Write what else to do, or where to turn."))
        return redirect(f"{reverse('ask')}?{urlencode({'what': read.question.asked})}")
    language = read.said.language
    with translation.override(language or here.clinic.language):
        advised, turned = f"{not_for_us()} {words}", turn_to(words)
    if request.POST.get("how") == "refer":
        said = Said(words=turned, language=language)
        inquiry = actions.wrong_place(here.clinic, read.question, said, now=here.now, by=here.user)
    else:
        said = Said(available=False, words=advised, language=language)
        inquiry = actions.not_for_us(here.clinic, read.question, said, words, now=here.now, by=here.user)
    return redirect("inquiry", inquiry.public_id)


@require_POST
@for_staff()
def promised(request: HttpRequest, here: Here) -> HttpResponse:
    """We do not know: by when we shall, and who finds out."""
    read = _read(request, here)
    if read is None:
        return _too_old(request)
    form = PromiseForm(request.POST, here=here, opening=here.opening)
    if not form.is_valid():
        offering = read.question.offering
        asked = Asked(
            read.question.asked,
            (get_language() or "en")[:2],
            read.question.asked_at,
            offering.pk if offering else None,
        )
        return render(request, "ask/ask.html", _context(asked, here, form), status=422)
    promise = form.promise()
    inquiry = actions.promise_answer(here.clinic, read.question, promise, now=here.now, by=here.user)
    when = Clock(here.now, here.clinic.time_zone).said(promise.due_at)
    messages.success(request, _("Promised: an answer by %(when)s.") % {"when": when})
    return redirect("inquiry", inquiry.public_id)


@require_POST
@for_staff()
def owed(request: HttpRequest, here: Here, inquiry_id: UUID) -> HttpResponse:
    """The promised answer was given: what stood on the page, or in the words that were said."""
    inquiry = inquiry_of(here, inquiry_id)
    read, words = _read(request, here), request.POST.get("words", "").replace("\0", "").strip()
    if read is None and not words:
        messages.error(request, _("Write what you answered."))
        return redirect("inquiry", inquiry.public_id)
    said, offering = (read.said, read.question.offering) if read else (Said(words=words[:1000]), None)
    try:
        actions.answer_later(inquiry, said, offering, now=here.now, by=here.user)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Answered. The promise is kept."))
    return redirect("inquiry", inquiry.public_id)
