"""Step, the house's only clock, and what has happened to each."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from journeys.models.journey import Journey
from journeys.models.template import OwnerRole, StepKind, StepTemplate
from journeys.models.words import named
from patients.models import Clinic
from patients.models.clinic import one_of


class StepStatus(models.TextChoices):
    PLANNED = "planned", _("Planned")
    ACTIVE = "active", _("Active")
    ON_HOLD = "on_hold", _("On hold")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")


STEP_MOVES: dict[str, frozenset[str]] = {
    StepStatus.PLANNED: frozenset({StepStatus.ACTIVE, StepStatus.CANCELLED}),
    StepStatus.ACTIVE: frozenset({StepStatus.COMPLETED, StepStatus.ON_HOLD, StepStatus.CANCELLED}),
    StepStatus.ON_HOLD: frozenset({StepStatus.ACTIVE, StepStatus.CANCELLED}),
    StepStatus.COMPLETED: frozenset(),
    StepStatus.CANCELLED: frozenset(),
}


class Step(models.Model):
    """One obligation with an owner and a deadline. Everything that can be late is a row here (house.md 4)."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # Each index on this table is written again by every claim: those that another one covers are left out.
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+", db_index=False)
    journey = models.ForeignKey(Journey, on_delete=models.CASCADE, related_name="steps", db_index=False)
    template_step = models.ForeignKey(
        StepTemplate, null=True, blank=True, on_delete=models.PROTECT, db_index=False
    )
    round = models.PositiveSmallIntegerField(default=1)  # a corrected result reopens a review as round 2
    kind = models.CharField(max_length=16, choices=StepKind)
    title = models.CharField(
        max_length=200, blank=True
    )  # for steps outside a template, e.g. a promise's words
    names = models.JSONField(default=dict, blank=True)  # the title in each language, where it is ours
    status = models.CharField(max_length=10, choices=StepStatus)
    owner_role = models.CharField(max_length=16, choices=OwnerRole, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="owned_steps",
        db_index=False,
    )
    passed_on_from = models.CharField(
        max_length=16, choices=OwnerRole, blank=True, default="", db_default=""
    )  # whose it was when it became late and went to another role
    opened_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    contact_from = models.DateTimeField(
        null=True, blank=True
    )  # a consumed alarm: cleared by the tick that takes it
    message_key = models.CharField(max_length=60, blank=True)  # what the next contact is about
    stalled_at = models.DateTimeField(null=True, blank=True)
    completed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=40, blank=True)
    ends_with = models.CharField(
        max_length=40, blank=True, default="", db_default=""
    )  # the one outcome that ends it, as where an address is to be checked or a channel mended; empty: any that fits
    note = models.TextField(blank=True)
    about = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="promises", db_index=False
    )
    # Set: what `about` told one of two parents who live apart is told once more, to the one whose addresses are marked
    # as the other parent's (true) or to the one whose are not (false).
    other_parent = models.BooleanField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("status", StepStatus, name="step_status_is_known"),
            one_of("kind", StepKind, name="step_kind_is_known"),
            models.CheckConstraint(
                condition=Q(owner_role__in=["", *OwnerRole.values]), name="step_owner_role_is_known"
            ),
            models.CheckConstraint(
                condition=Q(passed_on_from__in=["", *OwnerRole.values]), name="step_passed_on_from_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(status=StepStatus.ACTIVE) | (Q(due_at__isnull=False) & ~Q(owner_role="")),
                name="active_step_has_a_deadline_and_an_owner",
            ),
            models.CheckConstraint(
                condition=(Q(status=StepStatus.COMPLETED, completed_at__isnull=False) & ~Q(outcome=""))
                | (~Q(status=StepStatus.COMPLETED) & Q(completed_at__isnull=True, outcome="")),
                name="step_completed_iff_it_has_an_outcome",
            ),
            models.CheckConstraint(
                condition=~Q(status=StepStatus.COMPLETED) | Q(ends_with="") | Q(ends_with=F("outcome")),
                name="step_ends_with_its_own_outcome",
            ),
            models.CheckConstraint(
                condition=Q(stalled_at__isnull=True) | Q(stalled_at__gte=F("due_at")),
                name="step_stalls_only_after_its_deadline",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="declined") | ~Q(note=""),
                name="declined_step_has_the_patients_words",
            ),
            models.CheckConstraint(
                condition=Q(other_parent__isnull=True)
                | (Q(kind=StepKind.TELL, about__isnull=False) & ~Q(message_key="")),
                name="step_tells_the_other_parent_of_another_step",
            ),
            models.UniqueConstraint(
                fields=["journey", "template_step", "round"], name="step_once_per_journey_and_round"
            ),
            models.UniqueConstraint(
                fields=["clinic", "ends_with"],
                condition=Q(kind=StepKind.MEND, status=StepStatus.ACTIVE) & ~Q(ends_with=""),
                name="step_once_while_the_same_is_to_mend",
            ),
        ]
        indexes = [
            models.Index(fields=["about"], name="step_promises", condition=Q(about__isnull=False)),
            models.Index(fields=["clinic", "due_at"], name="step_ledger", condition=Q(kind=StepKind.PROMISE)),
            models.Index(
                fields=["due_at"],
                name="step_due",
                condition=Q(status=StepStatus.ACTIVE, stalled_at__isnull=True),
            ),
            models.Index(
                fields=["contact_from"], name="step_contact", condition=Q(contact_from__isnull=False)
            ),
            models.Index(
                fields=["clinic", "owner_role", "due_at"],
                name="step_worklist",
                condition=Q(status=StepStatus.ACTIVE),
            ),
            models.Index(
                fields=["clinic", "due_at"],
                name="step_review",
                condition=Q(kind=StepKind.REVIEW, status=StepStatus.ACTIVE),
            ),
            # Of these the standards of a clinic ask, for the days that are not counted yet.
            models.Index(
                fields=["clinic", "kind", "opened_at"],
                name="step_measured",
                condition=Q(kind__in=[StepKind.REVIEW, StepKind.TELL, StepKind.THANK]),
            ),
            # What a person answers: few are open at a time, so the lists of messages walk these two.
            models.Index(
                fields=["clinic", "due_at", "id"],
                name="step_calls_open",
                condition=Q(kind=StepKind.CALL, status=StepStatus.ACTIVE),
            ),
            models.Index(
                fields=["clinic", "-completed_at", "-id"],
                name="step_calls_ended",
                condition=Q(kind=StepKind.CALL, status=StepStatus.COMPLETED),
            ),
            # The reports count a week by what ended in it, however many years there are.
            models.Index(
                fields=["clinic", "completed_at"],
                name="step_ended",
                condition=Q(completed_at__isnull=False, template_step__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        return self.template_step.key if self.template_step else self.kind

    @property
    def name(self) -> str:
        """Words for staff; needs `template_step` loaded."""
        if self.template_step:
            return self.template_step.name
        return named(self.names) or self.title or str(StepKind(self.kind).label)

    @property
    def is_told_again(self) -> bool:
        """As TOLD_AGAIN, of one that was read."""
        return self.other_parent is not None


TOLD_AGAIN = Q(other_parent__isnull=False)


class EventKind(models.TextChoices):
    OPENED = "opened", _("opened")
    COMPLETED = "completed", _("completed")
    CANCELLED = "cancelled", _("cancelled")
    HELD = "held", _("put on hold")
    RESUMED = "resumed", _("resumed")
    STALLED = "stalled", _("is late")
    ESCALATED = "escalated", _("passed on")
    REASSIGNED = "reassigned", _("reassigned")
    SNOOZED = "snoozed", _("postponed")
    CHASED = "chased", _("the patient had to ask")
    PROMISED = "promised", _("promised")
    DEADLINE_MOVED = "deadline_moved", _("deadline moved")
    CONTACTED = "contacted", _("contacted")
    NOTED = "noted", _("noted")


class StepEvent(models.Model):
    """What happened to a step: append-only, in the same transaction as the change itself."""

    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="events", db_index=False)
    kind = models.CharField(max_length=16, choices=EventKind)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, db_index=False
    )
    detail = models.CharField(max_length=300, blank=True)
    # The step's, with a chase alone: the ledger of one clinic is read without those of the others.
    clinic = models.ForeignKey(Clinic, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        constraints = [
            one_of("kind", EventKind, name="step_event_kind_is_known"),
            models.CheckConstraint(
                condition=Q(kind=EventKind.CHASED, clinic__isnull=False)
                | (~Q(kind=EventKind.CHASED) & Q(clinic__isnull=True)),
                name="step_event_chase_has_a_clinic",
            ),
        ]
        indexes = [
            models.Index(fields=["step", "at"], name="step_event_by_step"),
            models.Index(
                fields=["clinic", "at", "id"], name="step_event_ledger", condition=Q(kind=EventKind.CHASED)
            ),
        ]
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.step_id} {self.kind}"
