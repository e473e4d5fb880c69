"""Calendars cut into cells, and the visits that take them. A hold is an appointment that is `pending`."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext, gettext_lazy as _

from journeys.models import Step, named
from patients.models import Clinic, Patient
from patients.models.clinic import one_of

LONGEST_MINUTES = 240  # of one visit


class Practitioner(models.Model):
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="practitioners")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="practitioners",
    )
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class Location(models.Model):
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="locations")
    name = models.CharField(max_length=80)
    is_exclusive = models.BooleanField(
        _("one doctor at a time"),
        default=True,
        help_text=_("Two doctors cannot receive in it at the same time."),
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "name"], name="location_name_once_per_clinic")
        ]

    def __str__(self) -> str:
        return self.name


class VisitType(models.Model):
    """What a visit is for and how long it takes; booking begins with its minutes, which may be changed."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="visit_types")
    names = models.JSONField(default=dict)  # language -> words for the screen, never queried
    minutes = models.PositiveSmallIntegerField(_("minutes"))
    is_active = models.BooleanField(_("offered"), default=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(minutes__gte=5, minutes__lte=LONGEST_MINUTES),
                name="visit_type_lasts_five_minutes_to_four_hours",
            )
        ]
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """In the reader's language, else in English, else in whatever language it has."""
        return named(self.names) or next(iter(self.names.values()), "")


class Schedule(models.Model):
    """When a practitioner receives: one weekly stretch, in the clinic's zone, between two dates."""

    practitioner = models.ForeignKey(Practitioner, on_delete=models.CASCADE, related_name="schedules")
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="schedules")
    weekday = models.PositiveSmallIntegerField(help_text=_("Monday is 0."))
    start = models.TimeField()
    end = models.TimeField()
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    filled_until = models.DateField(null=True, blank=True)  # cells exist up to this day

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(weekday__lte=6), name="schedule_weekday_is_0_to_6"),
            models.CheckConstraint(condition=Q(start__lt=F("end")), name="schedule_start_before_end"),
        ]

    def __str__(self) -> str:
        return f"{self.practitioner_id} {self.weekday} {self.start}-{self.end}"

    @property
    def weekday_name(self) -> str:
        return str(WEEKDAYS[self.weekday])


class ExceptionKind(models.TextChoices):
    AWAY = "away", _("Away")  # all day, or between two times
    CHANGED = "changed", _("Other hours")  # instead of the weekly ones
    EXTRA = "extra", _("Extra hours")  # besides the weekly ones


class ScheduleException(models.Model):
    """Dates on which a practitioner's weekly hours do not hold, or are not all."""

    practitioner = models.ForeignKey(Practitioner, on_delete=models.CASCADE, related_name="exceptions")
    kind = models.CharField(max_length=8, choices=ExceptionKind)
    first_on = models.DateField()
    last_on = models.DateField()
    start = models.TimeField(null=True, blank=True)
    end = models.TimeField(null=True, blank=True)
    location = models.ForeignKey(
        Location, null=True, blank=True, on_delete=models.PROTECT, related_name="exceptions"
    )
    because = models.CharField(max_length=120, blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)

    class Meta:
        constraints = [
            one_of("kind", ExceptionKind, name="schedule_exception_kind_is_known"),
            models.CheckConstraint(
                condition=Q(first_on__lte=F("last_on")), name="schedule_exception_begins_before_it_ends"
            ),
            models.CheckConstraint(
                condition=Q(start__isnull=True, end__isnull=True)
                | Q(start__isnull=False, end__isnull=False, start__lt=F("end")),
                name="schedule_exception_start_before_end",
            ),
            models.CheckConstraint(
                condition=Q(kind=ExceptionKind.AWAY) | Q(start__isnull=False),
                name="schedule_exception_hours_are_said",
            ),
        ]
        ordering = ["first_on", "start", "id"]

    def __str__(self) -> str:
        return f"{self.practitioner_id} {self.kind} {self.first_on}"


class Slot(models.Model):
    """One cell of a practitioner's time, on the clinic's grid. Taken when a SlotUse points at it."""

    # Keys that an index of several columns begins with have no index of their own: every write pays for one.
    # Cells of extra or changed hours belong to no weekly rule.
    schedule = models.ForeignKey(
        Schedule, null=True, blank=True, on_delete=models.CASCADE, related_name="slots", db_index=False
    )
    practitioner = models.ForeignKey(
        Practitioner, on_delete=models.CASCADE, related_name="slots", db_index=False
    )
    start = models.DateTimeField()
    end = models.DateTimeField()
    is_closed = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["schedule", "start"], name="slot_once_per_schedule"),
            models.UniqueConstraint(fields=["practitioner", "start"], name="slot_once_per_practitioner"),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="slot_ends_after_it_starts"),
        ]
        indexes = [models.Index(fields=["start"], name="slot_by_start")]

    def __str__(self) -> str:
        return f"{self.practitioner_id} {self.start:%F %R}"


