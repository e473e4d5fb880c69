"""How often somebody who holds the patient's link could not say who she is."""

from django.db import models
from django.db.models import Q

from patients.models.patient import Patient

TRIES = 5


class IdentityTries(models.Model):
    """Wrong answers since the last right one, in any browser and through any of the patient's links.

    At `TRIES` no answer counts until a day has passed since the first of them.
    """

    patient = models.OneToOneField(Patient, on_delete=models.CASCADE, primary_key=True, related_name="+")
    failed = models.PositiveSmallIntegerField(default=0)
    first_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(failed__lte=TRIES), name="identity_tries_at_most_five"),
            models.CheckConstraint(
                condition=Q(failed=0, first_at__isnull=True) | Q(failed__gt=0, first_at__isnull=False),
                name="identity_tries_say_since_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient_id}: {self.failed}"
