"""The PIN of a member of staff."""

from django.conf import settings
from django.db import models
from django.db.models import Q

TRIES = 5


class Pin(models.Model):
    """Opens a locked screen where its owner has logged in by password before. Without one the password does.

    `failed` counts tries since the last success, in any browser: at `TRIES` only a login helps.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    hash = models.CharField(max_length=128, blank=True)
    failed = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(failed__lte=TRIES), name="pin_failed_at_most_five")]

    def __str__(self) -> str:
        return str(self.user_id)
