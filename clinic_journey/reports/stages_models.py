"""What the clockwork counts ahead of the reports, so that they open as fast after years as after a month."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from patients.models import Clinic
from patients.models.clinic import one_of


class Dimension(models.TextChoices):
    """By what the same numbers are told apart, one at a time."""

    ALL = "", _("Everybody")
    DOCTOR = "doctor", _("Doctor")
    LANGUAGE = "language", _("Language")
    CHANNEL = "channel", _("Channel")


class StageSummary(models.Model):
    """How many passed one edge of a journey, or left on it, in one week after waiting so many working hours.

    `source` empty is the journey's beginning; `target` empty is its end, so that the row tells of whole journeys.
    `source` "=" tells how long it took from the beginning until she was told or treated (milestones.py).
    With the wait as part of the key, median and p90 of any weeks together are those of the steps themselves.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+", db_index=False)
    template_key = models.SlugField(max_length=60, db_index=False)
    week = models.DateField()  # its Monday, by the clinic's clock
    source = models.CharField(max_length=60, blank=True)
    target = models.CharField(max_length=60, blank=True)
    dimension = models.CharField(max_length=8, choices=Dimension, blank=True)
    value = models.CharField(max_length=20, blank=True)
    hours = models.PositiveIntegerField()
    passed = models.PositiveIntegerField(default=0)
    lost = models.PositiveIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)
    contacted = models.PositiveIntegerField(default=0)  # passages with at least one try
    chases = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            one_of("dimension", Dimension, name="stage_summary_dimension_is_known"),
            models.UniqueConstraint(
                fields=["clinic", "template_key", "dimension", "value", "week", "source", "target", "hours"],
                name="stage_summary_counts_a_stage_once",
            ),
            models.CheckConstraint(
                condition=Q(dimension="", value="") | (~Q(dimension="") & ~Q(value="")),
                name="stage_summary_of_a_dimension_has_its_value",
            ),
            models.CheckConstraint(
                condition=Q(passed__gt=0) | Q(lost__gt=0), name="stage_summary_counts_somebody"
            ),
            models.CheckConstraint(
                condition=Q(tries__gte=F("contacted")) & Q(contacted__lte=F("passed") + F("lost")),
                name="stage_summary_tries_belong_to_the_contacted",
            ),
        ]
        indexes = [models.Index(fields=["clinic", "week"], name="stage_summary_of_a_week")]

    def __str__(self) -> str:
        return f"{self.template_key} {self.week} {self.source}>{self.target} {self.value}"


class SummaryClock(models.Model):
    """Up to when a clinic's weeks are counted; the report says so, and the tick goes on from there."""

    clinic = models.OneToOneField(Clinic, on_delete=models.CASCADE, primary_key=True, related_name="+")
    counted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.clinic_id} {self.counted_at:%F %R}"


class Improvement(models.Model):
    """What somebody undertook to do about a gap, and since when; the report tells what came of it (S1.15)."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="improvements", db_index=False)
    template_key = models.SlugField(max_length=60, db_index=False)
    step_key = models.SlugField(max_length=60, db_index=False)
    words = models.CharField(max_length=200)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    begun_on = models.DateField()
    ended_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(words=""), name="improvement_says_what_is_done"),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("begun_on")),
                name="improvement_ends_after_it_began",
            ),
            models.UniqueConstraint(
                fields=["clinic", "template_key", "step_key", "words", "begun_on"],
                name="improvement_is_noted_once",
            ),
        ]

    def __str__(self) -> str:
        return self.words


class WeeklyReport(models.Model):
    """The report of one week to one person: the row is written before it is sent, so it is sent at most once."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    week = models.DateField()  # the Monday of the week it tells of
    begun_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["clinic", "user", "week"], name="weekly_report_once_a_week"),
            models.CheckConstraint(
                condition=Q(sent_at__isnull=True) | Q(error=""), name="weekly_report_sent_or_failed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.week} to {self.user_id}"
