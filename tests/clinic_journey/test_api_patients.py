"""REST: patients, the service card, and a creation that is asked for twice."""

from datetime import date, time
from typing import Any

import pytest

from patients.models import ClientRequest, Clinic, Patient, PatientContact, Role, ServiceCard
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

PATIENTS = "/api/v1/patients/"
NOA = {"given_name": "Noa", "family_name": "Katz", "phone": "054-765-4321", "national_id": "039337423"}


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


@pytest.fixture
def client(clinic: Clinic) -> Any:
    return builders.api(builders.user(Role.RECEPTIONIST, at=clinic))


def test_a_number_is_read_as_people_of_the_clinics_country_write_it() -> None:
    client = builders.api(builders.user(Role.RECEPTIONIST, at=builders.clinic(country="DE")))
    answer = client.post(PATIENTS, {**NOA, "phone": "0151 23456789"}, format="json")
    assert (answer.status_code, answer.json()["contacts"][0]["value"]) == (201, "+4915123456789")


def test_a_patient_is_registered_and_shown(client: Any, clinic: Clinic) -> None:
    body = {**NOA, "birth_date": "1990-02-03", "language": "ru", "gender": "f", "email": "Noa@Example.org"}
    answer = client.post(PATIENTS, body, format="json")
    made = Patient.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {
        "id": str(made.public_id),
        "clinic": clinic.slug,
        "given_name": "Noa",
        "family_name": "Katz",
        "birth_date": "1990-02-03",
        "national_id": "039337423",
        "gender": "f",
        "language": "ru",
        "time_zone": "",
        "status": "active",
        "since_on": "2026-03-09",
        "contacts": [
            {
                "kind": kind,
                "value": value,
                "status": "unverified",
                "relation": "self",
                "rank": rank,
                "place": "",
                "may_be_called": True,
                "may_leave_voicemail": False,
                "may_say": "all",
                "suspended_at": None,
                "other_parent": False,
            }
            for rank, (kind, value) in enumerate(
                [("phone", "+972547654321"), ("email", "noa@example.org")], start=1
            )
        ],
        "card": {
            "channel": "sms",
            "windows": [],
            "may_tell": "",
            "told_at": None,
            "coming_windows": [],
            "coming_told_at": None,
        },
    }
    assert client.get(f"{PATIENTS}{made.public_id}/").json() == answer.json()
    assert made.birth_date == date(1990, 2, 3)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"given_name": ""}, "given_name"),
        ({"phone": "12"}, "phone"),
        ({"phone": ""}, "phone"),
        ({"birth_date": "tomorrow"}, "birth_date"),
        ({"language": "xx"}, "language"),
        ({"clinic": "elsewhere"}, "clinic"),
        ({"clinic": {"slug": 1}}, "clinic"),
        ({"request_key": "k" * 81}, "request_key"),
        ({"given_name": "a\x00b"}, "given_name"),
    ],
)
def test_what_cannot_be_right_is_said_by_field(client: Any, wrong: dict[str, Any], field: str) -> None:
    answer = client.post(PATIENTS, {**NOA, **wrong}, format="json")
    assert answer.status_code == 400
    assert list(answer.json()) == [field]


