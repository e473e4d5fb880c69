"""REST: a complaint goes the way it goes on the screens, and only who may do a step there may do it here."""

from typing import Any

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from journeys.models import Step, StepStatus
from outreach.complaint_models import Complaint
from patients.models import Patient, Role
from tests import builders
from tests.clinic_journey.own_page import OwnPage
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
COMPLAINTS = "/api/v1/complaints/"
OURS = "You waited and nobody spoke to you."


@pytest.fixture
def patient() -> Patient:
    call_command("load_catalogue", verbosity=0)
    return builders.patient(builders.clinic(), language="en")


def by(role: str, patient: Patient) -> APIClient:
    return builders.api(builders.user(role, at=patient.clinic))


def sent(program: APIClient, path: str, body: dict[str, Any]) -> Any:
    return program.post(f"{COMPLAINTS}{path}", body, format="json")


def written(patient: Patient) -> Complaint:
    desk = by(Role.RECEPTIONIST, patient)
    sent(desk, "", {"patient": str(patient.public_id), "words": "I waited.", "came_by": "call"})
    return Complaint.objects.get()


def waiting() -> set[str]:
    steps = Step.objects.filter(status=StepStatus.ACTIVE, template_step__isnull=False)
    return set(steps.values_list("template_step__key", flat=True))


def test_the_desk_writes_it_down_once_and_reads_none(patient: Patient) -> None:
    desk = by(Role.RECEPTIONIST, patient)
    body = {"patient": str(patient.public_id), "words": "I waited."}
    made, again, same = (
        sent(desk, "", {**body, **more}) for more in ({"request_key": "k"}, {"request_key": "k"}, {})
    )
    assert (made.status_code, again.status_code, same.status_code) == (201, 200, 201)
    found = Complaint.objects.get()
    expected = {
        "id": str(found.public_id),
        "clinic": patient.clinic.slug,
        "patient": str(patient.public_id),
        "came_at": "2026-03-09T08:00:00Z",
    }
    assert made.json() == again.json() == same.json() == expected
    assert (found.came_by, found.taken_by_id is not None, waiting()) == ("desk", True, {"restate"})
    assert desk.get(COMPLAINTS).json()["results"] == []
    assert sent(desk, f"{found.public_id}/restate/", {"words": OURS}).status_code == 404


@pytest.mark.parametrize("came_by", ["page", "message", "x"])
def test_how_it_came_is_what_a_person_can_say(patient: Patient, came_by: str) -> None:
    body = {"patient": str(patient.public_id), "words": "I waited.", "came_by": came_by}
    assert sent(by(Role.MANAGER, patient), "", body).status_code == 400
    assert not Complaint.objects.exists()


def test_from_the_first_words_to_what_changed(patient: Patient) -> None:
    manager, found = by(Role.MANAGER, patient), written(patient)
    path = f"{found.public_id}/"
    stages = [manager.get(COMPLAINTS + path).json()["stage"]]
    for act, body in (
        ("restate", {"words": OURS}),
        ("understood", {"by": "told_us", "seen": OURS}),
        ("answer", {"words": "We are sorry."}),
        ("change", {"words": "Somebody says so now.", "is_changed": True, "is_published": True}),
    ):
        answer = sent(manager, f"{path}{act}/", body)
        assert answer.status_code == 200
        stages.append(answer.json()["stage"])
        assert sent(manager, f"{path}{act}/", body).status_code == 409  # pressed twice
    assert stages == ["restate", "understood", "answer", "change", ""]
    shown = manager.get(COMPLAINTS + path).json()
    assert (shown["words"], shown["came_by"], shown["understood_by"]) == ("I waited.", "call", "told_us")
    assert (shown["answer"], shown["is_changed"], shown["is_published"]) == ("We are sorry.", True, True)
    assert waiting() == {"tell_answer", "tell_change"}
    assert manager.get(f"{COMPLAINTS}?is_over=false").json()["results"] == []
    assert len(manager.get(f"{COMPLAINTS}?is_over=true").json()["results"]) == 1


