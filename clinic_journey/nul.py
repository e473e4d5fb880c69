"""A NUL character in what was sent: no database text may hold one, and nobody types it on purpose."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

API, HOOKS = "/api/", "/hooks/"
Answer = Callable[[HttpRequest], HttpResponseBase]


def refuse_nul(get_response: Answer) -> Answer:
    """400 with words; the API names the fields, as it does for every other mistake."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(HOOKS):  # what is signed is not read before its signature is looked at
            return get_response(request)
        wrong = list(_fields_with_nul(request))
        if not wrong:
            return get_response(request)
        words = _("There is a character in it that cannot be stored (NUL). Type the text again and send it.")
        if request.path.startswith(API):
            return JsonResponse({name.replace("\0", ""): [words] for name in wrong}, status=400)
        return render(request, "400_nul.html", {"words": words}, status=400)

    return answer


def _fields_with_nul(request: HttpRequest) -> Iterator[str]:
    """Looks at the address, the fields of a form and the text of JSON; files may hold any byte.

    Forms of the API are left to its serializers, which refuse it too: what they read must not be read before.
    """
    sent: list[tuple[str, Any]] = [("path", request.path), *request.GET.lists()]
    if request.content_type == "application/json":
        body = _json(request.body)
        sent += body.items() if isinstance(body, dict) else [("detail", body)]
    elif request.method == "POST" and not request.path.startswith(API):
        sent += request.POST.lists()
    return (name for name, value in sent if _has_nul([name, value]))


def _json(body: bytes) -> Any:
    """What cannot be read is refused by the API itself."""
    if b"\\u0000" not in body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        return None


def _has_nul(value: object) -> bool:
    if isinstance(value, dict):
        return any(_has_nul(each) for each in (*value.keys(), *value.values()))
    if isinstance(value, list):
        return any(_has_nul(each) for each in value)
    return isinstance(value, str) and "\0" in value
