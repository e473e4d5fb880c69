"""Which times a patient may choose herself: her page offers these, and no other is taken from it."""

from datetime import datetime, timedelta

from appointments.models import Appointment, AppointmentStatus
from appointments.offers import Wanted, is_among_offers
from appointments.suggestions import VISIT_MINUTES, doctor_for, times_for
from journeys.models import Journey

AHEAD = timedelta(hours=2)  # the clinic needs as long to see that somebody comes
READING = timedelta(hours=1)  # a page that was opened so long ago still counts
ONE_MINUTE = timedelta(minutes=1)


def times_to_choose(journey: Journey, visit: Appointment | None, *, now: datetime) -> list[datetime]:
    """Free times of the doctor who has the visit, else of the one who leads; at the hours she told us first."""
    wanted = _wanted(journey, visit)
    if wanted is None or journey.patient is None:
        return []
    after = max(now + AHEAD, _after_the_result(visit, now=now))
    return times_for(
        journey.patient, wanted.doctor, after=after, now=now, minutes=wanted.minutes, only_open=True
    )


def may_choose(journey: Journey, visit: Appointment | None, start: datetime, *, now: datetime) -> bool:
    """Whether the page may have offered this time. That it is still free, only taking it tells."""
    wanted = _wanted(journey, visit, at=start)
    if wanted is None or journey.patient is None:
        return False
    earliest = max(now + AHEAD - READING, _after_the_result(visit, now=now))
    return start >= earliest and is_among_offers(journey.patient, wanted, now=now)


def _wanted(journey: Journey, visit: Appointment | None, *, at: datetime | None = None) -> Wanted | None:
    doctor = visit.practitioner if visit else doctor_for(journey)
    minutes = (visit.end - visit.start) // ONE_MINUTE if visit else VISIT_MINUTES
    return Wanted(doctor, minutes, at=at) if doctor else None


def _after_the_result(visit: Appointment | None, *, now: datetime) -> datetime:
    """A held visit that waits for a result stays behind it, with as much time between as it has now."""
    if visit is None or visit.status != AppointmentStatus.PENDING or visit.hold_until is None:
        return now
    due_at = visit.awaits.due_at if visit.awaits else None
    return max(due_at or now, now) + max(visit.start - visit.hold_until, timedelta(0))
