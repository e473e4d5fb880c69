"""What came in: kept as bytes first, then matched or handed to a person. Never lost, never guessed."""

import logging
import os
import re
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from mimetypes import guess_extension
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext as _

from journeys.actions import AdHoc, open_unidentified
from journeys.claims import TICK_SHARE, Alarm, claim_due
from journeys.clinic_time import soon
from journeys.deadlines import Limit, Unit
from journeys.models import StepKind
from patients.actions import StaleStateError
from patients.models import Clinic
from referrals import matching
from referrals.intake import email, message, upload
from referrals.intake.base import Attachment, Parsed
from referrals.models import (
    DocumentFile,
    DocumentStatus,
    IncomingDocument,
    Referral,
    Result,
    Source,
)
from referrals.queries import (
    addressed_clinic,
    as_open,
    is_of_a_patient,
    referrals_about,
    referrals_by_code,
)
from referrals.results import attach

logger = logging.getLogger(__name__)

INTERVAL = timedelta(seconds=5)
LEASE = timedelta(minutes=1)  # after it a document whose reader died, or failed, is tried again
MAX_TRIES = 3
IDENTIFY_WITHIN = Limit(2, Unit.WORKING_HOURS)
UNREADABLE = "unreadable"

TO_MATCH = Alarm(
    model=IncomingDocument,
    column="match_from",
    armed="match_from IS NOT NULL",
    takes={"match_from": "%(again_at)s", "tries": "tries + 1"},
    returns=("id", "tries"),
)


@dataclass(frozen=True)
class Arrival:
    """Something that came in, untouched. `referral` is set where it came through the referral's own door."""

    clinic: Clinic
    source: Source
    source_id: str
    raw: bytes
    sender: str = ""
    subject: str = ""  # of a file that came without a mail: its own name
    referral: Referral | None = None


def receive(arrival: Arrival, *, now: datetime) -> IncomingDocument | None:
    """Keep the bytes on disk, then the row; only when this returns may the sender be told that we have it.

    None: the same came before. The row decides, by its constraint, so two deliveries at once make one.
    """
    source_id = storable(arrival.source_id, 255)
    same = IncomingDocument.objects.filter(source=arrival.source, source_id=source_id)
    if same.exists():
        return None
    document = IncomingDocument(
        clinic=arrival.clinic,
        source=arrival.source,
        source_id=source_id,
        received_at=now,
        match_from=now,
        sender=storable(arrival.sender, 254),
        subject=storable(arrival.subject, 500),
        referral=arrival.referral,
    )
    suffix = ".eml" if arrival.source == Source.EMAIL else ".bin"
    document.raw.save(_own_name(suffix), ContentFile(arrival.raw), save=False)
    _flush_to_disk(document.raw)
    try:
        with transaction.atomic():
            document.save(force_insert=True)
    except IntegrityError:
        _remove(document.raw)
        if not same.exists():
            raise
        return None
    return document


def storable(text: str, length: int) -> str:
    """Text that every database takes: no NUL, no half of a surrogate pair, no longer than its column."""
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", text)[:length]


def _own_name(suffix: str) -> str:
    """Files are named by us, never by the sender (a name may be a path, or lie)."""
    return f"{uuid4().hex}{suffix}"


def _flush_to_disk(file: FieldFile) -> None:
    """A row must not outlive its bytes in a power cut; storages without a disk here answer for themselves."""
    try:
        path = Path(file.path)
    except NotImplementedError:
        return
    for target in (path, path.parent):
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove(file: FieldFile) -> None:
    if file.name:
        file.storage.delete(file.name)


