"""One result beside the list: what is known of it, and what each decision would set going.

The second costs more than the whole list, so the page fetches it after itself; without scripts, when asked to.
"""

from datetime import timedelta
from uuid import uuid4

from appointments.models import Appointment
from appointments.suggestions import VISIT_MINUTES, times_for
from clinic_journey.decisions_ahead import choices_of, decisions_ahead
from outreach.queries import messages_to
from patients.access import Here
from patients.models import MANAGERS, Role
from patients.queries import User, doctors_of
from referrals import actions
from referrals.models import Result

DECIDES = (Role.DOCTOR, *MANAGERS)
LENGTHS = (20, 30, 40, 60, 90)
ONE_MINUTE = timedelta(minutes=1)


def item_of(result: Result, here: Here, *, with_follows: bool) -> dict[str, object]:
    """What stands beside the list of the result chosen in it."""
    visit = visit_of(result)
    context: dict[str, object] = {
        "hold": visit,
        "files": sorted(result.document.files.all(), key=lambda file: not file.is_picture),
        "earlier": _earlier(result),
    }
    if result.decision or here.role not in DECIDES or result.review is None:
        return context
    follows = follows_of(result, here) if with_follows else {}
    return context | {
        "choices": choices_of(visit),
        "request_key": uuid4().hex,
        **lengths_of(visit, 0),
        **follows,
    }


def visit_of(result: Result) -> Appointment | None:
    return actions.visit_in_hand(result.review) if result.review else None


def follows_of(result: Result, here: Here) -> dict[str, object]:
    """What each decision sets going, the colleagues to pass it to and the other times for the visit."""
    visit = visit_of(result)
    return {
        "result": result,
        "ahead": decisions_ahead(result, visit, opening=here.opening, now=here.now),
        "colleagues": _colleagues(result, here),
        **other_times_of(result, visit, here, 0),
    }


def _earlier(result: Result) -> list[tuple[Result, list[str]]]:
    """The versions before this one: what was decided on them, and what the patient was told since."""
    if result.version == 1:
        return []
    before = result.referral.results.filter(version__lt=result.version).select_related("decided_by")
    told = list(messages_to(result.referral.patient).filter(task__step__journey=result.referral.journey_id))
    return [
        (each, [m.body for m in told if each.decided_at and m.sent_at and m.sent_at >= each.decided_at])
        for each in before.order_by("-version")
    ]


def _colleagues(result: Result, here: Here) -> list[User]:
    owner = result.review.owner_id if result.review else None
    return [doctor for doctor in doctors_of(here.clinic) if doctor.pk not in {owner, here.user.pk}]


def lengths_of(visit: Appointment | None, minutes: int) -> dict[str, object]:
    """The lengths to choose from, and the one chosen: as long as the held visit where nobody said."""
    usual = (visit.end - visit.start) // ONE_MINUTE if visit else VISIT_MINUTES
    length = minutes if minutes in LENGTHS else usual
    return {"lengths": sorted({*LENGTHS, usual}), "length": length}


def other_times_of(result: Result, visit: Appointment | None, here: Here, minutes: int) -> dict[str, object]:
    """Times for a visit of so many minutes."""
    lengths = lengths_of(visit, minutes)
    doctor = visit.practitioner if visit else result.referral.requester
    patient, length = result.referral.patient, int(str(lengths["length"]))
    after = here.now + timedelta(hours=2)
    return {**lengths, "times": times_for(patient, doctor, after=after, now=here.now, minutes=length)}
