"""A manager's morning: when she wants it, and that she has had it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from patients.models import Clinic, Language
from patients.models.clinic import one_of

LATEST = 23


class Digest(models.Model):
    """At which hour of the clinic's own day a manager gets her morning by e-mail, and in which language."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="digests", db_index=False
    )
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="digests")
    hour = models.PositiveSmallIntegerField(_("At what hour"), default=8)
    language = models.CharField(_("In which language"), max_length=2, choices=Language)
    is_on = models.BooleanField(_("By e-mail, too"), default=True)

    class Meta:
        constraints = [
            one_of("language", Language, name="digest_language_is_known"),
            models.CheckConstraint(condition=Q(hour__gte=0, hour__lte=LATEST), name="digest_hour_is_0_to_23"),
            models.UniqueConstraint(fields=["user", "clinic"], name="digest_once_per_user_and_clinic"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.clinic_id} {self.hour}:00"


class DigestSent(models.Model):
    """That a day's digest left, or was about to: written before the mail goes, so none goes twice."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+")
    on = models.DateField()  # by the clinic's own calendar
    claimed_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "clinic", "on"], name="digest_sent_once_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.clinic_id} {self.on}"
