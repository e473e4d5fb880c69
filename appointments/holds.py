"""The end of holds: what they waited for has ended, or their time has come (surfaces.md 4.4)."""

import logging
from collections.abc import Callable
from datetime import datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils.translation import gettext as _, gettext_noop

from appointments import queries
from appointments.actions import SlotTakenError, cancel, move
from appointments.models import Appointment, AppointmentEvent, AppointmentStatus, Practitioner
from appointments.ties import TELL_WITHIN, ask_to_book, give_journey, tell_apart
from journeys import deadlines
from journeys.actions import AdHoc, add_step
from journeys.claims import Alarm, batches
from journeys.clinic_time import soon
from journeys.models import OPEN_JOURNEYS, Journey, Step, StepKind, StepStatus
from patients.actions import StaleStateError, refuse_unless_active
from patients.queries import coming_hours
from patients.windows import starts_at

logger = logging.getLogger(__name__)

INTERVAL = timedelta(seconds=60)
RETRY = timedelta(hours=1)
LOOK_AHEAD = timedelta(days=60)
CANDIDATES = 3  # free times tried in turn: somebody may take the first one this moment
MORE_TIME = deadlines.Limit(3, deadlines.Unit.WORKING_DAYS)  # for the institute, and to reach the patient
STILL_OPEN = (StepStatus.ACTIVE, StepStatus.ON_HOLD)
MOVED_BY_RULE = "moved_by_rule"

# The claim locks; every way of handling a hold takes it out of the alarm in the same transaction.
PASSED = Alarm(
    model=Appointment, column="hold_until", armed="status = 'pending'", takes={"hold_until": "hold_until"}
)
# Two workers that had each moved several holds could wait for each other's cells: one hold a transaction.
ONE = 1


def settle_holds(*, now: datetime, lasts: timedelta = INTERVAL) -> int:
    """Release, or move once, the holds nobody settled in time. Returns how many."""
    return _release_forgotten(now=now) + _end_passed(now=now, lasts=lasts)


def _release_forgotten(*, now: datetime) -> int:
    """Holds whose step has closed without settling them; the pending ones are a set the calendar bounds."""
    forgotten = Appointment.objects.filter(status=AppointmentStatus.PENDING, awaits__isnull=False).exclude(
        awaits__status__in=STILL_OPEN
    )
    keys = list(forgotten.order_by("hold_until").values_list("pk", flat=True))
    return sum(_handle(pk, _release_if_forgotten, now=now) for pk in keys)


def _end_passed(*, now: datetime, lasts: timedelta) -> int:
    ended = 0
    for rows in batches(PASSED, now=now, limit=ONE, lasts=lasts):
        ended += sum(_handle(pk, _end, now=now) for (pk,) in rows)
    return ended


def _handle(pk: int, settle: Callable[..., bool], *, now: datetime) -> bool:
    """One hold in its own transaction or savepoint; one that fails is tried again in an hour."""
    try:
        with transaction.atomic():
            return settle(queries.locked(pk), now=now)
    except Exception:
        logger.exception("Hold %s could not be settled; it is tried again in an hour.", pk)
        Appointment.objects.filter(pk=pk, status=AppointmentStatus.PENDING).update(hold_until=now + RETRY)
        return False


def _release_if_forgotten(hold: Appointment, *, now: datetime) -> bool:
    """Somebody may have settled it between the look and the lock."""
    if hold.status != AppointmentStatus.PENDING or _awaited(hold):
        return False
    cancel(hold, because=gettext_noop("what it waited for has ended"), now=now)
    if hold.start > now:
        _tell_released(hold, now=now)
    return True


def _tell_released(hold: Appointment, *, now: datetime) -> None:
    """The patient left with that date: unless she is asked for another one already, she hears that it is off.

    If the journey has ended meanwhile, the telling is a short journey of its own.
    """
    if hold.awaits is None:
        return
    journey = Journey.objects.get(pk=hold.awaits.journey_id)
    if journey.status in OPEN_JOURNEYS and queries.book_step_of(journey):
        return
    tell_apart(
        journey.pk, lambda: _("Tell the patient that the time is no longer kept"), "hold_released", now=now
    )


