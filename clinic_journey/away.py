"""The answer when a page breaks; where the database was away, 503 and words: whoever asked tries again in a moment.

So it is where the disk is full; there the words say whom to tell.
"""

import sqlite3
import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.defaults import server_error

from clinic_journey.nul import API

AGAIN_AFTER = "10"  # seconds
DISK_FULL = "53100"  # PostgreSQL's name for it


def broke(request: HttpRequest) -> HttpResponse:
    """Reads nothing from the database, whatever the pages of whoever is logged in show besides."""
    error = sys.exception()
    if not isinstance(error, OperationalError | InterfaceError):
        return server_error(request)
    words = _("The data cannot be reached at this moment. Please try again in a minute.")
    if is_disk_full(error):
        words = _("There is no room left to save anything. Please tell whoever looks after the system.")
    headers = {"Retry-After": AGAIN_AFTER, "Cache-Control": "no-store"}
    if request.path.startswith(API):
        return JsonResponse({"code": "unavailable", "detail": words}, status=503, headers=headers)
    return HttpResponse(render_to_string("503.html", {"words": words}), status=503, headers=headers)


def is_disk_full(error: Exception) -> bool:
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        return cause.sqlite_errorcode == sqlite3.SQLITE_FULL
    return getattr(cause, "pgcode", None) == DISK_FULL
