"""The files that come with what somebody writes: fetched from the provider by a tick of their own."""

from django.db import models
from django.db.models import Q

from outreach.models import Reply
from referrals.models import DocumentStatus, IncomingDocument

KINDS = ("picture", "voice", "video", "file")  # of what a channel calls Brought, that which is a file


class ReplyFile(models.Model):
    """One file of a reply: still to be fetched, here, or given up.

    `fetch_from` is a consumed alarm. What was fetched is a document like any other that comes in.
    """

    reply = models.ForeignKey(Reply, on_delete=models.CASCADE, related_name="files", db_index=False)
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8)
    provider_reference = models.CharField(max_length=500)  # by which the provider hands it out
    name = models.CharField(max_length=255, blank=True)  # as whoever sent it called it
    asked_at = models.DateTimeField()
    fetch_from = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)  # while a worker is at it
    tries = models.PositiveSmallIntegerField(default=0)
    trouble = models.CharField(max_length=20, blank=True)  # of the last try: a Trouble
    given_up_at = models.DateTimeField(null=True, blank=True)
    document = models.OneToOneField(
        IncomingDocument, null=True, blank=True, on_delete=models.PROTECT, related_name="enclosed"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=KINDS), name="reply_file_kind_is_known"),
            models.UniqueConstraint(fields=["reply", "position"], name="reply_file_once"),
            models.CheckConstraint(
                condition=Q(fetch_from__isnull=False, document__isnull=True, given_up_at__isnull=True)
                | Q(fetch_from__isnull=True, document__isnull=False, given_up_at__isnull=True)
                | Q(fetch_from__isnull=True, document__isnull=True, given_up_at__isnull=False),
                name="reply_file_is_to_be_fetched_or_here_or_given_up",
            ),
            models.CheckConstraint(
                condition=Q(lease_until__isnull=True) | Q(fetch_from__isnull=False),
                name="reply_file_is_leased_while_it_is_to_be_fetched",
            ),
        ]
        indexes = [
            models.Index(
                fields=["fetch_from"], name="reply_file_to_fetch", condition=Q(fetch_from__isnull=False)
            ),
        ]
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.reply_id} {self.position}"

    @property
    def may_be_a_result(self) -> bool:
        """Whether a doctor could look at it, and nobody has it as a result yet."""
        if self.document is None or self.document.status != DocumentStatus.LETTER:
            return False
        return any(file.may_be_a_result for file in self.document.files.all())