def test_a_date_of_birth_in_the_future_is_refused(client: Any) -> None:
    answer = client.post(PATIENTS, {**NOA, "birth_date": "2999-01-02"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "refused")
    assert "in the future" in answer.json()["detail"]
    assert not Patient.objects.exists()


def test_an_id_that_is_known_names_its_record(client: Any, clinic: Clinic) -> None:
    known = builders.patient(clinic, national_id="039337423")
    answer = client.post(PATIENTS, NOA, format="json", HTTP_IDEMPOTENCY_KEY="k1")
    assert answer.status_code == 409
    assert answer.json() == {
        "code": "already_registered",
        "detail": "A patient with this ID is registered already.",
        "patient": str(known.public_id),
    }
    assert not ClientRequest.objects.exists()


def test_the_clinic_is_named_by_who_works_in_two(clinic: Clinic) -> None:
    user = builders.user(at=clinic)
    second = builders.clinic()
    user.memberships.create(clinic=second, role=Role.DOCTOR)
    client = builders.api(user)
    assert client.post(PATIENTS, NOA, format="json").json() == {"clinic": ["Say for which of your clinics."]}
    named = client.post(PATIENTS, {**NOA, "clinic": second.slug}, format="json")
    assert (named.status_code, named.json()["clinic"]) == (201, second.slug)


@pytest.mark.parametrize("as_header", [True, False])
def test_the_same_key_gives_the_first_patient_again(client: Any, *, as_header: bool) -> None:
    body = NOA if as_header else {**NOA, "request_key": "k1"}
    headers = {"HTTP_IDEMPOTENCY_KEY": "k1"} if as_header else {}
    first, again = (client.post(PATIENTS, body, format="json", **headers) for _time in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Patient.objects.count() == 1


def test_the_answer_shows_the_first_object_as_it_is_now(client: Any) -> None:
    first = client.post(PATIENTS, NOA, format="json", HTTP_IDEMPOTENCY_KEY="k1").json()
    client.patch(f"{PATIENTS}{first['id']}/card/", {"channel": "email"}, format="json")
    again = client.post(PATIENTS, NOA, format="json", HTTP_IDEMPOTENCY_KEY="k1").json()
    assert (again["id"], again["card"]["channel"]) == (first["id"], "email")


def test_a_key_is_not_used_for_something_else(client: Any) -> None:
    client.post(PATIENTS, NOA, format="json", HTTP_IDEMPOTENCY_KEY="k1")
    answer = client.post(PATIENTS, {**NOA, "given_name": "Maya"}, format="json", HTTP_IDEMPOTENCY_KEY="k1")
    assert answer.status_code == 422
    assert answer.json()["code"] == "different_request"
    assert Patient.objects.count() == 1


def test_two_clinics_may_use_the_same_key(client: Any) -> None:
    other = builders.api(builders.user(at=builders.clinic()))
    for one in (client, other):
        assert one.post(PATIENTS, NOA, format="json", HTTP_IDEMPOTENCY_KEY="k1").status_code == 201


def test_without_a_key_nothing_is_remembered(client: Any) -> None:
    for _time in range(2):
        assert client.post(PATIENTS, {**NOA, "national_id": ""}, format="json").status_code == 201
    assert not ClientRequest.objects.exists()


def test_the_card_is_changed_in_part_as_the_patient_says(client: Any, clinic: Clinic) -> None:
    patient = builders.patient(clinic)
    said = {
        "channel": "phone",
        "windows": [{"weekday": 6, "start": "09:00", "end": "12:00"}],
        "may_leave_voicemail": True,
        "may_tell": "her son",
    }
    card = f"{PATIENTS}{patient.public_id}/card/"
    assert client.patch(card, said, format="json").status_code == 200
    answer = client.patch(card, {"language": "en"}, format="json").json()
    assert answer["card"] == {
        "channel": "phone",
        "windows": [{"weekday": 6, "start": "09:00:00", "end": "12:00:00"}],
        "may_tell": "her son",
        "told_at": "2026-03-09T08:00:00Z",
        "coming_windows": [],
        "coming_told_at": None,
    }
    assert answer["language"] == "en"
    assert PatientContact.objects.get().may_leave_voicemail
    told = ServiceCard.objects.get()
    assert told.told_to == patient.clinic.memberships.get().user
    assert [(w.start, w.end) for w in told.windows.all()] == [(time(9), time(12))]


def test_no_windows_means_any_hour(client: Any, clinic: Clinic) -> None:
    patient = builders.patient(clinic)
    card = f"{PATIENTS}{patient.public_id}/card/"
    window = {"weekday": 0, "start": "09:00", "end": "12:00"}
    assert len(client.patch(card, {"windows": [window]}, format="json").json()["card"]["windows"]) == 1
    assert client.patch(card, {"windows": []}, format="json").json()["card"]["windows"] == []


def test_when_she_can_come_is_told_without_being_asked_how_she_is_reached(
    client: Any, clinic: Clinic
) -> None:
    patient = builders.patient(clinic)
    card = f"{PATIENTS}{patient.public_id}/card/"
    evening = {"weekday": 0, "start": "17:00:00", "end": "20:00:00"}
    answer = client.patch(card, {"coming_windows": [evening]}, format="json").json()["card"]
    assert (answer["coming_windows"], answer["coming_told_at"]) == ([evening], "2026-03-09T08:00:00Z")
    assert (answer["windows"], answer["told_at"]) == ([], None)
    answer = client.patch(card, {"channel": "phone"}, format="json").json()["card"]
    assert answer["coming_windows"] == [evening]
    both = {"channel": "sms", "coming_windows": []}
    answer = client.patch(card, both, format="json").json()["card"]
    assert (answer["coming_windows"], answer["coming_told_at"]) == ([], "2026-03-09T08:00:00Z")


@pytest.mark.parametrize("field", ["windows", "coming_windows"])
@pytest.mark.parametrize(
    "windows",
    [
        [{"weekday": 7, "start": "09:00", "end": "12:00"}],
        [{"weekday": 0, "start": "12:00", "end": "09:00"}],
        [{"weekday": 0, "start": "09:00", "end": "12:00"}, {"weekday": 0, "start": "11:00", "end": "13:00"}],
        [{"weekday": 0, "start": "09:00"}],
        "mornings",
    ],
)
def test_windows_that_make_no_sense_change_nothing(
    client: Any, clinic: Clinic, windows: Any, field: str
) -> None:
    patient = builders.patient(clinic)
    answer = client.patch(f"{PATIENTS}{patient.public_id}/card/", {field: windows}, format="json")
    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert ServiceCard.objects.get().told_at is None
    assert ServiceCard.objects.get().coming_told_at is None


def test_a_body_that_is_no_object_is_refused(client: Any) -> None:
    assert client.post(PATIENTS, [1, 2], format="json").status_code == 400
    assert client.post(PATIENTS, "{", content_type="application/json").status_code == 400
    assert client.post(PATIENTS, NOA, format="multipart").status_code == 415


def test_a_key_of_no_meaning_is_refused(client: Any) -> None:
    for key in ("k" * 81, "a\tb"):
        answer = client.post(PATIENTS, NOA, format="json", HTTP_IDEMPOTENCY_KEY=key)
        assert (answer.status_code, list(answer.json())) == (400, ["request_key"])
