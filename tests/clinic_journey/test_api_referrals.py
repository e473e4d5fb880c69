"""REST: referrals with the visit held, and the documents that come in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from appointments.models import Appointment, Practitioner
from journeys.models import StepKind
from patients.models import Clinic, Patient, Role
from referrals.arrivals import match_documents
from referrals.models import IncomingDocument, Referral, Result
from tests import builders, mails
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

REFERRALS, DOCUMENTS = "/api/v1/referrals/", "/api/v1/incoming-documents/"
EXPECTED, START = NOW + timedelta(days=3), NOW + timedelta(days=7)


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


@pytest.fixture
def clinic() -> Clinic:
    call_command("load_catalogue", verbosity=0)
    return builders.clinic()


@pytest.fixture
def client(clinic: Clinic) -> Any:
    return builders.api(builders.user(Role.RECEPTIONIST, at=clinic))


@pytest.fixture
def patient(clinic: Clinic) -> Patient:
    return builders.patient(clinic)


@pytest.fixture
def doctor(clinic: Clinic) -> Practitioner:
    doctor = builders.practitioner(clinic, user=builders.user(Role.DOCTOR, at=clinic))
    builders.open_time(doctor, START, minutes=60)
    return doctor


@pytest.fixture
def body(patient: Patient, doctor: Practitioner) -> dict[str, Any]:
    return {
        "patient": str(patient.public_id),
        "requester": doctor.pk,
        "service": "Panoramic image",
        "question": "Root of 36?",
        "performer": "Imaging Institute",
        "expected_at": iso(EXPECTED),
        "title": "Extraction 36",
        "hold": {"start": iso(START), "minutes": 30},
    }


def test_a_referral_holds_the_visit_in_the_same_request(
    client: Any, clinic: Clinic, body: dict[str, Any], doctor: Practitioner
) -> None:
    answer = client.post(REFERRALS, body, format="json")
    made = Referral.objects.get()
    shown = answer.json()
    assert answer.status_code == 201
    assert shown.pop("upload_url").startswith(f"http://localhost:8000/u/{made.code}.")
    assert made.step
    assert shown == {
        "id": str(made.public_id),
        "clinic": clinic.slug,
        "patient": body["patient"],
        "requester": doctor.pk,
        "code": made.code,
        "service": "Panoramic image",
        "question": "Root of 36?",
        "performer": "Imaging Institute",
        "performer_email": "",
        "performer_phone": "",
        "urgency": "routine",
        "status": "active",
        "expected_at": iso(EXPECTED),
        "hold_refused_because": "",
        "made_at": iso(NOW),
        "ended_because": "",
        "journey": str(made.journey.public_id),
        "step": str(made.step.public_id),
    }
    (held,) = client.get(f"/api/v1/appointments/?journey={shown['journey']}").json()["results"]
    assert (held["status"], held["start"], held["awaits"]) == ("pending", iso(START), shown["step"])


def test_the_same_key_refers_once(client: Any, body: dict[str, Any]) -> None:
    first, again = (
        client.post(REFERRALS, body, format="json", HTTP_IDEMPOTENCY_KEY="k1") for _time in range(2)
    )
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    other = client.post(REFERRALS, {**body, "service": "CT"}, format="json", HTTP_IDEMPOTENCY_KEY="k1")
    assert (other.status_code, other.json()["code"]) == (422, "different_request")
    assert (Referral.objects.count(), Appointment.objects.count()) == (1, 1)


def test_a_key_of_one_kind_of_thing_is_not_used_for_another(client: Any, body: dict[str, Any]) -> None:
    assert client.post(REFERRALS, body, format="json", HTTP_IDEMPOTENCY_KEY="k1").status_code == 201
    answer = client.post("/api/v1/patients/", {"given_name": "Noa", "phone": "0547654321"}, format="json",
                         HTTP_IDEMPOTENCY_KEY="k1")  # fmt: skip
    assert (answer.status_code, answer.json()["code"]) == (422, "different_request")


def test_a_taken_time_refers_nothing(client: Any, body: dict[str, Any], doctor: Practitioner) -> None:
    builders.appointment(builders.patient(doctor.clinic), practitioner=doctor, start=START)
    answer = client.post(REFERRALS, body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "slot_taken")
    assert answer.json()["free"] == [iso(START + timedelta(minutes=30))]
    assert not Referral.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"hold": None}, "hold"),
        ({"hold": {"start": iso(START)}}, "hold"),
        ({"hold": {"start": "soon", "minutes": 30}}, "hold"),
        ({"service": ""}, "service"),
        ({"requester": 0}, "requester"),
        ({"expected_at": "2026-03-12"}, "expected_at"),
        ({"template_key": "recall"}, "template_key"),
        ({"template_key": "nonsense"}, "template_key"),
        ({"urgency": "very"}, "urgency"),
        ({"performer_email": "institute"}, "performer_email"),
        ({"answers": "c0ffee00-0000-4000-8000-000000000000"}, "answers"),
    ],
)
def test_what_cannot_be_right_is_said_by_field(
    client: Any, body: dict[str, Any], wrong: dict[str, Any], field: str
) -> None:
    answer = client.post(REFERRALS, {**body, **wrong}, format="json")
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not Referral.objects.exists()


def test_without_a_hold_it_says_why(client: Any, body: dict[str, Any]) -> None:
    del body["hold"]
    assert client.post(REFERRALS, body, format="json").status_code == 400
    said = {**body, "hold_refused_because": "travels until summer"}
    answer = client.post(REFERRALS, said, format="json")
    assert (answer.status_code, answer.json()["hold_refused_because"]) == (201, "travels until summer")


def test_a_result_is_not_expected_in_the_past(client: Any, body: dict[str, Any]) -> None:
    answer = client.post(REFERRALS, {**body, "expected_at": iso(NOW)}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "refused")


def test_a_referral_answers_the_step_that_asked_for_it(
    client: Any, body: dict[str, Any], patient: Patient
) -> None:
    asking = builders.step(builders.journey(patient), kind=StepKind.REFER)
    assert (
        client.post(REFERRALS, {**body, "answers": str(asking.public_id)}, format="json").status_code == 201
    )
    asking.refresh_from_db()
    assert asking.outcome == "referred"
    call = builders.step(builders.journey(patient), kind=StepKind.CALL)
    wrong = client.post(REFERRALS, {**body, "answers": str(call.public_id)}, format="json")
    assert (wrong.status_code, list(wrong.json())) == (400, ["answers"])


def test_a_referral_is_revoked_once_and_gives_the_time_back(client: Any, body: dict[str, Any]) -> None:
    referral = f"{REFERRALS}{client.post(REFERRALS, body, format='json').json()['id']}/"
    assert client.post(f"{referral}revoke/", {}, format="json").status_code == 400
    answer = client.post(f"{referral}revoke/", {"because": "done elsewhere"}, format="json")
    assert (answer.status_code, answer.json()["status"]) == (200, "revoked")
    assert Appointment.objects.get().status == "cancelled"
    again = client.post(f"{referral}revoke/", {"because": "done elsewhere"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "stale_state")


def pdf(name: str = "pano.pdf", content: bytes = mails.PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_a_file_with_the_code_becomes_the_result(client: Any, body: dict[str, Any]) -> None:
    code = client.post(REFERRALS, body, format="json").json()["code"]
    answer = client.post(DOCUMENTS, {"file": pdf(), "code": code.lower().replace("-", "")})
    assert (answer.status_code, answer.json()["status"]) == (201, "received")
    assert match_documents(now=NOW) == 1
    shown = client.get(f"{DOCUMENTS}{answer.json()['id']}/").json()
    assert shown == {
        "id": answer.json()["id"],
        "clinic": shown["clinic"],
        "source": "api",
        "sender": "Imaging Institute",
        "subject": "pano.pdf",
        "received_at": iso(NOW),
        "status": "matched",
        "referral": str(Referral.objects.get().public_id),
        "matched_by": "code",
        "reasons": [],
        "reason_words": [],
        "candidates": [],
        "step": None,
        "ended_at": iso(NOW),
        "rejected_because": "",
        "files": [
            {
                "position": 1,
                "name": "pano.pdf",
                "content_type": "application/pdf",
                "size": len(mails.PDF),
                "problem": "",
                "problem_words": "",
            }
        ],
    }
    assert Result.objects.get().referral.code == code


def test_the_same_file_is_the_same_document(client: Any, clinic: Clinic) -> None:
    first = client.post(DOCUMENTS, {"file": pdf(), "sender": "Institute"})
    again = client.post(DOCUMENTS, {"file": pdf("copy.pdf")})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["sender"] == "Institute"
    code = builders.referral(builders.patient(clinic)).code
    assert client.post(DOCUMENTS, {"file": pdf(), "code": code}).status_code == 201
    assert IncomingDocument.objects.count() == 2


def test_two_clinics_may_get_the_same_file(client: Any) -> None:
    other = builders.api(builders.user(at=builders.clinic()))
    for one in (client, other):
        assert one.post(DOCUMENTS, {"file": pdf()}).status_code == 201


def test_a_file_needs_bytes_and_a_code_of_ours(client: Any, settings: LazySettings) -> None:
    strange = builders.referral().code
    settings.MAX_ATTACHMENT_BYTES = 2 * 2**20
    for wrong, field in (
        ({}, "file"),
        ({"file": "pano.pdf"}, "file"),
        ({"file": pdf(content=b"")}, "file"),
        ({"file": pdf(content=b"x" * (2 * 2**20 + 1))}, "file"),
        ({"file": pdf(), "code": strange}, "code"),
        ({"file": pdf(), "code": "nonsense"}, "code"),
    ):
        answer = client.post(DOCUMENTS, wrong)
        assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not IncomingDocument.objects.exists()


@pytest.fixture
def stray(client: Any, clinic: Clinic) -> IncomingDocument:
    """A file that names nobody, in the desk's hands."""
    client.post(DOCUMENTS, {"file": pdf()})
    match_documents(now=NOW)
    return IncomingDocument.objects.get()


