"""Why and how a patient is contacted. An Attempt is one contact and, at the same time, the outbox row."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from journeys.models import Step
from outreach.silence import ENOUGH
from patients.models import (
    Channel,
    Clinic,
    ContactPoint,
    Gender,
    Language,
    Patient,
    PatientContact,
    Purpose,
)
from patients.models.clinic import one_of


class MessageTemplate(models.Model):
    """The words of one message in one language; `channel` empty serves every channel without its own.

    `clinic` empty is what we ship; a clinic's own words stand before it. `variant` is the grammatical form of the
    reader; the empty one is neutral and serves everybody.
    """

    clinic = models.ForeignKey(
        Clinic, null=True, blank=True, on_delete=models.CASCADE, related_name="own_words", db_index=False
    )
    key = models.CharField(max_length=60)
    channel = models.CharField(max_length=10, blank=True)
    language = models.CharField(max_length=2, choices=Language)
    variant = models.CharField(max_length=1, choices=Gender, blank=True, default=Gender.UNKNOWN)
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.SERVICE)
    subject = models.CharField(max_length=120, blank=True)  # e-mail only
    body = models.TextField()
    approved_as = models.CharField(
        max_length=120,
        blank=True,
        help_text=_("The name of the same words with the provider who approved them."),
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=["", *Channel.values]), name="message_channel_is_known"
            ),
            one_of("language", Language, name="message_language_is_known"),
            one_of("purpose", Purpose, name="message_purpose_is_known"),
            one_of("variant", Gender, name="message_variant_is_known"),
            models.UniqueConstraint(
                fields=["key", "channel", "language", "variant"],
                condition=Q(clinic__isnull=True),
                name="message_shipped_once",
            ),
            models.UniqueConstraint(
                fields=["clinic", "key", "channel", "language", "variant"], name="message_once_per_clinic"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.language} {self.channel}"


NUMBER_TEST = "number_test"  # the message that proves a number while the patient stands at the desk
ANSWER = (
    "answer"  # a person's own words to a patient who wrote to us; they stand in the attempt from the start
)
NOT_ME = "not_me"  # the meaning of a reply of somebody else, who got what was meant for her
STOPPED = "stopped"  # the one message after STOP: that there will be no more, and how to undo it
NEW_LINK = "new_link"  # asked for on a page whose link has ended
# She waits for it now: her own hours do not hold, and it is no contact of ours that would fill her days.
WAITED_FOR = frozenset({NUMBER_TEST, ANSWER, STOPPED, NEW_LINK})
ALREADY_WORDED = frozenset({ANSWER, STOPPED})  # their attempts hold the words from the start
OVER_WITH_THE_TRY = frozenset(
    {NUMBER_TEST, STOPPED, NEW_LINK}
)  # not tried again, and nobody's step when they fail


class TaskStatus(models.TextChoices):
    OPEN = "open", _("Open")
    DONE = "done", _("Done")
    GIVEN_UP = "given_up", _("Given up")
    CANCELLED = "cancelled", _("Cancelled")


GAVE_UP = (
    "attempts_used",
    "no_address",
)  # outcomes of a task in which the machine stopped for want of an answer
SILENT = Q(status=TaskStatus.OPEN, unanswered__gte=ENOUGH) | Q(
    status=TaskStatus.GIVEN_UP, outcome__in=GAVE_UP
)


class OutreachTask(models.Model):
    """Why we contact somebody, until when, and how often at most (FHIR CommunicationRequest)."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(
        Clinic, on_delete=models.PROTECT, related_name="outreach_tasks", db_index=False
    )
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="outreach_tasks", db_index=False
    )
    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="outreach_tasks")
    message_key = models.CharField(max_length=60)
    purpose = models.CharField(max_length=10, choices=Purpose, default=Purpose.SERVICE)
    status = models.CharField(max_length=10, choices=TaskStatus, default=TaskStatus.OPEN)
    opened_at = models.DateTimeField()
    plan_from = models.DateTimeField(null=True, blank=True)  # a consumed alarm: when to plan the next attempt
    deadline_at = models.DateTimeField()
    max_attempts = models.PositiveSmallIntegerField(default=4)
    unanswered = models.PositiveSmallIntegerField(default=0, db_default=0)  # see outreach/unanswered.py
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            one_of("status", TaskStatus, name="outreach_task_status_is_known"),
            one_of("purpose", Purpose, name="outreach_task_purpose_is_known"),
            models.UniqueConstraint(
                fields=["step"], condition=Q(status=TaskStatus.OPEN), name="outreach_task_one_open_per_step"
            ),
            models.CheckConstraint(
                condition=Q(status=TaskStatus.OPEN, ended_at__isnull=True)
                | (~Q(status=TaskStatus.OPEN) & Q(ended_at__isnull=False)),
                name="outreach_task_ended_iff_not_open",
            ),
        ]
        indexes = [
            models.Index(
                fields=["plan_from", "id"],
                name="outreach_task_plan_in_turn",
                condition=Q(status="open", plan_from__isnull=False),
            ),
            models.Index(fields=["patient", "opened_at"], name="outreach_task_by_patient"),
            models.Index(
                fields=["clinic", "deadline_at", "id"], name="outreach_task_silent", condition=SILENT
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message_key} for {self.patient_id}"


class AttemptStatus(models.TextChoices):
    PLANNED = "planned", _("Planned")
    SENDING = "sending", _("Under way")
    SENT = "sent", _("Sent")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Not known whether it arrived")
    CANCELLED = "cancelled", _("Cancelled")


ATTEMPT_MOVES: dict[str, frozenset[str]] = {
    AttemptStatus.PLANNED: frozenset({AttemptStatus.SENDING, AttemptStatus.CANCELLED}),
    AttemptStatus.SENDING: frozenset(
        {
            AttemptStatus.PLANNED,
            AttemptStatus.SENT,
            AttemptStatus.FAILED,
            AttemptStatus.UNKNOWN,
            AttemptStatus.CANCELLED,
        }
    ),
    AttemptStatus.SENT: frozenset({AttemptStatus.DELIVERED, AttemptStatus.FAILED}),
    AttemptStatus.UNKNOWN: frozenset({AttemptStatus.SENT, AttemptStatus.DELIVERED, AttemptStatus.FAILED}),
    AttemptStatus.DELIVERED: frozenset(),
    AttemptStatus.FAILED: frozenset(),
    AttemptStatus.CANCELLED: frozenset(),
}


class Attempt(models.Model):
    """One contact on one channel at one time. Its `reference` is what the provider gets as our own id."""

    reference = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    task = models.ForeignKey(OutreachTask, on_delete=models.CASCADE, related_name="attempts")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+", db_index=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="attempts", db_index=False)
    contact_point = models.ForeignKey(ContactPoint, on_delete=models.PROTECT, related_name="attempts")
    channel = models.CharField(max_length=10, choices=Channel)
    status = models.CharField(max_length=10, choices=AttemptStatus, default=AttemptStatus.PLANNED)
    send_at = models.DateTimeField()
    expires_at = models.DateTimeField()  # after this it is planned anew, never sent late
    why = models.CharField(max_length=300, blank=True)  # the decision trace: why now, why this channel
    lease_until = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(
        null=True, blank=True
    )  # fencing: only the holder of this value may write the outcome
    claimed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    called_at = models.DateTimeField(
        null=True, blank=True
    )  # committed right before the channel is called: from here on nobody knows, so nobody repeats blindly
    sent_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=40, blank=True)
    provider_reference = models.CharField(max_length=120, blank=True)
    language = models.CharField(max_length=2, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            one_of("status", AttemptStatus, name="attempt_status_is_known"),
            one_of("channel", Channel, name="attempt_channel_is_known"),
            models.UniqueConstraint(
                fields=["task"],
                condition=Q(status__in=["planned", "sending"]),
                name="attempt_one_unfinished_per_task",
            ),
            models.UniqueConstraint(
                fields=["patient"], condition=Q(status="sending"), name="attempt_one_under_way_per_patient"
            ),
            models.UniqueConstraint(
                fields=["contact_point"],
                condition=Q(status="sending"),
                name="attempt_one_under_way_per_address",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["sent", "delivered"]) | Q(sent_at__isnull=False),
                name="sent_attempt_says_when",
            ),
            models.CheckConstraint(
                condition=Q(status="sending", lease__isnull=False, lease_until__isnull=False)
                | (~Q(status="sending") & Q(lease__isnull=True, lease_until__isnull=True)),
                name="attempt_under_way_iff_leased",
            ),
        ]
        indexes = [
            models.Index(
                fields=["channel", "send_at", "id"],
                name="attempt_send_in_turn",
                condition=Q(status="planned"),
            ),
            models.Index(fields=["lease_until"], name="attempt_leased", condition=Q(status="sending")),
            models.Index(fields=["patient", "send_at"], name="attempt_by_patient"),
            models.Index(
                fields=["clinic", "called_at"], name="attempt_made", condition=Q(called_at__isnull=False)
            ),
            models.Index(
                fields=["clinic", "send_at"],
                name="attempt_calls",
                condition=Q(channel="phone", status__in=["planned", "sending"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.send_at:%F %R}"

    @cached_property
    def tie(self) -> PatientContact | None:
        """What may be done and said at this address, as it is now; None when it was removed meanwhile."""
        ties = PatientContact.objects.filter(
            patient_id=self.patient_id, contact_point_id=self.contact_point_id
        )
        return ties.first()


class Reply(models.Model):
    """What came back, in the patient's own words. Only a reply or a person may say that somebody declined."""

    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="replies")
    patient = models.ForeignKey(
        Patient, null=True, blank=True, on_delete=models.PROTECT, related_name="replies"
    )
    attempt = models.ForeignKey(
        Attempt, null=True, blank=True, on_delete=models.SET_NULL, related_name="replies"
    )
    contact_point = models.ForeignKey(
        ContactPoint, null=True, blank=True, on_delete=models.SET_NULL, related_name="replies"
    )  # where it came from; empty on her own page and at the desk
    channel = models.CharField(max_length=10)  # a Channel, or "page" for the patient's page
    at = models.DateTimeField()
    body = models.TextField(blank=True)
    meaning = models.CharField(
        max_length=40, blank=True
    )  # confirm, another_time, cannot_come, stop, maybe_stop, ask; empty: read by a person
    step = models.ForeignKey(Step, null=True, blank=True, on_delete=models.SET_NULL, related_name="replies")
    matter = models.ForeignKey(
        Step, null=True, blank=True, on_delete=models.SET_NULL, related_name="asked_in", db_index=False
    )  # with whom these words are: the step of whoever reads and answers them; empty where there is nothing to answer

    class Meta:
        indexes = [
            models.Index(fields=["matter"], name="reply_matter", condition=Q(matter__isnull=False)),
            models.Index(fields=["patient", "at"], name="reply_by_patient"),
            models.Index(
                fields=["clinic", "at"],
                name="reply_feelings",
                condition=Q(meaning__in=["going_well", "going_so_so", "going_badly"]),
            ),
            models.Index(
                fields=["contact_point", "at"],
                name="reply_by_address",
                condition=Q(contact_point__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.at:%F %R}"


from outreach.complaint_models import Complaint  # noqa: E402, F401 - as those below
from outreach.contact_models import CameOfAge, PersonalContact  # noqa: E402, F401 - as those below
from outreach.decision_models import Decision, DecisionKind  # noqa: E402, F401 - as those below
from outreach.enclosed_models import ReplyFile  # noqa: E402, F401 - as those below
from outreach.praise_models import Praise  # noqa: E402, F401 - as those below
from outreach.provider_models import (  # noqa: E402, F401 - one page of models for Django and for whoever imports
    AllowedAddress,
    Attestation,
    Gate,
    MessengerLink,
    ProviderEvent,
    ProviderTerms,
    Sender,
)
