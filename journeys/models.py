"""The engine's tables: templates of journeys, the journeys themselves, and Step, the house's only clock."""

import uuid
from collections.abc import Callable

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import translation
from django.utils.translation import get_language, gettext_lazy as _

from journeys.deadlines import Unit
from patients.models import Clinic, Language, Patient
from patients.models.clinic import one_of

UNITS = [(unit.value, unit.value) for unit in Unit]


Words = Callable[[], str]  # ours, said anew in each language; what a person wrote is a plain str


def in_each_language(words: Words) -> dict[str, str]:
    """What we say ourselves, kept in every language, for each reader has another one."""
    said = {}
    for language in Language.values:
        with translation.override(language):
            said[language] = words()
    return said


def named(names: dict[str, str]) -> str:
    """The name in the reader's language; English where a catalogue has no other."""
    return names.get((get_language() or "en")[:2]) or names.get("en", "")


class TemplateStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    ACTIVE = "active", _("Active")
    RETIRED = "retired", _("Retired")


class JourneyTemplate(models.Model):
    """What should happen. Loaded from journeys/catalogue/*.toml; a changed file makes a new version."""

    key = models.SlugField(max_length=60)
    version = models.PositiveIntegerField(default=1)
    names = models.JSONField(default=dict)  # language -> words for the screen, never queried
    status = models.CharField(max_length=8, choices=TemplateStatus, default=TemplateStatus.ACTIVE)
    follow_up = models.SlugField(max_length=60, blank=True)  # the journey to start when this one ends well
    checksum = models.CharField(max_length=64, editable=False)

    class Meta:
        constraints = [
            one_of("status", TemplateStatus, name="template_status_is_known"),
            models.UniqueConstraint(fields=["key", "version"], name="template_version_once"),
            models.UniqueConstraint(
                fields=["key"], condition=Q(status=TemplateStatus.ACTIVE), name="template_one_active_per_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.version}"

    @property
    def name(self) -> str:
        return named(self.names)


class OwnerRole(models.TextChoices):
    RECEPTIONIST = "receptionist", _("Reception")
    DOCTOR = "doctor", _("Doctor")
    MANAGER = "manager", _("Manager")
    PARTNER = "partner", _("Institute")
    PATIENT = "patient", _("Patient")


class StepKind(models.TextChoices):
    AWAIT_RESULT = "await_result", _("Waiting for a result")
    REVIEW = "review", _("Doctor's review")
    TELL = "tell", _("Tell the patient")
    CONFIRM = "confirm", _("Patient confirms")
    BOOK = "book", _("Book a visit")
    VISIT = "visit", _("Visit")
    AWAIT_PATIENT = "await_patient", _("Waiting for the patient")
    RECALL = "recall", _("Invite")
    REFER = "refer", _("Make a referral")
    IDENTIFY = "identify", _("Find whose document this is")
    PROMISE = "promise", _("Promise")
    CALL = "call", _("Call the patient")
    THANK = "thank", _("Thank the patient")


class ContactWhen(models.TextChoices):
    """When the machine begins to contact the patient about a step."""

    NEVER = "", _("Never")
    AT_ONCE = "at_once", _("As soon as it opens")
    BEFORE_DUE = "before_due", _("Ahead of its deadline")
    AT_DUE = "at_due", _("At its deadline")


class StepTemplate(models.Model):
    template = models.ForeignKey(JourneyTemplate, on_delete=models.CASCADE, related_name="steps")
    key = models.SlugField(max_length=60)
    names = models.JSONField(default=dict)
    patient_names = models.JSONField(default=dict)  # what the patient's page calls it; no clinical words
    kind = models.CharField(max_length=16, choices=StepKind)
    position = models.PositiveSmallIntegerField(default=0)
    is_entry = models.BooleanField(default=False)
    joins_all = models.BooleanField(default=False)  # opens when all its prerequisites ended, not just one
    outcomes = models.JSONField(default=list)  # codes the step may end with
    owner_role = models.CharField(max_length=16, choices=OwnerRole)
    limit_amount = models.PositiveIntegerField()
    limit_unit = models.CharField(max_length=16, choices=UNITS)
    escalates_to = models.CharField(max_length=16, choices=OwnerRole, blank=True)
    contact_when = models.CharField(max_length=12, choices=ContactWhen, blank=True)
    contact_lead_minutes = models.PositiveIntegerField(default=0)  # for before_due
    message_key = models.CharField(max_length=60, blank=True)
    late_message_key = models.CharField(
        max_length=60, blank=True
    )  # the apology, sent before the patient has to ask
    needs_answer = models.BooleanField(default=False)  # a delivered message alone does not end it
    told_outcome = models.CharField(max_length=40, blank=True)  # what a delivered message ends it with
    max_attempts = models.PositiveSmallIntegerField(default=4)

    class Meta:
        constraints = [
            one_of("kind", StepKind, name="step_template_kind_is_known"),
            one_of("owner_role", OwnerRole, name="step_template_owner_is_known"),
            one_of("contact_when", ContactWhen, name="step_template_contact_is_known"),
            models.CheckConstraint(
                condition=Q(limit_unit__in=[unit.value for unit in Unit]), name="step_template_unit_is_known"
            ),
            models.CheckConstraint(
                condition=Q(contact_when="") | ~Q(message_key=""), name="step_template_contact_has_a_message"
            ),
            models.UniqueConstraint(fields=["template", "key"], name="step_template_key_once"),
        ]
        ordering = ["position"]

    def __str__(self) -> str:
        return self.key

    @property
    def name(self) -> str:
        return named(self.names)


class EdgeEffect(models.TextChoices):
    OPENS = "opens", _("opens")
    CLOSES = "closes", _("closes")


class StepEdge(models.Model):
    """When `source` ends (with `outcome`, or any), `target` opens, or is closed as no longer needed."""

    source = models.ForeignKey(StepTemplate, on_delete=models.CASCADE, related_name="out_edges")
    target = models.ForeignKey(StepTemplate, on_delete=models.CASCADE, related_name="in_edges")
    outcome = models.CharField(max_length=40, blank=True)
    effect = models.CharField(max_length=8, choices=EdgeEffect, default=EdgeEffect.OPENS)

    class Meta:
        constraints = [
            one_of("effect", EdgeEffect, name="edge_effect_is_known"),
            models.UniqueConstraint(fields=["source", "target", "outcome", "effect"], name="edge_once"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.effect} {self.target_id}"


class Urgency(models.TextChoices):
    ROUTINE = "routine", _("Routine")
    URGENT = "urgent", _("Urgent")


class JourneyStatus(models.TextChoices):
    UNIDENTIFIED = "unidentified", _("Not identified")
    ACTIVE = "active", _("Active")
    ON_HOLD = "on_hold", _("On hold")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")


class LostBecause(models.TextChoices):
    """Why a journey was given up for good; a guess is no reason (S4.2)."""

    NOT_LOST = "", _("Not lost")
    OWN_WORDS = "own_words", _("The patient said so")
    CAUSES_RULED_OUT = "ruled_out", _("Every way to reach the patient was tried")


OPEN_JOURNEYS = (JourneyStatus.UNIDENTIFIED, JourneyStatus.ACTIVE, JourneyStatus.ON_HOLD)


class Journey(models.Model):
    """One patient's run of a template: why the patient is with us."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="journeys")
    patient = models.ForeignKey(
        Patient, null=True, blank=True, on_delete=models.PROTECT, related_name="journeys"
    )
    template = models.ForeignKey(JourneyTemplate, null=True, blank=True, on_delete=models.PROTECT)
    title = models.CharField(max_length=120, blank=True, help_text=_("For staff, e.g. Tooth 36."))
    urgency = models.CharField(max_length=8, choices=Urgency, default=Urgency.ROUTINE)
    status = models.CharField(max_length=12, choices=JourneyStatus, default=JourneyStatus.ACTIVE)
    doctor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="led_journeys",
    )  # owner of the doctor's steps
    link_version = models.PositiveIntegerField(default=1)  # raised to revoke the patient's link
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    lost_because = models.CharField(max_length=12, choices=LostBecause, blank=True)
    lost_words = models.TextField(blank=True)  # what the patient said, as she said it

    class Meta:
        constraints = [
            one_of("status", JourneyStatus, name="journey_status_is_known"),
            one_of("lost_because", LostBecause, name="journey_lost_because_is_known"),
            models.CheckConstraint(
                condition=Q(lost_because="") | Q(status="cancelled"), name="lost_journey_is_cancelled"
            ),
            models.CheckConstraint(
                condition=~Q(lost_because="own_words") | ~Q(lost_words=""),
                name="journey_lost_by_own_words_has_the_words",
            ),
            one_of("urgency", Urgency, name="journey_urgency_is_known"),
            models.CheckConstraint(
                condition=Q(patient__isnull=False) | Q(status__in=["unidentified", "cancelled", "completed"]),
                name="journey_has_a_patient_unless_unidentified",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["completed", "cancelled"], ended_at__isnull=False)
                | (~Q(status__in=["completed", "cancelled"]) & Q(ended_at__isnull=True)),
                name="journey_ended_iff_completed_or_cancelled",
            ),
        ]
        indexes = [models.Index(fields=["clinic", "status", "opened_at"], name="journey_by_status")]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The title staff gave it, else the template's name; needs `template` loaded."""
        return self.title or (self.template.name if self.template else "")


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
    note = models.TextField(blank=True)
    about = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="promises", db_index=False
    )

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
                condition=Q(stalled_at__isnull=True) | Q(stalled_at__gte=F("due_at")),
                name="step_stalls_only_after_its_deadline",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="declined") | ~Q(note=""),
                name="declined_step_has_the_patients_words",
            ),
            models.UniqueConstraint(
                fields=["journey", "template_step", "round"], name="step_once_per_journey_and_round"
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

    class Meta:
        constraints = [one_of("kind", EventKind, name="step_event_kind_is_known")]
        indexes = [
            models.Index(fields=["step", "at"], name="step_event_by_step"),
            models.Index(fields=["at"], name="step_event_chases", condition=Q(kind=EventKind.CHASED)),
        ]
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.step_id} {self.kind}"
