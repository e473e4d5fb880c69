"""What follows a press on any staff screen: it is done or refused in words, and back to where it was pressed."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

from patients.actions import RefusedError


def back_from(request: HttpRequest, *, or_to: str) -> HttpResponse:
    """To the page of ours that the form names as `next`, else to this one."""
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()})
    return HttpResponseRedirect(
        back if is_ours else or_to
    )  # redirect() would take a bare word for a page's name


def pressed(request: HttpRequest, act: Callable[[], object], words: str, back: HttpResponse) -> HttpResponse:
    """Do it and say so in these words, or say why it cannot be done."""
    try:
        act()
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, words)
    return back
