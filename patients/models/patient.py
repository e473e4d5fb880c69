"""A person, the addresses that reach them, and the tie between the two."""

import uuid
from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _, pgettext_lazy

from patients.country import profile_of
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
            models.CheckConstraint(
                condition=~Q(merged_into=F("pk")), name="patient_is_not_merged_into_itself"
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
    def record_now(self) -> "Patient":
        """The record of this person now: the one this was merged into, which is always the last of a row."""
        return self.merged_into or self

    @property
    def zone(self) -> str:
        """The zone of the patient's windows; needs `clinic` loaded."""
        return self.time_zone or self.clinic.time_zone

    def age(self, *, on: date) -> int | None:
        """In whole years, as far as we know the birth date; on the birthday itself one more."""
        born = self.birth_date
        return None if born is None else (on.year - born.year) - ((on.month, on.day) < (born.month, born.day))

    def is_minor(self, *, on: date) -> bool:
        """A child on that day, as far as we know the birth date; on the birthday itself no longer.

        Needs `clinic` loaded: each country has its own age of majority.
        """
        age = self.age(on=on)
        return age is not None and age < profile_of(self.clinic.country).age_of_majority


class AddressKind(models.TextChoices):
    PHONE = "phone", _("Phone")
    EMAIL = "email", _("E-mail")
    # An identity with the messenger, which need not be a phone number and is never guessed from one.
    WHATSAPP = "whatsapp", _("WhatsApp")
    TELEGRAM = "telegram", _("Telegram")


class AddressStatus(models.TextChoices):
    UNVERIFIED = "unverified", _("Not tested yet")
    WORKING = "working", _("Works")
    BAD = "bad", _("Does not work")


class ContactPoint(models.Model):
    """One number (E.164), e-mail or messenger address, unique in its clinic, possibly shared by a family."""

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


GUARDIANS = (Relation.PARENT, Relation.GUARDIAN)


class Place(models.TextChoices):
    """Where an address rings or is read, for the words on the screen."""

    UNKNOWN = "", _("Not said")
    MOBILE = "mobile", pgettext_lazy("place of a phone", "Mobile")
    HOME = "home", pgettext_lazy("place of a phone", "Home")
    WORK = "work", pgettext_lazy("place of a phone", "Work")


class MaySay(models.TextChoices):
    """How much may be said where somebody else may answer or read."""

    EVERYTHING = "all", _("Everything about the visits")
    CALL_BACK = "call_back", _("Only that we ask to be called back")
    NOTHING = "nothing", _("Nothing: nobody is called or written to there")


class PatientContact(models.Model):
    """The tie between a person and an address: whose it is, in which order to try, what may be said there.

    `may_be_called` off is "never at work": no call is planned there, and none may be claimed. Where only a
    call back may be asked for, no message goes, since every message says more; where nothing may be said, as to a
    parent who is not the one that is told, nobody calls either. `suspended_at`: somebody there has
    said that it is not she, so nothing more goes there for her until a person has checked it. `hers_alone_at`: others
    of the clinic are on this address of hers, too, and she has said that nobody else reads or answers there.
    `other_parent`: of two parents who live apart, not the one whose addresses are without it; what one was told, the
    other is told too.
    """

    patient = models.ForeignKey(Patient, on_delete=models.CASCADE, related_name="contacts")
    contact_point = models.ForeignKey(ContactPoint, on_delete=models.CASCADE, related_name="ties")
    relation = models.CharField(max_length=8, choices=Relation, default=Relation.SELF)
    rank = models.PositiveSmallIntegerField(default=1, help_text=_("1 is tried first."))
    place = models.CharField(max_length=8, choices=Place, blank=True, default=Place.UNKNOWN)
    may_be_called = models.BooleanField(default=True)
    may_leave_voicemail = models.BooleanField(default=False)
    may_say = models.CharField(max_length=12, choices=MaySay, default=MaySay.EVERYTHING)
    confirmed_at = models.DateTimeField(null=True, blank=True)  # she held our test message in her hand
    confirmed_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    suspended_at = models.DateTimeField(null=True, blank=True)
    hers_alone_at = models.DateTimeField(null=True, blank=True)
    other_parent = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(hers_alone_at__isnull=True) | Q(relation=Relation.SELF),
                name="patient_contact_hers_alone_is_her_own",
            ),
            models.CheckConstraint(
                condition=Q(other_parent=False) | Q(relation__in=GUARDIANS),
                name="patient_contact_other_parent_is_a_parent",
            ),
            one_of("relation", Relation, name="patient_contact_relation_is_known"),
            one_of("place", Place, name="patient_contact_place_is_known"),
            one_of("may_say", MaySay, name="patient_contact_may_say_is_known"),
            models.CheckConstraint(
                condition=Q(may_be_called=True) | Q(may_leave_voicemail=False),
                name="patient_contact_no_voicemail_where_nobody_may_call",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=False) | Q(confirmed_to__isnull=True),
                name="patient_contact_confirmed_says_when",
            ),
            models.UniqueConstraint(fields=["patient", "contact_point"], name="patient_contact_once"),
            models.CheckConstraint(condition=Q(rank__gte=1), name="patient_contact_rank_from_1"),
        ]
        ordering = ["rank", "id"]

    def __str__(self) -> str:
        return f"{self.patient_id}: {self.contact_point_id}"
