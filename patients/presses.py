"""What follows a press on any staff screen: it is done or refused in words, and back to where it was pressed."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

from patients.actions import RefusedError


def way_back(request: HttpRequest, *, or_to: str) -> str:
    """The page of ours that the form, or the page before it, names as `next`; else this one."""
    asked = request.POST.get("next") or request.GET.get("next", "")
    is_ours = asked.startswith("/") and url_has_allowed_host_and_scheme(asked, allowed_hosts=None)
    return asked if is_ours else or_to


def back_from(request: HttpRequest, *, or_to: str) -> HttpResponse:
    # redirect() would take a bare word for a page's name
    return HttpResponseRedirect(way_back(request, or_to=or_to))


def pressed(request: HttpRequest, act: Callable[[], object], words: str, back: HttpResponse) -> HttpResponse:
    """Do it and say so in these words, or say why it cannot be done."""
    try:
        act()
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, words)
    return back
