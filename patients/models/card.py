"""The service card: how, when and in which words a patient asked to be reached, and what they allowed."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from patients.models.clinic import one_of
from patients.models.patient import ContactPoint, Patient


class Channel(models.TextChoices):
    PHONE = "phone", _("Call")
    SMS = "sms", _("SMS")
    WHATSAPP = "whatsapp", _("WhatsApp")
    EMAIL = "email", _("E-mail")
    TELEGRAM = "telegram", _("Telegram")
    VOICE = "voice", _("Automated call")


CARD_LASTS = timedelta(days=183)  # after that she is asked again: lives change


class CardState(models.TextChoices):
    """How far a card can be relied on; only a complete one counts for the desk (N6)."""

    MISSING = "missing", _("not asked yet")
    HALF = "half", _("half filled")
    OLD = "old", _("older than six months")
    COMPLETE = "complete", _("complete")


class CardSource(models.TextChoices):
    """Who wrote the card down as the patient told it."""

    DESK = "desk", _("Told at the desk")
    PATIENT = "patient", _("Written by the patient on her own page")


class ServiceCard(models.Model):
    """What the patient told us while present; `told_at` empty is a guess or a default, and shown as such.

    It may be saved half filled: `channel` empty, and days or hours not told yet. That she said "any day" is an
    answer; that nobody asked is not.

    When she can come is another question than when a contact suits: it is asked while booking, and a card is
    complete without it.
    """

    patient = models.OneToOneField(Patient, on_delete=models.CASCADE, related_name="card")
    channel = models.CharField(max_length=10, choices=Channel, blank=True)
    days_told = models.BooleanField(default=False)
    hours_told = models.BooleanField(default=False)
    may_tell = models.CharField(max_length=120, blank=True, help_text=_("Who else may be told."))
    told_at = models.DateTimeField(null=True, blank=True)
    told_to = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    source = models.CharField(max_length=8, choices=CardSource, blank=True, default="", db_default="")
    words = models.CharField(
        max_length=300, blank=True, default="", db_default="", help_text=_("What she added, as she said it.")
    )
    coming_told_at = models.DateTimeField(
        null=True, blank=True, help_text=_("When the patient said at which hours a visit suits.")
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(channel__in=["", *Channel.values]), name="service_card_channel_is_known"
            ),
            models.CheckConstraint(
                condition=Q(source="") | Q(source__in=CardSource.values, told_at__isnull=False),
                name="service_card_source_is_known_and_told",
            ),
            models.CheckConstraint(
                condition=Q(told_at__isnull=False) | Q(days_told=False, hours_told=False),
                name="service_card_told_says_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient_id}: {self.channel}"

    @property
    def missing(self) -> list[str]:
        """What is still to be asked, in words."""
        told = {
            _("how"): bool(self.channel),
            _("which days"): self.days_told,
            _("which hours"): self.hours_told,
        }
        return [str(words) for words, is_told in told.items() if not is_told]

    def state(self, *, now: datetime) -> CardState:
        if self.told_at is None:
            return CardState.MISSING
        if self.missing:
            return CardState.HALF
        return CardState.COMPLETE if self.told_at > now - CARD_LASTS else CardState.OLD


class ContactWindow(models.Model):
    """Weekday and hours, in the patient's zone, in which a contact suits the patient. No rows: any hour."""

    card = models.ForeignKey(ServiceCard, on_delete=models.CASCADE, related_name="windows")
    weekday = models.PositiveSmallIntegerField(help_text=_("Monday is 0."))
    start = models.TimeField()
    end = models.TimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(weekday__lte=6), name="contact_window_weekday_is_0_to_6"),
            models.CheckConstraint(condition=Q(start__lt=F("end")), name="contact_window_start_before_end"),
            models.UniqueConstraint(fields=["card", "weekday", "start"], name="contact_window_start_once"),
        ]
        ordering = ["weekday", "start"]

    def __str__(self) -> str:
        return f"{self.weekday} {self.start}-{self.end}"


class ComingWindow(models.Model):
    """Weekday and hours, by the clinic's clock, at which the patient can come. No rows: any hour."""

    card = models.ForeignKey(
        ServiceCard, on_delete=models.CASCADE, related_name="coming_windows", db_index=False
    )
    weekday = models.PositiveSmallIntegerField(help_text=_("Monday is 0."))
    start = models.TimeField()
    end = models.TimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(weekday__lte=6), name="coming_window_weekday_is_0_to_6"),
            models.CheckConstraint(condition=Q(start__lt=F("end")), name="coming_window_start_before_end"),
            models.UniqueConstraint(fields=["card", "weekday", "start"], name="coming_window_start_once"),
        ]
        ordering = ["weekday", "start"]

    def __str__(self) -> str:
        return f"{self.weekday} {self.start}-{self.end}"


class Purpose(models.TextChoices):
    """The class of a message, fixed by its template, never by its text (standards.md 4.1)."""

    SERVICE = "service", _("About your care here")
    SAFETY = "safety", _("Urgent, asked by the doctor")
    MARKETING = "marketing", _("News and offers")


class ConsentStatus(models.TextChoices):
    GRANTED = "granted", _("Granted")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class Consent(models.Model):
    """Append-only ledger of what one patient allowed on one address and channel for one purpose.

    A new row supersedes the one before; the current one has `superseded_at` empty.
    """

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="consents")
    contact_point = models.ForeignKey(ContactPoint, on_delete=models.CASCADE, related_name="consents")
    channel = models.CharField(max_length=10, choices=Channel)
    purpose = models.CharField(max_length=10, choices=Purpose)
    status = models.CharField(max_length=10, choices=ConsentStatus)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    how = models.CharField(
        max_length=200, help_text=_("At the desk, by reply, by link, with the words used.")
    )
    superseded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("channel", Channel, name="consent_channel_is_known"),
            one_of("purpose", Purpose, name="consent_purpose_is_known"),
            one_of("status", ConsentStatus, name="consent_status_is_known"),
            models.UniqueConstraint(
                fields=["patient", "contact_point", "channel", "purpose"],
                condition=Q(superseded_at__isnull=True),
                name="consent_one_current_per_purpose_and_channel",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} {self.channel} {self.purpose}: {self.status}"