class AppointmentStatus(models.TextChoices):
    PENDING = "pending", _("Held")
    BOOKED = "booked", _("Booked")
    ARRIVED = "arrived", _("Arrived")
    FULFILLED = "fulfilled", _("Took place")
    CANCELLED = "cancelled", _("Cancelled")
    NOSHOW = "noshow", _("Did not come")


APPOINTMENT_MOVES: dict[str, frozenset[str]] = {
    AppointmentStatus.PENDING: frozenset({AppointmentStatus.BOOKED, AppointmentStatus.CANCELLED}),
    AppointmentStatus.BOOKED: frozenset(
        {
            AppointmentStatus.ARRIVED,
            AppointmentStatus.FULFILLED,
            AppointmentStatus.CANCELLED,
            AppointmentStatus.NOSHOW,
        }
    ),
    AppointmentStatus.ARRIVED: frozenset({AppointmentStatus.FULFILLED, AppointmentStatus.CANCELLED}),
    AppointmentStatus.FULFILLED: frozenset(),
    AppointmentStatus.CANCELLED: frozenset(),
    AppointmentStatus.NOSHOW: frozenset({AppointmentStatus.ARRIVED}),
}
KEPT = "keep "  # how the key of a time begins that somebody keeps for the minutes of a booking
TAKES_TIME = (
    AppointmentStatus.PENDING,
    AppointmentStatus.BOOKED,
    AppointmentStatus.ARRIVED,
    AppointmentStatus.FULFILLED,
)


def as_read(because: str) -> str:
    """A stored reason: one of ours in the reader's language, a person's as it was said."""
    return gettext(because) if because else ""


class Appointment(models.Model):
    """A visit. Pending is a hold: the time is taken, and `awaits` names the step it waits for."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # As in Slot: an index below begins with each of these.
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="appointments", db_index=False)
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="appointments", db_index=False
    )
    practitioner = models.ForeignKey(
        Practitioner, on_delete=models.PROTECT, related_name="appointments", db_index=False
    )
    title = models.CharField(max_length=120, blank=True)
    visit_type = models.ForeignKey(
        VisitType, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    start = models.DateTimeField()
    end = models.DateTimeField()
    status = models.CharField(max_length=10, choices=AppointmentStatus)
    step = models.ForeignKey(
        Step, null=True, blank=True, on_delete=models.SET_NULL, related_name="appointments"
    )
    awaits = models.ForeignKey(Step, null=True, blank=True, on_delete=models.SET_NULL, related_name="holds")
    hold_until = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)  # by the patient
    ended_because = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    request_key = models.CharField(max_length=80, null=True, blank=True)  # noqa: DJ001 - null keeps it out of the unique index

    class Meta:
        constraints = [
            one_of("status", AppointmentStatus, name="appointment_status_is_known"),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="appointment_ends_after_it_starts"),
            models.CheckConstraint(
                condition=~Q(status=AppointmentStatus.PENDING) | Q(hold_until__isnull=False),
                name="held_appointment_has_an_end_of_hold",
            ),
            models.UniqueConstraint(fields=["clinic", "request_key"], name="appointment_request_key_once"),
        ]
        indexes = [
            models.Index(fields=["hold_until"], name="appointment_hold", condition=Q(status="pending")),
            models.Index(fields=["practitioner", "start"], name="appointment_by_day"),
            models.Index(fields=["patient", "start"], name="appointment_by_patient"),
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} {self.start:%F %R}"

    @property
    def ended_words(self) -> str:
        return as_read(self.ended_because)

    @property
    def is_being_booked(self) -> bool:
        """Kept for minutes by somebody who is booking it this moment; the patient knows nothing of it."""
        return self.status == AppointmentStatus.PENDING and (self.request_key or "").startswith(KEPT)


class SlotUse(models.Model):
    """The taking of a cell. One-to-one, so a hold and a booking can never share a cell (house.md 10)."""

    slot = models.OneToOneField(Slot, on_delete=models.PROTECT, related_name="use")
    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="slot_uses")

    def __str__(self) -> str:
        return f"{self.slot_id}: {self.appointment_id}"


class AppointmentEvent(models.Model):
    """What happened to an appointment; appended in the transaction of the change."""

    appointment = models.ForeignKey(Appointment, on_delete=models.CASCADE, related_name="events")
    what = models.CharField(max_length=40)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.appointment_id} {self.what}"


# At the end: these tables point at the ones above, and Django looks for an app's tables here.
from appointments.waiting_models import Offer, Opening, WaitlistEntry  # noqa: E402, F401
