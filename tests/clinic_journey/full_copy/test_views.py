"""A patient's copy, asked for on her record: what is in it, for whom, and that it stands in the trail."""

import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic_journey.full_copy.sections import SECTIONS
from outreach.closing import merge_records
from outreach.models import NOT_ME, Reply
from patients.actions import record_consent
from patients.models import AuditAction, AuditEvent, Channel, ConsentStatus, Patient, Role
from referrals.models import DocumentFile
from tests import builders
from tests.clinic_journey.test_access import logged_in, objects_of
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
PDF = b"%PDF-1.7 a picture of a tooth"


@pytest.fixture
def patient() -> Patient:
    builders.messages_loaded()
    return builders.patient(language="en")


@pytest.fixture
def manager(patient: Patient) -> Client:
    return logged_in(Role.MANAGER, patient.clinic)


def taken(client: Client, patient: Patient, asked: dict[str, str] | None = None) -> zipfile.ZipFile:
    answer: Any = client.post(f"/patients/{patient.public_id}/copy/", asked or {})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/zip"
    assert patient.family_name not in answer["Content-Disposition"]
    return zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))


def data_of(copy: zipfile.ZipFile) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(copy.read("record.json"))
    return found


def with_a_document(patient: Patient, **fields: Any) -> DocumentFile:
    document = builders.document(patient.clinic)
    referral = builders.referral(patient)
    referral.results.create(document=document, source_id="x", received_at=NOW)
    type(document).objects.filter(pk=document.pk).update(referral=referral, status="matched")
    file = DocumentFile(
        document=document,
        position=0,
        content_type="application/pdf",
        size=len(PDF),
        name="תמונה.pdf",
        **fields,
    )
    file.content.save("a.pdf", ContentFile(PDF))
    return file


def said(patient: Patient, words: str) -> Reply:
    return Reply.objects.create(clinic=patient.clinic, patient=patient, channel="sms", at=NOW, body=words)


def test_all_that_is_held_is_in_it_to_read_and_for_programs(manager: Client, patient: Patient) -> None:
    tie = patient.contacts.get()
    record_consent(patient, tie.contact_point, Channel.SMS, ConsentStatus.WITHDRAWN, now=NOW, words="STOP")
    builders.attempt(
        builders.task(builders.step(builders.journey(patient)), plan_from=None), body="Your visit is near"
    )
    said(patient, "I come, <b>surely</b>")
    file = with_a_document(patient)
    copy = taken(manager, patient)
    data = data_of(copy)
    assert data["patient"][0]["family_name"] == patient.family_name
    assert data["patientcontact"][0]["contact_point"] == "+972502345678"
    assert [(row["status"], row["how"]) for row in data["consent"]] == [("withdrawn", "STOP")]
    assert data["attempt"][0]["body"] == "Your visit is near"
    assert data["reply"][0]["body"] == "I come, <b>surely</b>"
    assert data["result"][0]["document"] == data["incomingdocument"][0]["id"]
    assert data["documentfile"][0]["in_archive"] == f"files/{file.pk}.pdf"
    assert copy.read(f"files/{file.pk}.pdf") == PDF
    page = copy.read("record.html").decode()
    assert "I come, &lt;b&gt;surely&lt;/b&gt;" in page
    assert '<html lang="en" dir="ltr">' in page
    assert f'href="files/{file.pk}.pdf"' in page
    assert set(data) == {"made_at", *(section.name for section in SECTIONS)}


