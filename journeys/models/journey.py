"""One patient's run of a template."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from journeys.models.template import JourneyTemplate
from patients.models import Clinic, Patient
from patients.models.clinic import one_of


class Urgency(models.TextChoices):
    ROUTINE = "routine", _("Routine")
    URGENT = "urgent", _("Urgent")


class JourneyStatus(models.TextChoices):
    UNIDENTIFIED = "unidentified", _("Not identified")
    ACTIVE = "active", _("Active")
    ON_HOLD = "on_hold", _("On hold")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")


class LostBecause(models.TextChoices):
    """Why a journey was given up for good; a guess is no reason (S4.2)."""

    NOT_LOST = "", _("Not lost")
    OWN_WORDS = "own_words", _("The patient said so")
    CAUSES_RULED_OUT = "ruled_out", _("Every way to reach the patient was tried")


OPEN_JOURNEYS = (JourneyStatus.UNIDENTIFIED, JourneyStatus.ACTIVE, JourneyStatus.ON_HOLD)


class Journey(models.Model):
    """One patient's run of a template: why the patient is with us."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="journeys")
    patient = models.ForeignKey(
        Patient, null=True, blank=True, on_delete=models.PROTECT, related_name="journeys"
    )
    template = models.ForeignKey(JourneyTemplate, null=True, blank=True, on_delete=models.PROTECT)
    title = models.CharField(max_length=120, blank=True, help_text=_("For staff, e.g. Tooth 36."))
    urgency = models.CharField(max_length=8, choices=Urgency, default=Urgency.ROUTINE)
    status = models.CharField(max_length=12, choices=JourneyStatus, default=JourneyStatus.ACTIVE)
    doctor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="led_journeys",
    )  # owner of the doctor's steps
    is_confidential = models.BooleanField(
        default=False, db_default=False
    )  # kept from the parents of an adolescent
    link_version = models.PositiveIntegerField(default=1)  # raised to revoke the patient's link
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    lost_because = models.CharField(max_length=12, choices=LostBecause, blank=True)
    lost_words = models.TextField(blank=True)  # what the patient said, as she said it

    class Meta:
        constraints = [
            one_of("status", JourneyStatus, name="journey_status_is_known"),
            one_of("lost_because", LostBecause, name="journey_lost_because_is_known"),
            models.CheckConstraint(
                condition=Q(lost_because="") | Q(status="cancelled"), name="lost_journey_is_cancelled"
            ),
            models.CheckConstraint(
                condition=~Q(lost_because="own_words") | ~Q(lost_words=""),
                name="journey_lost_by_own_words_has_the_words",
            ),
            one_of("urgency", Urgency, name="journey_urgency_is_known"),
            models.CheckConstraint(
                condition=Q(patient__isnull=False) | Q(status__in=["unidentified", "cancelled", "completed"]),
                name="journey_has_a_patient_unless_unidentified",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["completed", "cancelled"], ended_at__isnull=False)
                | (~Q(status__in=["completed", "cancelled"]) & Q(ended_at__isnull=True)),
                name="journey_ended_iff_completed_or_cancelled",
            ),
        ]
        indexes = [
            models.Index(fields=["clinic", "status", "opened_at"], name="journey_by_status"),
            models.Index(
                fields=["clinic", "ended_at"], name="journey_ended", condition=Q(ended_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The title staff gave it, else the template's name; needs `template` loaded."""
        return self.title or (self.template.name if self.template else "")
