"""REST: visits are held, booked and changed; free times."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from appointments.models import Appointment, AppointmentStatus, Practitioner
from journeys.models import Step, StepKind, StepStatus
from patients.models import Clinic, Patient, Role
from tests import builders
from tests.clinic_journey.on_the_desk import browser
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

APPOINTMENTS = "/api/v1/appointments/"
START = NOW + timedelta(days=1)  # 10:00 in Jerusalem


def iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


@pytest.fixture
def client(clinic: Clinic) -> Any:
    return builders.api(builders.user(Role.RECEPTIONIST, at=clinic))


@pytest.fixture
def patient(clinic: Clinic) -> Patient:
    return builders.patient(clinic)


@pytest.fixture
def doctor(clinic: Clinic) -> Practitioner:
    """Who receives tomorrow from 10 to 12."""
    doctor = builders.practitioner(clinic)
    builders.open_time(doctor, START, minutes=120)
    return doctor


@pytest.fixture
def body(patient: Patient, doctor: Practitioner) -> dict[str, Any]:
    return {
        "patient": str(patient.public_id),
        "practitioner": doctor.pk,
        "start": "2026-03-10T10:00:00+02:00",
        "minutes": 30,
        "title": "Tooth 36",
    }


def test_a_visit_is_booked_and_shown(
    client: Any, clinic: Clinic, body: dict[str, Any], doctor: Practitioner
) -> None:
    answer = client.post(APPOINTMENTS, body, format="json")
    made = Appointment.objects.get()
    assert answer.status_code == 201
    assert made.step
    assert made.step.journey.name == "Tooth 36"
    assert answer.json() == {
        "id": str(made.public_id),
        "clinic": clinic.slug,
        "patient": body["patient"],
        "practitioner": {"id": doctor.pk, "clinic": clinic.slug, "name": "Dr Cohen"},
        "title": "Tooth 36",
        "start": iso(START),
        "end": iso(START + timedelta(minutes=30)),
        "status": "booked",
        "hold_until": None,
        "awaits": None,
        "step": str(made.step.public_id),
        "confirmed_at": None,
        "ended_because": "",
        "made_at": iso(NOW),
    }
    assert client.get(f"{APPOINTMENTS}{made.public_id}/").json() == answer.json()
    assert made.slot_uses.count() == 3
    assert made.made_by == clinic.memberships.get().user


def test_a_hold_awaits_its_step(client: Any, body: dict[str, Any], patient: Patient) -> None:
    waiting = builders.step(builders.journey(patient), kind=StepKind.AWAIT_RESULT)
    until = NOW + timedelta(hours=4)
    said = {**body, "hold_until": iso(until), "awaits": str(waiting.public_id)}
    made = client.post(APPOINTMENTS, said, format="json").json()
    assert (made["status"], made["hold_until"], made["awaits"]) == (
        "pending",
        iso(until),
        str(waiting.public_id),
    )
    found = client.get(f"{APPOINTMENTS}?journey={waiting.journey.public_id}").json()["results"]
    assert [row["id"] for row in found] == [made["id"]]


def test_a_visit_that_a_step_asks_for_ends_the_step(
    client: Any, body: dict[str, Any], patient: Patient
) -> None:
    asking = builders.step(builders.journey(patient), kind=StepKind.BOOK)
    said = {**body, "step": str(asking.public_id)}
    first, again = (
        client.post(APPOINTMENTS, said, format="json", HTTP_IDEMPOTENCY_KEY="k1") for _time in range(2)
    )
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    asking.refresh_from_db()
    assert (asking.status, asking.outcome) == (StepStatus.COMPLETED, "booked")
    assert Step.objects.get(public_id=first.json()["step"]).kind == StepKind.VISIT


def test_a_hold_that_waits_for_nothing_is_booked_by_hand(client: Any, body: dict[str, Any]) -> None:
    said = {**body, "hold_until": iso(NOW + timedelta(hours=4))}
    held = client.post(APPOINTMENTS, said, format="json").json()
    booked = client.post(f"{APPOINTMENTS}{held['id']}/book/")
    assert (booked.status_code, booked.json()["status"]) == (200, "booked")
    again = client.post(f"{APPOINTMENTS}{held['id']}/book/")
    assert (again.status_code, again.json()["code"]) == (409, "stale_state")


def test_whoever_comes_second_hears_who_was_first_and_what_is_free(
    client: Any, body: dict[str, Any], clinic: Clinic, doctor: Practitioner
) -> None:
    winner = builders.patient(clinic, given_name="Oleg", family_name="Petrov")
    builders.appointment(winner, practitioner=doctor, start=START)
    answer = client.post(APPOINTMENTS, body, format="json", HTTP_IDEMPOTENCY_KEY="k1")
    assert answer.status_code == 409
    assert answer.json() == {
        "code": "slot_taken",
        "detail": "Tue 10 Mar 10:00 with Dr Cohen is booked for Oleg Petrov.",
        "taken_by": "Oleg Petrov",
        "free": [iso(START + timedelta(minutes=30 * n)) for n in (1, 2, 3)],
    }
    said = {**body, "start": answer.json()["free"][0]}
    assert client.post(APPOINTMENTS, said, format="json", HTTP_IDEMPOTENCY_KEY="k1").status_code == 201


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"start": "2026-03-10T10:00:00"}, "start"),
        ({"start": "9999-12-31T23:59:00Z"}, "start"),
        ({"start": "0001-01-01T00:00:00+14:00"}, "start"),
        ({"start": "tomorrow"}, "start"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": 10**20}, "minutes"),
        ({"practitioner": 0}, "practitioner"),
        ({"practitioner": 10**30}, "practitioner"),
        ({"practitioner": {"id": 1}}, "practitioner"),
        ({"patient": "Dana"}, "patient"),
        ({"patient": "c0ffee00-0000-4000-8000-000000000000"}, "patient"),
        ({"awaits": "c0ffee00-0000-4000-8000-000000000000"}, "awaits"),
        ({"title": "x" * 121}, "title"),
        ({"hold_until": "soon"}, "hold_until"),
    ],
)
def test_what_cannot_be_right_is_said_by_field(
    client: Any, body: dict[str, Any], wrong: dict[str, Any], field: str
) -> None:
    answer = client.post(APPOINTMENTS, {**body, **wrong}, format="json")
    assert (answer.status_code, list(answer.json())) == (400, [field])


def test_a_step_goes_with_its_own_patient_and_purpose(
    client: Any, body: dict[str, Any], clinic: Clinic, patient: Patient
) -> None:
    own = str(builders.step(builders.journey(patient)).public_id)
    others = str(builders.step(builders.journey(builders.patient(clinic))).public_id)
    until = iso(NOW + timedelta(hours=4))
    for wrong, field in (
        ({"step": others}, "step"),
        ({"awaits": others, "hold_until": until}, "awaits"),
        ({"awaits": own}, "hold_until"),
        ({"step": own, "hold_until": until}, "step"),
    ):
        answer = client.post(APPOINTMENTS, {**body, **wrong}, format="json")
        assert (answer.status_code, list(answer.json())) == (400, [field])
    assert not Appointment.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"start": "2026-03-09T09:00:00+02:00"}, "This time has passed."),
        ({"minutes": 25}, "The calendar is divided into 10 minutes"),
        ({"start": "2026-03-10T16:00:00+02:00"}, "outside the hours of Dr Cohen"),
        ({"hold_until": "2026-03-09T09:00:00+02:00"}, "still to come"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(
    client: Any, body: dict[str, Any], wrong: dict[str, Any], words: str
) -> None:
    answer = client.post(APPOINTMENTS, {**body, **wrong}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (422, "refused")
    assert words in answer.json()["detail"]


def test_a_visit_is_confirmed_moved_and_cancelled(client: Any, body: dict[str, Any]) -> None:
    visit = f"{APPOINTMENTS}{client.post(APPOINTMENTS, body, format='json').json()['id']}/"
    assert client.post(f"{visit}confirm/").json()["confirmed_at"] == iso(NOW)
    later = START + timedelta(hours=1)
    moved = client.post(f"{visit}move/", {"start": iso(later), "because": "asked to"}, format="json").json()
    assert (moved["start"], moved["confirmed_at"]) == (iso(later), None)
    cancelled = client.post(f"{visit}cancel/", {"because": "ill"}, format="json").json()
    assert (cancelled["status"], cancelled["ended_because"]) == ("cancelled", "ill")
    for act in ("confirm", "arrive", "fulfil"):
        answer = client.post(f"{visit}{act}/")
        assert (answer.status_code, answer.json()["code"]) == (409, "stale_state")
    assert client.post(f"{visit}cancel/", {}, format="json").status_code == 400


def test_a_visit_is_not_moved_onto_another(
    client: Any, body: dict[str, Any], clinic: Clinic, doctor: Practitioner
) -> None:
    builders.appointment(builders.patient(clinic), practitioner=doctor, start=START + timedelta(hours=1))
    visit = f"{APPOINTMENTS}{client.post(APPOINTMENTS, body, format='json').json()['id']}/"
    answer = client.post(f"{visit}move/", {"start": iso(START + timedelta(hours=1))}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "slot_taken")
    assert client.get(visit).json()["start"] == iso(START)


@pytest.mark.parametrize(
    ("acts", "status"),
    [(["arrive", "fulfil"], "fulfilled"), (["fulfil"], "fulfilled"), (["no-show", "arrive"], "arrived")],
)
def test_the_day_of_the_visit(client: Any, patient: Patient, acts: list[str], status: str) -> None:
    visit = builders.appointment(patient, start=NOW - timedelta(minutes=10))
    for act in acts:
        answer = client.post(f"{APPOINTMENTS}{visit.public_id}/{act}/")
        assert answer.status_code == 200
    assert answer.json()["status"] == status


def test_nobody_fails_to_come_to_what_is_ahead(client: Any, patient: Patient) -> None:
    visit = builders.appointment(patient)
    answer = client.post(f"{APPOINTMENTS}{visit.public_id}/no-show/")
    assert (answer.status_code, answer.json()["code"]) == (422, "refused")
    visit.refresh_from_db()
    assert visit.status == AppointmentStatus.BOOKED


def test_free_times_do_not_overlap_and_are_not_taken(
    client: Any, patient: Patient, doctor: Practitioner
) -> None:
    builders.appointment(patient, practitioner=doctor, start=START)
    asked: dict[str, Any] = {"practitioner": doctor.pk, "minutes": 30}
    answer = client.get(f"{APPOINTMENTS}free-times/", asked)
    assert answer.json() == {"starts": [iso(START + timedelta(minutes=30 * n)) for n in (1, 2, 3)]}
    asked |= {"after": iso(START + timedelta(minutes=60)), "before": iso(START + timedelta(minutes=61))}
    assert client.get(f"{APPOINTMENTS}free-times/", asked).json() == {
        "starts": [iso(START + timedelta(minutes=60))]
    }


def test_free_times_for_a_patient_are_when_she_can_come_and_not_when_she_is_reached(
    client: Any, patient: Patient, doctor: Practitioner
) -> None:
    card = f"/api/v1/patients/{patient.public_id}/card/"
    asked = {"practitioner": doctor.pk, "minutes": 30, "patient": str(patient.public_id)}
    tuesday = {"weekday": 1, "start": "11:00", "end": "11:45"}
    assert client.patch(card, {"windows": [tuesday]}, format="json").status_code == 200
    answer = client.get(f"{APPOINTMENTS}free-times/", asked)
    assert answer.json() == {"starts": [iso(START + timedelta(minutes=30 * n)) for n in range(3)]}
    assert client.patch(card, {"coming_windows": [tuesday]}, format="json").status_code == 200
    answer = client.get(f"{APPOINTMENTS}free-times/", asked)
    assert answer.json() == {"starts": [iso(START + timedelta(hours=1))]}


def test_the_desk_offers_as_suiting_what_a_program_is_told(
    client: Any, clinic: Clinic, patient: Patient, doctor: Practitioner
) -> None:
    for days in (2, 5, 6):  # Wednesday; Saturday, when we are closed; Sunday, when she cannot
        builders.open_time(doctor, START + timedelta(days=days - 1, hours=2), minutes=120)
    builders.comes(patient, (1, time(11), time(12)), (2, time(11, 30), time(13, 30)), (5, time.min, time.max))
    desk = browser(builders.user(at=clinic))
    page = desk.get(f"/patients/{patient.public_id}/book/").context["offers"]
    asked: dict[str, Any] = {"practitioner": doctor.pk, "minutes": 30, "patient": str(patient.public_id)}
    told = client.get(f"{APPOINTMENTS}free-times/", asked | {"limit": 50}).json()["starts"]
    assert {iso(offer.start) for offer in page.suiting} <= set(told)
    assert not {iso(offer.start) for offer in page.others} & set(told)
    assert [offer.suits for offer in page.suiting] == [True] * 4


def test_no_times_are_told_of_a_doctor_with_whom_the_patient_cannot_be_booked(patient: Patient) -> None:
    """A program of a user who works in two clinics."""
    user, elsewhere = builders.user(at=patient.clinic), builders.practitioner()
    user.memberships.create(clinic=elsewhere.clinic, role=Role.RECEPTIONIST)
    builders.open_time(elsewhere, START, minutes=60)
    asked: dict[str, Any] = {"practitioner": elsewhere.pk, "minutes": 30, "patient": str(patient.public_id)}
    answer = builders.api(user).get(f"{APPOINTMENTS}free-times/", asked)
    assert (answer.status_code, list(answer.json())) == (400, ["practitioner"])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"minutes": ""}, "minutes"),
        ({"practitioner": 0}, "practitioner"),
        ({"after": "2026-03-10T10:00:00"}, "after"),
        ({"limit": 51}, "limit"),
    ],
)
def test_free_times_are_asked_for_in_full(
    client: Any, doctor: Practitioner, wrong: dict[str, Any], field: str
) -> None:
    asked = {"practitioner": doctor.pk, "minutes": 30, **wrong}
    answer = client.get(f"{APPOINTMENTS}free-times/", asked)
    assert (answer.status_code, list(answer.json())) == (400, [field])
