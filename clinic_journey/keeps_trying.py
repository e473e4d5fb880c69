"""A save that is repeated over a bad line until it gets through (saves.js) goes on by itself."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

KEEPS_TRYING = "X-Keeps-Trying"
GO_TO = "X-Go-To"


def say_where(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Tell whoever keeps trying where to go on, instead of sending a script there.

    The page would have been read by the script alone, with the words that it shows once. Who is not logged in is
    sent to the log-in all the same: nothing was saved.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if (
            KEEPS_TRYING in request.headers
            and "Location" in response.headers
            and request.user.is_authenticated
        ):
            response.status_code = 204
            response.headers[GO_TO] = response.headers["Location"]
            del response.headers["Location"]
        return response

    return answer
