"""A clinic: its zone, its hours, its closed days, and the people who work there."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField


def one_of(field: str, choices: type[models.TextChoices], *, name: str) -> models.CheckConstraint:
    """The CHECK behind a choices column: Django's choices alone check nothing in the database."""
    return models.CheckConstraint(condition=Q(**{f"{field}__in": choices.values}), name=name)


class Language(models.TextChoices):
    ENGLISH = "en", _("English")
    HEBREW = "he", _("Hebrew")
    RUSSIAN = "ru", _("Russian")
    ARABIC = "ar", _("Arabic")


class Clinic(models.Model):
    """One place of work. Every patient, journey and message belongs to exactly one clinic."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    sender_name = models.CharField(
        max_length=60, help_text=_("How messages name the clinic; neutral if its name tells the specialty.")
    )
    phone = PhoneNumberField()
    email = models.EmailField(blank=True)
    intake_address = models.EmailField(
        blank=True, help_text=_("Where institutes mail results; tells which clinic a mail is for.")
    )
    time_zone = models.CharField(max_length=64, default="Asia/Jerusalem")
    country = models.CharField(max_length=2, default="IL", help_text=_("ISO 3166 code; decides holidays."))
    language = models.CharField(max_length=2, choices=Language, default=Language.HEBREW)
    cell_minutes = models.PositiveSmallIntegerField(
        default=10,
        help_text=_("The calendar's grid: every schedule of the clinic is cut into cells of this length."),
    )
    contacts_a_day = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text=_("At most, per patient and over all channels. Empty: as the country's rules say."),
    )
    contacts_a_week = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text=_("The country's rules hold where they are stricter."),
    )

    # What messages may name besides the clinic; the country's rules hold where they are stricter.
    names_first_name = models.BooleanField(default=True, db_default=True)
    names_visit_time = models.BooleanField(default=True, db_default=True)
    names_colleague = models.BooleanField(default=True, db_default=True)

    class Meta:
        constraints = [
            one_of("language", Language, name="clinic_language_is_known"),
            models.CheckConstraint(
                condition=Q(cell_minutes__gte=5), name="clinic_cell_is_five_minutes_or_more"
            ),
            models.CheckConstraint(
                condition=~Q(contacts_a_day=0) & ~Q(contacts_a_week=0),
                name="clinic_caps_let_somebody_be_told",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class HoursKind(models.TextChoices):
    OPEN = "open", _("Open")  # the clinic works: deadlines run, visits can be booked
    MESSAGE = "message", _("Messages allowed")  # outside these, quiet hours and rest days for messages
    CALL = "call", _("Calls allowed")


class ClinicHours(models.Model):
    """One stretch of one weekday, in the clinic's zone. Several rows a day make a lunch break.

    A stretch up to midnight ends at 23:59:59.999999; one that crosses midnight is two rows.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="hours")
    kind = models.CharField(max_length=8, choices=HoursKind)
    weekday = models.PositiveSmallIntegerField(help_text=_("Monday is 0."))
    start = models.TimeField()
    end = models.TimeField()

    class Meta:
        constraints = [
            one_of("kind", HoursKind, name="clinic_hours_kind_is_known"),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="clinic_hours_weekday_is_0_to_6"),
            models.CheckConstraint(condition=Q(start__lt=F("end")), name="clinic_hours_start_before_end"),
            models.UniqueConstraint(
                fields=["clinic", "kind", "weekday", "start"], name="clinic_hours_start_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.weekday} {self.start}-{self.end}"


class ClosedDay(models.Model):
    """A day on which the weekly hours do not hold: a holiday, its eve, or a clinic's own closure.

    `closes_at` empty: closed all day. `is_open` overrides a holiday on which the clinic works after all.
    """

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="closed_days")
    on = models.DateField()
    name = models.CharField(max_length=120)
    closes_at = models.TimeField(null=True, blank=True)
    is_open = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "on"], name="closed_day_once_per_clinic")]
        ordering = ["on"]

    def __str__(self) -> str:
        return f"{self.on} {self.name}"


class Role(models.TextChoices):
    RECEPTIONIST = "receptionist", _("Receptionist")
    DOCTOR = "doctor", _("Doctor")
    MANAGER = "manager", _("Manager")
    ADMIN = "admin", _("Administrator")


MANAGERS = (Role.MANAGER, Role.ADMIN)  # who answer for the clinic


class Membership(models.Model):
    """What a user may do in a clinic. No row, no access: other clinics' pages answer 404."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role)

    class Meta:
        constraints = [
            one_of("role", Role, name="membership_role_is_known"),
            models.UniqueConstraint(fields=["user", "clinic"], name="membership_once_per_clinic"),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.role}"
