"""Who waits for a time, the freed times that are offered, and each offer with its answer (surfaces.md 4.4)."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from journeys.models import Journey, Step, Urgency
from patients.models import Clinic, Patient
from patients.models.clinic import one_of


class WaitStatus(models.TextChoices):
    WAITING = "waiting", _("Waiting")
    OFFERED = "offered", _("Has an offer")
    PLACED = "placed", _("Got a time")
    WITHDRAWN = "withdrawn", _("Left the list")
    EXPIRED = "expired", _("Waited too long")


LIVE_ENTRIES = (WaitStatus.WAITING, WaitStatus.OFFERED)
LIVE = Q(status__in=["waiting", "offered"])


class WaitlistEntry(models.Model):
    """A patient who wants a time: sooner than the visit she has, or any, as a step to book one asks.

    It is never her only clock: the visit or the booking step beside it keeps its own deadline.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(
        Clinic, on_delete=models.PROTECT, related_name="waiting_entries", db_index=False
    )
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="waiting_entries")
    journey = models.ForeignKey(Journey, on_delete=models.CASCADE, related_name="waiting_entries")
    appointment = models.ForeignKey(
        "appointments.Appointment",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="waiting_entries",
    )  # the visit she keeps until she gets a sooner one; after that, the one she got
    step = models.ForeignKey(
        Step, null=True, blank=True, on_delete=models.CASCADE, related_name="waiting_entries"
    )  # what asks for a visit, where she has none
    practitioner = models.ForeignKey(
        "appointments.Practitioner", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )  # empty: any
    minutes = models.PositiveSmallIntegerField()
    visit_type = models.ForeignKey(
        "appointments.VisitType",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )  # empty: nobody said
    earliest_on = models.DateField(null=True, blank=True)
    latest_on = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=WaitStatus, default=WaitStatus.WAITING)
    since_at = models.DateTimeField()  # her place: whoever waits longer is asked first
    ended_at = models.DateTimeField(null=True, blank=True)
    wants_no_more = models.BooleanField(default=False)  # nothing sooner for this visit, in her own words
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)

    class Meta:
        constraints = [
            one_of("status", WaitStatus, name="waiting_entry_status_is_known"),
            models.UniqueConstraint(
                fields=["appointment"], condition=LIVE, name="waiting_entry_one_per_appointment"
            ),
            models.UniqueConstraint(fields=["step"], condition=LIVE, name="waiting_entry_one_per_step"),
            models.CheckConstraint(
                condition=~LIVE | Q(appointment__isnull=False) | Q(step__isnull=False),
                name="waiting_entry_has_a_visit_or_a_step",
            ),
            models.CheckConstraint(
                condition=(LIVE & Q(ended_at__isnull=True)) | (~LIVE & Q(ended_at__isnull=False)),
                name="waiting_entry_ended_iff_not_waiting",
            ),
            models.CheckConstraint(
                condition=Q(earliest_on__isnull=True)
                | Q(latest_on__isnull=True)
                | Q(earliest_on__lte=F("latest_on")),
                name="waiting_entry_earliest_before_latest",
            ),
            models.CheckConstraint(condition=Q(minutes__gt=0), name="waiting_entry_has_a_length"),
            models.CheckConstraint(
                condition=Q(wants_no_more=False) | Q(status="withdrawn"),
                name="who_wants_no_more_is_not_on_the_list",
            ),
        ]
        indexes = [models.Index(fields=["clinic", "since_at"], name="waiting_entry_live", condition=LIVE)]

    def __str__(self) -> str:
        return f"{self.patient_id} since {self.since_at:%F %R}"

    @property
    def is_live(self) -> bool:
        return self.status in LIVE_ENTRIES

    @property
    def is_urgent(self) -> bool:
        """Needs `journey` loaded."""
        return self.journey.urgency == Urgency.URGENT


