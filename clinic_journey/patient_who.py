"""Who reads a patient's own page: the question she is asked, her answer, and what waits until she has given it.

What is hers alone is open for an hour. A form that she sends after that is not lost: the question comes with all
that she filled in, and her answer sends it. It travels in the page itself, and is stored nowhere.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from clinic_journey.audit.middleware import event_by, origin_of
from clinic_journey.patient_door import PageView, Visitor, let_in
from journeys.actions import AdHoc, add_step, lock_journey
from journeys.clinic_time import soon
from journeys.models import OPEN_JOURNEYS, StepKind
from outreach.answers import READ_WITHIN, journey_of_a_question
from patients import audit
from patients.models import AuditAction
from patients.proving import closed_until, proves, question_for

WHO = "who"  # the field of her answer
NOT_KEPT = {WHO, "csrfmiddlewaretoken"}


def has_proved(request: HttpRequest, visitor: Visitor) -> bool:
    """Whether she has said who she is, now or before. A wrong answer leaves a trace, the fifth is the desk's to ask."""
    if visitor.is_known:
        return True
    said = request.POST.get(WHO, "")[:40]
    if proves(visitor.patient, said, now=visitor.now, once_closed=lambda: _ask_the_desk(visitor)):
        return True
    failed = event_by(origin_of(request), now=visitor.now, what="patient_identify")
    failed.action = AuditAction.LOGIN_FAILED
    failed.patient_id, failed.clinic_id = visitor.patient.pk, visitor.patient.clinic_id
    audit.record(failed)
    return False


def _ask_the_desk(visitor: Visitor) -> None:
    """Her link may be with somebody else, or her record may be wrong: a person asks her."""
    named = {"name": visitor.patient.full_name}

    def title() -> str:
        return (
            _("Five wrong answers to “who reads this?” on the page of %(name)s: ask who has the link") % named
        )

    journey = lock_journey(visitor.journey.pk)
    where = journey if journey.status in OPEN_JOURNEYS else journey_of_a_question(journey, now=visitor.now)
    due_at = soon(where.clinic, READ_WITHIN, now=visitor.now)
    add_step(where, AdHoc(StepKind.CALL, title, due_at), now=visitor.now)


def asked_of(visitor: Visitor) -> dict[str, object]:
    """What the question is, or until when it is not asked."""
    return {
        "question": question_for(visitor.patient),
        "closed_until": closed_until(visitor.patient, now=visitor.now),
    }


def hers_alone(view: PageView) -> Callable[[HttpRequest, Visitor], HttpResponse]:
    """A page that only she may see. Whoever has the link alone is asked first who she is."""

    @wraps(view)
    def opened(request: HttpRequest, visitor: Visitor) -> HttpResponse:
        if visitor.is_known:
            return view(request, visitor)
        if request.method != "POST":
            return visitor.back()
        if WHO not in request.POST:
            return _ask_first(request, visitor)
        if not has_proved(request, visitor):
            return _ask_first(request, visitor, is_wrong=True)
        answer = view(request, replace(visitor, is_known=True))
        let_in(answer, visitor.journey, is_known=True)
        return answer

    return opened


def _ask_first(request: HttpRequest, visitor: Visitor, *, is_wrong: bool = False) -> HttpResponse:
    filled_in = [
        (name, value) for name, values in request.POST.lists() if name not in NOT_KEPT for value in values
    ]
    context = {
        **visitor.frame(),
        **asked_of(visitor),
        "filled_in": filled_in,
        "send_to": request.path,
        "is_wrong": is_wrong,
    }
    return render(request, "patient_page/who_first.html", context, status=422 if is_wrong else 403)