def test_a_person_says_whose_it_is(
    client: Any, clinic: Clinic, body: dict[str, Any], stray: IncomingDocument
) -> None:
    referral = client.post(REFERRALS, body, format="json").json()["id"]
    document = f"{DOCUMENTS}{stray.public_id}/"
    shown = client.get(document).json()
    assert (shown["status"], shown["reasons"]) == ("unmatched", ["nothing_said"])
    assert shown["reason_words"] == ["It does not say whom it is about."]
    elsewhere = str(builders.referral().public_id)
    assert client.post(f"{document}match/", {"referral": elsewhere}, format="json").status_code == 400
    answer = client.post(f"{document}match/", {"referral": referral}, format="json")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["matched_by"], answer.json()["referral"]) == (
        "matched",
        "person",
        referral,
    )
    again = client.post(f"{document}match/", {"referral": referral}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "stale_state")


def test_a_person_puts_it_aside_with_the_reason(client: Any, stray: IncomingDocument) -> None:
    document = f"{DOCUMENTS}{stray.public_id}/"
    assert client.post(f"{document}reject/", {"because": " "}, format="json").status_code == 400
    answer = client.post(f"{document}reject/", {"because": "advertising"}, format="json").json()
    assert (answer["status"], answer["rejected_because"]) == ("rejected", "advertising")
    again = client.post(f"{document}reject/", {"because": "advertising"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "stale_state")


@pytest.mark.parametrize("accept", ["*/*", "application/pdf", "application/json"])
def test_a_document_is_downloaded_as_it_came_and_file_by_file(
    client: Any, stray: IncomingDocument, accept: str
) -> None:
    document = f"{DOCUMENTS}{stray.public_id}/download/"
    whole = client.get(document, HTTP_ACCEPT=accept)
    assert b"".join(whole.streaming_content) == mails.PDF
    assert whole["Content-Type"] == "application/octet-stream"
    one = client.get(document, {"file": 1}, HTTP_ACCEPT=accept)
    assert b"".join(one.streaming_content) == mails.PDF
    assert (one["Content-Type"], one["Content-Disposition"]) == (
        "application/pdf",
        'attachment; filename="pano.pdf"',
    )
    assert one["Content-Security-Policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize("position", ["0", "2", "-1", "one", "9" * 40, "²", ""])
def test_a_file_that_is_not_in_the_document_is_not_there(
    client: Any, stray: IncomingDocument, position: str
) -> None:
    answer = client.get(f"{DOCUMENTS}{stray.public_id}/download/", {"file": position})
    assert (answer.status_code, list(answer.json())) == (404, ["detail"])


def test_bytes_that_are_gone_are_said_to_be(client: Any, clinic: Clinic) -> None:
    gone = builders.document(clinic)
    assert client.get(f"{DOCUMENTS}{gone.public_id}/download/").status_code == 404
