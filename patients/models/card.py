"""The service card: how, when and in which words a patient asked to be reached, and what they allowed."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import gettext_lazy as _

from patients.models.clinic import one_of
from patients.models.patient import ContactPoint, Patient


class Channel(models.TextChoices):
    PHONE = "phone", _("Call")
    SMS = "sms", _("SMS")
    WHATSAPP = "whatsapp", _("WhatsApp")
    EMAIL = "email", _("E-mail")


class ServiceCard(models.Model):
    """What the patient told us while present; `told_at` empty is a guess or a default, and shown as such."""

    patient = models.OneToOneField(Patient, on_delete=models.CASCADE, related_name="card")
    channel = models.CharField(max_length=10, choices=Channel)
    may_tell = models.CharField(max_length=120, blank=True, help_text=_("Who else may be told."))
    told_at = models.DateTimeField(null=True, blank=True)
    told_to = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)

    class Meta:
        constraints = [one_of("channel", Channel, name="service_card_channel_is_known")]

    def __str__(self) -> str:
        return f"{self.patient_id}: {self.channel}"


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

    @property
    def weekday_name(self) -> str:
        return str(WEEKDAYS_ABBR[self.weekday])


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
