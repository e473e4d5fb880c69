"""What should happen: the templates of journeys, their steps and the edges between them."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from journeys.deadlines import Unit
from journeys.models.words import named
from patients.models.clinic import one_of

UNITS = [(unit.value, unit.value) for unit in Unit]


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
    MEND = "mend", _("Mend what does not work")
    COMPLAINT = "complaint", _("Hear a complaint")


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
