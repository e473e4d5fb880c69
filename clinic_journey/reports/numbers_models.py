"""What the numbers are made of, day by day, counted by the clockwork ahead of the page."""

from django.db import models
from django.db.models import Q

from outreach.silence import Cause
from patients.models import Clinic


class NumberDay(models.Model):
    """How often what a number is made of happened on one day, written the night after; a day without a row is counted
    live. A row for each value, as minutes that patients waited; a day on which nothing happened has one of zeros.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.SlugField(max_length=10, db_index=False)  # a name in numbers_days.EVENTS
    on = models.DateField()  # by the clinic's own calendar
    value = models.PositiveIntegerField(default=0)
    counted = models.PositiveIntegerField(default=0)
    part = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["clinic", "key", "on", "value"], name="number_day_counts_a_value_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.on}"


class SilentCount(models.Model):
    """How many patients were silent, for one cause, when the clockwork counted all of them; a row for each cause."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+", db_index=False)
    cause = models.CharField(max_length=20, blank=True)  # a name in outreach.silence.Cause; empty: none yet
    people = models.PositiveIntegerField()
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "cause"], name="silent_count_counts_a_cause_once"),
            models.CheckConstraint(
                condition=Q(cause="") | Q(cause__in=[each.value for each in Cause]),
                name="silent_count_cause_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cause}: {self.people}"