def _awaited(hold: Appointment) -> Step | None:
    if hold.awaits_id is None:
        return None
    open_steps = Step.objects.filter(pk=hold.awaits_id, status__in=STILL_OPEN)
    return open_steps.select_related("journey__clinic").first()


def _end(hold: Appointment, *, now: datetime) -> bool:
    """While the result is late: moved once, with an apology; the second time released, with a BOOK step."""
    awaited = _awaited(hold)
    if hold.is_being_booked:
        hold.delete()
    elif awaited is None:
        cancel(hold, because=gettext_noop("not confirmed in time"), now=now)
    elif hold.events.filter(what=MOVED_BY_RULE).exists() or not _move_on(hold, awaited, now=now):
        cancel(hold, because=gettext_noop("the result did not come in time"), now=now)
        ask_to_book(awaited.journey, now=now)
    return True


def keep(hold: Appointment, *, now: datetime, by: User | None = None) -> None:
    """Book by hand a hold that waits for nothing; one that awaits a step is settled when that ends.

    It gets a journey of its own, like any visit that no other journey asks for.
    """
    waiting = Appointment.objects.filter(
        pk=hold.pk, start=hold.start, status=AppointmentStatus.PENDING, awaits__isnull=True
    )
    with transaction.atomic():
        refuse_unless_active(hold.patient_id)
        if not waiting.update(status=AppointmentStatus.BOOKED, hold_until=None):
            raise StaleStateError(_("This visit was changed by somebody else meanwhile."))
        AppointmentEvent.objects.create(appointment=hold, what=AppointmentStatus.BOOKED, at=now, by=by)
        give_journey(queries.locked(hold.pk), now=now, by=by)


def _move_on(hold: Appointment, awaited: Step, *, now: datetime) -> bool:
    """Move to the next fitting time on a later day, with the same time to spare, once the result is due."""
    assert hold.hold_until is not None  # noqa: S101 - a constraint: held_appointment_has_an_end_of_hold
    zone = hold.practitioner.clinic.time_zone
    day_after = hold.start.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    to_spare = max(hold.start - hold.hold_until, timedelta(0))
    more_time = soon(awaited.journey.clinic, MORE_TIME, now=now)
    after = max(starts_at(zone, day_after, time.min), max(more_time, awaited.due_at or now) + to_spare)
    minutes = (hold.end - hold.start) // timedelta(minutes=1)
    # Workers look for times of one practitioner one after another, or all would run for the same ones.
    Practitioner.objects.select_for_update(no_key=True).get(pk=hold.practitioner_id)
    free = _later_times(hold, minutes, after=after)
    if not free:
        return False
    move_to_first(hold, free, now=now)
    AppointmentEvent.objects.create(appointment=hold, what=MOVED_BY_RULE, at=now)
    due_at = soon(awaited.journey.clinic, TELL_WITHIN, now=now)
    told = AdHoc(
        StepKind.TELL, lambda: _("Tell the patient about the new date"), due_at, message_key="hold_moved"
    )
    add_step(awaited.journey, told, now=now)
    return True


def _later_times(hold: Appointment, minutes: int, *, after: datetime) -> list[datetime]:
    """At hours the patient can come; where none are free, any: she is asked by the message that tells it."""
    look = partial(
        queries.find_times,
        hold.practitioner,
        minutes,
        after=after,
        before=after + LOOK_AHEAD,
        limit=CANDIDATES,
    )
    return look(within=(coming_hours(hold.patient),)) or look()


def move_to_first(hold: Appointment, free: list[datetime], *, now: datetime) -> None:
    """Take the first that is still free; the last refusal is passed on."""
    for start in free[:-1]:
        try:
            move(hold, start=start, because=gettext_noop("the result is late"), now=now)
        except SlotTakenError:
            continue
        return
    move(hold, start=free[-1], because=gettext_noop("the result is late"), now=now)


def describe_plan(*, now: datetime) -> str:
    """The database's own plan of the claim; a test asserts that it walks the partial index."""
    explain = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
    with connection.cursor() as cursor:
        cursor.execute(explain + PASSED.sql(), {"now": now, "limit": ONE})
        return "\n".join(" ".join(map(str, row)) for row in cursor.fetchall())
