"""What results, ledgers and the trail list, for a crowd: open rows, and a history that grows with the patients."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from journeys.models import Step, StepEvent
from patients.models import AuditEvent
from referrals.models import IncomingDocument, Referral, Result

if TYPE_CHECKING:
    from bench.crowd import Crowd

REFERRED_EVERY = 5  # patients: one in five was referred
RECENT = 10_000  # what the first of them wait for is open
OWN_STEPS = 10_000_000  # keys of steps beside those of the tasks


def add_lists(crowd: "Crowd", first: int, last: int) -> None:
    """What results, ledgers and the trail list: a hundred rows open in a clinic of any size, and its history."""
    numbers = f"generate_series({first}::bigint, {last}::bigint) AS g(n)"
    clinic = f"{crowd.first} + n %% {crowd.clinics}"
    seen = {
        "id": f"{OWN_STEPS} + n",
        "clinic_id": clinic,
        "patient_id": "n",
        "by": "'user'",
        "action": "'read'",
    }
    seen |= {"at": "%(now)s - n * interval '1 minute'", "what": "'patient'", "actor_id": "1"}
    crowd.insert(AuditEvent, seen, numbers)
    referred = f"{numbers} WHERE n / {crowd.clinics} %% {REFERRED_EVERY} = 0"
    waits, came = (f"n <= {RECENT} AND n / 100 %% 2 = {half}" for half in (0, 1))
    open_still = f"n <= {RECENT}"
    step = {"id": f"{OWN_STEPS} + n", "clinic_id": clinic, "journey_id": "n", "opened_at": "%(now)s"}
    step |= {"kind": f"CASE WHEN {waits} THEN 'await_result' ELSE 'review' END", "owner_role": "'doctor'"}
    step |= {"status": f"CASE WHEN {open_still} THEN 'active' ELSE 'completed' END", "due_at": "%(now)s"}
    step |= {"completed_at": f"CASE WHEN {open_still} THEN NULL ELSE %(now)s END"}
    step |= {"outcome": f"CASE WHEN {open_still} THEN '' ELSE 'treat' END"}
    crowd.insert(Step, step, referred)
    _add_referrals(crowd, referred, waits, came, step)
    promise = {
        **step,
        "id": f"2 * {OWN_STEPS} + n",
        "kind": "'promise'",
        "due_at": "%(now)s - n * interval '1 minute'",
    }
    crowd.insert(Step, promise, referred)
    asked = {
        "id": "n",
        "step_id": step["id"],
        "clinic_id": clinic,
        "kind": "'chased'",
        "at": "%(now)s - n * interval '1 minute'",
    }
    crowd.insert(StepEvent, asked, referred)


def _add_referrals(crowd: "Crowd", referred: str, waits: str, came: str, step: Mapping[str, str]) -> None:
    clinic = step["clinic_id"]
    row = {"id": "n", "clinic_id": clinic, "patient_id": "n", "journey_id": "n", "step_id": step["id"]}
    row |= {"requester_id": str(crowd.doctor.pk), "code": "'R-' || n", "service": "'Panoramic image'"}
    row |= {"expected_at": "%(now)s - n * interval '1 minute'", "made_at": "%(now)s - interval '9 days'"}
    row |= {"status": f"CASE WHEN {waits} THEN 'active' ELSE 'completed' END"}
    row |= {"hold_refused_because": f"CASE WHEN n <= {RECENT} OR n / 100 %% 5 = 0 THEN 'no time' ELSE '' END"}
    crowd.insert(Referral, row, referred)
    mail = {"id": "n", "clinic_id": clinic, "source": "'email'", "source_id": "'m' || n", "raw": "'x'"}
    mail |= {"received_at": "%(now)s - n * interval '1 minute'", "step_id": step["id"]}
    mail |= {"status": f"CASE WHEN {waits} THEN 'unmatched' ELSE 'matched' END", "match_from": "NULL"}
    mail |= {"referral_id": f"CASE WHEN {waits} THEN NULL ELSE n END"}
    crowd.insert(IncomingDocument, mail, referred)
    result = {
        "id": "n",
        "referral_id": "n",
        "document_id": "n",
        "source_id": "'m' || n",
        "review_id": step["id"],
    }
    result |= {"received_at": mail["received_at"]}
    result |= {"decision": f"CASE WHEN {came} THEN '' ELSE 'treat' END"}
    result |= {"decided_at": f"CASE WHEN {came} THEN NULL ELSE %(now)s - n * interval '1 minute' END"}
    crowd.insert(Result, result, f"{referred} AND NOT ({waits})")
