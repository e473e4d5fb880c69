"""Why a journey waits: the request that went out, what came in, and what it turned out to be."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from appointments.models import Practitioner
from journeys.models import Journey, Step, Urgency
from patients.models import Clinic, Patient
from patients.models.clinic import one_of
from referrals.intake.sniff import LOOKED_AT
from referrals.words import in_words


class ReferralStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    ACTIVE = "active", _("Active")
    ON_HOLD = "on_hold", _("On hold")
    REVOKED = "revoked", _("Revoked")
    COMPLETED = "completed", _("Completed")
    ENTERED_IN_ERROR = "entered_in_error", _("Entered in error")


class Referral(models.Model):
    """A request for a service (FHIR ServiceRequest). Its code finds the way back."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="referrals")
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="referrals")
    journey = models.ForeignKey(Journey, on_delete=models.PROTECT, related_name="referrals")
    step = models.ForeignKey(Step, null=True, blank=True, on_delete=models.PROTECT, related_name="referrals")
    requester = models.ForeignKey(Practitioner, on_delete=models.PROTECT, related_name="referrals")
    code = models.CharField(max_length=12, unique=True)
    service = models.CharField(max_length=120, help_text=_("What is asked for, e.g. panoramic image."))
    question = models.TextField(blank=True, help_text=_("What the doctor wants to know."))
    performer = models.CharField(max_length=120, blank=True, help_text=_("The institute."))
    performer_email = models.EmailField(blank=True)
    performer_phone = models.CharField(max_length=32, blank=True)  # E.164; called when the result is late
    urgency = models.CharField(max_length=8, choices=Urgency, default=Urgency.ROUTINE)
    status = models.CharField(max_length=16, choices=ReferralStatus, default=ReferralStatus.ACTIVE)
    expected_at = models.DateTimeField()
    hold_refused_because = models.CharField(
        max_length=200, blank=True, help_text=_("Why no visit was held; holding is the default.")
    )
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    ended_because = models.CharField(max_length=200, blank=True)
    request_key = models.CharField(max_length=80, null=True, blank=True)  # noqa: DJ001 - null keeps it out of the unique index

    class Meta:
        constraints = [
            one_of("status", ReferralStatus, name="referral_status_is_known"),
            one_of("urgency", Urgency, name="referral_urgency_is_known"),
            models.CheckConstraint(
                condition=~Q(status=ReferralStatus.ACTIVE) | Q(step__isnull=False),
                name="active_referral_has_a_waiting_step",
            ),
            models.UniqueConstraint(fields=["clinic", "request_key"], name="referral_request_key_once"),
        ]
        indexes = [
            models.Index(fields=["clinic", "status", "expected_at"], name="referral_by_status"),
            models.Index(fields=["clinic", "made_at"], name="referral_by_clinic"),
            models.Index(
                fields=["clinic", "-made_at"],
                name="referral_without_hold",
                condition=~Q(hold_refused_because=""),
            ),
        ]

    def __str__(self) -> str:
        return self.code


class Source(models.TextChoices):
    EMAIL = "email", _("E-mail")
    UPLOAD = "upload", _("Upload by the institute")
    API = "api", _("API")
    MESSAGE = "message", _("Message from a patient")


class DocumentStatus(models.TextChoices):
    RECEIVED = "received", _("Received")
    MATCHED = "matched", _("Matched")
    UNMATCHED = "unmatched", _("Not matched")
    REJECTED = "rejected", _("Rejected")
    LETTER = "letter", _("A message, not a result")


