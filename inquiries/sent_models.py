"""An answer on its way to somebody who is nobody's patient: one message to one address, and its outbox row."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from inquiries.models import Inquiry
from journeys.models import Step
from outreach.models import AttemptStatus
from patients.models import AddressKind, Channel, Clinic, Language
from patients.models.clinic import one_of

UNDER_WAY = (AttemptStatus.PLANNED, AttemptStatus.SENDING)
LEFT = (AttemptStatus.SENT, AttemptStatus.DELIVERED)


class SentAnswer(models.Model):
    """One answer in writing, asked for by whoever asked (docs/decisions/037).

    Its statuses are those of an attempt, and so is its lease. `step` sees to it that it leaves, and arrives.
    """

    reference = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    inquiry = models.ForeignKey(Inquiry, on_delete=models.PROTECT, related_name="sendings")
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="+", db_index=False)
    step = models.OneToOneField(Step, on_delete=models.PROTECT, related_name="sent_answer")
    sent_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=8, choices=AddressKind)
    value = models.CharField(max_length=254)
    channel = models.CharField(max_length=10, choices=Channel)
    language = models.CharField(max_length=2, choices=Language)
    body = models.TextField()
    status = models.CharField(max_length=10, choices=AttemptStatus, default=AttemptStatus.PLANNED)
    send_at = models.DateTimeField()
    expires_at = models.DateTimeField()  # after this it is a person's, never sent late
    lease = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    called_at = models.DateTimeField(null=True, blank=True)  # from here on nobody knows whether it left
    sent_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=300, blank=True)  # why it did not leave or arrive, in words
    provider_reference = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            one_of("kind", AddressKind, name="sent_answer_kind_is_known"),
            one_of("channel", Channel, name="sent_answer_channel_is_known"),
            one_of("language", Language, name="sent_answer_language_is_known"),
            one_of("status", AttemptStatus, name="sent_answer_status_is_known"),
            models.UniqueConstraint(
                fields=["inquiry"],
                condition=Q(status__in=["planned", "sending"]),
                name="sent_answer_one_under_way_per_question",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["sent", "delivered"]) | Q(sent_at__isnull=False),
                name="sent_answer_says_when",
            ),
            models.CheckConstraint(
                condition=Q(status="sending", lease__isnull=False, lease_until__isnull=False)
                | (~Q(status="sending") & Q(lease__isnull=True, lease_until__isnull=True)),
                name="sent_answer_under_way_iff_leased",
            ),
        ]
        indexes = [
            models.Index(fields=["send_at"], name="sent_answer_to_send", condition=Q(status="planned")),
            models.Index(fields=["lease_until"], name="sent_answer_leased", condition=Q(status="sending")),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.send_at:%F %R}"

    @property
    def is_under_way(self) -> bool:
        return self.status in UNDER_WAY
