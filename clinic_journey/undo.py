"""Undo for what was saved in Today and decided in Results: the rows as they were, if nothing has gone on since.

What a save changed is the difference between two pictures of the patient's rows, so no outcome has an undo of
its own to forget. Rows that were made are cancelled, not deleted, for the history speaks of them.
"""

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils.formats import time_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _, gettext_lazy

from appointments.models import Appointment, AppointmentEvent, AppointmentStatus, Slot, SlotUse
from appointments.visits import cells_of, taken, visit_of
from clinic_journey.models import DeskAction
from clinic_journey.outcomes import saved_words
from clinic_journey.undo_waiting import (
    give_back_places,
    let_ticks_settle_again,
    refuse_if_an_offer_has_ended,
    take_back_freed_time,
)
from journeys.actions import lock_journey, record_events
from journeys.models import EventKind, Journey, JourneyStatus, Step, StepStatus
from outreach.models import Attempt, AttemptStatus, OutreachTask, Reply, TaskStatus
from outreach.unanswered import count_unanswered
from patients.actions import RefusedError, StaleStateError
from patients.models import Consent, ContactPoint, Patient, ServiceCard
from referrals.models import Referral, Result, ReviewPass

UNDONE = "undone"  # the outcome of contacts and tasks that an undo took back
Line = dict[str, Any]
Picture = dict[str, dict[str, Line]]
Changes = dict[str, dict[str, list[Line | None]]]

# What a save may touch, and how it hangs on the patient; restored in this order.
TRACKED: dict[str, tuple[Any, str]] = {
    "journey": (Journey, "patient"),
    "step": (Step, "journey__patient"),
    "task": (OutreachTask, "patient"),
    "attempt": (Attempt, "patient"),
    "visit": (Appointment, "patient"),
    "card": (ServiceCard, "patient"),
    "address": (ContactPoint, "ties__patient"),
    "consent": (Consent, "patient"),
    "reply": (Reply, "patient"),
    "cell": (SlotUse, "appointment__patient"),
    "referral": (Referral, "patient"),
    "result": (Result, "referral__patient"),
    "pass": (ReviewPass, "review__journey__patient"),
}
# Alarms that ticks consume and marks that the watcher sets: they change without anybody having gone on.
ALARMS = {"step": {"contact_from", "stalled_at"}, "task": {"plan_from"}}
# The instants that a row carries of what became of it. Another one than the save's own was written by somebody else.
STAMPS: dict[str, tuple[str, ...]] = {
    "journey": ("opened_at", "ended_at"),
    "step": ("opened_at", "completed_at"),
    "task": ("opened_at", "ended_at"),
    "attempt": ("called_at", "sent_at", "ended_at"),
    "visit": ("made_at", "confirmed_at"),
    "card": ("told_at",),
    "address": ("status_at",),
    "consent": ("at", "superseded_at"),
    "reply": ("at",),
    "referral": ("made_at",),
    "result": ("received_at", "decided_at"),
    "pass": ("made_at", "answered_at"),
}
# What was made under a row that somebody else made is theirs, too.
UNDER = {
    "step": ("journey", "journey_id"),
    "task": ("step", "step_id"),
    "attempt": ("task", "task_id"),
    "cell": ("visit", "appointment_id"),
}
MOVED_ON = {
    "step": gettext_lazy("The step has gone on since then."),
    "visit": gettext_lazy("The visit was changed since then."),
    "cell": gettext_lazy("The visit was changed since then."),
    "card": gettext_lazy("The service card was changed since then."),
    "address": gettext_lazy("The number was changed since then."),
    "consent": gettext_lazy("What the patient allows was changed since then."),
    "referral": gettext_lazy("The referral was changed since then."),
    "result": gettext_lazy("The decision was changed since then."),
}
MEANWHILE = gettext_lazy("Something else happened while this was being saved; it cannot be undone.")


def picture(patient: Patient) -> Picture:
    """The patient's rows as plain values, a few dozen in one query a table."""
    return {kind: _lines(model, Q(**{path: patient.pk})) for kind, (model, path) in TRACKED.items()}


def _lines(model: Any, which: Q) -> dict[str, Line]:
    rows = model.objects.filter(which).values()
    return {str(row["id"]): {name: _plain(value) for name, value in row.items()} for row in rows}


def _plain(value: object) -> object:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | str | list | dict):
        return value
    return str(value)


def difference(before: Picture, after: Picture, *, at: datetime) -> Changes:
    """The rows that the save at this instant made, changed or deleted, each with what it was and what it became.

    The second picture also shows what a tick, the patient or a colleague has committed while the save ran. What they
    made is theirs and no part of it; what they changed stays in, so that the undo is refused.
    """
    changes: Changes = {}
    theirs: dict[str, set[str]] = {kind: set() for kind in TRACKED}
    for kind in TRACKED:
        old, new = before[kind], after[kind]
        for key in sorted({*old, *new}, key=int):
            pair = [old.get(key), new.get(key)]
            if key not in old and (_is_anothers(kind, pair, at) or _is_under(theirs, kind, new[key])):
                theirs[kind].add(key)
            elif pair[0] != pair[1]:
                changes.setdefault(kind, {})[key] = pair
    return changes