class IncomingDocument(models.Model):
    """What arrived, as it came. The bytes are on disk before anything is parsed; nothing is thrown away."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="documents")
    source = models.CharField(max_length=8, choices=Source)
    source_id = models.CharField(max_length=255)
    raw = models.FileField(upload_to="incoming/%Y/%m/%d", max_length=255)
    received_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=DocumentStatus, default=DocumentStatus.RECEIVED)
    sender = models.CharField(max_length=254, blank=True)
    subject = models.CharField(max_length=500, blank=True)
    reasons = models.JSONField(
        default=list
    )  # why it did not match, and what is wrong with it; codes, shown in words
    candidates = models.JSONField(default=list)  # public ids of referrals a person may choose from
    referral = models.ForeignKey(
        Referral, null=True, blank=True, on_delete=models.PROTECT, related_name="documents"
    )
    matched_by = models.CharField(max_length=40, blank=True)  # code, identifier, name_and_birth_date, person
    step = models.ForeignKey(Step, null=True, blank=True, on_delete=models.PROTECT, related_name="documents")
    # A consumed alarm: when the matcher may take it next; empty once it is matched or in a person's hands.
    match_from = models.DateTimeField(null=True, blank=True)
    # A consumed alarm: when whoever writes to patients may take it, for it is a patient's letter and no result.
    letter_from = models.DateTimeField(null=True, blank=True)
    # It names a mail that was none of theirs: whoever looks down from above them takes it.
    is_handed_on = models.BooleanField(default=False, db_default=False)
    tries = models.PositiveSmallIntegerField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    rejected_because = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            one_of("source", Source, name="document_source_is_known"),
            one_of("status", DocumentStatus, name="document_status_is_known"),
            models.UniqueConstraint(fields=["source", "source_id"], name="document_once_per_source"),
            models.CheckConstraint(
                condition=~Q(status=DocumentStatus.RECEIVED) | Q(match_from__isnull=False),
                name="received_document_is_on_the_matchers_clock",
            ),
            models.CheckConstraint(
                condition=~Q(status=DocumentStatus.MATCHED) | Q(referral__isnull=False),
                name="matched_document_names_its_referral",
            ),
            models.CheckConstraint(
                condition=~Q(status=DocumentStatus.UNMATCHED) | Q(step__isnull=False),
                name="unmatched_document_has_an_owner_and_a_clock",
            ),
            models.CheckConstraint(
                condition=~Q(status=DocumentStatus.LETTER)
                | Q(letter_from__isnull=False)
                | Q(ended_at__isnull=False),
                name="letter_waits_to_be_read_or_was",
            ),
            models.CheckConstraint(
                condition=~Q(status=DocumentStatus.REJECTED) | ~Q(rejected_because=""),
                name="rejected_document_says_why",
            ),
        ]
        indexes = [
            models.Index(
                fields=["match_from"], name="document_to_match", condition=Q(match_from__isnull=False)
            ),
            models.Index(
                fields=["letter_from"], name="document_letters", condition=Q(letter_from__isnull=False)
            ),
            models.Index(fields=["clinic", "status", "received_at"], name="document_by_status"),
        ]

    def __str__(self) -> str:
        return self.subject or self.source_id

    @property
    def reason_words(self) -> list[str]:
        return [in_words(code) for code in self.reasons]


PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}  # and how their bytes begin


class DocumentFile(models.Model):
    """One file inside a document. `problem` says why it should not be trusted; it is kept all the same."""

    document = models.ForeignKey(IncomingDocument, on_delete=models.CASCADE, related_name="files")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=255, blank=True)
    content_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    content = models.FileField(upload_to="documents/%Y/%m/%d", max_length=255)
    problem = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "position"], name="document_file_once")]
        ordering = ["position"]

    def __str__(self) -> str:
        return self.name

    @property
    def may_be_a_result(self) -> bool:
        """Whether a doctor can look at it."""
        return self.content_type in LOOKED_AT and not self.problem

    @property
    def is_picture(self) -> bool:
        """May be shown in place; whether its bytes are what they say is asked again when it is."""
        return self.content_type in PICTURES and not self.problem

    @property
    def problem_words(self) -> str:
        return in_words(self.problem) if self.problem else ""


class ResultStatus(models.TextChoices):
    PRELIMINARY = "preliminary", _("Preliminary")
    FINAL = "final", _("Final")
    AMENDED = "amended", _("Amended")


class Decision(models.TextChoices):
    """What the doctor decided; each is the outcome of the review step and settles the hold."""

    TREAT = "treat", _("Treat, keep the held visit")
    TREAT_OTHER = "treat_other", _("Treat, at another time")
    NO_TREATMENT = "no_treatment", _("No treatment needed")
    MORE_TESTS = "more_tests", _("More tests needed")
    CALL_TODAY = "call_today", _("Call the patient today")


class Result(models.Model):
    """What a document turned out to be, for a referral (FHIR DiagnosticReport, basedOn)."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="results")
    document = models.ForeignKey(IncomingDocument, on_delete=models.PROTECT, related_name="results")
    source_id = models.CharField(max_length=255)
    version = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=12, choices=ResultStatus, default=ResultStatus.FINAL)
    received_at = models.DateTimeField()
    review = models.ForeignKey(Step, null=True, blank=True, on_delete=models.PROTECT, related_name="results")
    decision = models.CharField(max_length=16, choices=Decision, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL)
    note = models.TextField(blank=True)

    class Meta:
        constraints = [
            one_of("status", ResultStatus, name="result_status_is_known"),
            models.CheckConstraint(
                condition=Q(decision__in=["", *Decision.values]), name="result_decision_is_known"
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_at__isnull=True)
                | (~Q(decision="") & Q(decided_at__isnull=False)),
                name="result_decided_iff_it_has_a_time",
            ),
            models.UniqueConstraint(fields=["referral", "source_id", "version"], name="result_version_once"),
        ]
        indexes = [
            models.Index(fields=["referral"], name="result_undecided", condition=Q(decision="")),
            models.Index(fields=["decided_at"], name="result_decided", condition=Q(decided_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.referral_id} {self.version}"


class PassAnswer(models.TextChoices):
    ACCEPTED = "accepted", _("Accepted")
    GIVEN_BACK = "given_back", _("Given back")
    ENDED = "ended", _("Decided before an answer")


class ReviewPass(models.Model):
    """One doctor asks another to decide. Until the other accepts, the owner stays and the clock runs."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    review = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="passes")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    to = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="review_passes")
    because = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField()
    answer = models.CharField(max_length=12, choices=PassAnswer, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(answer__in=["", *PassAnswer.values]), name="review_pass_answer_is_known"
            ),
            models.CheckConstraint(
                condition=Q(answer="", answered_at__isnull=True)
                | (~Q(answer="") & Q(answered_at__isnull=False)),
                name="review_pass_answered_iff_it_has_a_time",
            ),
            models.CheckConstraint(condition=~Q(by=F("to")), name="review_is_passed_to_somebody_else"),
            models.UniqueConstraint(fields=["review"], condition=Q(answer=""), name="review_one_open_pass"),
        ]

    def __str__(self) -> str:
        return f"{self.review_id} {self.answer}"
