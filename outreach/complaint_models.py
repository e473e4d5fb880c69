"""A complaint: as it came, as we understood it, what we answered and what it changed. Never answered unheard."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from journeys.models import Journey
from patients.models import Clinic, Patient
from patients.models.clinic import one_of


class CameBy(models.TextChoices):
    """How it reached us."""

    PAGE = "page", _("On the patient's own page")
    MESSAGE = "message", _("In a message")
    DESK = "desk", _("Said at the desk")
    CALL = "call", _("Said on the phone")
    VOICE = "voice", _("A voice note, written down")


BY_HAND = (CameBy.DESK, CameBy.CALL, CameBy.VOICE)  # how one comes that a colleague writes down


class Understood(models.TextChoices):
    """Who found that our own words say what was meant."""

    PATIENT = "patient", _("The patient, on the own page")
    TOLD_US = "told_us", _("The patient told us so")
    READER = "reader", _("A second reader")


class Complaint(models.Model):
    """What somebody complains of. Its steps, with their clocks, are those of its journey.

    The order is kept by the database: no answer before it is understood, no end before it is answered (S2.8).
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="complaints", db_index=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="complaints")
    journey = models.OneToOneField(Journey, on_delete=models.PROTECT, related_name="complaint")
    words = models.TextField()  # as they came
    came_by = models.CharField(max_length=8, choices=CameBy)
    came_at = models.DateTimeField()
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    restated = models.TextField(blank=True)  # in our own words
    restated_at = models.DateTimeField(null=True, blank=True)
    restated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    reader = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )  # a colleague who was asked to read both
    understood_at = models.DateTimeField(null=True, blank=True)
    understood_by = models.CharField(max_length=8, choices=Understood, blank=True)

    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    change = models.TextField(blank=True)  # what is different now, or why nothing is
    changed_at = models.DateTimeField(null=True, blank=True)
    is_changed = models.BooleanField(default=False)
    is_published = models.BooleanField(default=False)  # the change, without a word of who complained

    class Meta:
        constraints = [
            one_of("came_by", CameBy, name="complaint_came_by_is_known"),
            models.CheckConstraint(
                condition=Q(understood_by__in=["", *Understood.values]),
                name="complaint_understood_by_is_known",
            ),
            models.CheckConstraint(condition=~Q(words=""), name="complaint_has_its_words"),
            models.CheckConstraint(
                condition=Q(restated="", restated_at__isnull=True)
                | ~Q(restated="") & Q(restated_at__isnull=False),
                name="complaint_is_restated_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(understood_at__isnull=True, understood_by="")
                | ~Q(understood_by="") & Q(restated_at__isnull=False, understood_at__gte=F("restated_at")),
                name="complaint_is_understood_only_when_restated",
            ),
            models.CheckConstraint(
                condition=~Q(reader=F("restated_by")), name="complaint_is_read_by_somebody_else"
            ),
            models.CheckConstraint(
                condition=Q(answer="", answered_at__isnull=True)
                | ~Q(answer="") & Q(understood_at__isnull=False, answered_at__gte=F("understood_at")),
                name="complaint_is_answered_only_when_understood",
            ),
            models.CheckConstraint(
                condition=Q(change="", changed_at__isnull=True, is_changed=False)
                | ~Q(change="") & Q(answered_at__isnull=False, changed_at__gte=F("answered_at")),
                name="complaint_tells_its_change_after_the_answer",
            ),
            models.CheckConstraint(
                condition=Q(is_published=False) | Q(is_changed=True), name="complaint_publishes_only_a_change"
            ),
        ]
        indexes = [
            models.Index(fields=["clinic", "-came_at", "-id"], name="complaint_by_clinic"),
            models.Index(
                fields=["clinic", "-changed_at", "-id"],
                name="complaint_published",
                condition=Q(is_published=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} {self.came_at:%F %R}"

    @property
    def stage(self) -> str:
        """What is to be done next: the key of the step that waits; empty when all is told."""
        ends = (
            ("restate", self.restated_at),
            ("understood", self.understood_at),
            ("answer", self.answered_at),
        )
        waiting = next((key for key, at in ends if at is None), "")
        return waiting or ("" if self.changed_at else "change")
