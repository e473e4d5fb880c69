"""Rows about the providers rather than the patients: how their senders fare, what they told us, and the gate."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from patients.models import GUARDIANS, AddressKind, Channel, Clinic, Patient, Relation
from patients.models.clinic import one_of


class Sender(models.Model):
    """One channel's sender: when it may send next, and whether it rests. Without a row nothing holds it up.

    `paused_until` alone is what the provider asked for, again and again since `paused_since`. With `down_since` too it
    has failed again and again; then, each time the pause is over, one message is tried.
    """

    channel = models.CharField(max_length=10, choices=Channel, unique=True)
    next_free_at = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    paused_since = models.DateTimeField(null=True, blank=True)  # no message was taken since then
    failures = models.PositiveIntegerField(default=0)  # in a row
    down_since = models.DateTimeField(null=True, blank=True)
    last_trouble = models.CharField(max_length=300, blank=True)
    last_failed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("channel", Channel, name="sender_channel_is_known"),
            models.CheckConstraint(
                condition=Q(down_since__isnull=True) | Q(paused_until__isnull=False),
                name="sender_that_is_down_says_until_when",
            ),
            models.CheckConstraint(
                condition=Q(paused_since__isnull=True) | Q(paused_until__isnull=False),
                name="sender_paused_since_then_says_until_when",
            ),
        ]

    def __str__(self) -> str:
        return self.channel


class ProviderEvent(models.Model):
    """What a provider told us, as it came, under its own id, so that a repeat is the row there is already.

    The request only writes the row; a tick works it. `work_from` is a consumed alarm.
    """

    provider = models.CharField(max_length=20)
    event_id = models.CharField(max_length=200)
    received_at = models.DateTimeField()
    body = models.TextField(blank=True)  # emptied some weeks after it was worked
    work_from = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    worked_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="provider_event_once"),
            models.CheckConstraint(
                condition=Q(worked_at__isnull=True) | Q(work_from__isnull=True),
                name="worked_event_has_no_alarm",
            ),
        ]
        indexes = [
            models.Index(
                fields=["work_from"], name="provider_event_to_work", condition=Q(work_from__isnull=False)
            ),
            models.Index(fields=["worked_at"], name="provider_event_to_empty", condition=~Q(body="")),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.event_id}"


class Gate(models.Model):
    """Whether a clinic's messages may leave for everybody. Without a row it is shut."""

    clinic = models.OneToOneField(Clinic, on_delete=models.CASCADE, related_name="gate")
    opened_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)

    def __str__(self) -> str:
        return f"{self.clinic_id}: {self.opened_at}"


class AllowedAddress(models.Model):
    """An address that gets messages while the gate is shut: the clinic's own people, who try things out."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="allowed_addresses")
    kind = models.CharField(max_length=8, choices=AddressKind)
    value = models.CharField(max_length=254)

    class Meta:
        constraints = [
            one_of("kind", AddressKind, name="allowed_address_kind_is_known"),
            models.UniqueConstraint(fields=["clinic", "kind", "value"], name="allowed_address_once"),
        ]

    def __str__(self) -> str:
        return self.value


OFFERS = "offers"


class Attestation(models.Model):
    """An administrator answers for it: a channel of which the country asks that, or news and offers. Without: off."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="attestations", db_index=False)
    what = models.CharField(max_length=10)  # a Channel, or OFFERS
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(what__in=[OFFERS, *Channel.values]),
                name="attestation_is_of_a_channel_or_of_offers",
            ),
            models.UniqueConstraint(fields=["clinic", "what"], name="attestation_once"),
        ]

    def __str__(self) -> str:
        return f"{self.clinic_id}: {self.what}"


BY_A_PROVIDER = tuple(channel for channel in Channel.values if channel != Channel.PHONE)


class ProviderTerms(models.Model):
    """What an administrator says of the provider of one channel: where patients' data lies, and why that is lawful."""

    clinic = models.ForeignKey(
        Clinic, on_delete=models.CASCADE, related_name="provider_terms", db_index=False
    )
    channel = models.CharField(max_length=10, choices=Channel)
    country = models.CharField(max_length=2, blank=True)  # ISO 3166; empty: not said
    basis = models.CharField(max_length=200, blank=True)
    has_agreement = models.BooleanField(default=False)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=BY_A_PROVIDER), name="provider_terms_are_of_a_machines_channel"
            ),
            models.UniqueConstraint(fields=["clinic", "channel"], name="provider_terms_once_per_channel"),
        ]

    def __str__(self) -> str:
        return f"{self.clinic_id} {self.channel}: {self.country}"


class MessengerLink(models.Model):
    """A one-time link by which a messenger is tied to a patient's record. Only its hash is kept.

    `relation`: whose phone it was made for, as the desk was told.
    """

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="messenger_links")
    channel = models.CharField(max_length=10, choices=Channel)
    relation = models.CharField(
        max_length=8, choices=Relation, default=Relation.SELF, db_default=Relation.SELF
    )
    other_parent = models.BooleanField(default=False, db_default=False)  # as that of an address
    token_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)

    class Meta:
        constraints = [
            one_of("channel", Channel, name="messenger_link_channel_is_known"),
            one_of("relation", Relation, name="messenger_link_relation_is_known"),
            models.CheckConstraint(
                condition=Q(other_parent=False) | Q(relation__in=GUARDIANS),
                name="messenger_link_other_parent_is_a_parent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} {self.channel}"
