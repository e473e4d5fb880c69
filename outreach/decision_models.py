"""What was decided about a contact, and by which rule: one row at the moment of the decision, never changed."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from journeys.models import Step
from patients.models import Channel
from patients.models.clinic import one_of


class DecisionKind(models.TextChoices):
    PLANNED = "planned", _("Planned")
    STOPPED = "stopped", _("Not sent")
    PUT_OFF = "put_off", _("Put off")
    HANDED_OVER = "handed_over", _("Handed to a person")


SAYS_WHY = ("stopped", "put_off", "handed_over")


class Decision(models.Model):
    """`rules`: codes of because.py, of planning.Why or of followup.HandOver; `passed`: the ways not taken.

    What became of an attempt is on the attempt, how a task ended on the task: neither is repeated here.
    """

    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="decisions", db_index=False)
    attempt = models.ForeignKey(
        "outreach.Attempt",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="decisions",
        db_index=False,
    )
    kind = models.CharField(max_length=12, choices=DecisionKind)
    at = models.DateTimeField()
    channel = models.CharField(max_length=10, blank=True)
    rules = models.CharField(max_length=200, blank=True)
    passed = models.TextField(blank=True)  # "sms:12:gate email:7:channel_off": channel, address, rule
    until = models.DateTimeField(null=True, blank=True)  # when it is to be, or is looked at again

    class Meta:
        constraints = [
            one_of("kind", DecisionKind, name="decision_kind_is_known"),
            models.CheckConstraint(
                condition=Q(channel__in=["", *Channel.values]), name="decision_channel_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=SAYS_WHY) | ~Q(rules=""), name="decision_against_a_contact_says_why"
            ),
        ]
        indexes = [
            models.Index(fields=["step", "at"], name="decision_by_step"),
            models.Index(fields=["attempt"], name="decision_by_attempt", condition=Q(attempt__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.step_id} {self.kind}: {self.rules}"
