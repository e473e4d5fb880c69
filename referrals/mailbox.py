"""The clinic's mailbox: a real IMAP server, or a Maildir folder. Whatever lies there is kept, then marked.

A mail is marked only after its bytes are on disk and its row is committed, so a crash at any point costs a
second look and nothing else; the second look finds the row (unique source and source id).
"""

import logging
import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from django.conf import settings
from imapclient import SEEN, IMAPClient
from imapclient.exceptions import IMAPClientError

from patients.models import Clinic
from referrals.arrivals import Arrival, receive
from referrals.intake import email
from referrals.intake.base import Parsed
from referrals.models import Source
from referrals.queries import addressed_clinic, clinic_of_codes

logger = logging.getLogger(__name__)
logging.getLogger("imapclient").setLevel(logging.WARNING)  # else a line a tick says that we hung up

TIMEOUT = 20  # seconds without an answer from the server
KEPT = b"$ClinicJourneyKept"  # our own mark, where the server lets us set one
LOOK_BACK = timedelta(days=3)  # for mail that a person opened in the mailbox before we came
STILL_FOR = timedelta(seconds=2)  # a file dropped into the folder is whole when nobody wrote to it so long


def fetch(*, now: datetime) -> int:
    """Keep every mail that is new. Returns how many came; an outage is for the next tick."""
    if not settings.MAILBOX_URL:
        return _fetch_folder(Path(settings.MAILBOX_MAILDIR), now=now)
    try:
        return _fetch_imap(_Account.of(settings.MAILBOX_URL), now=now)
    except (OSError, IMAPClientError) as error:
        logger.warning("The mailbox does not answer (%s); the next tick tries again.", type(error).__name__)
        return 0


def _keep(raw: bytes, *, now: datetime) -> bool:
    """Keep one mail; False if it came before. Only its headers are looked at; the rest is read later."""
    headers, source_id = _envelope(raw)
    recipients, codes = (headers.recipients, headers.codes) if headers else ((), ())
    clinic = addressed_clinic(recipients) or clinic_of_codes(codes) or Clinic.objects.earliest("pk")
    arrival = Arrival(
        clinic,
        Source.EMAIL,
        source_id,
        raw,
        sender=headers.sender if headers else "",
        subject=headers.subject if headers else "",
    )
    return receive(arrival, now=now) is not None


def _envelope(raw: bytes) -> tuple[Parsed | None, str]:
    """The headers, and an identity that stays when a relay adds headers or changes line ends.

    Some devices send each mail under one Message-ID, so the body counts too. Headers that cannot be read
    leave the hash of the bytes: a mail is kept whether we understand it or not.
    """
    head, _gap, body = raw.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")
    try:
        headers = email.parse(head + b"\n\n", max_attachment_bytes=settings.MAX_ATTACHMENT_BYTES)
    except Exception as error:  # noqa: BLE001 - kept first, understood later
        logger.error("Headers could not be read (%s); the mail is kept by its bytes.", type(error).__name__)  # noqa: TRY400
        return None, sha256(raw).hexdigest()
    message_id, _colon, digest = headers.source_id.rpartition(":")
    return headers, f"{message_id}:{sha256(digest.encode() + body.rstrip()).hexdigest()}"


def _keep_each(mails: Iterable[tuple[bytes, Callable[[], object]]], *, now: datetime) -> int:
    """Keep mails one by one and mark each; one that fails stays where it is and does not stop the others."""
    came = 0
    for raw, mark in mails:
        try:
            came += _keep(raw, now=now)
        except Exception as error:  # noqa: BLE001 - a mail we cannot keep now must not hold up its neighbours
            logger.error("A mail could not be kept (%s); the next tick tries again.", type(error).__name__)  # noqa: TRY400
        else:
            mark()
    return came


# --- IMAP ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Account:
    host: str
    port: int | None
    user: str
    password: str
    folder: str
    is_encrypted: bool

    @classmethod
    def of(cls, url: str) -> "_Account":
        """Read imaps://user:password@host:993/INBOX; odd signs in user, password and folder are %-escaped."""
        parts = urlsplit(url)
        return cls(
            host=parts.hostname or "localhost",
            port=parts.port,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            folder=unquote(parts.path.strip("/")) or "INBOX",
            is_encrypted=parts.scheme == "imaps",
        )