def match_documents(*, now: datetime, lasts: timedelta = INTERVAL) -> int:
    """Match what has come in, one document at a time. Returns how many were tried.

    A try is counted and leased before the document is opened: one that kills the worker is not tried for
    ever, and its neighbours go on.
    """
    stop = monotonic() + lasts.total_seconds() * TICK_SHARE
    tried = 0
    while monotonic() < stop:
        with transaction.atomic():
            rows = claim_due(TO_MATCH, now=now, limit=1, again_at=now + LEASE)
        if not rows:
            break
        ((pk, tries),) = rows
        _try_to_match(pk, tries, now=now)
        tried += 1
    return tried


def _try_to_match(pk: int, tries: int, *, now: datetime) -> None:
    document = IncomingDocument.objects.select_related("clinic", "referral").get(pk=pk)
    try:
        if tries <= MAX_TRIES:
            match_document(document, now=now)
        else:
            _give_up(document, now=now)
    except StaleStateError:
        return
    except Exception as error:  # noqa: BLE001 - one document must not stop its neighbours
        # The error's own text may quote the mail, so only its type and place reach the log.
        place = " ".join(traceback.format_tb(error.__traceback__)[-1].split()[:4])
        logger.error("Document %s: %s, try %s of %s. %s", pk, type(error).__name__, tries, MAX_TRIES, place)  # noqa: TRY400
        if tries == MAX_TRIES:
            # Taken at once, not after the lease: its next claim is over the limit and gives it up.
            IncomingDocument.objects.filter(pk=pk, status=DocumentStatus.RECEIVED).update(match_from=now)


def _give_up(document: IncomingDocument, *, now: datetime) -> None:
    """A person looks at what cannot be read; whoever has the words of a message sees there that its file cannot."""
    if document.source == Source.MESSAGE:
        _is_no_result(document, ended_at=now, reasons=[UNREADABLE])
    else:
        _hand_over(document, [UNREADABLE], now=now)


def match_document(document: IncomingDocument, *, now: datetime) -> Result | None:
    """Read a received document and attach it to exactly one referral, or hand it to a person (None)."""
    parsed = read(document)
    files = [
        _keep_file(document, position, attachment)
        for position, attachment in enumerate(parsed.attachments, start=1)
    ]
    try:
        with transaction.atomic():
            DocumentFile.objects.bulk_create(files)
            return _decide(document, parsed, now=now)
    except Exception:
        for file in files:
            _remove(file.content)
        raise


def read(document: IncomingDocument) -> Parsed:
    """Parse the kept bytes, as often as needed: the document itself is never changed."""
    with document.raw.open("rb") as stored:
        raw = stored.read()
    if document.source == Source.EMAIL:
        return email.parse(raw, max_attachment_bytes=settings.MAX_ATTACHMENT_BYTES)
    if document.source == Source.MESSAGE:
        return message.parse(document.subject, raw, max_attachment_bytes=settings.MAX_ATTACHMENT_BYTES)
    code = document.referral.code if document.referral else ""
    return upload.parse(document.subject, raw, code=code, max_attachment_bytes=settings.MAX_ATTACHMENT_BYTES)


def _keep_file(document: IncomingDocument, position: int, attachment: Attachment) -> DocumentFile:
    file = DocumentFile(
        document=document,
        position=position,
        name=storable(attachment.filename, 255),
        content_type=storable(attachment.sniffed_type or attachment.declared_type, 100),
        size=len(attachment.content),
        problem=attachment.problem or "",
    )
    suffix = guess_extension(attachment.sniffed_type) or ".bin"
    file.content.save(_own_name(suffix), ContentFile(attachment.content), save=False)
    return file


def _decide(document: IncomingDocument, parsed: Parsed, *, now: datetime) -> Result | None:
    """What a patient writes is heard, whatever becomes of a file that came with it.

    A file that came with a message is with whoever has the words of it already.
    """
    if document.source == Source.MESSAGE:
        _is_no_result(document, ended_at=now)
        return None
    if _is_letter(document, parsed):
        _is_no_result(document, letter_from=now, tries=0)
        return None
    result = _matched(document, parsed, now=now)
    if _has_words(document, parsed):
        IncomingDocument.objects.filter(pk=document.pk).update(letter_from=now, tries=0)
    return result


