"""A break at the desk: while it lasts, nobody is opened by itself and nobody is kept from the others."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from clinic_journey import desk
from patients.access import Here, for_staff

PAUSED = "paused"  # in the session: the break ends with it at the latest


def is_paused(request: HttpRequest) -> bool:
    return bool(request.session.get(PAUSED))


@require_POST
@for_staff()
def pause(request: HttpRequest, here: Here) -> HttpResponse:
    """Begin the break, or end it; whoever was open is left to the others."""
    if "on" in request.POST:
        request.session[PAUSED] = True
        desk.leave(here)
    else:
        request.session.pop(PAUSED, None)
    return redirect("today")
