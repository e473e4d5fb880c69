"""REST: thanks for whom they are for, and a shift that is handed over and taken with what is open."""

import pytest

from clinic_journey.models import Handover
from journeys.models import Step
from patients.models import Clinic, Role
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
HANDOVERS = "/api/v1/handovers/"


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


def test_thanks_are_read_by_whom_they_are_for_and_by_who_manages(clinic: Clinic) -> None:
    rina, dan = builders.user(at=clinic), builders.user(at=clinic)
    patient = builders.patient(clinic)
    hers, nobodys = builders.praise(patient, to=rina), builders.praise(patient)
    extra = builders.praise(patient, kind="extra", to=dan, by=rina, patient=None)

    def seen(user: object, query: str = "") -> set[str]:
        answer = builders.api(user).get(f"/api/v1/praise/{query}")  # type: ignore[arg-type]
        return {each["id"] for each in answer.json()["results"]}

    names = {each: str(each.public_id) for each in (hers, nobodys, extra)}
    assert (seen(rina), seen(dan)) == ({names[hers]}, {names[extra]})
    manager = builders.user(Role.MANAGER, at=clinic)
    assert seen(manager) == set(names.values())
    assert seen(manager, "?kind=extra") == {names[extra]}
    shown = builders.api(rina).get(f"/api/v1/praise/{hers.public_id}/").json()
    assert (shown["to"], shown["patient"]) == (rina.username, str(patient.public_id))
    assert builders.api(rina).post("/api/v1/praise/", {}, format="json").status_code == 405


def test_a_shift_is_handed_over_once_and_taken_with_what_is_open(clinic: Clinic) -> None:
    rina, dan = builders.user(at=clinic), builders.user(at=clinic)
    patient = builders.patient(clinic)
    promise = builders.step(builders.journey(patient), kind="promise", title="Call Dana back", owner=rina)
    going, coming = builders.api(rina), builders.api(dan)
    assert going.post(HANDOVERS, {"words": " "}, format="json").status_code == 400
    body = {"words": "The lift is broken.", "request_key": "k"}
    made, again = (going.post(HANDOVERS, body, format="json") for _time in range(2))
    assert (made.status_code, again.status_code, Handover.objects.count()) == (201, 200, 1)
    path = f"{HANDOVERS}{made.json()['id']}/"
    assert going.post(f"{path}take/").status_code == 422  # nobody takes over from herself
    shown = coming.get(path).json()
    assert shown["words"] == "The lift is broken."
    assert [each["id"] for each in shown["still_open"]["own"]] == [str(promise.public_id)]
    assert shown["still_open"]["own"][0]["patient"] == str(patient.public_id)
    assert [each["id"] for each in coming.get(f"{HANDOVERS}?is_waiting=true").json()["results"]]
    taken = coming.post(f"{path}take/")
    assert (taken.status_code, taken.json()["taken_by"]) == (200, dan.username)
    assert coming.post(f"{path}take/").status_code == 409
    assert Step.objects.get(pk=promise.pk).owner == dan
    assert coming.get(path).json()["still_open"] is None
    assert coming.get(f"{HANDOVERS}?is_waiting=true").json()["results"] == []


def test_what_is_another_roles_work_is_not_taken(clinic: Clinic) -> None:
    cohen = builders.user(Role.DOCTOR, at=clinic)
    builders.step(builders.journey(builders.patient(clinic)), kind="review", owner=cohen, owner_role="doctor")
    note = builders.handover(clinic, by=cohen)
    desk = builders.api(builders.user(at=clinic))
    assert desk.post(f"{HANDOVERS}{note.public_id}/take/").status_code == 422
    assert Handover.objects.get().taken_at is None
