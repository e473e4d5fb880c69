"""What the reception desk writes: who serves whom, what is set aside, and every save with its way back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from appointments.models import Appointment
from appointments.waiting_models import Opening
from clinic_journey.heard import heard_from
from clinic_journey.models import AsideKind, DeskAction, Serving, SetAside
from clinic_journey.outcomes import OF_THE_DOCTOR, saved_words
from clinic_journey.undo import Picture, difference, picture
from journeys.actions import lock_journey, record_events
from journeys.models import OPEN_JOURNEYS, EventKind, Journey, Step
from outreach.models import Attempt, AttemptStatus, OutreachTask, TaskStatus
from patients.access import Here
from patients.actions import RefusedError, StaleStateError
from patients.models import Channel, Patient

SERVED_FOR = timedelta(minutes=3)
UNDO_FOR = timedelta(minutes=10)
LEAVES_AFTER = timedelta(seconds=20)  # what a save sets going leaves no sooner, so that undo can stop it
SKIPPED_FOR = timedelta(hours=1)


@dataclass(frozen=True)
class Press:
    """One press of a button: what it means, the key that makes a repetition harmless, and what was on the screen."""

    what: str
    request_key: str | None = None
    seen: int | None = (
        None  # the patient's newest save when the page was made; None where a page does not say
    )
    heard: int | None = None  # the newest that the patient had said then; None as above


def serve(patient: Patient, here: Here) -> str:
    """Take or renew the lease; the first name of whoever has it, or nothing when it is mine."""
    mine = Serving.objects.filter(patient=patient).filter(Q(user=here.user) | Q(until__lte=here.now))
    if mine.update(user=here.user, until=here.now + SERVED_FOR):
        return ""
    try:
        with transaction.atomic():
            Serving.objects.create(patient=patient, user=here.user, until=here.now + SERVED_FOR)
    except IntegrityError:
        other = Serving.objects.filter(patient=patient).select_related("user").first()
        if other is None or other.user_id == here.user.pk:  # given back, or taken by me, this very moment
            return serve(patient, here)
        return _name(other)
    return ""


def turn_to(patient: Patient, here: Here) -> str:
    """Serve this patient and leave any other: somebody is in one place at a time."""
    Serving.objects.filter(user=here.user).exclude(patient=patient).delete()
    return serve(patient, here)


def leave(here: Here) -> None:
    """Be with nobody."""
    Serving.objects.filter(user=here.user).delete()


def _name(serving: Serving) -> str:
    return serving.user.first_name or serving.user.get_username()


def served_by_others(here: Here) -> QuerySet[Serving]:
    """Whom somebody else is with right now."""
    return Serving.objects.filter(until__gt=here.now).exclude(user=here.user)


@transaction.atomic
def save(step: Step, press: Press, act: Callable[[], object], *, here: Here) -> DeskAction:
    """Do one outcome or booking and keep what it changed. Whoever comes second hears what the first one did.

    The lease row is what two savers meet at: the second waits there until the first has committed, and then
    finds that save. It is taken before any other lock.
    """
    patient = step.journey.patient
    if patient is None:
        raise RefusedError(_("Nobody knows yet whose this is."))
    return _first_of(patient, press, here) or _kept(step, patient, press, act, here=here)


@transaction.atomic
def save_for_good(patient: Patient, press: Press, act: Callable[[], Step], *, here: Here) -> DeskAction:
    """As `save`, of what nobody can take back, as words that leave: `act` returns the step it was about."""
    before = _first_of(patient, press, here)
    if before:
        return before
    step = act()
    return DeskAction.objects.create(
        clinic=here.clinic,
        user=here.user,
        patient=patient,
        step=step,
        what=press.what,
        at=here.now,
        undo_until=here.now,
        request_key=press.request_key,
    )


def _first_of(patient: Patient, press: Press, here: Here) -> DeskAction | None:
    """Whoever comes second is refused; the same press again is the save it was."""
    other = serve(patient, here)
    if other:
        raise StaleStateError(_("%(who)s is with this patient right now.") % {"who": other})
    before = _same_press(press, here)
    if before is None:
        _refuse_if_overtaken(patient, press)
        _refuse_if_unread(patient, press, here)
    Serving.objects.filter(patient=patient, user=here.user).delete()
    return before


@transaction.atomic
def save_decision(step: Step, press: Press, act: Callable[[], object], *, here: Here) -> DeskAction:
    """As `save`, for a doctor, whom nobody who is talking with the patient holds up: two meet at the journey."""
    lock_journey(step.journey_id)
    patient = step.journey.patient
    if patient is None:
        raise RefusedError(_("Nobody knows yet whose this is."))
    return _same_press(press, here) or _kept(step, patient, press, act, here=here)


@transaction.atomic
def save_visit(
    patient: Patient, step: Step | None, what: str, act: Callable[[], Appointment], *, here: Here
) -> DeskAction | None:
    """As `save_decision`, of what is done with a visit in the calendar or in booking; `act` returns the visit.

    Nothing to take back where the same press came twice, or where a hold waits for no step that could keep it.
    """
    _lock_journeys(patient)
    was = picture(patient)
    visit = act()
    about = step or visit.step or visit.awaits
    if about is None or not difference(was, picture(patient), at=here.now):
        return None
    return _noted(about, patient, Press(what), was, here=here)


def _kept(step: Step, patient: Patient, press: Press, act: Callable[[], object], *, here: Here) -> DeskAction:
    _lock_journeys(patient)
    was = picture(patient)
    act()
    return _noted(step, patient, press, was, here=here)


def _noted(step: Step, patient: Patient, press: Press, was: Picture, *, here: Here) -> DeskAction:
    _leave_time_to_undo(patient, now=here.now)
    changes = difference(was, picture(patient), at=here.now)
    return DeskAction.objects.create(
        clinic=here.clinic,
        user=here.user,
        patient=patient,
        step=step,
        what=press.what,
        at=here.now,
        undo_until=here.now + UNDO_FOR,
        request_key=press.request_key,
        changes=changes,
    )


def _lock_journeys(patient: Patient) -> None:
    """What anybody else does in these comes wholly before the save or wholly after it, so its picture is its own."""
    hers = Journey.objects.filter(patient=patient, status__in=OPEN_JOURNEYS)
    list(hers.select_for_update(no_key=True).order_by("pk").values("pk"))


def _same_press(press: Press, here: Here) -> DeskAction | None:
    if not press.request_key:
        return None
    return DeskAction.objects.filter(user=here.user, request_key=press.request_key).first()


def _refuse_if_overtaken(patient: Patient, press: Press) -> None:
    if press.seen is None:
        return
    since = DeskAction.objects.filter(patient=patient, pk__gt=press.seen, undone_at__isnull=True)
    # What a doctor has decided meanwhile refuses only a save that it leaves nothing of.
    since = since.exclude(what__in=OF_THE_DOCTOR)
    latest = since.select_related("user").order_by("-pk").first()
    if latest:
        raise StaleStateError(saved_words(latest))


def _refuse_if_unread(patient: Patient, press: Press, here: Here) -> None:
    """Nothing is settled over words that its page did not show."""
    if press.heard is not None and heard_from(patient.pk, here, after=press.heard):
        raise StaleStateError(_("Not saved: the patient has written since. Read it, then save again."))


def _leave_time_to_undo(patient: Patient, *, now: datetime) -> None:
    """Whatever the save has set going begins no sooner than undo is thought of."""
    at = now + LEAVES_AFTER
    Step.objects.filter(journey__patient=patient, contact_from__lt=at, contact_from__gte=now).update(
        contact_from=at
    )
    OutreachTask.objects.filter(
        patient=patient, status=TaskStatus.OPEN, plan_from__lt=at, plan_from__gte=now
    ).update(plan_from=at)
    Attempt.objects.filter(
        patient=patient, status=AttemptStatus.PLANNED, send_at__lt=at, send_at__gte=now
    ).exclude(channel=Channel.PHONE).update(send_at=at)
    freed = Opening.objects.filter(clinic=patient.clinic_id, freed_at=now)
    freed.filter(wave_from__gte=now, wave_from__lt=at).update(wave_from=at)


def last_action_of(here: Here) -> DeskAction | None:
    """The asker's newest save in Today that can still be undone."""
    return _to_undo(here).exclude(what__in=OF_THE_DOCTOR).first()


