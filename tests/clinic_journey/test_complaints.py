"""Complaints on the screens: how they come, the lock in words, the second reader, and her own page."""

from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from journeys.chases import step_at_fault_of
from journeys.models import Step, StepKind, StepStatus
from outreach.complaint_models import CameBy, Complaint, Understood
from outreach.complaints import (
    Change,
    answer_complaint,
    complain,
    find_understood,
    restate,
    tell_change,
)
from outreach.models import Reply
from patients.models import Clinic, Patient, Role
from tests import builders
from tests.clinic_journey.own_page import OwnPage
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
WORDS = "I waited an hour and nobody said why."


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def patient() -> Patient:
    call_command("load_catalogue", verbosity=0)
    builders.messages_loaded()
    return builders.patient(builders.clinic(), language="en")


def by(role: str, clinic: Clinic) -> Client:
    return logged_in(role, clinic)


def restated(patient: Patient) -> Complaint:
    complaint = complain(patient, WORDS, CameBy.DESK, now=NOW)
    restate(
        complaint,
        "You waited and nobody spoke to you.",
        now=NOW,
        by=builders.user(Role.MANAGER, at=patient.clinic),
    )
    return complaint


def text(client: Client, path: str) -> str:
    return " ".join(client.get(path).content.decode().split())


def test_written_down_at_the_desk_it_is_the_managers(patient: Patient) -> None:
    desk = by(Role.RECEPTIONIST, patient.clinic)
    path = f"/patients/{patient.public_id}/complaint/"
    assert 'value="voice"' in text(desk, path)
    assert desk.post(path, {"words": "  ", "came_by": "voice"}).status_code == 422
    assert desk.post(path, {"words": WORDS, "came_by": "voice"}).status_code == 302
    complaint = Complaint.objects.get()
    assert (complaint.came_by, complaint.words) == ("voice", WORDS)
    assert desk.get(f"/complaints/{complaint.public_id}/").status_code == 404
    assert "Dana" not in text(desk, "/complaints/")
    manager = by(Role.MANAGER, patient.clinic)
    assert WORDS in text(manager, "/complaints/")
    step = Step.objects.get(journey=complaint.journey)
    assert f'href="/complaints/{complaint.public_id}/"' in text(manager, f"/today/?item={step.public_id}")
    assert manager.post(f"/today/{step.public_id}/finish/", {"outcome": "restated"}).status_code == 409


def test_the_answer_is_locked_in_words_and_refused_when_posted(patient: Patient) -> None:
    complaint = restated(patient)
    manager = by(Role.MANAGER, patient.clinic)
    path = f"/complaints/{complaint.public_id}/"
    page = text(manager, path)
    assert "Locked. An answer is written once" in page
    assert 'value="answer"' not in page
    refused = manager.post(f"{path}do/", {"act": "answer", "words": "Sorry."})
    assert refused.status_code == 409
    assert "First it is found understood" in refused.content.decode()
    seen = {"seen": complaint.restated}
    assert manager.post(f"{path}do/", {"act": "told", **seen}).status_code == 302
    assert "Locked." not in text(manager, path)
    assert manager.post(f"{path}do/", {"act": "answer", "words": "Sorry."}).status_code == 302
    change = {"act": "change", "words": "Somebody says why.", "is_changed": "yes", "publish": "on"}
    assert manager.post(f"{path}do/", change).status_code == 302
    assert "Somebody says why." in text(by(Role.RECEPTIONIST, patient.clinic), "/complaints/changed/")
    public = text(Client(), f"/changed/{patient.clinic.slug}/?lang=en")
    assert "Somebody says why." in public
    assert "Dana" not in public
    assert "Dana" in text(manager, "/complaints/?list=over")
    assert "Dana" not in text(manager, "/complaints/")


def test_only_the_asked_colleague_reads_it_and_does_nothing_else(patient: Patient) -> None:
    complaint = restated(patient)
    reader = builders.user(at=patient.clinic)
    desk = Client()
    desk.force_login(reader)
    path = f"/complaints/{complaint.public_id}/"
    assert desk.get(path).status_code == 404
    by(Role.MANAGER, patient.clinic).post(f"{path}do/", {"act": "reader", "reader": reader.pk})
    assert WORDS in text(desk, path)
    assert desk.post(f"{path}do/", {"act": "told", "seen": complaint.restated}).status_code == 422
    assert desk.post(f"{path}do/", {"act": "read", "seen": "older words"}).status_code == 409
    assert desk.post(f"{path}do/", {"act": "read", "seen": complaint.restated}).status_code == 302
    complaint.refresh_from_db()
    assert (complaint.understood_by, complaint.reader) == ("reader", reader)


