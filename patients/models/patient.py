"""A person, the addresses that reach them, and the tie between the two."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from patients.models.clinic import Clinic, Language, one_of


class PatientStatus(models.TextChoices):
    ACTIVE = "active", _("Active")
    MERGED = "merged", _("Merged")
    DECEASED = "deceased", _("Deceased")


class Gender(models.TextChoices):
    """Only for the grammar of messages; unknown uses the neutral wording."""

    UNKNOWN = "", _("Not asked")
    FEMALE = "f", _("Female")
    MALE = "m", _("Male")


class Patient(models.Model):
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="patients")
    given_name = models.CharField(max_length=80)
    family_name = models.CharField(max_length=80, blank=True)
    birth_date = models.DateField(null=True, blank=True)
    national_id = models.CharField(max_length=32, blank=True)
    gender = models.CharField(max_length=1, choices=Gender, blank=True, default=Gender.UNKNOWN)
    language = models.CharField(max_length=2, choices=Language, default=Language.HEBREW)
    time_zone = models.CharField(max_length=64, blank=True, help_text=_("Empty: the clinic's."))
    status = models.CharField(max_length=8, choices=PatientStatus, default=PatientStatus.ACTIVE)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="merged"
    )
    since_on = models.DateField(help_text=_("Patient of the clinic since."))
    search_key = models.CharField(
        max_length=400, blank=True, editable=False
    )  # casefolded: LIKE is ASCII on SQLite

    class Meta:
        constraints = [
            one_of("status", PatientStatus, name="patient_status_is_known"),
            one_of("gender", Gender, name="patient_gender_is_known"),
            one_of("language", Language, name="patient_language_is_known"),
            models.CheckConstraint(
                condition=Q(status=PatientStatus.MERGED, merged_into__isnull=False)
                | (~Q(status=PatientStatus.MERGED) & Q(merged_into__isnull=True)),
                name="patient_merged_names_the_other_record",
            ),
            models.UniqueConstraint(
                fields=["clinic", "national_id"],
                condition=~Q(national_id="") & ~Q(status=PatientStatus.MERGED),
                name="patient_national_id_once_per_clinic",
            ),
        ]
        indexes = [
            models.Index(fields=["clinic", "family_name", "given_name"], name="patient_by_name"),
            models.Index(fields=["clinic", "birth_date"], name="patient_by_birth_date"),
        ]

    def __str__(self) -> str:
        return self.full_name

    @property
    def full_name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def zone(self) -> str:
        """The zone of the patient's windows; needs `clinic` loaded."""
        return self.time_zone or self.clinic.time_zone


class AddressKind(models.TextChoices):
    PHONE = "phone", _("Phone")
    EMAIL = "email", _("E-mail")


class AddressStatus(models.TextChoices):
    UNVERIFIED = "unverified", _("Not tested yet")
    WORKING = "working", _("Works")
    BAD = "bad", _("Does not work")


class ContactPoint(models.Model):
    """One number (E.164) or e-mail address, unique in its clinic, possibly shared by a family."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="contact_points")
    kind = models.CharField(max_length=8, choices=AddressKind)
    value = models.CharField(max_length=254)
    status = models.CharField(max_length=12, choices=AddressStatus, default=AddressStatus.UNVERIFIED)
    status_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            one_of("kind", AddressKind, name="contact_point_kind_is_known"),
            one_of("status", AddressStatus, name="contact_point_status_is_known"),
            models.UniqueConstraint(fields=["clinic", "kind", "value"], name="contact_point_once_per_clinic"),
        ]

    def __str__(self) -> str:
        return self.value


class Relation(models.TextChoices):
    SELF = "self", _("Own")
    PARENT = "parent", _("Parent")
    GUARDIAN = "guardian", _("Guardian")
    OTHER = "other", _("Someone else")


class PatientContact(models.Model):
    """The tie between a person and an address: whose it is, in which order to try, what may be said there."""

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="contacts")
    contact_point = models.ForeignKey(ContactPoint, on_delete=models.CASCADE, related_name="ties")
    relation = models.CharField(max_length=8, choices=Relation, default=Relation.SELF)
    rank = models.PositiveSmallIntegerField(default=1, help_text=_("1 is tried first."))
    may_leave_voicemail = models.BooleanField(default=False)

    class Meta:
        constraints = [
            one_of("relation", Relation, name="patient_contact_relation_is_known"),
            models.UniqueConstraint(fields=["patient", "contact_point"], name="patient_contact_once"),
            models.CheckConstraint(condition=Q(rank__gte=1), name="patient_contact_rank_from_1"),
        ]
        ordering = ["rank", "id"]

    def __str__(self) -> str:
        return f"{self.patient_id}: {self.contact_point_id}"