def last_decision_of(here: Here) -> DeskAction | None:
    """The asker's newest decision that can still be undone."""
    return _to_undo(here).filter(what__in=OF_THE_DOCTOR).first()


def _to_undo(here: Here) -> QuerySet[DeskAction]:
    mine = DeskAction.objects.filter(
        user=here.user, clinic=here.clinic, undone_at__isnull=True, undo_until__gt=here.now
    )
    return mine.select_related("patient", "step").order_by("-at", "-pk")


def newest_save(patient: Patient) -> int:
    """What a page has seen of a patient's saves; a later one refuses the save that page leads to."""
    latest = DeskAction.objects.filter(patient=patient).order_by("-pk").values_list("pk", flat=True).first()
    return latest or 0


@transaction.atomic
def set_aside(step: Step, kind: AsideKind, *, here: Here, reason: str = "") -> None:
    """Park a row, or skip it for a while; only the asker's own list changes."""
    skipped = kind == AsideKind.SKIPPED
    if skipped and not reason:
        raise RefusedError(_("Say why you skip it."))
    SetAside.objects.update_or_create(
        user=here.user,
        step=step,
        defaults={"kind": kind, "until": here.now + SKIPPED_FOR if skipped else None},
    )
    if skipped:
        detail = _("skipped: %(reason)s") % {"reason": reason}
        record_events([step], EventKind.NOTED, now=here.now, by=here.user, detail=detail)
    Serving.objects.filter(patient=step.journey.patient, user=here.user).delete()


def take_back(step: Step, *, here: Here) -> None:
    SetAside.objects.filter(user=here.user, step=step).delete()


def aside_of(here: Here) -> QuerySet[SetAside]:
    """What the asker has parked or skipped, as long as that lasts."""
    lasting = Q(kind=AsideKind.PARKED) | Q(until__gt=here.now)
    return SetAside.objects.filter(lasting, user=here.user)
