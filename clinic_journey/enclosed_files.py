"""What came with somebody's words, shown beside them: to be opened, still awaited, or to be asked for again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch

from outreach.channels.inbound import Brought
from outreach.enclosed_models import ReplyFile
from outreach.models import Reply
from outreach.queries import TROUBLE_OF
from patients.models import Patient
from referrals.models import DocumentFile, DocumentStatus, IncomingDocument, Referral
from referrals.queries import waiting

WITH_FILES = Prefetch(
    "files", ReplyFile.objects.select_related("document").prefetch_related("document__files")
)


@dataclass(frozen=True)
class EnclosedFile:
    kind: str  # in words
    document: IncomingDocument | None
    files: tuple[DocumentFile, ...]  # of the document, once it has been read
    trouble: str  # why the last try failed, in words
    tried_at: datetime | None  # when it is tried again; none: it is here, or given up
    is_given_up: bool
    may_be_a_result: bool

    @property
    def is_a_result(self) -> bool:
        return self.document is not None and self.document.status == DocumentStatus.MATCHED

    @property
    def name(self) -> str:
        """As whoever sent it called it, else what it is."""
        return (self.document.subject if self.document else "") or self.kind


def enclosed_in(reply: Reply) -> tuple[EnclosedFile, ...]:
    """Of a reply that was read WITH_FILES."""
    return tuple(_shown(file) for file in reply.files.all())


def _shown(file: ReplyFile) -> EnclosedFile:
    document = file.document
    files = tuple(document.files.all()) if document else ()
    is_unreadable = document is not None and document.status != DocumentStatus.RECEIVED and not files
    return EnclosedFile(
        str(Brought(file.kind).label),
        document,
        files,
        _trouble_of(file),
        file.fetch_from,
        is_given_up=file.given_up_at is not None or is_unreadable,
        may_be_a_result=file.may_be_a_result,
    )


def _trouble_of(file: ReplyFile) -> str:
    """Why it could not be read, else why it could not be fetched."""
    unread = " ".join(file.document.reason_words) if file.document else ""
    return unread or (str(TROUBLE_OF[file.trouble].label) if file.trouble in TROUBLE_OF else "")


def how_many_of(patient: Patient) -> int:
    """Files of this patient's that have come and been read: they can be opened, or say what is wrong with them."""
    come = ReplyFile.objects.filter(reply__patient=patient, document__isnull=False)
    return come.exclude(document__status=DocumentStatus.RECEIVED).count()


def awaited_by(patient: Patient, shown: Iterable[Iterable[EnclosedFile]]) -> list[Referral]:
    """The results that one of these may be; of one sent as several photos, each joins the first."""
    if not any(file.may_be_a_result for files in shown for file in files):
        return []
    hers = Referral.objects.filter(patient=patient, clinic=patient.clinic_id)
    return list(waiting(hers).order_by("expected_at", "pk"))