def test_a_parent_gets_nothing_of_what_is_kept_from_the_parents(manager: Client, patient: Patient) -> None:
    path = f"/patients/{patient.public_id}/"
    assert "for a parent" not in manager.get(path).content.decode()
    assert "kept from the parents" not in taken(manager, patient).read("record.html").decode()
    for words, is_kept in (("the braces", False), ("the secret", True)):
        journey = builders.journey(patient, title=words, is_confidential=is_kept)
        step = builders.step(journey, title=words, kind="visit")
        builders.attempt(builders.task(step, plan_from=None), body=words)
        builders.appointment(patient, title=words, step=step, start=NOW + timedelta(days=1 + is_kept))
        Reply.objects.create(
            clinic=patient.clinic, patient=patient, channel="page", at=NOW, body=words, matter=step
        )
    said(patient, "the secret again")
    assert "Take the copy for a parent" in manager.get(path).content.decode()
    whole = taken(manager, patient)
    page = whole.read("record.html").decode()
    (marked,) = (line for line in page.splitlines() if line.endswith("kept from the parents</bdi></li>"))
    assert "the secret" in marked
    assert "for the patient alone" in page
    for_parent = taken(manager, patient, {"for": "parents"})
    for name in ("record.json", "record.html"):
        assert "the braces" in for_parent.read(name).decode()
        assert "secret" not in for_parent.read(name).decode()
        assert "kept from" not in for_parent.read(name).decode()


def test_what_came_with_her_words_is_in_it_and_kept_as_they_are(manager: Client, patient: Patient) -> None:
    files = {}
    for is_kept in (False, True):
        step = builders.step(builders.journey(patient, is_confidential=is_kept), kind="call")
        words = said(patient, "see this")
        Reply.objects.filter(pk=words.pk).update(matter=step)
        document = builders.enclosed(words, PDF).document
        assert document is not None
        files[is_kept] = f"files/{document.files.get().pk}.pdf"
    nobody_knows = builders.enclosed(said(patient, "and this"), PDF)
    assert nobody_knows.document is not None
    whole, for_parent = taken(manager, patient), taken(manager, patient, {"for": "parents"})
    assert set(files.values()) < set(whole.namelist())
    assert set(for_parent.namelist()) == {"record.json", "record.html", files[False]}
    assert len(data_of(whole)["replyfile"]) == 3
    assert len(data_of(for_parent)["replyfile"]) == len(data_of(for_parent)["incomingdocument"]) == 1


def test_what_a_stranger_sent_under_not_me_is_not_hers(manager: Client, patient: Patient) -> None:
    step = builders.step(builders.journey(patient), kind="call")
    hers, theirs, theirs_too = said(patient, "see this"), said(patient, "wrong number"), said(patient, "stop")
    Reply.objects.update(matter=step)
    Reply.objects.filter(pk__in=[theirs.pk, theirs_too.pk]).update(at=NOW + timedelta(minutes=1))
    Reply.objects.filter(pk=theirs.pk).update(meaning=NOT_ME)  # the same words may mean STOP as well
    document, *_theirs = [builders.enclosed(words, PDF).document for words in (hers, theirs, theirs_too)]
    assert document is not None
    for copy in (taken(manager, patient), taken(manager, patient, {"for": "parents"})):
        assert [name for name in copy.namelist() if "/" in name] == [f"files/{document.files.get().pk}.pdf"]
        for table in ("incomingdocument", "documentfile", "replyfile"):
            assert len(data_of(copy)[table]) == 1, table


def test_every_table_can_be_written(manager: Client) -> None:
    """One row of each kind that the pages name."""
    clinic = builders.clinic()
    objects = objects_of(clinic)
    found = Patient.objects.get(public_id=objects["patient_id"])
    data = data_of(taken(logged_in(Role.ADMIN, clinic), found))
    for name in (
        "step",
        "referral",
        "appointment",
        "waitlistentry",
        "offer",
        "praise",
        "complaint",
        "inquiry",
    ):
        assert data[name], name


def test_nothing_of_anybody_else_is_in_it(manager: Client, patient: Patient) -> None:
    other = builders.patient(patient.clinic, given_name="Ben")
    said(other, "only mine")
    builders.step(builders.journey(other))
    assert other.contacts.get().contact_point == patient.contacts.get().contact_point
    data = data_of(taken(manager, patient))
    assert "only mine" not in json.dumps(data)
    assert [row["id"] for row in data["patient"]] == [patient.pk]


