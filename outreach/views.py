"""What Twilio asks while a call is going on: what to say to whoever answered, and after a key was pressed."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from outreach.channels import twilio, voice
from outreach.channels.hooks import HOOKS
from outreach.incoming import keep
from outreach.models import Attempt
from outreach.opt_out import MAILBOX
from outreach.spoken import MENU, THANKS_OF, spoken
from patients.models import Channel

NOT_THEIRS, UNKNOWN = 403, 404


@csrf_exempt
@require_POST
def answered(request: HttpRequest) -> HttpResponse:
    """The text and the keys to a person; to a machine only whom to call back, and only where that is allowed."""
    attempt = _attempt_of(request)
    if isinstance(attempt, HttpResponse):
        return attempt
    answered_by = str(twilio.fields(request.body).get("AnsweredBy", ""))
    if voice.is_a_person(answered_by):
        action = voice.address("key", str(attempt.reference))
        menu = spoken(attempt, MENU)
        return _said(
            voice.asked(attempt.body, menu, attempt.language, action)
            if menu
            else voice.only_said(attempt.body, attempt.language)
        )
    may_leave = attempt.tie is not None and attempt.tie.may_leave_voicemail
    is_done = answered_by in voice.A_MACHINE_IS_DONE
    return _said(voice.only_said(spoken(attempt, MAILBOX) if may_leave and is_done else "", attempt.language))


@csrf_exempt
@require_POST
def key(request: HttpRequest) -> HttpResponse:
    """A key is kept like any other words of the patient's, and a tick lets it act; here she is thanked."""
    attempt = _attempt_of(request)
    if isinstance(attempt, HttpResponse):
        return attempt
    keep("voice", voice.split(request), now=timezone.now())
    pressed = str(twilio.fields(request.body).get("Digits", ""))
    return _said(voice.only_said(spoken(attempt, THANKS_OF.get(pressed, "")), attempt.language))


def _attempt_of(request: HttpRequest) -> Attempt | HttpResponse:
    """The call that the request is about, if the provider signed it; else the answer to whoever did not."""
    known = HOOKS["voice"]
    if not known.is_on() or not known.is_genuine(request):
        return HttpResponse(status=NOT_THEIRS)
    try:
        reference = UUID(request.GET.get("ref", ""))
    except ValueError:
        return HttpResponse(status=UNKNOWN)
    found = Attempt.objects.filter(reference=reference, channel=Channel.VOICE).select_related(
        "patient__clinic"
    )
    return found.first() or HttpResponse(status=UNKNOWN)


def _said(twiml: str) -> HttpResponse:
    return HttpResponse(twiml, content_type="text/xml")