def _matched(document: IncomingDocument, parsed: Parsed, *, now: datetime) -> Result | None:
    referrals = _possible(document, parsed)
    found = matching.match(parsed, [as_open(referral) for referral in referrals.values()])
    if isinstance(found, matching.Unmatched):
        candidates = [referrals[key] for key in found.candidates]
        _hand_over(document, [*found.reasons, *parsed.problems], candidates, now=now)
        return None
    referral = referrals[found.referral_key]
    if not parsed.usable_attachments:
        # Ours, but nothing a doctor could look at: a person sees it and asks the institute again.
        _hand_over(document, parsed.problems, [referral], now=now)
        return None
    IncomingDocument.objects.filter(pk=document.pk).update(
        reasons=[str(problem) for problem in parsed.problems]
    )
    return attach(document, referral, matched_by=str(found.by), now=now)


def _is_letter(document: IncomingDocument, parsed: Parsed) -> bool:
    """A patient's own words and no more, or news of a mail of ours."""
    if parsed.report:
        return document.source == Source.EMAIL and bool(parsed.answers)
    return _has_words(document, parsed) and all(each.is_inline for each in parsed.attachments)


def _has_words(document: IncomingDocument, parsed: Parsed) -> bool:
    if document.source != Source.EMAIL or parsed.report:
        return False
    return bool(parsed.answers or is_of_a_patient(parsed.sender))


def _is_no_result(document: IncomingDocument, **fields: Any) -> None:
    """With `letter_from`, the app that writes to patients looks for it by its own clock."""
    moved = IncomingDocument.objects.filter(pk=document.pk, status=DocumentStatus.RECEIVED).update(
        status=DocumentStatus.LETTER, match_from=None, **fields
    )
    if not moved:
        raise StaleStateError(_("This document was matched meanwhile."))


def hand_over_letter(document: IncomingDocument, *, now: datetime) -> None:
    """It was nobody's words to us after all, or cannot be read: a person finds out."""
    parsed = read(document) if document.tries <= MAX_TRIES else None
    reasons = parsed.problems if parsed else [UNREADABLE]
    meant = list(_possible(document, parsed).values()) if parsed else []
    _hand_over(document, reasons, meant, from_status=DocumentStatus.LETTER, now=now)


def _possible(document: IncomingDocument, parsed: Parsed) -> dict[int, Referral]:
    """Referrals the document could answer, by key: those it names, and those of the people it is about."""
    is_addressed = document.source != Source.EMAIL or addressed_clinic(parsed.recipients) is not None
    named = referrals_by_code(parsed.codes, clinic=document.clinic if is_addressed else None)
    about = referrals_about(parsed.claim, clinic=document.clinic)
    return {referral.pk: referral for referral in (*named, *about)}


def _hand_over(
    document: IncomingDocument,
    reasons: Iterable[str],
    candidates: Sequence[Referral] = (),
    *,
    from_status: str = DocumentStatus.RECEIVED,
    now: datetime,
) -> None:
    """Give a document to the desk, with an owner and a clock: a person finds out whose it is."""
    with transaction.atomic():
        due = soon(document.clinic, IDENTIFY_WITHIN, now=now)
        title = ": ".join(part for part in (document.sender, document.subject) if part)
        asked = AdHoc(StepKind.IDENTIFY, title or (lambda: _("A file without a name")), due)
        step = open_unidentified(document.clinic, asked, now=now)
        moved = IncomingDocument.objects.filter(pk=document.pk, status=from_status).update(
            status=DocumentStatus.UNMATCHED,
            match_from=None,
            letter_from=None,
            step=step,
            referral=None,
            reasons=list(dict.fromkeys(map(str, reasons))),
            candidates=[str(referral.public_id) for referral in candidates],
        )
        if not moved:
            raise StaleStateError(_("This document was matched meanwhile."))