def test_what_came_in_under_a_record_that_was_merged_is_hers(manager: Client, patient: Patient) -> None:
    other = builders.patient(patient.clinic, given_name="Dana", phone="")
    said(other, "under my old name")
    merge_records(other, patient, now=NOW, by=builders.user(at=patient.clinic))
    data = data_of(taken(manager, patient))
    assert [row["body"] for row in data["reply"]] == ["under my old name"]
    assert [row["id"] for row in data["patient"]] == sorted([patient.pk, other.pk])


def test_it_is_in_her_language_from_its_right_side(manager: Client, patient: Patient) -> None:
    Patient.objects.filter(pk=patient.pk).update(language="he")
    page = taken(manager, patient).read("record.html").decode()
    assert '<html lang="he" dir="rtl">' in page
    assert "ביקורים" in page


def test_who_took_it_and_who_looked_stand_in_the_trail_and_in_the_copy(
    manager: Client, patient: Patient
) -> None:
    manager.get(f"/patients/{patient.public_id}/")
    data = data_of(taken(manager, patient))
    event = AuditEvent.objects.get(action=AuditAction.EXPORT)
    assert (event.what, event.patient_id, event.clinic_id) == ("full_copy", patient.pk, patient.clinic_id)
    assert event.actor_id
    seen = {(row["action"], row["what"]) for row in data["auditevent"]}
    assert {("read", "patient"), ("export", "full_copy")} <= seen
    assert not {"ip", "agent"} & set(data["auditevent"][0])


def test_secrets_of_links_and_leases_stay_here(manager: Client, patient: Patient) -> None:
    builders.attempt(builders.task(builders.step(builders.journey(patient)), plan_from=None))
    text = taken(manager, patient).read("record.json").decode()
    for column in ("link_version", "lease", "search_key", "token_hash", "request_key"):
        assert f'"{column}"' not in text


@pytest.mark.parametrize(("role", "status"), [(Role.RECEPTIONIST, 403), (Role.DOCTOR, 403)])
def test_only_who_answers_for_the_clinic_hands_it_out(patient: Patient, role: str, status: int) -> None:
    client = logged_in(role, patient.clinic)
    assert client.post(f"/patients/{patient.public_id}/copy/").status_code == status
    assert "Take the copy" not in client.get(f"/patients/{patient.public_id}/").content.decode()
    assert not AuditEvent.objects.filter(action=AuditAction.EXPORT).exists()


def test_another_clinics_patient_is_not_found_and_looking_takes_nothing(
    manager: Client, patient: Patient
) -> None:
    stranger = builders.patient(builders.clinic())
    assert manager.post(f"/patients/{stranger.public_id}/copy/").status_code == 404
    assert manager.get(f"/patients/{patient.public_id}/copy/").status_code == 405
    assert not AuditEvent.objects.filter(action=AuditAction.EXPORT).exists()
    assert "Take the copy" in manager.get(f"/patients/{patient.public_id}/").content.decode()


def test_a_file_that_the_disk_has_lost_or_nobody_should_trust_does_not_stop_the_rest(
    manager: Client, patient: Patient
) -> None:
    lost, bad = with_a_document(patient), with_a_document(patient, problem="encrypted")
    lost.content.storage.delete(str(lost.content.name))
    copy = taken(manager, patient)
    assert set(copy.namelist()) == {"record.json", "record.html"}
    rows = {row["id"]: row["in_archive"] for row in data_of(copy)["documentfile"]}
    assert rows == {lost.pk: f"files/{lost.pk}.pdf", bad.pk: ""}


def test_much_is_read_in_as_many_queries_as_little(manager: Client, patient: Patient) -> None:
    """Of each table once, however long the record is."""
    manager.post(f"/patients/{patient.public_id}/copy/")

    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            data_of(taken(manager, patient))
        return len(queries)

    step = builders.step(builders.journey(patient))
    said(patient, "one")
    few = asked()
    for _ in range(50):
        said(patient, "one more")
        step.events.create(kind="noted", at=NOW, detail="x")
        builders.step(builders.journey(patient))
    assert asked() == few
