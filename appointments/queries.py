"""What actions and screens read about calendars and visits. Users get objects only through `*_visible_to`."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q, QuerySet

from appointments.models import KEPT, Appointment, AppointmentStatus, Practitioner, Slot, SlotUse, VisitType
from appointments.slots import FreeCell, fitting_runs
from journeys.models import Journey, Step, StepKind, StepStatus
from patients.models import Clinic, PatientContact
from patients.queries import User, phones_among
from patients.told import ties_at, ties_of
from patients.windows import Hours, Interval, open_intervals, starts_at

MOVABLE = (AppointmentStatus.PENDING, AppointmentStatus.BOOKED)
LOOK_AT = timedelta(days=2)  # a free time is nearly always near: read little first, then twice as much
HELD_SHARE = 4  # at most a quarter of a doctor's week is held for visits that are not certain
WAITED_FOR = (StepKind.AWAIT_RESULT, StepKind.REVIEW)  # what a held visit may wait for


def practitioners_visible_to(user: User) -> QuerySet[Practitioner]:
    return (
        Practitioner.objects.filter(clinic__memberships__user_id=user.pk, is_active=True)
        .select_related("clinic")
        .order_by("name", "id")
    )


def appointments_visible_to(user: User) -> QuerySet[Appointment]:
    return Appointment.objects.filter(clinic__memberships__user_id=user.pk).select_related(
        "patient", "practitioner__clinic", "step", "awaits", "made_by"
    )


def open_cells(practitioner: Practitioner, first: datetime, last: datetime) -> QuerySet[Slot]:
    """The cells in which the practitioner receives, taken or not, that start in [first, last)."""
    return Slot.objects.filter(
        practitioner=practitioner, start__gte=first, start__lt=last, is_closed=False
    ).order_by("start")


def free_cells(practitioner: Practitioner, first: datetime, last: datetime) -> list[FreeCell]:
    cells = open_cells(practitioner, first, last).filter(use__isnull=True)
    return [FreeCell(pk, start, end) for pk, start, end in cells.values_list("pk", "start", "end")]


def find_times(
    practitioner: Practitioner,
    minutes: int,
    *,
    after: datetime,
    before: datetime,
    within: tuple[Hours, ...] = (),
    limit: int = 3,
) -> list[datetime]:
    """The first starts in [after, before) at which a visit fits and lies inside all the hours given.

    They do not overlap: three answers are three different times, not one moved by a cell.
    """
    found: list[datetime] = []
    lasting = timedelta(minutes=minutes)
    for start in fitting_starts(practitioner, minutes, after=after, before=before):
        if found and start < found[-1] + lasting:
            continue
        visit = Interval(start, start + lasting)
        if all(open_intervals(hours, visit.start, visit.end) == [visit] for hours in within):
            found.append(start)
        if len(found) >= limit:
            break
    return found


def fitting_starts(
    practitioner: Practitioner, minutes: int, *, after: datetime, before: datetime
) -> Iterator[datetime]:
    """Every start in [after, before) at which a visit fits, overlapping ones too; read as far as it is asked."""
    ahead = LOOK_AT
    while after < before:
        until = min(after + ahead, before)
        free = free_cells(practitioner, after, until + timedelta(minutes=minutes))
        for run in fitting_runs(free, minutes):
            if run[0].start < until:
                yield run[0].start
        after, ahead = until, 2 * ahead


def visits_between(
    visits: QuerySet[Appointment], clinic: Clinic, first: date, last: date, *, doctor: int | None = None
) -> QuerySet[Appointment]:
    """The visits of a clinic on the days from `first` until before `last`, in order; none that is cancelled."""
    found = visits.filter(
        clinic=clinic,
        start__gte=starts_at(clinic.time_zone, first, time.min),
        start__lt=starts_at(clinic.time_zone, last, time.min),
    ).exclude(status=AppointmentStatus.CANCELLED)
    if doctor is not None:
        found = found.filter(practitioner=doctor)
    return found.order_by("start", "practitioner__name", "pk")


def day_on_paper(visits: QuerySet[Appointment], clinic: Clinic, on: date) -> QuerySet[Appointment]:
    """The visits of a day by doctor and time, with what the desk wants on paper; no time kept for minutes."""
    return (
        visits_between(visits, clinic, on, on + timedelta(days=1))
        .exclude(status=AppointmentStatus.PENDING, request_key__startswith=KEPT)
        .select_related("patient__clinic", "patient__card", "visit_type", "step__journey")
        .prefetch_related(ties_at("patient__contacts"))
        .order_by("practitioner__name", "practitioner", "start", "pk")
    )


def phones_for(visit: Appointment, *, now: datetime) -> list[PatientContact]:
    """The numbers at which somebody may speak of this visit, of one that was read for paper."""
    kept = bool(visit.step and visit.step.journey.is_confidential)
    return phones_among(visit.patient, ties_of(visit.patient), now=now, in_confidence=kept)


def bounds_of(practitioner: Practitioner, first: date, last: date) -> tuple[datetime, datetime]:
    """From midnight to midnight in the clinic's zone, whatever the length of the days between."""
    zone = practitioner.clinic.time_zone
    return starts_at(zone, first, time.min), starts_at(zone, last + timedelta(days=1), time.min)


