"""One day of several doctors as a grid: which visit, free stretch or closed stretch stands in which row."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from appointments.models import TAKES_TIME, Appointment, AppointmentStatus, Practitioner, Slot
from appointments.rooms import Rooms
from patients.models import Clinic, ClosedDay
from patients.windows import Hours, is_open, starts_at

HOUR, PIECE = timedelta(hours=1), timedelta(minutes=30)  # a link to book begins at most this far apart
LONGEST = 96  # the longest class of day.css, in rows
FREE, SHUT = "free", "shut"
LOOKS = {
    AppointmentStatus.PENDING: "held",
    AppointmentStatus.BOOKED: "booked",
    AppointmentStatus.ARRIVED: "arrived",
    AppointmentStatus.FULFILLED: "done",
    AppointmentStatus.NOSHOW: "missed",
}


@dataclass(frozen=True)
class Entry:
    """What fills rows of a column: a visit, else FREE or SHUT time. `look` is the class that shows it."""

    start: datetime
    end: datetime
    look: str
    visit: Appointment | None = None
    row: int = 0
    span: int = 0
    room: str = ""  # of a visit, where the clinic has several
    suits: bool = True  # of free time: the patient who is booked for can come


@dataclass(frozen=True)
class Column:
    doctor: Practitioner
    entries: list[Entry]


@dataclass(frozen=True)
class Chosen:
    """What of a day is asked for: of one doctor, in one room; nothing said: all of it.

    `comes`: when the patient can come who is booked for.
    """

    doctor: int | None = None
    room: int | None = None
    comes: Hours | None = None


@dataclass(frozen=True)
class Day:
    on: date
    columns: list[Column]
    hours: list[tuple[int, datetime]]
    now_row: int | None
    visits: list[tuple[Appointment, str]]  # all of the day, also those that did not come, with their rooms
    rooms: list[tuple[int, str]]  # of the clinic, to choose from; none where it has one
    closed: ClosedDay | None
    next_open: datetime | None  # asked only when the day is empty


@dataclass(frozen=True)
class Cell:
    doctor: int
    start: datetime
    end: datetime
    visit: int | None
    room: int | None

    @property
    def is_free(self) -> bool:
        return self.visit is None


@dataclass(frozen=True)
class Grid:
    """Rows of real time, one a cell, from a full hour on: so no change of the clock needs a special case."""

    begin: datetime
    end: datetime
    cell: timedelta

    def row(self, at: datetime) -> int:
        return (at - self.begin) // self.cell + 1

    def placed(self, entry: Entry) -> Iterator[Entry]:
        """The entry with its rows. Closed time keeps off rows that it fills in part, and may need pieces."""
        ends = -((self.begin - entry.end) // self.cell) + 1
        first = self.row(entry.start)
        if entry.look == SHUT:
            first, ends = -((self.begin - entry.start) // self.cell) + 1, self.row(entry.end)
        for row in range(first, ends, LONGEST):
            yield replace(entry, row=row, span=min(ends - row, LONGEST))


def day_of_doctors(
    clinic: Clinic,
    doctors: Sequence[Practitioner],
    appointments: QuerySet[Appointment],
    *,
    on: date,
    chosen: Chosen,
    now: datetime,
) -> Day | None:
    """The day of all who receive or have visits on it, or of what is chosen; None if the clinic has no such.

    A doctor who works here no more stays a column on the days with visits: somebody has to call the patients.
    """
    zone = clinic.time_zone
    first, last = starts_at(zone, on, time.min), starts_at(zone, on + timedelta(days=1), time.min)
    visits = _visits(appointments.filter(clinic=clinic), first, last)
    everybody = {doctor.pk: doctor for doctor in doctors}
    for visit in visits:
        everybody.setdefault(visit.practitioner_id, visit.practitioner)
    rooms = Rooms(clinic, on, on)
    if chosen.doctor not in {None, *everybody} or chosen.room not in {None, *rooms.names}:
        return None
    if chosen.doctor is not None:
        everybody = {chosen.doctor: everybody[chosen.doctor]}
        visits = [visit for visit in visits if visit.practitioner_id == chosen.doctor]
    cells = _cells(everybody, first, last, rooms)
    in_room = {cell.visit: cell.room for cell in reversed(cells)}  # where it begins
    if chosen.room is not None:
        cells = [cell for cell in cells if cell.room == chosen.room]
        visits = [visit for visit in visits if in_room.get(visit.pk) == chosen.room]
    # Of a day without hours nobody asks in which room.
    are_told = (bool(in_room) or chosen.room is not None) and rooms.are_told
    named = {pk: rooms.names.get(room or 0, "") for pk, room in in_room.items()} if are_told else {}
    grid = _grid(clinic, [*visits, *cells])
    columns = _columns(grid, everybody, cells, visits, now) if grid else []
    columns = [_with_rooms(column, named) for column in columns]
    columns = [_with_suiting(column, chosen.comes) for column in columns] if chosen.comes else columns
    return Day(
        on=on,
        columns=columns,
        hours=_hours(grid) if grid else [],
        now_row=grid.row(now) if grid and grid.begin <= now < grid.end and first <= now < last else None,
        visits=[(visit, named.get(visit.pk, "")) for visit in visits],
        rooms=list(rooms.names.items()) if are_told else [],
        closed=ClosedDay.objects.filter(clinic=clinic, on=on, is_open=False).first(),
        next_open=None if grid else _next_open(everybody, last),
    )


def _visits(appointments: QuerySet[Appointment], first: datetime, last: datetime) -> list[Appointment]:
    of_day = appointments.filter(start__gte=first, start__lt=last).exclude(status=AppointmentStatus.CANCELLED)
    return list(of_day.order_by("start", "practitioner__name", "pk"))


def _with_rooms(column: Column, named: dict[int | None, str]) -> Column:
    entries = [
        replace(entry, room=named.get(entry.visit.pk, "")) if entry.visit else entry
        for entry in column.entries
    ]
    return replace(column, entries=entries)


def _with_suiting(column: Column, comes: Hours) -> Column:
    entries = [
        replace(entry, suits=is_open(entry.start, comes)) if entry.look == FREE else entry
        for entry in column.entries
    ]
    return replace(column, entries=entries)


def _cells(doctors: Iterable[int], first: datetime, last: datetime, rooms: Rooms) -> list[Cell]:
    rows = Slot.objects.filter(
        practitioner__in=list(doctors), start__gte=first, start__lt=last, is_closed=False
    )
    found = rows.order_by("start").values_list(
        "practitioner_id", "start", "end", "use__appointment_id", "schedule__location_id"
    )
    return [
        Cell(doctor, start, end, visit, rooms.of_cell(doctor, start, by_rule) if rooms.are_told else None)
        for doctor, start, end, visit, by_rule in found
    ]


def _next_open(doctors: Iterable[int], after: datetime) -> datetime | None:
    cells = Slot.objects.filter(practitioner__in=list(doctors), start__gte=after, is_closed=False)
    return cells.order_by("start").values_list("start", flat=True).first()


def _grid(clinic: Clinic, things: Sequence[Appointment | Cell]) -> Grid | None:
    if not things:
        return None
    zone = ZoneInfo(clinic.time_zone)
    earliest, latest = min(thing.start for thing in things), max(thing.end for thing in things)
    local = earliest.astimezone(zone)
    begin = earliest - timedelta(minutes=local.minute, seconds=local.second)
    hours = -((begin - latest) // HOUR)
    return Grid(begin, begin + hours * HOUR, timedelta(minutes=clinic.cell_minutes))


def _hours(grid: Grid) -> list[tuple[int, datetime]]:
    whole = range((grid.end - grid.begin) // HOUR + 1)
    return [(grid.row(grid.begin + n * HOUR), grid.begin + n * HOUR) for n in whole]


def _columns(
    grid: Grid,
    doctors: dict[int, Practitioner],
    cells: Sequence[Cell],
    visits: Sequence[Appointment],
    now: datetime,
) -> list[Column]:
    columns = []
    for pk, doctor in doctors.items():
        own_cells = [cell for cell in cells if cell.doctor == pk]
        own_visits = _not_covered([visit for visit in visits if visit.practitioner_id == pk])
        if not own_cells and not own_visits:
            continue
        entries = [Entry(v.start, v.end, LOOKS[AppointmentStatus(v.status)], v) for v in own_visits]
        entries += _free(grid, own_cells, own_visits, now)
        entries += _shut(grid, [*own_cells, *own_visits])
        placed = [piece for entry in entries for piece in grid.placed(entry)]
        columns.append(Column(doctor, sorted(placed, key=lambda entry: entry.row)))
    return columns


def _not_covered(visits: Sequence[Appointment]) -> list[Appointment]:
    """Who did not come gave the time back; where somebody else has it now, the grid shows only the latter."""
    live = [visit for visit in visits if visit.status in TAKES_TIME]
    missed = [visit for visit in visits if visit.status not in TAKES_TIME and not _overlaps(visit, live)]
    shown = list(live)
    for visit in missed:  # one time may have been missed twice
        if not _overlaps(visit, shown):
            shown.append(visit)
    return shown


def _overlaps(thing: Appointment | Cell, others: Iterable[Appointment]) -> bool:
    return any(thing.start < other.end and other.start < thing.end for other in others)


def _free(grid: Grid, cells: Sequence[Cell], shown: Sequence[Appointment], now: datetime) -> list[Entry]:
    """Free time as links: a new one at each half hour and after each visit, none in the past."""
    pieces: list[Entry] = []
    for cell in cells:
        if not cell.is_free or cell.end <= now or _overlaps(cell, shown):
            continue
        last = pieces[-1] if pieces else None
        half_hour = (cell.start - grid.begin) // PIECE
        if last and last.end == cell.start and (last.start - grid.begin) // PIECE == half_hour:
            pieces[-1] = replace(last, end=cell.end)
        else:
            pieces.append(Entry(cell.start, cell.end, FREE))
    return pieces


def _shut(grid: Grid, things: Sequence[Appointment | Cell]) -> list[Entry]:
    """The stretches of the grid in which the doctor does not receive."""
    shut, reached = [], grid.begin
    for thing in sorted(things, key=lambda thing: thing.start):
        if reached < thing.start:
            shut.append(Entry(reached, thing.start, SHUT))
        reached = max(reached, thing.end)
    if reached < grid.end:
        shut.append(Entry(reached, grid.end, SHUT))
    return shut