def _is_anothers(kind: str, pair: list[Line | None], at: datetime) -> bool:
    """Whether somebody else than the save at this instant wrote the row as it became."""
    before, after = pair
    if after is None:
        return False
    if kind == "attempt" and after["status"] == AttemptStatus.SENDING and after["claimed_by_id"] is None:
        return True  # the outbox has it in hand
    known = (None, _plain(at), *((before or {}).get(name) for name in STAMPS.get(kind, ())))
    return any(after[name] not in known for name in STAMPS.get(kind, ()))


def _is_under(theirs: dict[str, set[str]], kind: str, line: Line) -> bool:
    parent, field = UNDER.get(kind, ("", ""))
    return bool(parent) and str(line[field]) in theirs[parent]


@transaction.atomic
def undo(action: DeskAction, *, now: datetime, by: User) -> None:
    """Take back a save. Refused, with what has happened since, where somebody or something has gone on from it."""
    ours = DeskAction.objects.filter(
        pk=action.pk, user=by, undone_at__isnull=True, undo_until__gt=now, at__lte=now
    )
    if not ours.update(undone_at=now):
        raise StaleStateError(_("This can be undone for ten minutes, once, by whoever saved it."))
    changes: Changes = action.changes
    for key in sorted(_journeys_in(changes, action)):
        lock_journey(key)
    _refuse_if_saved_again(action)
    told_at = contacted_since(action)
    if told_at:
        raise StaleStateError(contacted_words(told_at))
    _refuse_if_others_wrote(changes, action.at)
    _refuse_if_changed(changes)
    _refuse_if_more_has_arrived(changes)
    refuse_if_an_offer_has_ended(action, changes.get("step", {}))
    _take_back(changes, action, now=now, by=by)
    try:
        with transaction.atomic():
            _restore(changes)
            let_ticks_settle_again(changes.get("step", {}))
            give_back_places(action, steps=changes.get("step", {}), visits=changes.get("visit", {}))
    except IntegrityError as clash:
        raise StaleStateError(
            _("Something else has begun since then; it cannot be undone any more.")
        ) from clash
    _restore_cells(changes, action)
    record_events([action.step], EventKind.NOTED, now=now, by=by, detail=_("undone: %s") % action.what)


def _journeys_in(changes: Changes, action: DeskAction) -> set[int]:
    lines = [line for pair in changes.get("step", {}).values() for line in pair if line]
    return {action.step.journey_id, *(line["journey_id"] for line in lines)}


def _refuse_if_saved_again(action: DeskAction) -> None:
    later = DeskAction.objects.filter(patient=action.patient_id, pk__gt=action.pk, undone_at__isnull=True)
    latest = later.select_related("user").order_by("-pk").first()
    if latest:
        raise StaleStateError(saved_words(latest))


def _concerned(changes: Changes) -> Q:
    """Every task that a save touched, or that a tick has opened since for a step it touched."""
    return Q(pk__in=list(changes.get("task", {}))) | Q(step__in=list(changes.get("step", {})))


def contacted_since(action: DeskAction) -> datetime | None:
    """When a message about it left or a call began, which cannot be taken back; None while nobody was told."""
    changes: Changes = action.changes
    tasks = OutreachTask.objects.filter(_concerned(changes), patient=action.patient_id)
    begun = Attempt.objects.filter(Q(task__in=tasks) | Q(pk__in=list(changes.get("attempt", {})))).exclude(
        status__in=[AttemptStatus.PLANNED, AttemptStatus.CANCELLED]
    )
    ours = changes.get("attempt", {})
    for attempt in begun.select_related("claimed_by").order_by("send_at"):
        pair = ours.get(str(attempt.pk), [None, None])
        after = pair[1]
        if after and after["status"] == attempt.status and not _is_anothers("attempt", pair, action.at):
            continue
        if after is None and (attempt.sent_at or attempt.called_at or attempt.send_at) < action.at:
            continue  # an earlier contact of the same task
        return attempt.sent_at or attempt.called_at or attempt.send_at
    return None


def contacted_words(at: datetime) -> str:
    said = _("The patient was contacted at %(time)s; it cannot be undone any more.")
    return said % {"time": time_format(localtime(at), "H:i")}


def _refuse_if_others_wrote(changes: Changes, at: datetime) -> None:
    """What somebody else ended, superseded or confirmed while the save ran is not put back behind their back."""
    for kind, pairs in changes.items():
        if any(_is_anothers(kind, pair, at) for pair in pairs.values()):
            raise StaleStateError(str(MOVED_ON.get(kind, MEANWHILE)))


def _refuse_if_changed(changes: Changes) -> None:
    for kind, pairs in changes.items():
        model, _path = TRACKED[kind]
        current = _lines(model, Q(pk__in=list(pairs)))
        for key, (_before, after) in pairs.items():
            if kind in MOVED_ON and after and not _same(kind, current.get(key), after):
                raise StaleStateError(str(MOVED_ON[kind]))