def test_a_colleague_asked_instead_takes_the_first_ones_step(patient: Patient) -> None:
    complaint = restated(patient)
    path = f"/complaints/{complaint.public_id}/"
    boss = by(Role.MANAGER, patient.clinic)
    first, second = (builders.user(at=patient.clinic) for _n in range(2))
    for reader in (first, second):
        boss.post(f"{path}do/", {"act": "reader", "reader": reader.pk})
    asked = Step.objects.filter(kind="complaint", template_step=None)
    assert dict(asked.values_list("owner", "status")) == {first.pk: "cancelled", second.pk: "active"}


def test_a_message_becomes_a_complaint_in_the_inbox(patient: Patient) -> None:
    matter = builders.step(builders.journey(patient), kind="call")
    Reply.objects.create(
        clinic=patient.clinic, patient=patient, channel="sms", at=NOW, body="You forgot me.", matter=matter
    )
    desk = by(Role.RECEPTIONIST, patient.clinic)
    path = f"/inbox/{patient.public_id}/complaint/"
    assert path in text(desk, f"/inbox/{patient.public_id}/")
    assert desk.post(path, {"heard": str(Reply.objects.get().pk)}).status_code == 302
    assert Complaint.objects.get().words == "You forgot me."
    assert "Dana" not in text(desk, "/inbox/")
    assert desk.post(path).status_code == 302  # pressed twice: nothing further
    assert Complaint.objects.count() == 1


def test_on_her_own_page_she_complains_is_asked_and_sees_how_it_stands(patient: Patient) -> None:
    page = OwnPage(builders.step(builders.journey(patient)).journey)
    assert page.post("say", {"meaning": "complaint", "body": ""})["Location"].endswith("?lang=en")
    for _press in range(2):
        assert page.post("say", {"meaning": "complaint", "body": WORDS})["Location"].endswith(
            "said=complaint"
        )
    complaint = Complaint.objects.get()
    assert complaint.came_by == "page"
    assert "Your complaint" not in page.text()  # the link of another matter does not tell that she complained
    shown = OwnPage(complaint.journey).text()
    assert "Before that, nobody answers." in shown
    assert "You hear from us by" in shown
    assert WORDS not in shown  # whoever has the link alone reads nothing of it
    restate(complaint, "Nobody spoke to you.", now=NOW, by=builders.user(Role.MANAGER, at=patient.clinic))
    said = {"complaint": complaint.public_id, "meaning": "understood", "seen": complaint.restated}
    assert "Nobody spoke to you." not in page.text()
    page.post("complaint", said)
    complaint.refresh_from_db()
    assert complaint.understood_at is None  # what she has not read, she is not asked about
    page.prove(patient)
    assert "Nobody spoke to you." in page.text()
    assert page.post("complaint", said)["Location"].endswith("said=complaint_heard")
    complaint.refresh_from_db()
    assert complaint.understood_by == "patient"
    assert (
        page.post("complaint", {**said, "meaning": "otherwise"}).status_code == 302
    )  # too late, and harmless
    assert "Understood. Our answer comes next." in page.text()


def test_on_her_own_page_she_says_that_it_is_meant_otherwise(patient: Patient) -> None:
    complaint = restated(patient)
    page = OwnPage(complaint.journey).prove(patient)
    said = {"complaint": complaint.public_id, "meaning": "otherwise", "body": "It was the doctor."}
    said["seen"] = complaint.restated
    page.post("complaint", said)
    complaint.refresh_from_db()
    assert (complaint.stage, complaint.words) == ("restate", f"{WORDS}\n\nIt was the doctor.")
    assert Step.objects.get(template_step__key="restate", status=StepStatus.ACTIVE).round == 2
    assert not page.post("complaint", said)["Location"].endswith("ask")  # pressed twice it is said once
    assert not Step.objects.filter(kind=StepKind.CALL).exists()


