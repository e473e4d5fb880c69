"""REST: a stock program writes counts, a web form asks, and nobody is asked who pays before the answer."""

from datetime import time, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from inquiries.models import Inquiry, Offering, StockBatch
from journeys.models import Step
from patients.models import Clinic, Role
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
INQUIRIES = "/api/v1/inquiries/"
YES = {"available": True, "price": "80.00", "currency": "ILS", "words": "Yes, we have it."}


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


@pytest.fixture
def program(clinic: Clinic) -> APIClient:
    return builders.api(builders.user(at=clinic))


def sent(program: APIClient, method: str, path: str, body: dict[str, Any]) -> Any:
    return getattr(program, method)(path, body, format="json")


def test_a_batch_is_written_by_its_number(program: APIClient, clinic: Clinic) -> None:
    offering = builders.offering(clinic)
    path = f"/api/v1/offerings/{offering.public_id}/"
    assert program.get(path).json()["usable"] is None
    for quantity in (5, 4):
        body = {"quantity": quantity, "expires_on": "2026-03-09"}
        answer = sent(program, "put", f"{path}batches/FL-1/", body)
        assert (answer.status_code, answer.json()["usable"]) == (200, quantity)
    sent(program, "put", f"{path}batches/FL-0/", {"quantity": 9, "expires_on": "2026-03-08"})
    assert program.get(path).json()["usable"] == 4
    assert StockBatch.objects.count() == 2


def test_what_is_offered_is_written_by_who_manages_the_clinic(program: APIClient, clinic: Clinic) -> None:
    body = {"kind": "vaccine", "names": {"en": "Flu vaccine"}, "price": "80", "currency": "ILS"}
    assert sent(program, "post", "/api/v1/offerings/", body).status_code == 403
    manager = builders.api(builders.user(Role.MANAGER, at=clinic))
    made = sent(manager, "post", "/api/v1/offerings/", body | {"request_key": "k"})
    again = sent(manager, "post", "/api/v1/offerings/", body | {"request_key": "k"})
    assert (made.status_code, again.status_code) == (201, 200)
    path = f"/api/v1/offerings/{made.json()['id']}/"
    assert sent(program, "put", path, body).status_code == 403
    changed = sent(
        manager, "put", path, {"kind": "vaccine", "names": {"he": "שפעת"}, "is_public": True}
    ).json()
    assert (changed["names"], changed["price"], changed["currency"]) == ({"he": "שפעת"}, None, "")
    assert (changed["is_public"], changed["is_active"]) == (True, True)


@pytest.mark.parametrize(
    "fields", [{"names": {}}, {"names": {"xx": "x"}}, {"price": "-1"}, {"currency": ""}, {"price": None}]
)
def test_what_cannot_be_offered_is_refused(clinic: Clinic, fields: dict[str, Any]) -> None:
    manager = builders.api(builders.user(Role.MANAGER, at=clinic))
    body = {"kind": "vaccine", "names": {"en": "Flu"}, "price": "80", "currency": "ILS", **fields}
    assert sent(manager, "post", "/api/v1/offerings/", body).status_code == 400
    assert not Offering.objects.exists()


@pytest.mark.parametrize(
    ("number", "body"),
    [
        ("B1", {}),
        ("B1", {"quantity": -1}),
        ("B1", {"quantity": 1, "expires_on": "soon"}),
        ("b" * 41, {"quantity": 1}),
    ],
)
def test_a_count_that_is_none_is_refused(
    program: APIClient, clinic: Clinic, number: str, body: dict[str, Any]
) -> None:
    offering = builders.offering(clinic)
    answer = sent(program, "put", f"/api/v1/offerings/{offering.public_id}/batches/{number}/", body)
    assert answer.status_code == 400
    assert not StockBatch.objects.exists()