def who_has(practitioner: Practitioner, start: datetime, end: datetime) -> Appointment | None:
    """The earliest visit that takes a cell of [start, end)."""
    return (
        Appointment.objects.filter(
            slot_uses__slot__practitioner=practitioner,
            slot_uses__slot__start__gte=start,
            slot_uses__slot__start__lt=end,
        )
        .select_related("patient", "made_by")
        .order_by("slot_uses__slot__start")
        .first()
    )


def live_appointment_for(step: Step) -> Appointment | None:
    """The visit that booking for `step` would move instead of making a second one.

    A journey may hold several treatments, so a step of a template moves only the visit it leads to; a step
    outside the template concerns the visit it is about, else whatever visit the journey has. Locked; inside
    atomic().
    """
    live = Appointment.objects.filter(status__in=MOVABLE)
    if step.template_step_id:
        leads_to = Q(step__template_step__in_edges__source=step.template_step_id)
        live = live.filter(leads_to, step__journey=step.journey_id, step__status=StepStatus.ACTIVE)
    elif step.about_id:  # asked to move the visit of that step
        live = live.filter(Q(step=step.about_id) | Q(awaits=step.about_id))
    else:
        live = live.filter(Q(step__journey=step.journey_id) | Q(awaits__journey=step.journey_id))
    found = live.order_by("start").values_list("pk", flat=True).first()
    return None if found is None else locked(found)


def locked(appointment_id: int) -> Appointment:
    """The row as it is now, not to be changed by anybody else until the transaction ends."""
    return (
        Appointment.objects.select_for_update(no_key=True, of=("self",))
        .select_related("practitioner__clinic")
        .get(pk=appointment_id)
    )


def waited_for_in(journey: Journey) -> Step | None:
    """The open step that a visit of this journey has to wait for, if there is one."""
    return (
        journey.steps.filter(kind__in=WAITED_FOR, status=StepStatus.ACTIVE)
        .order_by("-opened_at", "-pk")
        .first()
    )


def visit_step_without_visit(journey: Journey) -> Step | None:
    """An open VISIT step for which nothing is booked yet."""
    booked = Appointment.objects.filter(status__in=(*MOVABLE, AppointmentStatus.ARRIVED), step__isnull=False)
    return (
        journey.steps.filter(kind=StepKind.VISIT, status=StepStatus.ACTIVE)
        .exclude(pk__in=booked.values("step"))
        .order_by("opened_at", "pk")
        .first()
    )


def book_step_of(journey: Journey) -> Step | None:
    return (
        journey.steps.filter(kind=StepKind.BOOK, status=StepStatus.ACTIVE).order_by("opened_at", "pk").first()
    )


def steps_to_move(about: int) -> QuerySet[Step]:
    """What asks the desk to move the visit of this step; opened when the visit lost its hours."""
    return Step.objects.filter(about=about, kind=StepKind.BOOK, status=StepStatus.ACTIVE)


def outside_hours(visits: QuerySet[Appointment], *, now: datetime) -> QuerySet[Appointment]:
    """Coming visits that stand in a time that is closed now: the doctor's hours changed after they were made."""
    closed = SlotUse.objects.filter(appointment=OuterRef("pk"), slot__is_closed=True)
    return visits.filter(Exists(closed), status__in=MOVABLE, start__gt=now).order_by("start")


def is_above_held_share(practitioner: Practitioner, start: datetime, end: datetime) -> bool:
    """Whether one more visit held for a result makes them more than a quarter of that week of the doctor.

    The first of a week never does, however few hours the week has.
    """
    zone = ZoneInfo(practitioner.clinic.time_zone)
    on = start.astimezone(zone).date()
    sunday = on - timedelta(days=(on.weekday() + 1) % 7)
    first, last = bounds_of(practitioner, sunday, sunday + timedelta(days=6))
    cells = open_cells(practitioner, first, last)
    held = cells.filter(
        use__appointment__status=AppointmentStatus.PENDING, use__appointment__awaits__isnull=False
    ).count()
    more = (end - start) // timedelta(minutes=practitioner.clinic.cell_minutes)
    return held > 0 and (held + more) * HELD_SHARE > cells.count()


def visit_types_of(clinic: Clinic) -> QuerySet[VisitType]:
    return VisitType.objects.filter(clinic=clinic, is_active=True)