@contextmanager
def _connection(account: _Account) -> Iterator[IMAPClient]:
    context = ssl.create_default_context() if account.is_encrypted else None
    client = IMAPClient(
        account.host,
        port=account.port,
        ssl=account.is_encrypted,
        ssl_context=context,
        timeout=TIMEOUT,
    )
    try:
        client.login(account.user, account.password)
        yield client
    finally:
        client.shutdown()


def _fetch_imap(account: _Account, *, now: datetime) -> int:
    with _connection(account) as client:
        folder = client.select_folder(account.folder)
        marks = [SEEN, KEPT] if _takes_our_mark(folder) else [SEEN]
        uids = client.search(new_mail(marks, now=now))
        return _keep_each(_mails(client, uids, marks), now=now)


def _takes_our_mark(folder: dict[bytes, Any]) -> bool:
    permitted = folder.get(b"PERMANENTFLAGS", ())
    return b"\\*" in permitted or KEPT in permitted


def new_mail(marks: list[bytes], *, now: datetime) -> list[Any]:
    """Unread mail; and mail of the last days that a person has opened but we have not kept.

    Nothing depends on the numbers a server gives out: when it deals new ones (UIDVALIDITY), or forgets the
    marks, what we have is recognised by its row.
    """
    if KEPT not in marks:
        return ["UNSEEN"]
    return ["OR", "UNSEEN", ["UNKEYWORD", KEPT, "SINCE", (now - LOOK_BACK).date()]]


def _mails(
    client: IMAPClient, uids: list[int], marks: list[bytes]
) -> Iterator[tuple[bytes, Callable[[], object]]]:
    """One at a time, so that a full mailbox is never in memory. PEEK leaves a mail unread."""
    for uid in uids:
        answer = client.fetch([uid], ["BODY.PEEK[]"])
        raw = answer.get(uid, {}).get(b"BODY[]")
        if raw:  # else somebody deleted it meanwhile
            yield raw, partial(client.add_flags, [uid], marks, silent=True)


# --- A folder -----------------------------------------------------------------------------------------------

# Size and time of files dropped in plainly, as the last tick saw them.
_last_look: dict[Path, tuple[int, int]] = {}


def _fetch_folder(folder: Path, *, now: datetime) -> int:
    for name in ("new", "cur", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return _keep_each(_files(folder, now=now), now=now)


def _files(folder: Path, *, now: datetime) -> Iterator[tuple[bytes, Callable[[], object]]]:
    """Mail in new/ is whole by Maildir's rule (written in tmp/, then moved); one beside it may still grow."""
    delivered = [path for path in sorted((folder / "new").iterdir()) if not path.name.startswith(".")]
    dropped = [path for path in sorted(folder.glob("*.[eE][mM][lL]")) if _is_whole(path, now=now)]
    for path in (*delivered, *dropped):
        if path.is_symlink() or not path.is_file():
            continue
        try:
            raw = path.read_bytes()
        except OSError as error:
            logger.warning("A file in the mail folder cannot be read: %s.", error.strerror)
            continue
        yield raw, partial(_move_away, path, folder / "cur")


def _is_whole(path: Path, *, now: datetime) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    look = (found.st_size, found.st_mtime_ns)
    is_old = datetime.fromtimestamp(found.st_mtime, UTC) < now - STILL_FOR
    if is_old or _last_look.get(path) == look:
        _last_look.pop(path, None)
        return True
    _last_look[path] = look
    return False


def _move_away(path: Path, kept: Path) -> None:
    """As Maildir marks what was seen. A name that is taken already keeps both mails."""
    target = kept / f"{path.name}:2,S"
    if target.exists():
        target = kept / f"{uuid4().hex}.{path.name}:2,S"
    try:
        path.rename(target)
    except FileNotFoundError:  # another worker kept it, too, and was quicker
        return
    except OSError as error:
        logger.warning("A kept mail cannot be moved to cur/: %s.", error.strerror)