def test_it_is_not_answered_before_it_is_understood(patient: Patient) -> None:
    manager, found = by(Role.MANAGER, patient), written(patient)
    assert sent(manager, f"{found.public_id}/answer/", {"words": "Sorry."}).status_code == 422
    sent(manager, f"{found.public_id}/restate/", {"words": OURS})
    old = sent(manager, f"{found.public_id}/understood/", {"by": "told_us", "seen": "Other words."})
    own = sent(manager, f"{found.public_id}/understood/", {"by": "reader", "seen": OURS})
    page = sent(manager, f"{found.public_id}/understood/", {"by": "patient", "seen": OURS})
    assert (old.status_code, own.status_code, page.status_code) == (409, 422, 400)
    found.refresh_from_db()
    assert (found.stage, found.answer) == ("understood", "")


def test_the_second_reader_reads_that_one_and_does_nothing_else(patient: Patient) -> None:
    manager, found = by(Role.MANAGER, patient), written(patient)
    path, other = f"{found.public_id}/", builders.complaint(builders.patient(patient.clinic))
    sent(manager, f"{path}restate/", {"words": OURS})
    doctor = builders.user(Role.DOCTOR, at=patient.clinic)
    reader = builders.api(doctor)
    assert sent(manager, f"{path}reader/", {"reader": builders.user().username}).status_code == 422
    assert sent(manager, f"{path}reader/", {"reader": doctor.username}).json()["reader"] == doctor.username
    assert [each["id"] for each in reader.get(COMPLAINTS).json()["results"]] == [str(found.public_id)]
    assert reader.get(f"{COMPLAINTS}{other.public_id}/").status_code == 404
    refused = [
        sent(reader, f"{path}understood/", {"by": "told_us", "seen": OURS}),
        sent(reader, f"{path}answer/", {"words": "x"}),
        sent(reader, f"{path}restate/", {"words": "x"}),
    ]
    assert [answer.status_code for answer in refused] == [403, 403, 403]
    assert sent(reader, f"{path}understood/", {"by": "reader", "seen": OURS}).json()["stage"] == "answer"


def test_what_a_program_puts_into_lines_is_found_right_on_a_screen(patient: Patient) -> None:
    manager, found = by(Role.MANAGER, patient), written(patient)
    path = f"{found.public_id}/"
    assert sent(manager, f"{path}restate/", {"words": "You waited.\r\nNobody spoke to you."}).json()[
        "restated"
    ] == ("You waited.\nNobody spoke to you.")
    page = OwnPage(Complaint.objects.get().journey).prove(patient)
    said = {"complaint": found.public_id, "meaning": "understood"}
    page.post("complaint", said | {"seen": "You waited.\r\nNobody spoke to you."})
    assert Complaint.objects.get().understood_by == "patient"


def test_what_was_kept_with_other_line_ends_before_can_be_found_right(patient: Patient) -> None:
    manager, found = by(Role.MANAGER, patient), written(patient)
    path = f"{found.public_id}/"
    sent(manager, f"{path}restate/", {"words": OURS})
    Complaint.objects.update(restated="You waited.\r\nNobody spoke to you.")
    said = {"by": "told_us", "seen": "You waited.\nNobody spoke to you."}
    assert sent(manager, f"{path}understood/", said).json()["stage"] == "answer"


def test_otherwise_than_words_that_were_put_anew_is_refused(patient: Patient) -> None:
    manager, found = by(Role.MANAGER, patient), written(patient)
    path = f"{found.public_id}/"
    sent(manager, f"{path}restate/", {"words": OURS})
    assert sent(manager, f"{path}otherwise/", {"words": "x", "seen": "Older words"}).status_code == 409
    assert Complaint.objects.get().restated == OURS


def test_a_reader_finds_it_meant_otherwise_and_is_not_asked_any_more(patient: Patient) -> None:
    manager, found = by(Role.MANAGER, patient), written(patient)
    path = f"{found.public_id}/"
    sent(manager, f"{path}restate/", {"words": OURS})
    doctor = builders.user(Role.DOCTOR, at=patient.clinic)
    sent(manager, f"{path}reader/", {"reader": doctor.username})
    reader = builders.api(doctor)
    answer = sent(reader, f"{path}otherwise/", {"words": "It was the tone.", "seen": OURS})
    assert (answer.status_code, answer.json()["stage"]) == (200, "restate")
    assert answer.json()["words"] == "I waited.\n\nIt was the tone."
    assert reader.get(COMPLAINTS + path).status_code == 404