def _refuse_if_more_has_arrived(changes: Changes) -> None:
    """What came after a decision has a review of its own; two of one file would be decided twice."""
    decided = [int(key) for key in changes.get("result", {})]
    if not decided:
        return
    more = Result.objects.filter(referral__results__in=decided, pk__gt=max(decided))
    if more.exists():
        raise StaleStateError(_("A newer file has arrived since then; decide on that one."))


def _same(kind: str, current: Line | None, after: Line) -> bool:
    alarms = ALARMS.get(kind, set())
    return current is not None and all(current[name] == after[name] for name in after if name not in alarms)


def _take_back(changes: Changes, action: DeskAction, *, now: datetime, by: User) -> None:
    """What the save made, and what ticks have planned from it since, is cancelled before the old rows return."""
    made = {
        kind: [key for key, (before, _after) in pairs.items() if before is None]
        for kind, pairs in changes.items()
    }
    SlotUse.objects.filter(pk__in=made.get("cell", [])).delete()
    since = OutreachTask.objects.filter(
        _concerned(changes), patient=action.patient_id, opened_at__gte=action.at
    ).exclude(pk__in=[key for key in changes.get("task", {}) if key not in made.get("task", [])])
    ended = {"ended_at": now, "outcome": UNDONE}
    free = {"lease": None, "lease_until": None}
    tasks = OutreachTask.objects.filter(_concerned(changes), patient=action.patient_id)
    Attempt.objects.filter(
        Q(pk__in=made.get("attempt", [])) | Q(task__in=tasks, status=AttemptStatus.PLANNED)
    ).update(status=AttemptStatus.CANCELLED, **ended, **free)
    since.update(status=TaskStatus.CANCELLED, plan_from=None, **ended)
    Step.objects.filter(pk__in=made.get("step", [])).update(
        status=StepStatus.CANCELLED, contact_from=None, completed_at=None, outcome=""
    )
    record_events(
        list(Step.objects.filter(pk__in=made.get("step", []))),
        EventKind.CANCELLED,
        now=now,
        by=by,
        detail=UNDONE,
    )
    Journey.objects.filter(pk__in=made.get("journey", [])).update(
        status=JourneyStatus.CANCELLED, ended_at=now
    )
    for visit in Appointment.objects.filter(pk__in=made.get("visit", [])):
        AppointmentEvent.objects.create(
            appointment=visit, what=AppointmentStatus.CANCELLED, at=now, by=by, detail=UNDONE
        )
    Appointment.objects.filter(pk__in=made.get("visit", [])).update(
        status=AppointmentStatus.CANCELLED, hold_until=None, ended_because=UNDONE
    )
    Consent.objects.filter(pk__in=made.get("consent", [])).update(superseded_at=now)
    Reply.objects.filter(pk__in=made.get("reply", [])).delete()


def _restore(changes: Changes) -> None:
    for kind, (model, _path) in TRACKED.items():
        if kind == "cell":
            continue
        for key, (before, _after) in changes.get(kind, {}).items():
            if before is not None:
                model.objects.filter(pk=key).update(**_values(model, _put_down(kind, before)))
    count_unanswered(int(key) for key in changes.get("task", {}))


def _put_down(kind: str, before: Line) -> Line:
    """A call that was being made is planned again: nobody holds the telephone any more."""
    if kind == "attempt" and before["status"] == AttemptStatus.SENDING:
        free = {"lease": None, "lease_until": None, "claimed_by_id": None, "called_at": None}
        return {**before, "status": AttemptStatus.PLANNED.value, **free}
    return before


def _values(model: Any, line: Line) -> Line:
    fields: Iterable[models.Field[Any, Any]] = model._meta.concrete_fields
    return {
        field.attname: field.to_python(line[field.attname])
        for field in fields
        if not field.primary_key and field.attname in line
    }


def _restore_cells(changes: Changes, action: DeskAction) -> None:
    """Take the time again; somebody who has it by now keeps it, and is named.

    Where the hours were cut anew since, the time has other cells, or none any more.
    """
    lost = [before for before, after in changes.get("cell", {}).values() if before and after is None]
    visits = Appointment.objects.select_related("patient", "practitioner__clinic").order_by("pk")
    freed = list(visits.filter(pk__in={line["appointment_id"] for line in lost}))
    for visit in freed:
        cells = sorted(line["slot_id"] for line in lost if line["appointment_id"] == visit.pk)
        # Locked, so that hours changed this very moment wait for us and leave the cells.
        there = Slot.objects.select_for_update(no_key=True).filter(pk__in=cells).order_by("start")
        if len(there.values_list("pk", flat=True)) < len(cells):
            cells = cells_of(visit.practitioner, visit.start, visit.end)
        try:
            with transaction.atomic():
                SlotUse.objects.bulk_create([SlotUse(slot_id=cell, appointment=visit) for cell in cells])
        except IntegrityError as clash:
            raise RefusedError(taken(visit_of(visit)).for_staff) from clash
    take_back_freed_time(action, freed)