def test_an_older_page_of_hers_keeps_our_newer_words_and_a_person_reads_hers(patient: Patient) -> None:
    complaint = restated(patient)
    page = OwnPage(complaint.journey).prove(patient)
    said = {"complaint": complaint.public_id, "meaning": "otherwise", "body": "It was the doctor."}
    said["seen"] = complaint.restated
    Complaint.objects.update(restated="The doctor did not greet you.")
    assert page.post("complaint", said)["Location"].endswith("said=ask")
    complaint.refresh_from_db()
    assert (complaint.restated, complaint.words) == ("The doctor did not greet you.", WORDS)
    assert "It was the doctor." in Step.objects.get(kind=StepKind.CALL).name


def test_an_older_page_at_the_desk_keeps_our_newer_words_and_what_was_typed(patient: Patient) -> None:
    complaint = restated(patient)
    manager = by(Role.MANAGER, patient.clinic)
    path = f"/complaints/{complaint.public_id}/"
    assert text(manager, path).count('name="seen"') == 3
    said = {"act": "otherwise", "words": "It was the doctor.", "seen": complaint.restated}
    Complaint.objects.update(restated="The doctor did not greet you.")
    refused = manager.post(f"{path}do/", said)
    assert (refused.status_code, "It was the doctor." in refused.content.decode()) == (409, True)
    complaint.refresh_from_db()
    assert (complaint.restated, complaint.words) == ("The doctor did not greet you.", WORDS)
    assert manager.post(f"{path}do/", said | {"seen": complaint.restated}).status_code == 302
    complaint.refresh_from_db()
    assert complaint.stage == "restate"


def test_another_patients_complaint_is_nobodys_business(patient: Patient) -> None:
    complaint = restated(builders.patient(patient.clinic, given_name="Noa", phone="054-765-4321"))
    page = OwnPage(builders.step(builders.journey(patient)).journey).prove(patient)
    page.post(
        "complaint", {"complaint": complaint.public_id, "meaning": "understood", "seen": complaint.restated}
    )
    page.post("complaint", {"complaint": "x", "meaning": "understood"})
    complaint.refresh_from_db()
    assert complaint.understood_at is None


@pytest.mark.parametrize("complaints", [1, 3])
def test_the_list_costs_the_same_at_any_length(
    patient: Patient, complaints: int, django_assert_num_queries: object
) -> None:
    for number in range(complaints):
        complain(patient, f"{number} {WORDS}", CameBy.DESK, now=NOW)
    manager = by(Role.MANAGER, patient.clinic)
    manager.get("/complaints/")
    with django_assert_num_queries(7):  # type: ignore[operator]
        manager.get("/complaints/")


def test_every_page_of_the_patient_opens_at_every_stage_and_a_chase_counts_against_it(
    patient: Patient,
) -> None:
    complaint = complain(patient, WORDS, CameBy.DESK, now=NOW)
    manager = builders.user(Role.MANAGER, at=patient.clinic)
    desk, own = by(Role.MANAGER, patient.clinic), OwnPage(complaint.journey).prove(patient)
    acts: list[Callable[[], object]] = [
        lambda: restate(complaint, "You waited.", now=NOW, by=manager),
        lambda: find_understood(complaint, Understood.TOLD_US, now=NOW, by=manager),
        lambda: answer_complaint(complaint, "Sorry.", now=NOW, by=manager),
        lambda: tell_change(complaint, Change("We say why.", is_changed=True), now=NOW, by=manager),
        lambda: None,
    ]
    at_fault: list[object] = []
    for act in acts:
        at_fault.append((step := step_at_fault_of(patient, now=NOW)) and step.key)
        for path in ("", "complaint/"):
            assert desk.get(f"/patients/{patient.public_id}/{path}").status_code == 200
        assert desk.get(f"/caller/{patient.public_id}/").status_code == 200
        for step in Step.objects.filter(journey=complaint.journey, status=StepStatus.ACTIVE):
            assert desk.get(f"/today/?item={step.public_id}").status_code == 200
        assert own.get().status_code == 200
        act()
    assert at_fault == ["restate", None, "answer", "tell_answer", "tell_answer"]
    assert 'value="complaint"' not in text(desk, f"/patients/{patient.public_id}/")  # it begins otherwise
