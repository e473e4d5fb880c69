"""The mail folder: what is dropped there is kept once, then matched or handed to a person."""

import os
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection

from journeys.models import StepKind, StepStatus
from patients.actions import StaleStateError
from patients.models import Clinic
from referrals import arrivals
from referrals.intake.base import Problem
from referrals.mailbox import fetch
from referrals.matching import Reason
from referrals.models import DocumentStatus, IncomingDocument, Referral, Result
from referrals.queries import candidates_of
from referrals.words import WORDS
from tests import builders, mails
from tests.conftest import NOW
from tests.mails import mail

pytestmark = pytest.mark.django_db

RETRY = timedelta(minutes=2)


@pytest.fixture
def referral() -> Referral:
    return builders.referral()


def deliver(inbox: Path, raw: bytes, name: str = "1.host") -> None:
    (inbox / "new" / name).write_bytes(raw)


def drop(inbox: Path, raw: bytes, name: str = "mail.eml", *, age: timedelta = timedelta(minutes=1)) -> Path:
    path = inbox / name
    path.write_bytes(raw)
    written = (NOW - age).timestamp()
    os.utime(path, (written, written))
    return path


def take_in() -> IncomingDocument:
    """Fetch and match the only mail there is."""
    fetch(now=NOW)
    arrivals.match_documents(now=NOW)
    return IncomingDocument.objects.select_related("clinic", "referral", "step__journey").get()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- the folder ---


def test_mail_is_kept_as_it_came_and_marked_as_seen(inbox: Path, referral: Referral) -> None:
    raw = mail(to=referral.clinic.intake_address, subject=referral.code)
    deliver(inbox, raw)
    assert fetch(now=NOW) == 1
    document = IncomingDocument.objects.get()
    assert document.raw.read() == raw
    assert (document.status, document.sender, document.subject) == (
        DocumentStatus.RECEIVED,
        "desk@imaging.example",
        referral.code,
    )
    assert (names(inbox / "new"), names(inbox / "cur")) == ([], ["1.host:2,S"])
    assert fetch(now=NOW) == 0


def test_file_dropped_beside_is_taken_once_it_is_whole(inbox: Path) -> None:
    builders.clinic()
    drop(inbox, mail(), age=timedelta(seconds=1))
    assert fetch(now=NOW) == 0
    growing = drop(inbox, mail(text="More of it"), age=timedelta(seconds=1))
    assert fetch(now=NOW) == 0
    assert growing.exists()
    assert fetch(now=NOW) == 1
    assert names(inbox) == ["cur", "new", "tmp"]
    drop(inbox, mail(message_id="<2@x>"), "2.EML", age=timedelta(seconds=3))
    assert fetch(now=NOW) == 1


def test_unfinished_hidden_and_linked_files_are_left_alone(inbox: Path, tmp_path: Path) -> None:
    builders.clinic()
    secret = tmp_path / "secret"
    secret.write_bytes(mail())
    (inbox / "new" / "link").symlink_to(secret)
    (inbox / "new" / ".hidden").write_bytes(mail())
    (inbox / "tmp" / "half").write_bytes(mail())
    (inbox / "notes.txt").write_bytes(b"no mail")
    assert fetch(now=NOW) == 0
    assert not IncomingDocument.objects.exists()


def test_folder_is_made_where_there_is_none(settings: LazySettings) -> None:
    assert fetch(now=NOW) == 0
    assert names(Path(settings.MAILBOX_MAILDIR)) == ["cur", "new", "tmp"]


def test_same_mail_twice_is_one_document(inbox: Path) -> None:
    builders.clinic()
    deliver(inbox, mail())
    deliver(inbox, b"Received: by relay\r\n" + mail().replace(b"\n", b"\r\n"), "2.host")
    drop(inbox, mail())
    assert fetch(now=NOW) == 1
    assert len(names(inbox / "cur")) == 3
    assert len([path for path in (inbox.parent / "media").rglob("*") if path.is_file()]) == 1


def test_one_message_id_on_two_mails_is_two_documents(inbox: Path) -> None:
    builders.clinic()
    deliver(inbox, mail(text="Patient one"))
    deliver(inbox, mail(text="Patient two"), "2.host")
    assert fetch(now=NOW) == 2


def test_name_that_is_taken_in_cur_keeps_both_files(inbox: Path) -> None:
    builders.clinic()
    for text in ("one", "two"):
        deliver(inbox, mail(text=text))
        fetch(now=NOW)
    assert len(names(inbox / "cur")) == 2


def test_mail_that_cannot_be_kept_now_stays_for_the_next_tick(inbox: Path) -> None:
    deliver(inbox, mail())
    assert fetch(now=NOW) == 0  # no clinic yet: nobody to keep it for
    assert names(inbox / "new") == ["1.host"]
    builders.clinic()
    assert fetch(now=NOW) == 1


