"""Where providers call us. A request is verified over its raw bytes, kept, and answered; a tick does the work."""

import hashlib
import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from outreach.channels.hooks import HOOKS, Hook
from outreach.incoming import UNREADABLE, keep
from patients.callers import A_MINUTE, count, source_of

logger = logging.getLogger(__name__)

LARGEST = 1024 * 1024
TOO_LARGE, NOT_THEIRS, TOO_MANY = 413, 403, 429
WRONG_A_MINUTE = 30  # requests of one source that are not the provider's; after that it is told so
NOTHING_TO_SAY = "<Response/>"  # TwiML that answers nothing; the others read no body


@csrf_exempt
@require_http_methods(["GET", "POST"])
def hook(request: HttpRequest, provider: str) -> HttpResponse:
    """403 and no row for whoever is not the provider, and for all while no secret is set; 200 when the row is there.

    Who guesses again and again is told for a minute that it is too much (standards 5.4). What is genuine is
    heard all the same, from wherever it comes: nobody can make us deaf to a provider by forging its requests.
    """
    known = HOOKS[provider]
    if not known.is_on():
        return HttpResponse(status=NOT_THEIRS)
    answer = _agreed(request, provider) if request.method == "GET" else _kept(request, provider)
    if answer.status_code == NOT_THEIRS and count(source_of(request, f"hook:{provider}")) > WRONG_A_MINUTE:
        return HttpResponse(status=TOO_MANY, headers={"Retry-After": str(A_MINUTE)})
    return answer


def _kept(request: HttpRequest, provider: str) -> HttpResponse:
    known = HOOKS[provider]
    if len(request.body) > LARGEST:  # Django itself reads no more than DATA_UPLOAD_MAX_MEMORY_SIZE
        return HttpResponse(status=TOO_LARGE)
    if not known.is_genuine(request):
        return HttpResponse(status=NOT_THEIRS)
    keep(provider, _pieces(known, request), now=timezone.now())
    return HttpResponse(NOTHING_TO_SAY, content_type="text/xml")


def _pieces(known: Hook, request: HttpRequest) -> list[tuple[str, str]]:
    """What cannot be read is kept whole, under its own hash, so that it is looked at and not sent again for days."""
    try:
        return known.split(request)
    except Exception as error:  # noqa: BLE001 - readers of several libraries; its text may quote the patient
        logger.warning("A request of %s cannot be taken apart: %s", known.channels[0], type(error).__name__)
        digest = hashlib.sha256(request.body).hexdigest()
        return [(f"{UNREADABLE}{digest}", request.body.decode(errors="replace"))]


def _agreed(request: HttpRequest, provider: str) -> HttpResponse:
    """Meta asks once whether the address is ours, with a token that we chose."""
    token = request.GET.get("hub.verify_token", "")
    ours = constant_time_compare(token, settings.WHATSAPP_VERIFY_TOKEN) and bool(
        settings.WHATSAPP_VERIFY_TOKEN
    )
    if provider != "whatsapp" or request.GET.get("hub.mode") != "subscribe" or not ours:
        return HttpResponse(status=NOT_THEIRS)
    return HttpResponse(request.GET.get("hub.challenge", ""), content_type="text/plain")
