"""The answer when a page breaks; where the database was away, 503 and words: whoever asked tries again in a moment."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.defaults import server_error

from clinic_journey.nul import API

AGAIN_AFTER = "10"  # seconds


def broke(request: HttpRequest) -> HttpResponse:
    """Reads nothing from the database, whatever the pages of whoever is logged in show besides."""
    if not isinstance(sys.exception(), OperationalError | InterfaceError):
        return server_error(request)
    headers = {"Retry-After": AGAIN_AFTER, "Cache-Control": "no-store"}
    if request.path.startswith(API):
        words = _("The data cannot be reached at this moment. Please try again in a minute.")
        return JsonResponse({"code": "unavailable", "detail": words}, status=503, headers=headers)
    return HttpResponse(render_to_string("503.html"), status=503, headers=headers)