@pytest.mark.parametrize(
    "raw", [b"", b"\0\0\0", b"\xff" * 5000, b"Subject: \xed\xa0\x80\0x\r\n\r\n", b"a: b"]
)
def test_any_bytes_are_kept_and_end_with_a_person(inbox: Path, raw: bytes) -> None:
    builders.clinic()
    deliver(inbox, raw)
    document = take_in()
    assert document.raw.read() == raw
    assert (document.status, document.match_from) == (DocumentStatus.UNMATCHED, None)
    assert document.step is not None
    assert document.step.kind == StepKind.IDENTIFY


def test_mail_whose_headers_cannot_be_read_is_kept_by_its_bytes(inbox: Path, settings: LazySettings) -> None:
    clinic = builders.clinic()
    del settings.MAX_ATTACHMENT_BYTES  # the reader cannot work without it
    raw = b"Subject: scan\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\n%PDF-1.4"
    deliver(inbox, raw)
    assert fetch(now=NOW) == 1
    document = IncomingDocument.objects.get()
    assert (document.clinic, document.source_id) == (clinic, sha256(raw).hexdigest())
    deliver(inbox, raw)
    assert fetch(now=NOW) == 0


# --- which clinic ---


@pytest.mark.parametrize(
    "address", ["results@b.example", "RESULTS+r22222222@B.example", "x@y.z, results@b.example"]
)
def test_mail_belongs_to_the_clinic_it_was_sent_to(inbox: Path, address: str) -> None:
    builders.clinic(intake_address="results@a.example")
    second = builders.clinic(intake_address="results@b.example")
    deliver(inbox, mail(to=address))
    assert take_in().clinic == second


def test_clinics_that_share_a_mailbox_are_told_apart_by_the_tag(inbox: Path) -> None:
    builders.clinic(intake_address="results+haifa@mail.example")
    second = builders.clinic(intake_address="results+eilat@mail.example")
    deliver(inbox, mail(to="results+eilat@mail.example"))
    assert take_in().clinic == second


def test_code_tells_the_clinic_where_the_address_does_not(inbox: Path, referral: Referral) -> None:
    first = Clinic.objects.create(
        pk=-1, name="First", slug="first", sender_name="First", phone="+97235550142"
    )
    deliver(inbox, mail(to="someone@else.example", text=f"Referral {referral.code}"))
    fetch(now=NOW)
    assert IncomingDocument.objects.get().clinic == first
    arrivals.match_documents(now=NOW)
    document = IncomingDocument.objects.get()
    assert (document.clinic, document.referral) == (referral.clinic, referral)


def test_code_of_another_clinic_does_not_count_where_the_address_is_known(
    inbox: Path, referral: Referral
) -> None:
    other = builders.clinic()
    deliver(inbox, mail(to=other.intake_address, subject=referral.code))
    document = take_in()
    assert (document.clinic, document.status) == (other, DocumentStatus.UNMATCHED)
    assert candidates_of(document) == []


# --- whose it is ---


def test_plus_address_alone_matches(inbox: Path, referral: Referral) -> None:
    local, _at, domain = referral.clinic.intake_address.partition("@")
    code = referral.code.replace("-", "").lower()
    deliver(inbox, mail(to=f"{local}+{code}@{domain}"))
    document = take_in()
    assert (document.referral, document.matched_by) == (referral, "code")
    assert Result.objects.get().document == document


def test_name_with_birth_date_matches(inbox: Path, referral: Referral) -> None:
    deliver(inbox, mail(to=referral.clinic.intake_address, subject="Dana Levi, born 04/05/1991"))
    document = take_in()
    assert (document.referral, document.matched_by) == (referral, "name_and_birth_date")


def test_national_id_matches_however_it_is_written(inbox: Path) -> None:
    referral = builders.referral(builders.patient(national_id="123456782"))
    deliver(inbox, mail(to=referral.clinic.intake_address, text="ID: 12345678-2"))
    document = take_in()
    assert (document.referral, document.matched_by) == (referral, "identifier")


def test_name_alone_is_for_a_person_to_settle(inbox: Path, referral: Referral) -> None:
    deliver(inbox, mail(to=referral.clinic.intake_address, subject="Dana Levi"))
    document = take_in()
    assert (document.status, document.referral) == (DocumentStatus.UNMATCHED, None)
    assert document.step is not None
    assert document.step.due_at == NOW + timedelta(hours=2)
    assert document.step.journey.title == "desk@imaging.example: Dana Levi"


def test_two_referrals_of_one_patient_are_never_guessed_between(inbox: Path, referral: Referral) -> None:
    second = builders.referral(referral.patient)
    deliver(inbox, mail(to=referral.clinic.intake_address, subject="Dana Levi, born 04/05/1991"))
    document = take_in()
    assert (document.status, document.reasons) == (DocumentStatus.UNMATCHED, ["several"])
    assert candidates_of(document) == [referral, second]