def test_asked_and_answered_in_one_request(program: APIClient, clinic: Clinic) -> None:
    offering = builders.offering(clinic)
    asked_at = (NOW - timedelta(seconds=5)).isoformat()
    body = {"asked": "flu", "asked_at": asked_at, "offering": str(offering.public_id), "answer": YES}
    made = sent(program, "post", INQUIRIES, body | {"request_key": "k"})
    again = sent(program, "post", INQUIRIES, body | {"request_key": "k"})
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json()["id"] == again.json()["id"]
    inquiry = Inquiry.objects.get()
    assert (inquiry.said_words, inquiry.answered_at, inquiry.offering) == ("Yes, we have it.", NOW, offering)


def test_a_question_without_an_answer_is_owed_by_the_desk(program: APIClient) -> None:
    answer = sent(program, "post", INQUIRIES, {"asked": "whitening", "asked_by": "web"})
    step = Step.objects.get()
    assert answer.json()["step"] == str(step.public_id)
    assert (step.kind, step.owner_role, step.due_at) == ("promise", "receptionist", NOW + timedelta(hours=1))


@pytest.mark.parametrize("payer", [{"payer": "insured"}, {"insurance": "Maccabi"}, {"payer": ""}])
def test_who_pays_is_refused_before_the_answer(program: APIClient, payer: dict[str, str]) -> None:
    (name,) = payer
    refused = [sent(program, "post", INQUIRIES, {"asked": "flu", "answer": YES, **payer})]
    made = sent(program, "post", INQUIRIES, {"asked": "flu"}).json()
    path = f"{INQUIRIES}{made['id']}/"
    refused.append(sent(program, "patch", f"{path}caller/", {"name": "Noa", **payer}))
    for answer in refused:
        assert answer.status_code == 400
        assert answer.json() == {name: ["Answer the question first. Who pays is asked after that."]}
    assert Inquiry.objects.get().name == ""
    assert sent(program, "post", f"{path}answer/", YES).status_code == 200
    told = sent(program, "patch", f"{path}caller/", {"phone": "050-234-5678", **payer})
    assert told.status_code == 200
    assert told.json()["phone"] == "+972502345678"
    assert told.json()[name] == payer[name]
    assert Step.objects.get().outcome == "kept"


def test_what_is_left_out_stays(program: APIClient, clinic: Clinic) -> None:
    inquiry = builders.inquiry(clinic, name="Noa", payer="alone")
    path = f"{INQUIRIES}{inquiry.public_id}/caller/"
    assert sent(program, "patch", path, {"for_whom": "client"}).json()["name"] == "Noa"
    assert sent(program, "patch", path, {"insurance": "x"}).json()["payer"] == "alone"


@pytest.mark.parametrize(
    "nothing", [{}, {"available": None, "price": None, "next_at": None, "words": ""}, {"words": "  "}]
)
def test_an_answer_that_says_nothing_keeps_no_promise(program: APIClient, nothing: dict[str, Any]) -> None:
    path = f"{INQUIRIES}{sent(program, 'post', INQUIRIES, {'asked': 'whitening'}).json()['id']}/"
    refused = sent(program, "post", f"{path}answer/", nothing)
    assert (refused.status_code, refused.json()) == (400, {"words": ["Write what you answered."]})
    assert sent(program, "post", INQUIRIES, {"asked": "flu", "answer": nothing}).status_code == 400
    assert sent(program, "patch", f"{path}caller/", {"payer": "alone"}).status_code == 400
    assert (Inquiry.objects.get().answered_at, Step.objects.get().outcome) == (None, "")
    assert sent(program, "post", f"{path}answer/", {"available": False}).status_code == 200


@pytest.mark.parametrize("said", [False, None])
def test_a_call_that_is_not_allowed_any_more_has_no_hours(
    program: APIClient, clinic: Clinic, said: bool | None
) -> None:
    hours = {"call_from": time(16), "call_until": time(18)}
    inquiry = builders.inquiry(clinic, may_call_back=True, **hours)
    path = f"{INQUIRIES}{inquiry.public_id}/caller/"
    assert sent(program, "patch", path, {"may_call_back": True}).json()["call_from"] == "16:00:00"
    told = sent(program, "patch", path, {"may_call_back": said})
    assert (told.status_code, told.json()["may_call_back"], told.json()["call_from"]) == (200, said, None)


