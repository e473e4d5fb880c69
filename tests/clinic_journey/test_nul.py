"""A NUL character, wherever it is typed: words and 400, never a fault, and nothing is stored."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from patients.models import Patient, Role
from referrals.models import Result
from tests import builders
from tests.clinic_journey.test_access import logged_in, objects_of
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

WORDS = "There is a character in it that cannot be stored (NUL). Type the text again and send it."


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/patients/new/", {"given_name": "a\0b", "phone": "0502345678", "language": "en"}),
        ("/patients/{patient_id}/card/", {"channel": "phone", "language": "he", "may_tell": "\0"}),
        ("/results/{result_id}/decide/", {"decision": "treat", "note": "tooth\0"}),
        ("/journeys/{journey_id}/promise/", {"words": "\0", "due_at": "2026-03-10T10:00"}),
        ("/steps/{step_id}/chased/", {"words": "\0"}),
        ("/today/{step_id}/finish/", {"outcome": "done", "note": "x\0y"}),
        ("/documents/{document_id}/match/", {"code": "R-\0"}),
        ("/login/", {"username": "a\0", "password": "x"}),
        ("/patients/clinic/", {"nam\0e": "x"}),
    ],
)
def test_a_form_with_it_is_refused_in_words(path: str, form: dict[str, str]) -> None:
    clinic = builders.clinic()
    objects = objects_of(clinic)
    answer = logged_in(Role.MANAGER, clinic).post(f"{path.format(**objects)}", form)
    assert answer.status_code == 400
    assert WORDS in answer.content.decode()
    assert Patient.objects.count() == 1
    assert Result.objects.get().decision == ""


@pytest.mark.parametrize(
    "path", ["/search/?q=%00", "/patients/?q=a%00", "/calendar/?whom=%00", "/audit/?q=%00", "/today/%00"]
)
def test_an_address_with_it_is_refused_in_words(path: str) -> None:
    answer = logged_in(Role.MANAGER, builders.clinic()).get(path)
    assert answer.status_code == 400
    assert WORDS in answer.content.decode()


def test_a_patient_who_sends_it_is_told(client: Client) -> None:
    journey = builders.step().journey
    answer = client.post(f"/p/{journey.public_id}/say/", {"meaning": "ask", "body": "when\0?"})
    assert answer.status_code == 400
    assert WORDS in answer.content.decode()
    assert not journey.patient.replies.exists()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"given_name": "a\0b", "phone": "0502345678"}, "given_name"),
        ({"clinic": {"deep": ["\0"]}}, "clinic"),
        ({"\0": 1}, ""),
    ],
)
def test_the_api_names_the_field(body: dict[str, Any], field: str) -> None:
    clinic = builders.clinic()
    answer = builders.api(builders.user(at=clinic)).post("/api/v1/patients/", body, format="json")
    assert (answer.status_code, answer.json()) == (400, {field: [WORDS]})
    assert builders.api(builders.user(at=clinic)).get("/api/v1/patients/?q=%00").json() == {"q": [WORDS]}


def test_the_letters_of_its_escape_are_text_like_any_other() -> None:
    clinic = builders.clinic()
    body = {"given_name": "\\u0000", "phone": "0502345678"}
    answer = builders.api(builders.user(at=clinic)).post("/api/v1/patients/", body, format="json")
    assert (answer.status_code, answer.json()["given_name"]) == (201, "\\u0000")


def test_a_file_may_hold_any_byte() -> None:
    clinic = builders.clinic()
    client = builders.api(builders.user(at=clinic))
    scan = SimpleUploadedFile("scan.bin", b"a\0b")
    assert client.post("/api/v1/incoming-documents/", {"file": scan}, format="multipart").status_code == 201
    wrong = {"file": SimpleUploadedFile("scan.bin", b"c"), "sender": "a\0b"}
    answer = client.post("/api/v1/incoming-documents/", wrong, format="multipart")
    assert (answer.status_code, list(answer.json())) == (400, ["sender"])


def test_the_page_of_the_api_needs_no_style_that_the_policy_refuses(client: Client) -> None:
    answer = client.get("/api/")
    page = answer.content.decode()
    assert "<style" not in page
    assert "css/api.css" in page
    assert "unsafe-inline" not in answer["Content-Security-Policy"]
