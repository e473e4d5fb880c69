"""A contact of a person with a person that nothing asked for: no reminder, no step, nothing to sell (S2.12, S2.13)."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from patients.models import Clinic, Patient


class ContactEnd(models.TextChoices):
    SPOKEN = "spoken", _("We have spoken")
    NOT_REACHED = "not_reached", _("Nobody answered")
    NOT_NOW = "not_now", _("Better not, because…")


class CameOfAge(models.Model):
    """She was asked, once, how to reach her now that her parents are told nothing more."""

    patient = models.OneToOneField(Patient, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.patient_id} {self.at:%F}"


class PersonalContact(models.Model):
    """Somebody called for no reason but to ask how she is, or decided not to. Then she is left in peace for a while."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+", db_index=False)
    patient = models.ForeignKey(
        Patient, on_delete=models.CASCADE, related_name="personal_contacts", db_index=False
    )
    at = models.DateTimeField()  # when it was noted
    called_at = models.DateTimeField(null=True, blank=True)  # when the number was dialled; empty: nobody rang
    because = models.CharField(
        max_length=200, blank=True, default="", db_default=""
    )  # why at an hour, or in a way, that she did not ask for
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    ended = models.CharField(max_length=12, choices=ContactEnd, blank=True)  # empty: has rung, not noted yet
    words = models.CharField(max_length=300, blank=True)  # what was said, or why not

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ended__in=ContactEnd.values) | Q(ended="", called_at__isnull=False),
                name="personal_contact_end_is_known",
            ),
            models.CheckConstraint(
                condition=Q(ended__in=["", ContactEnd.NOT_REACHED]) | ~Q(words=""),
                name="personal_contact_says_what_was_said",
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "-at"], name="personal_contact_of_patient"),
            models.Index(fields=["clinic", "at"], name="personal_contact_of_clinic"),
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} {self.ended} {self.at:%F %R}"
