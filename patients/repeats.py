"""The same creation asked for twice: a client that lost the answer asks again, and nothing is made twice."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from patients.actions import RefusedError
from patients.models import ClientRequest, Clinic


@dataclass(frozen=True)
class Asked:
    """A request under the client's own key; `digest` stands for everything that was asked."""

    clinic: Clinic
    key: str
    digest: str


class DifferentRequestError(RefusedError):
    """The key belongs to a request that asked for something else."""

    code = "different_request"


def once(asked: Asked, make: Callable[[], UUID], *, now: datetime) -> tuple[UUID, bool]:
    """Make what is asked for, once for each key. Returns its public id, and whether it was made just now.

    The key is written first and in the same transaction: a second request waits for the first, then finds
    its answer; what was refused leaves no key behind and may be tried again.
    """
    with transaction.atomic():
        request, is_first = ClientRequest.objects.get_or_create(
            clinic=asked.clinic, key=asked.key, defaults={"digest": asked.digest, "made_at": now}
        )
        if is_first:
            answer = make()
            ClientRequest.objects.filter(pk=request.pk).update(answer=answer)
            return answer, True
    if request.digest != asked.digest or request.answer is None:
        raise DifferentRequestError(
            _("This key was used for another request. Use a new key for each creation.")
        )
    return request.answer, False
