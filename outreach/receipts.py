"""What a provider tells later about a message it took. A receipt moves an attempt forward or changes nothing."""

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Model, QuerySet

from journeys.actions import lock_journey
from outreach import followup
from outreach.actions import opt_out
from outreach.channels import Trouble
from outreach.channels.inbound import DELAYED, Receipted, Stage
from outreach.models import Attempt, AttemptStatus
from outreach.unanswered import count_unanswered
from patients.actions import mark_address
from patients.models import AddressStatus

Sent = TypeVar("Sent", bound=Model)  # an attempt, or what is sent like one

# From which states each stage moves, and where to. What is not here is known already, or known better.
MOVES = {
    Stage.TAKEN: ({AttemptStatus.UNKNOWN}, AttemptStatus.SENT),
    Stage.DELAYED: ({AttemptStatus.SENT, AttemptStatus.UNKNOWN}, AttemptStatus.SENT),
    Stage.DELIVERED: ({AttemptStatus.SENT, AttemptStatus.UNKNOWN}, AttemptStatus.DELIVERED),
    Stage.FAILED: ({AttemptStatus.SENT, AttemptStatus.UNKNOWN}, AttemptStatus.FAILED),
}


class TooEarly(Exception):
    """The receipt has overtaken our own record of the call: it is worked again in a moment."""


def attempt_of(receipt: Receipted, *, channels: tuple[str, ...]) -> Attempt | None:
    attempts = Attempt.objects.select_related(
        "task__step__template_step", "task__patient__merged_into", "patient__merged_into", "contact_point"
    )
    return named_by(receipt, attempts, channels=channels)


def named_by(receipt: Receipted, sent: QuerySet[Sent], *, channels: tuple[str, ...]) -> Sent | None:
    """By our own reference, else by the provider's, and only on the provider's own channels."""
    there = sent.filter(channel__in=channels)
    try:
        named = there.filter(reference=UUID(receipt.reference)).first() if receipt.reference else None
    except ValueError:
        named = None
    if named or not receipt.provider_reference:
        return named
    return there.filter(provider_reference=receipt.provider_reference).first()


@transaction.atomic
def record_receipt(attempt: Attempt, receipt: Receipted, *, now: datetime) -> bool:
    """Whether it moved anything. A repeat, or one that comes after a later one, does not."""
    lock_journey(attempt.task.step.journey_id)
    before, outcome = Attempt.objects.values_list("status", "outcome").get(pk=attempt.pk)
    if before == AttemptStatus.SENDING:
        raise TooEarly
    leaves, to = MOVES[receipt.stage]
    if receipt.stage == Stage.DELAYED and outcome == DELAYED:
        return False
    fields: dict[str, Any] = {}
    if receipt.provider_reference:
        fields["provider_reference"] = receipt.provider_reference[:120]
    if receipt.stage == Stage.FAILED:
        bad = receipt.trouble == Trouble.NO_SUCH_ADDRESS
        fields |= {"outcome": "bad_address" if bad else receipt.trouble.value}
        fields |= {"error": f"{receipt.trouble} {receipt.code}"[:300]}
    else:
        fields |= _as_it_goes_on(attempt, receipt, before, outcome, now=now)
    moved = Attempt.objects.filter(pk=attempt.pk, status=before, status__in=leaves).update(
        status=to, **fields
    )
    if moved:
        count_unanswered([attempt.task_id])
        attempt.refresh_from_db()
        _follow(attempt, receipt, before, now=now)
    return bool(moved)


def _as_it_goes_on(
    attempt: Attempt, receipt: Receipted, before: str, outcome: str, *, now: datetime
) -> dict[str, Any]:
    """What is written down of a message that has left, and is late or not late any more."""
    fields: dict[str, Any] = {}
    if before == AttemptStatus.UNKNOWN:
        fields |= {"sent_at": attempt.called_at or now, "outcome": ""}
    if receipt.stage == Stage.DELAYED:
        fields |= {"outcome": DELAYED, "error": f"{DELAYED} {receipt.code}"[:300]}
    elif outcome == DELAYED:
        fields |= {"outcome": "", "error": ""}
    return fields


def _follow(attempt: Attempt, receipt: Receipted, before: str, *, now: datetime) -> None:
    if receipt.stage != Stage.FAILED:
        if before == AttemptStatus.UNKNOWN:
            followup.arrived_after_all(attempt.task, now=now)
        return
    if receipt.trouble == Trouble.NO_SUCH_ADDRESS:
        mark_address(attempt.contact_point, AddressStatus.BAD, now=now)
    if receipt.trouble == Trouble.OPTED_OUT:
        opt_out(
            attempt.patient.record_now,
            attempt,
            now=now,
            words=f"{receipt.trouble} {receipt.code}",
        )
    if before == AttemptStatus.SENT:  # one of which nobody knew has a person already
        followup.did_not_arrive(attempt.task, now=now)
