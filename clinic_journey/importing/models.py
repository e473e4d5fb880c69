"""An import, its rows with what became of each, and what was wrong with them."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import BinaryIO, cast

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from appointments.models import Appointment
from patients.models import Clinic, Patient
from patients.models.clinic import one_of


class ImportKind(models.TextChoices):
    PATIENTS = "patients", _("Patients")
    APPOINTMENTS = "appointments", _("Visits")


class ImportStatus(models.TextChoices):
    MAPPING = "mapping", _("Choose the columns")
    READING = "reading", _("Reading the file")
    CHECKING = "checking", _("Checking the rows")
    CHECKED = "checked", _("Checked, nothing imported yet")
    IMPORTING = "importing", pgettext_lazy("state of an import", "Importing")
    DONE = "done", _("Imported")
    UNDOING = "undoing", pgettext_lazy("state of an import", "Undoing")
    UNDONE = "undone", _("Undone")
    FAILED = "failed", _("The file could not be read")


AT_WORK = (ImportStatus.READING, ImportStatus.CHECKING, ImportStatus.IMPORTING, ImportStatus.UNDOING)
MAY_MAP = (ImportStatus.MAPPING, ImportStatus.CHECKED)
ENDED = (ImportStatus.DONE, ImportStatus.UNDONE)
MAY_GO = (*MAY_MAP, ImportStatus.FAILED, ImportStatus.UNDONE)


KEPT_FOR = timedelta(days=30)  # file and rows, after the import has come to where it stands


class DateOrder(models.TextChoices):
    DAY_FIRST = "dmy", _("Day first: 4.5.1991 is in May")
    MONTH_FIRST = "mdy", _("Month first: 4/5/1991 is in April")


def kept_at(run: "Import", _name: str) -> str:
    """Where the file lies: a name of our own, since theirs may be anything."""
    return f"imports/{run.public_id}"


class Import(models.Model):
    """One file. `reached` is the last row that the present stage has dealt with: killed, it goes on there."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="imports")
    kind = models.CharField(max_length=12, choices=ImportKind)
    name = models.CharField(max_length=200)
    file = models.FileField(upload_to=kept_at)
    encoding = models.CharField(max_length=20, blank=True)
    delimiter = models.CharField(max_length=1, blank=True)
    sheet = models.CharField(max_length=100, blank=True)
    header = models.JSONField(default=list)
    header_digest = models.CharField(max_length=64)
    header_row = models.PositiveIntegerField(default=1)
    columns = models.JSONField(default=list)  # of each column the field it fills, or ""
    date_order = models.CharField(max_length=3, choices=DateOrder, default=DateOrder.DAY_FIRST)
    left_empty = models.JSONField(default=list)  # problems whose rows are imported without the field
    status = models.CharField(max_length=10, choices=ImportStatus, default=ImportStatus.MAPPING)
    status_at = models.DateTimeField()
    reached = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    busy_until = models.DateTimeField(null=True, blank=True)  # a worker is at it; courtesy, not safety
    trouble = models.CharField(max_length=300, blank=True)
    counts = models.JSONField(default=dict)  # rows by state, once the rows themselves are forgotten
    forgotten_at = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)

    class Meta:
        constraints = [
            one_of("kind", ImportKind, name="import_kind_is_known"),
            one_of("status", ImportStatus, name="import_status_is_known"),
            one_of("date_order", DateOrder, name="import_date_order_is_known"),
            models.CheckConstraint(
                condition=Q(forgotten_at__isnull=True) | Q(status__in=ENDED),
                name="import_forgotten_only_after_its_end",
            ),
            models.UniqueConstraint(
                fields=["clinic"],
                condition=Q(status__in=["importing", "undoing"]),
                name="import_one_writes_at_a_time_per_clinic",
            ),
        ]
        indexes = [
            models.Index(
                fields=["status_at"],
                name="import_at_work",
                condition=Q(status__in=["reading", "checking", "importing", "undoing"]),
            )
        ]
        ordering = ["-made_at", "-id"]

    def __str__(self) -> str:
        return self.name

    @property
    def forgotten_from(self) -> datetime:
        """When its file and rows may go: undoing ends then."""
        return self.status_at + KEPT_FOR

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The file as it came, for reading."""
        with self.file.storage.open(str(self.file.name), "rb") as file:
            yield cast("BinaryIO", file)


class RowState(models.TextChoices):
    STAGED = "staged", _("Not checked yet")
    READY = "ready", _("Ready")
    WRONG = "wrong", _("Needs a repair")
    MADE = "made", _("Added")
    FOUND = "found", _("Known already")
    FILLED = "filled", _("Empty fields filled in")
    REFUSED = "refused", _("Not imported")
    TAKEN_BACK = "taken_back", _("Undone")
    KEPT = "kept", _("Could not be undone")


class ImportRow(models.Model):
    """One line of the file as it stood there. `wrote` holds what the import put where, so that it can go."""

    run = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rows", db_index=False)
    number = models.PositiveIntegerField()
    cells = models.JSONField(default=list)
    state = models.CharField(max_length=10, choices=RowState, default=RowState.STAGED)
    identity = models.CharField(max_length=64, blank=True)  # who or what it is about: the same twice is twice
    patient = models.ForeignKey(Patient, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    appointment = models.ForeignKey(
        Appointment, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    wrote = models.JSONField(default=dict)
    differs = models.BooleanField(default=False)  # the file says something else than the patient's record
    note = models.CharField(max_length=400, blank=True)

    class Meta:
        constraints = [
            one_of("state", RowState, name="import_row_state_is_known"),
            models.UniqueConstraint(fields=["run", "number"], name="import_row_once"),
        ]
        indexes = [
            models.Index(fields=["run", "identity"], name="import_row_by_identity"),
            models.Index(fields=["run", "state"], name="import_row_by_state"),
        ]
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.number}"


class ImportProblem(models.Model):
    """Something in a row that a person has to decide on or repair; the words for it are in words.py."""

    run = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="problems", db_index=False)
    row = models.ForeignKey(ImportRow, on_delete=models.CASCADE, related_name="problems")
    code = models.CharField(max_length=30)
    field = models.CharField(max_length=30, blank=True)
    found = models.CharField(max_length=200, blank=True)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["run", "code"], name="import_problem_by_code")]
        ordering = ["row__number", "id"]

    def __str__(self) -> str:
        return f"{self.row_id}: {self.code}"


class KnownAs(models.Model):
    """What the other program calls a patient: its own number, or one whole row. Keeps a second run harmless."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=64)
    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="known_as")
    run = models.ForeignKey(Import, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["clinic", "key"], name="known_as_once_per_clinic")]

    def __str__(self) -> str:
        return f"{self.patient_id}: {self.key[:8]}"