class OpeningStatus(models.TextChoices):
    OPEN = "open", _("Being offered")
    TAKEN = "taken", _("Taken by an offer")
    GONE = "gone", _("Booked otherwise")
    EXPIRED = "expired", _("Too near to offer")


class Opening(models.Model):
    """A stretch of time that became free. Written in the transaction that freed it, offered by the next tick."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="openings", db_index=False)
    practitioner = models.ForeignKey(
        "appointments.Practitioner", on_delete=models.CASCADE, related_name="openings", db_index=False
    )
    start = models.DateTimeField()
    end = models.DateTimeField()
    status = models.CharField(max_length=10, choices=OpeningStatus, default=OpeningStatus.OPEN)
    wave = models.PositiveSmallIntegerField(default=0)
    wave_from = models.DateTimeField(null=True, blank=True)  # an alarm: when to look for the next to ask
    visit_type = models.ForeignKey(
        "appointments.VisitType",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )  # of the visit that was there; empty: for any
    freed_at = models.DateTimeField()
    by_hand = models.BooleanField(default=False)  # the desk chose to offer this time

    class Meta:
        constraints = [
            one_of("status", OpeningStatus, name="opening_status_is_known"),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="opening_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(status="open", wave_from__isnull=False)
                | (~Q(status="open") & Q(wave_from__isnull=True)),
                name="opening_has_a_next_wave_iff_open",
            ),
            models.UniqueConstraint(
                fields=["practitioner", "start"],
                condition=Q(status="open"),
                name="opening_one_open_per_practitioner_and_start",
            ),
        ]
        indexes = [
            models.Index(fields=["wave_from"], name="opening_wave", condition=Q(status="open")),
            models.Index(fields=["clinic", "start"], name="opening_by_clinic"),
        ]

    def __str__(self) -> str:
        return f"{self.practitioner_id} {self.start:%F %R}"


class OfferStatus(models.TextChoices):
    OPEN = "open", _("No answer yet")
    ACCEPTED = "accepted", pgettext_lazy("answer to an offer", "Yes")
    DECLINED = "declined", pgettext_lazy("answer to an offer", "No")
    TAKEN = "taken", _("Somebody was first")
    EXPIRED = "expired", _("No answer in time")
    SKIPPED = "skipped", _("Could not be told in time")
    WITHDRAWN = "withdrawn", _("Not wanted any more")


class Offer(models.Model):
    """One freed time offered to one who waits. Its step is the clock, and what outreach tells the patient about."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    opening = models.ForeignKey(Opening, on_delete=models.CASCADE, related_name="offers", db_index=False)
    entry = models.ForeignKey(WaitlistEntry, on_delete=models.CASCADE, related_name="offers")
    step = models.OneToOneField(Step, on_delete=models.CASCADE, related_name="offer")
    start = models.DateTimeField()
    end = models.DateTimeField()
    wave = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=10, choices=OfferStatus, default=OfferStatus.OPEN)
    made_at = models.DateTimeField()
    answer_by = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    is_settled = models.BooleanField(default=False)  # its step has ended too

    class Meta:
        constraints = [
            one_of("status", OfferStatus, name="offer_status_is_known"),
            models.UniqueConstraint(fields=["opening", "entry"], name="offer_once_per_opening_and_entry"),
            models.UniqueConstraint(
                fields=["entry"], condition=Q(status="open"), name="offer_one_open_per_entry"
            ),
            models.UniqueConstraint(
                fields=["opening"], condition=Q(status="accepted"), name="offer_one_yes_per_opening"
            ),
            models.CheckConstraint(condition=Q(end__gt=F("start")), name="offer_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(status="open", ended_at__isnull=True)
                | (~Q(status="open") & Q(ended_at__isnull=False)),
                name="offer_ended_iff_not_open",
            ),
        ]
        indexes = [
            models.Index(fields=["made_at"], name="offer_unsettled", condition=Q(is_settled=False)),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id} {self.start:%F %R}"
