"""What somebody did beyond duty: a patient's thanks for whoever was named, or what a colleague saw and wrote down."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from patients.models import Clinic, Patient
from patients.models.clinic import one_of


class PraiseKind(models.TextChoices):
    THANKS = "thanks", _("Thanks of a patient")
    EXTRA = "extra", _("An extra step, seen by a colleague")


class Praise(models.Model):
    """Evidence to thank from, in somebody's words. `to` is empty until it is known who is meant: then all are."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="praise", db_index=False)
    kind = models.CharField(max_length=8, choices=PraiseKind)
    words = models.TextField()
    at = models.DateTimeField()
    named = models.CharField(max_length=120, blank=True)  # whom the patient named, as it was written
    to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="praise"
    )
    patient = models.ForeignKey(
        Patient, null=True, blank=True, on_delete=models.PROTECT, related_name="praise", db_index=False
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )  # the colleague who wrote it down
    seen_at = models.DateTimeField(null=True, blank=True)  # by whom it is for

    class Meta:
        constraints = [
            one_of("kind", PraiseKind, name="praise_kind_is_known"),
            models.CheckConstraint(condition=~Q(words=""), name="praise_has_words"),
            models.CheckConstraint(
                condition=~Q(kind="thanks") | Q(patient__isnull=False), name="thanks_are_a_patients"
            ),
            models.CheckConstraint(
                condition=~Q(kind="extra") | Q(to__isnull=False), name="extra_step_is_somebodys"
            ),
            models.CheckConstraint(
                condition=Q(seen_at__isnull=True) | Q(to__isnull=False, seen_at__gte=F("at")),
                name="praise_is_seen_by_whom_it_is_for",
            ),
            models.CheckConstraint(
                condition=~Q(kind="extra", by=F("to")), name="extra_step_is_seen_by_a_colleague"
            ),
        ]
        indexes = [models.Index(fields=["clinic", "-at", "-id"], name="praise_by_clinic")]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%F %R}"
