"""The reception desk's own rows: who is with which patient, what is set aside, what was saved and can be undone."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from clinic_journey.importing.models import Import, ImportProblem, ImportRow, KnownAs
from clinic_journey.lock.models import Pin
from clinic_journey.reports.digest_models import Digest, DigestSent
from clinic_journey.reports.money_models import VisitValue
from clinic_journey.reports.numbers_models import NumberDay, SilentCount
from clinic_journey.reports.stages_models import (
    Improvement,
    StageSummary,
    SummaryClock,
    WeeklyReport,
)
from clinic_journey.reports.standards_models import Standard, StandardDay
from journeys.models import Step
from patients.models import Clinic, Language, Patient
from patients.models.clinic import one_of

__all__ = [
    "AsideKind",
    "DeskAction",
    "Digest",
    "DigestSent",
    "Handover",
    "Import",
    "ImportProblem",
    "ImportRow",
    "Improvement",
    "KnownAs",
    "Moment",
    "NumberDay",
    "OwnKey",
    "OwnLanguage",
    "Pin",
    "RoutineWords",
    "Serving",
    "SetAside",
    "SilentCount",
    "StageSummary",
    "Standard",
    "StandardDay",
    "SummaryClock",
    "VisitValue",
    "WeeklyReport",
]


class Serving(models.Model):
    """Somebody at the desk is with this patient; nobody else saves meanwhile. Over at `until`, or by a save."""

    patient = models.OneToOneField(Patient, on_delete=models.CASCADE, primary_key=True, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.patient_id} by {self.user_id}"


class AsideKind(models.TextChoices):
    PARKED = "parked", _("Parked")
    SKIPPED = "skipped", _("Skipped")


class SetAside(models.Model):
    """A row one person put off in their own Today: parked until taken back, or skipped for a while."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=AsideKind)
    until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("kind", AsideKind, name="set_aside_kind_is_known"),
            models.UniqueConstraint(fields=["user", "step"], name="set_aside_once_per_person_and_step"),
            models.CheckConstraint(
                condition=Q(kind=AsideKind.SKIPPED, until__isnull=False)
                | Q(kind=AsideKind.PARKED, until__isnull=True),
                name="skipped_row_comes_back_by_itself",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step_id} {self.kind}"


class DeskAction(models.Model):
    """One save in Today, with the rows it changed, so that whoever did it can undo it for a while.

    `request_key` comes from the form: the same save sent twice over a bad line is one save.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="desk_actions", db_index=False
    )
    patient = models.ForeignKey(
        Patient, on_delete=models.CASCADE, related_name="desk_actions", db_index=False
    )
    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="+")
    what = models.CharField(max_length=40)
    at = models.DateTimeField()
    undo_until = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)
    request_key = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001 - null keeps it out of the unique index
    changes = models.JSONField(default=dict)  # kind -> key -> row before and after; read by undo alone

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "request_key"], name="desk_action_request_key_once"),
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True) | Q(undone_at__lte=F("undo_until")),
                name="desk_action_undone_in_time",
            ),
        ]
        indexes = [
            models.Index(fields=["patient", "at"], name="desk_action_by_patient"),
            models.Index(fields=["user", "at"], name="desk_action_by_user"),
        ]

    def __str__(self) -> str:
        return f"{self.what} {self.patient_id} {self.at:%F %R}"


class Handover(models.Model):
    """A shift ends: what whoever comes next has to know. What is open is read when it is looked at, never copied."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="handovers", db_index=False)
    words = models.TextField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    made_at = models.DateTimeField()
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    taken_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(words=""), name="handover_says_something"),
            models.CheckConstraint(
                condition=Q(taken_by__isnull=True, taken_at__isnull=True)
                | Q(taken_by__isnull=False, taken_at__isnull=False, taken_at__gte=F("made_at")),
                name="handover_is_taken_by_somebody_at_a_time",
            ),
            models.CheckConstraint(condition=~Q(taken_by=F("by")), name="handover_is_taken_by_somebody_else"),
        ]
        indexes = [
            models.Index(
                fields=["clinic", "made_at"], name="handover_waiting", condition=Q(taken_at__isnull=True)
            )
        ]

    def __str__(self) -> str:
        return f"{self.by_id} {self.made_at:%F %R}"


class Moment(models.TextChoices):
    """When in the day of a desk something is looked at."""

    OPENING = "opening", _("When we open")
    CLOSING = "closing", _("Before we close")


class RoutineWords(models.Model):
    """What a clinic's manager wants looked at when it opens or closes, besides what is counted anyway."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+", db_index=False)
    moment = models.CharField(max_length=7, choices=Moment)
    words = models.TextField()  # a line for each thing
    written_at = models.DateTimeField()

    class Meta:
        constraints = [
            one_of("moment", Moment, name="routine_words_moment_is_known"),
            models.CheckConstraint(condition=~Q(words=""), name="routine_words_say_something"),
            models.UniqueConstraint(fields=["clinic", "moment"], name="routine_words_once_a_moment"),
        ]

    def __str__(self) -> str:
        return f"{self.moment} of {self.clinic_id}"


class OwnKey(models.Model):
    """A physical key that one user presses in place of one of ours; both are codes, as "KeyC" or "Semicolon"."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    key = models.CharField(max_length=20)
    own = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="own_key_once_a_user"),
            models.UniqueConstraint(fields=["user", "own"], name="own_key_means_one_thing"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.own} for {self.key}"


class OwnLanguage(models.Model):
    """The language that one user has chosen to read the product in, at whatever desk."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    language = models.CharField(max_length=2, choices=Language)

    class Meta:
        constraints = [one_of("language", Language, name="own_language_is_known")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.language}"