def test_a_program_says_when_to_call_and_which_time_was_chosen(program: APIClient, clinic: Clinic) -> None:
    doctor = builders.practitioner(clinic)
    path = f"{INQUIRIES}{builders.inquiry(clinic).public_id}/caller/"
    hours = {"may_call_back": True, "call_from": "16:00", "call_until": "18:00"}
    time = {"wants_at": "2026-03-10T10:00+02:00", "wants_with": doctor.pk}
    told = sent(program, "patch", path, {**hours, **time})
    assert told.status_code == 200, told.json()
    inquiry = Inquiry.objects.get()
    assert (str(inquiry.call_from), str(inquiry.call_until)) == ("16:00:00", "18:00:00")
    assert (inquiry.wants_at, inquiry.wants_with) == (NOW + timedelta(days=1), doctor)
    assert told.json()["wants_with"] == doctor.pk
    shown = sent(program, "patch", path, {"wants_at": None, "wants_with": None}).json()
    assert (shown["wants_at"], shown["call_from"]) == (None, "16:00:00")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"may_call_back": True, "call_from": "16:00"}, "call_until"),
        ({"may_call_back": True, "call_from": "16:00", "call_until": None}, "call_until"),
        ({"may_call_back": True, "call_from": "18:00", "call_until": "16:00"}, "call_until"),
        ({"call_from": "16:00", "call_until": "18:00"}, "may_call_back"),
        ({"may_call_back": False, "call_from": "16:00", "call_until": "18:00"}, "may_call_back"),
        ({"wants_at": "2026-03-10T10:00+02:00"}, "wants_with"),
        ({"wants_at": "2026-03-09T09:00+02:00", "wants_with": "ours"}, "wants_at"),
        ({"wants_at": "2026-03-10T10:00+02:00", "wants_with": "theirs"}, "wants_with"),
    ],
)
def test_half_of_a_pair_or_what_cannot_be_is_refused(
    program: APIClient, clinic: Clinic, body: dict[str, Any], field: str
) -> None:
    inquiry = builders.inquiry(clinic)
    whose = {"ours": builders.practitioner(clinic).pk, "theirs": builders.practitioner().pk}
    told = {name: whose.get(str(value), value) for name, value in body.items()}
    refused = sent(program, "patch", f"{INQUIRIES}{inquiry.public_id}/caller/", told)
    assert (refused.status_code, list(refused.json())) == (400, [field])


def test_a_program_does_not_change_who_asked_when_there_is_a_record(
    program: APIClient, clinic: Clinic
) -> None:
    inquiry = builders.inquiry(clinic, name="Noa", patient=builders.patient(clinic))
    path = f"{INQUIRIES}{inquiry.public_id}/caller/"
    assert sent(program, "patch", path, {"name": "Ira"}).status_code == 409
    assert Inquiry.objects.get().name == "Noa"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"asked": "flu", "asked_at": "2026-03-09T10:00:01+02:00"},
        {"asked": "flu", "answer": {"price": "80"}},
        {"asked": "flu", "answer": {"currency": "ILS"}},
        {"asked": "flu", "asked_by": "smoke"},
        {"asked": "flu", "offering": "00000000-0000-0000-0000-000000000000"},
    ],
)
def test_nonsense_is_refused(program: APIClient, body: dict[str, Any]) -> None:
    assert sent(program, "post", INQUIRIES, body).status_code == 400
    assert not Inquiry.objects.exists()


@pytest.mark.parametrize(("query", "found"), [("is_answered=true", 1), ("is_answered=false", 1), ("", 2)])
def test_the_owed_ones_are_listed_apart(program: APIClient, clinic: Clinic, query: str, found: int) -> None:
    builders.inquiry(clinic)
    sent(program, "post", INQUIRIES, {"asked": "whitening"})
    assert len(program.get(f"{INQUIRIES}?{query}").json()["results"]) == found
