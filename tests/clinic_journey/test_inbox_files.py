"""What a patient sends stands beside her words wherever these are read, and may become the result we wait for."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import translation
from pytest_django.fixtures import DjangoAssertNumQueries

from journeys.models import Journey, Step, StepKind, StepStatus
from outreach.answers import to_answer
from outreach.channels import Trouble
from outreach.enclosed_models import ReplyFile
from outreach.models import Reply
from patients.models import AuditEvent, Clinic, Patient, Role
from referrals.arrivals import MAX_TRIES, match_documents
from referrals.models import (
    Decision,
    DocumentFile,
    DocumentStatus,
    IncomingDocument,
    Referral,
    ReferralStatus,
    Result,
)
from tests import builders
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW
from tests.mails import PDF, PNG

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
OGG = b"OggS\x00\x02" + bytes(40)


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(language="en")


@pytest.fixture
def dana(clinic: Clinic) -> Patient:
    return builders.patient(clinic)


@pytest.fixture
def desk(clinic: Clinic) -> Client:
    return logged_in(Role.RECEPTIONIST, clinic)


def said(patient: Patient) -> Reply:
    call = builders.step(builders.journey(patient), kind=StepKind.CALL)
    words = {"channel": "whatsapp", "at": NOW, "body": "[a picture]"}
    return Reply.objects.create(clinic=patient.clinic, patient=patient, step=call, matter=call, **words)


def path_of(file: ReplyFile) -> str:
    assert file.document is not None
    return f"/files/{file.document.files.get().pk}/"


def page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return " ".join(answer.content.decode().split())


def test_a_picture_and_a_voice_are_links_beside_the_words(desk: Client, dana: Patient) -> None:
    picture = builders.enclosed(said(dana), PNG)
    voice = builders.enclosed(said(dana), OGG, kind="voice")
    text = page(desk, f"/inbox/{dana.public_id}/")
    assert f'src="{path_of(picture)}image/"' in text
    assert f'<a class="btn btn-sm" href="{path_of(voice)}">' in text
    assert "a voice message" in text
    assert b"".join(desk.get(path_of(voice)).streaming_content) == OGG  # type: ignore[attr-defined]


def test_they_stand_in_today_and_on_the_record_too(desk: Client, dana: Patient) -> None:
    """And wherever they stand, the desk says that one is the result, and goes on where it was."""
    referral, picture = builders.referral(dana), builders.enclosed(said(dana), PNG)
    step = Step.objects.get(kind=StepKind.CALL)
    assert picture.document is not None
    for path in (f"/patients/{dana.public_id}/", f"/today/?item={step.public_id}"):
        text = page(desk, path)
        assert f'href="{path_of(picture)}image/"' in text, path
        pressed = (
            f'name="next" value="{path}"> <button class="btn btn-sm" name="code" value="{referral.code}"'
        )
        assert f'action="/documents/{picture.document.public_id}/match/"' in text, path
        assert pressed in text, path


def test_from_an_unknown_number_they_stand_with_the_words(desk: Client, clinic: Clinic) -> None:
    words = Reply.objects.create(clinic=clinic, channel="whatsapp", at=NOW, body="[a picture]")
    file = builders.enclosed(words, PNG)
    step = builders.step(
        Journey.objects.create(clinic=clinic, status="unidentified", opened_at=NOW), kind=StepKind.CALL
    )
    Reply.objects.update(matter=step)
    text = page(desk, f"/inbox/unknown/{step.public_id}/")
    assert f'href="{path_of(file)}image/"' in text
    assert f'src="{path_of(file)}image/"' not in text  # shown to whoever presses, to nobody by itself


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "a picture</bdi>: it is being fetched."),
        (
            {"trouble": Trouble.BUSY, "tries": 1, "fetch_from": NOW + timedelta(minutes=5)},
            "not here yet. The provider is busy. It is tried again at Mon 10:05.",
        ),
        (
            {"trouble": Trouble.TOO_LARGE, "fetch_from": None, "given_up_at": NOW},
            "could not be fetched. The file is too large. Ask for it once more, or by e-mail.",
        ),
        (
            {"trouble": Trouble.UNEXPECTED, "fetch_from": None, "given_up_at": NOW},
            "could not be fetched. The reason is not known. Ask for it once more, or by e-mail.",
        ),
    ],
    ids=["awaited", "tried", "given up", "unexpected"],
)
def test_what_is_not_here_says_so_in_words(desk: Client, dana: Patient, fields: Any, words: str) -> None:
    builders.enclosed(said(dana), **fields)
    assert words in page(desk, f"/inbox/{dana.public_id}/")


def test_what_could_not_be_read_says_so_beside_the_words_and_opens_no_step(
    desk: Client, dana: Patient
) -> None:
    file = builders.enclosed(said(dana), PNG)
    DocumentFile.objects.all().delete()
    received = {"status": DocumentStatus.RECEIVED, "match_from": NOW, "tries": MAX_TRIES}
    IncomingDocument.objects.filter(enclosed=file).update(ended_at=None, **received)
    talk = f"/inbox/{dana.public_id}/"
    assert "it is being fetched." in page(desk, talk)
    match_documents(now=NOW)
    assert [step.kind for step in Step.objects.all()] == [StepKind.CALL]
    assert "a picture</bdi>: It could not be read. Ask for it once more" in page(desk, talk)


def test_what_was_put_aside_without_a_file_is_not_awaited_any_more(desk: Client, dana: Patient) -> None:
    file = builders.enclosed(said(dana), PNG)
    DocumentFile.objects.all().delete()
    aside = {"status": DocumentStatus.REJECTED, "rejected_because": "nothing in it"}
    IncomingDocument.objects.filter(enclosed=file).update(**aside)
    assert "could not be fetched." in page(desk, f"/inbox/{dana.public_id}/")


def test_what_is_wrong_with_her_file_names_no_institute(desk: Client, dana: Patient) -> None:
    builders.enclosed(said(dana), b"")
    builders.enclosed(said(dana), b"MZ\x90")
    text = page(desk, f"/inbox/{dana.public_id}/")
    assert "The file is empty. Ask for it once more." in text
    assert "A result comes as PDF, JPEG, PNG, TIFF or DICOM." in text
    assert "institute" not in text


def test_the_desk_says_that_it_is_the_result(desk: Client, dana: Patient) -> None:
    referral = builders.referral(dana)
    file = builders.enclosed(said(dana), PDF, kind="file", name="scan.pdf")
    talk = f"/inbox/{dana.public_id}/"
    assert f'value="{referral.code}"' in page(desk, talk)
    assert file.document is not None
    pressed = {"code": referral.code, "next": talk}
    answer = desk.post(f"/documents/{file.document.public_id}/match/", pressed)
    assert answer["Location"] == talk
    file.document.refresh_from_db()
    assert (file.document.status, file.document.referral) == (DocumentStatus.MATCHED, referral)
    assert Referral.objects.get().status == ReferralStatus.COMPLETED
    assert Step.objects.filter(kind=StepKind.REVIEW, status=StepStatus.ACTIVE).count() == 1
    text = page(desk, talk)
    assert "It is a result now; a doctor has it." in text
    assert f'value="{referral.code}"' not in text
    again = desk.post(f"/documents/{file.document.public_id}/match/", pressed, follow=True)
    assert "Somebody has dealt with this document meanwhile." in again.content.decode()


def test_of_a_result_in_several_photos_each_is_taken(desk: Client, dana: Patient) -> None:
    """Until the doctor has decided; what comes after that is more often something else."""
    referral, talk = builders.referral(dana), f"/inbox/{dana.public_id}/"
    offered = f'value="{referral.code}"'
    photos = [builders.enclosed(said(dana), PNG).document for _photo in range(3)]
    for number, photo in enumerate(photos[:2]):
        assert photo is not None
        assert page(desk, talk).count(offered) == 3 - number
        desk.post(f"/documents/{photo.public_id}/match/", {"code": referral.code, "next": talk})
    results = Result.objects.filter(referral=referral)
    assert (results.count(), results.values("review").distinct().count()) == (2, 1)
    results.update(decision=Decision.NO_TREATMENT, decided_at=NOW)
    assert offered not in page(desk, talk)


def test_after_a_refused_answer_the_way_back_is_the_conversation(desk: Client, dana: Patient) -> None:
    builders.referral(dana)
    builders.enclosed(said(dana), PDF, kind="file")
    talk = f"/inbox/{dana.public_id}/"
    refused = desk.post(f"{talk}answer/", {"words": "At eight.", "way": "none"})
    assert refused.status_code == 409
    assert f'name="next" value="{talk}"' in refused.content.decode()


@pytest.mark.parametrize(
    ("kind", "content"),
    [("voice", OGG), ("file", b"MZ\x90"), ("video", OGG), ("picture", b"\0\0\0\x18ftypisom\0")],
    ids=["voice", "program", "video", "animation"],
)
def test_what_no_doctor_could_look_at_is_offered_as_no_result(
    desk: Client, dana: Patient, kind: str, content: bytes
) -> None:
    referral = builders.referral(dana)
    file = builders.enclosed(said(dana), content, kind=kind)
    assert f'value="{referral.code}"' not in page(desk, f"/inbox/{dana.public_id}/")
    assert file.document is not None
    pressed = {"code": referral.code, "next": f"/inbox/{dana.public_id}/"}
    answer = desk.post(f"/documents/{file.document.public_id}/match/", pressed, follow=True)
    assert "This is no file that a doctor could look at." in answer.content.decode()
    assert Referral.objects.get().status == ReferralStatus.ACTIVE


def test_the_way_back_leads_to_no_other_site(desk: Client, dana: Patient) -> None:
    referral = builders.referral(dana)
    file = builders.enclosed(said(dana), PNG)
    assert file.document is not None
    pressed = {"code": referral.code, "next": "https://elsewhere.example/"}
    answer = desk.post(f"/documents/{file.document.public_id}/match/", pressed)
    assert answer["Location"] == "/results/?list=unmatched"


def test_another_clinic_has_no_such_file(dana: Patient) -> None:
    file = builders.enclosed(said(dana), PNG)
    other = logged_in(Role.MANAGER, builders.clinic(slug="other"))
    assert other.get(path_of(file)).status_code == 404
    assert other.get(f"{path_of(file)}image/").status_code == 404


def test_whoever_opens_it_has_looked_at_the_patients_record(desk: Client, dana: Patient) -> None:
    file = builders.enclosed(said(dana), PNG)
    desk.get(f"{path_of(file)}image/")
    event = AuditEvent.objects.get(action="read", what="image")
    assert (event.patient, event.clinic) == (dana, dana.clinic)


def test_a_file_that_the_disk_has_lost_is_missed(desk: Client, dana: Patient) -> None:
    file = builders.enclosed(said(dana), PNG)
    assert file.document is not None
    kept = file.document.files.get()
    kept.content.storage.delete(str(kept.content))
    assert desk.get(path_of(file)).status_code == 404
    kept.content.save("x.png", ContentFile(PNG))
    assert desk.get(path_of(file)).status_code == 200


@pytest.mark.parametrize("count", [1, 3])
def test_the_page_asks_the_same_for_one_file_as_for_three(
    desk: Client, dana: Patient, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    builders.referral(dana)
    for _each in range(count):
        builders.enclosed(said(dana), PNG)
    page(desk, f"/inbox/{dana.public_id}/")
    with django_assert_num_queries(16):
        page(desk, f"/inbox/{dana.public_id}/")


def test_what_came_is_named_in_the_readers_language(clinic: Clinic, dana: Patient) -> None:
    """It was kept in the clinic's; her own words stay as they are, also in brackets."""
    words = said(dana)
    words.body = "[a picture] [see] here"
    words.save()
    hebrew = logged_in(Role.RECEPTIONIST, clinic, reads="he")
    assert "[תמונה] [see] here" in page(hebrew, f"/inbox/{dana.public_id}/")
    with translation.override("ru"):
        assert "[картинка] [see] here" in to_answer(words.body)