def test_code_of_one_patient_and_birth_date_of_another_is_a_contradiction(
    inbox: Path, referral: Referral
) -> None:
    other = builders.patient(
        referral.clinic, given_name="Noa", birth_date=date(1980, 1, 2), phone="054-765-4321"
    )
    builders.referral(other)
    deliver(
        inbox,
        mail(to=referral.clinic.intake_address, subject=referral.code, text="Noa Levi, born 02/01/1980"),
    )
    document = take_in()
    assert (document.status, document.reasons) == (DocumentStatus.UNMATCHED, ["contradiction"])
    assert candidates_of(document)[0] == referral


def test_decided_referral_takes_no_mail_by_name(inbox: Path, referral: Referral) -> None:
    deliver(inbox, mail(to=referral.clinic.intake_address, subject=referral.code))
    take_in()
    Result.objects.update(decision="no_treatment", decided_at=NOW)
    deliver(inbox, mail(to=referral.clinic.intake_address, subject="Dana Levi, born 04/05/1991"))
    fetch(now=NOW)
    arrivals.match_documents(now=NOW)
    assert IncomingDocument.objects.order_by("pk")[1].status == DocumentStatus.UNMATCHED


def test_mail_without_a_file_does_not_end_the_wait(inbox: Path, referral: Referral) -> None:
    deliver(inbox, mail(to=referral.clinic.intake_address, subject=referral.code, file=None))
    document = take_in()
    assert (document.status, document.reasons) == (DocumentStatus.UNMATCHED, ["no_attachment"])
    assert candidates_of(document) == [referral]
    assert referral.journey.steps.get(kind=StepKind.AWAIT_RESULT).status == StepStatus.ACTIVE


def test_one_good_file_is_enough_and_the_bad_one_is_kept_with_its_problem(
    inbox: Path, referral: Referral
) -> None:
    deliver(inbox, mail(to=referral.clinic.intake_address, subject=referral.code, more=[b"", mails.PDF]))
    document = take_in()
    assert (document.status, document.reasons) == (DocumentStatus.MATCHED, ["empty_attachment"])
    assert [file.problem for file in document.files.all()] == ["", "empty_attachment", ""]


# --- poison ---


def test_document_that_cannot_be_read_is_tried_three_times_then_goes_to_a_person(
    inbox: Path, referral: Referral
) -> None:
    deliver(inbox, mail(subject="Poison"))
    fetch(now=NOW)
    bad = IncomingDocument.objects.get()
    Path(bad.raw.path).rename(inbox.parent / "aside")
    deliver(inbox, mail(to=referral.clinic.intake_address, subject=referral.code), "2.host")
    fetch(now=NOW)
    assert arrivals.match_documents(now=NOW) == 2
    assert Result.objects.count() == 1  # the neighbour went on
    for tick in range(1, 3):
        bad.refresh_from_db()
        assert (bad.status, bad.tries) == (DocumentStatus.RECEIVED, tick)
        arrivals.match_documents(now=NOW + tick * RETRY)
    bad.refresh_from_db()
    assert (bad.status, bad.reasons) == (DocumentStatus.UNMATCHED, ["unreadable"])
    assert bad.step is not None
    assert arrivals.match_documents(now=NOW + 10 * RETRY) == 0


def test_document_that_can_be_read_again_is_matched(inbox: Path, referral: Referral) -> None:
    deliver(inbox, mail(to=referral.clinic.intake_address, subject=referral.code))
    fetch(now=NOW)
    path = Path(IncomingDocument.objects.get().raw.path)
    path.rename(inbox.parent / "aside")
    arrivals.match_documents(now=NOW)
    (inbox.parent / "aside").rename(path)
    arrivals.match_documents(now=NOW)
    assert not Result.objects.exists()  # leased: not again in the same minute
    arrivals.match_documents(now=NOW + RETRY)
    assert Result.objects.count() == 1


def test_failed_try_leaves_no_files_behind(inbox: Path, referral: Referral) -> None:
    deliver(inbox, mail(to=referral.clinic.intake_address, subject=referral.code))
    fetch(now=NOW)
    document = IncomingDocument.objects.get()
    IncomingDocument.objects.filter(pk=document.pk).update(status="matched", referral=referral)
    with pytest.raises(StaleStateError):
        arrivals.match_document(document, now=NOW)
    stored = [path for path in (inbox.parent / "media").rglob("*") if path.is_file()]
    assert [path.suffix for path in stored] == [".eml"]


def test_clinic_without_opening_hours_still_gets_a_clock(inbox: Path) -> None:
    builders.clinic().hours.all().delete()
    deliver(inbox, mail())
    document = take_in()
    assert document.step is not None
    assert document.step.due_at == NOW + timedelta(hours=2)


def test_claim_walks_the_index_of_what_waits() -> None:
    explain = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(explain + arrivals.TO_MATCH.sql(), {"now": NOW, "limit": 1, "again_at": NOW})
        assert "document_to_match" in str(cursor.fetchall())


def test_every_reason_has_words() -> None:
    assert set(WORDS) == {*Problem, *Reason, arrivals.UNREADABLE}
