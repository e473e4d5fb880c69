"""Who looked at a patient's record or changed it: rows that are only ever added."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from patients.models.clinic import Clinic, one_of
from patients.models.patient import Patient


class By(models.TextChoices):
    """Whose act it was. The link of a patient is opened by mail scanners too, hence the name."""

    USER = "user", _("A member of staff")
    PROGRAM = "program", _("A program, with somebody's key")
    PATIENT = "patient", _("The patient's own link")
    INSTITUTE = "institute", _("The institute's upload link")
    SYSTEM = "system", _("The system itself")
    NOBODY = "nobody", _("Nobody we know")


class AuditAction(models.TextChoices):
    READ = "read", _("Looked at")
    LIST = "list", _("Looked through a list")
    SEARCH = "search", _("Searched")
    CREATE = "create", pgettext_lazy("what was done with a record", "Added")
    CHANGE = "change", pgettext_lazy("what was done with a record", "Changed")
    DELETE = "delete", pgettext_lazy("what was done with a record", "Removed")
    EXPORT = "export", _("Took out as a file")
    LOGIN = "login", pgettext_lazy("what somebody did", "Logged in")
    LOGIN_FAILED = "login_failed", _("Failed to log in")
    LOGOUT = "logout", pgettext_lazy("what somebody did", "Logged out")


class AuditEvent(models.Model):
    """One look or one change. The database refuses to change or remove it (clinic_journey/audit/triggers.py).

    The keys have no constraint and delete nothing: what was done stays known when a user or a patient is gone,
    and writing an event locks no row of anybody else.
    """

    at = models.DateTimeField()
    clinic = models.ForeignKey(
        Clinic, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False
    )
    patient = models.ForeignKey(
        Patient, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+", db_index=False
    )
    by = models.CharField(max_length=10, choices=By)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    action = models.CharField(max_length=12, choices=AuditAction)
    what = models.CharField(max_length=60)  # the page's name, or the kind of row
    what_id = models.CharField(max_length=60, blank=True)
    asked = models.CharField(max_length=300, blank=True)  # of a list, a search or an export
    rows = models.PositiveIntegerField(null=True)  # how many it showed
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    ip = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=80, blank=True)
    request_id = models.CharField(max_length=32, blank=True)
    once = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001 - null keeps it out of the index

    class Meta:
        constraints = [
            one_of("by", By, name="audit_by_is_known"),
            one_of("action", AuditAction, name="audit_action_is_known"),
        ]
        indexes = [
            models.Index(fields=["clinic", "at"], name="audit_by_clinic"),
            models.Index(fields=["patient", "at"], name="audit_by_patient"),
            models.Index(fields=["actor", "at"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%F %R} {self.action} {self.what}"
