"""The page on which a manager searches the trail, and the file she takes out."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from appointments.models import AppointmentEvent
from clinic_journey.audit.search import Place, Wanted, all_lines, lines
from journeys.models import EventKind, StepEvent
from outreach.models import AttemptStatus
from patients.models import AuditEvent, Clinic, Patient, Role
from tests import builders
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def event(clinic: Clinic | None, *, minutes: int = 0, **fields: Any) -> AuditEvent:
    given = {"by": "user", "action": "read", "what": "patient", "at": NOW - timedelta(minutes=minutes)}
    return AuditEvent.objects.create(clinic=clinic, **{**given, **fields})


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


@pytest.fixture
def manager(clinic: Clinic) -> Client:
    return logged_in(Role.MANAGER, clinic)


def shown(client: Client, query: str = "") -> str:
    answer = client.get(f"/audit/{query}")
    assert answer.status_code == 200
    return str(answer.content.decode())


def found(client: Client, query: str = "") -> list[Any]:
    return list(client.get(f"/audit/{query}").context["lines"])


@pytest.mark.parametrize(
    ("role", "status"), [(Role.RECEPTIONIST, 403), (Role.DOCTOR, 403), (Role.MANAGER, 200), (Role.ADMIN, 200)]
)
def test_only_managers_and_administrators_see_the_trail(clinic: Clinic, role: str, status: int) -> None:
    client = logged_in(role, clinic)
    assert client.get("/audit/").status_code == status
    assert client.post("/audit/export/").status_code == status
    assert ("/audit/" in client.get("/patients/").content.decode()) == (status == 200)


def test_another_clinics_events_are_invisible(manager: Client, clinic: Clinic) -> None:
    other = builders.clinic()
    stranger = builders.patient(other, given_name="Zelda")
    event(other, patient=stranger, ip="203.0.113.9")
    colleague = builders.user(at=other, first_name="Outsider")
    for query in ("", "?q=Zelda"):
        page = shown(manager, query)
        assert "203.0.113.9" not in page
        assert "Outsider" not in page
    assert manager.get(f"/audit/?person={colleague.pk}").status_code == 422
    assert manager.get(f"/audit/?patient={stranger.public_id}").status_code == 404
    assert manager.post("/audit/export/", {"patient": str(stranger.public_id)}).status_code == 404
    assert b"203.0.113.9" not in b"".join(manager.post("/audit/export/"))


def test_a_manager_in_one_clinic_and_doctor_in_another_sees_the_one(clinic: Clinic) -> None:
    other = builders.clinic(name="Zion Clinic")
    user = builders.user(Role.MANAGER, at=clinic)
    other.memberships.create(user=user, role=Role.DOCTOR)
    client = Client()
    client.force_login(user)
    assert client.get("/audit/").status_code == 200
    client.post("/patients/clinic/", {"clinic": other.pk})
    assert client.get("/audit/").status_code == 403


def test_a_failed_login_is_seen_and_one_under_no_known_name_by_every_manager(
    manager: Client, clinic: Clinic
) -> None:
    user = builders.user(at=clinic, first_name="Noam")
    Client().post("/login/", {"username": user.username, "password": "wrong"})
    Client().post("/login/", {"username": "nobody", "password": "wrong"})
    who = [line.who for line in found(manager, "?action=login_failed")]
    assert who == ["Nobody we know", "Somebody, as Noam"]


def test_each_condition_narrows_the_list(manager: Client, clinic: Clinic) -> None:
    dana = builders.patient(clinic)
    noa = builders.patient(clinic, given_name="Noa", phone="050-765-4321")
    user = builders.user(at=clinic)
    one = event(clinic, patient=dana, actor=user, at=datetime(2026, 2, 1, 21, 30, tzinfo=UTC))
    two = event(clinic, patient=noa, action="list", what="today", at=datetime(2026, 2, 1, 22, 30, tzinfo=UTC))

    def pks(query: str) -> set[int]:
        return {line.place.pk for line in found(manager, query)} & {one.pk, two.pk}

    assert pks("") == {one.pk, two.pk}
    assert pks(f"?person={user.pk}") == {one.pk}
    assert pks(f"?patient={noa.public_id}") == {two.pk}
    assert pks("?q=noa") == {two.pk}
    assert pks("?action=read") == {one.pk}
    assert pks("?what=today") == {two.pk}
    assert pks("?first=2026-02-02") == {two.pk}  # 22:30 in UTC is the next day at the clinic
    assert pks("?first=2026-02-01&last=2026-02-01") == {one.pk}


def test_a_name_that_fits_several_is_asked_about(manager: Client, clinic: Clinic) -> None:
    builders.patient(clinic, given_name="Dana")
    builders.patient(clinic, given_name="Dan", phone="050-765-4321")
    page = shown(manager, "?q=levi")
    assert "Which patient?" in page
    assert page.count('href="?patient=') == 2
    assert "Nobody by that name" in shown(manager, "?q=nobodyhere")


@pytest.mark.parametrize(
    "query", ["?first=yesterday", "?patient=x", "?action=fly", "?first=2026-03-02&last=2026-03-01"]
)
def test_what_cannot_be_looked_for_is_said_at_its_field(manager: Client, query: str) -> None:
    answer = manager.get(f"/audit/{query}")
    assert answer.status_code == 422
    assert answer.context["form"].errors


@pytest.mark.parametrize(
    "after", ["", "x", "2026-03-09T08:00:00,0,1", "2026-03-09T08:00:00+00:00,9,1", ",,", "0,0,0"]
)
def test_a_broken_place_is_the_first_page(manager: Client, after: str) -> None:
    assert "Audit trail" in shown(manager, f"?after={after}")


def test_pages_join_without_a_gap_and_without_a_double(clinic: Clinic) -> None:
    """All of one instant, and of all four tables: the order is by rank, then by key."""
    patient = builders.patient(clinic)
    step = builders.step(builders.journey(patient))
    visit = builders.appointment(patient)
    for _nth in range(3):
        event(clinic, patient=patient)
        StepEvent.objects.create(step=step, kind=EventKind.NOTED, at=NOW)
        AppointmentEvent.objects.create(appointment=visit, what="booked", at=NOW)
        task = builders.task(builders.step(step.journey))
        builders.attempt(task, status=AttemptStatus.SENT, sent_at=NOW)
    wanted = Wanted(clinic, patient=patient)
    whole = [line.place for line in lines(wanted, after=None, limit=1000)]
    assert len(whole) == len(set(whole)) >= 12
    assert {place.rank for place in whole} == {0, 1, 2, 3}
    for size in (1, 2, 5):
        assert [line.place for line in all_lines(wanted, batch=size)] == whole
    assert [Place.of(str(place)) for place in whole] == whole


def test_the_record_of_a_patient_tells_steps_and_visits_too(manager: Client, clinic: Clinic) -> None:
    patient = builders.patient(clinic)
    rina = builders.user(at=clinic, first_name="Tamar")
    step = builders.step(builders.journey(patient))
    StepEvent.objects.create(step=step, clinic=step.clinic, kind=EventKind.CHASED, at=NOW, by=rina)
    visit = builders.appointment(patient)
    AppointmentEvent.objects.create(appointment=visit, what="booked", at=NOW, by=rina, detail="by phone")
    page = shown(manager, f"?patient={patient.public_id}")
    assert "the patient had to ask" in page
    assert "by phone" in page
    only = found(manager, f"?patient={patient.public_id}&person={rina.pk}")
    assert {line.who for line in only} == {"Tamar"}
    assert "the patient had to ask" not in shown(manager, "")


def test_the_page_shows_before_and_after(manager: Client, clinic: Clinic) -> None:
    patient = builders.patient(clinic)
    Patient.objects.filter(pk=patient.pk).update(family_name="<b>Cohen</b>")
    page = shown(manager, f"?patient={patient.public_id}")
    assert "<del><bdi>Levi</bdi></del> <ins><bdi>&lt;b&gt;Cohen&lt;/b&gt;</bdi></ins>" in page


def test_instants_are_told_in_the_clinics_time_and_weekdays_by_name(manager: Client, clinic: Clinic) -> None:
    visit = builders.appointment(builders.patient(clinic), start=NOW + timedelta(days=1))
    type(visit).objects.filter(pk=visit.pk).update(confirmed_at=NOW)
    visit.patient.card.windows.create(weekday=1, start=builders.at(9), end=builders.at(12))
    changes = [
        change for line in found(manager, f"?patient={visit.patient.public_id}") for change in line.changes
    ]
    assert ("confirmed at", "", "9.3.2026 10:00") in changes
    assert ("weekday", "", "Tuesday") in changes
    assert not any(name in {"id", "card", "patient"} for name, _before, _after in changes)


def test_the_page_costs_the_same_for_one_line_and_for_three(
    manager: Client, clinic: Clinic, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    patient, user = builders.patient(clinic), builders.user(at=clinic)
    step = builders.step(builders.journey(patient))
    page = f"/audit/?patient={patient.public_id}"
    for number in (1, 2):
        for nth in range(number):
            event(clinic, patient=patient, actor=user, minutes=nth)
            StepEvent.objects.create(step=step, kind=EventKind.NOTED, at=NOW, by=user)
        with django_assert_num_queries(11):
            manager.get(page)


def test_the_patients_page_leads_a_manager_to_who_looked_at_it(clinic: Clinic) -> None:
    patient = builders.patient(clinic)
    page = f"/patients/{patient.public_id}/"
    link = f"/audit/?patient={patient.public_id}"
    assert link in logged_in(Role.MANAGER, clinic).get(page).content.decode()
    assert link not in logged_in(Role.RECEPTIONIST, clinic).get(page).content.decode()


def rows_of(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))


def test_the_file_holds_the_filtered_list_and_is_itself_in_the_trail(manager: Client, clinic: Clinic) -> None:
    dana = builders.patient(clinic)
    event(clinic, patient=dana, ip="203.0.113.7")
    event(clinic, action="list", what="today", ip="203.0.113.8")
    answer = manager.post("/audit/export/", {"patient": str(dana.public_id), "action": "read"})
    heading, *rows = rows_of(answer)
    assert heading[:3] == ["at", "who", "action"]
    assert [(row[0], row[4], row[8]) for row in rows] == [
        ("2026-03-09 10:00:00+02:00", "Dana Levi", "203.0.113.7")
    ]
    taken = AuditEvent.objects.get(action="export")
    assert (taken.patient_id, taken.clinic_id, taken.by) == (dana.pk, clinic.pk, "user")
    assert taken.asked == f"action=read&patient={dana.public_id}"
    assert manager.get("/audit/export/").status_code == 405


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@x", "\t=1", " =1", "Dana"])
def test_nothing_in_the_file_runs_as_a_formula(manager: Client, clinic: Clinic, name: str) -> None:
    event(clinic, action="list", asked=name)
    for row in rows_of(manager.post("/audit/export/", {"action": "list"})):
        assert not any(cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


@pytest.mark.parametrize("name", ["Levi", "nobodyhere"])
def test_the_file_is_never_of_everybody_where_a_name_was_meant(
    manager: Client, clinic: Clinic, name: str
) -> None:
    builders.patient(clinic)
    builders.patient(clinic, given_name="Noa", phone="050-765-4321")
    answer = manager.post("/audit/export/", {"q": name})
    assert (answer.status_code, answer["Location"]) == (302, f"/audit/?q={name}")
    assert not AuditEvent.objects.filter(action="export").exists()


def test_looking_at_who_looked_is_a_look_too(manager: Client, clinic: Clinic) -> None:
    patient = builders.patient(clinic)
    shown(manager, f"?patient={patient.public_id}")
    assert AuditEvent.objects.get(action="read", patient=patient).what == "audit"


def test_the_file_of_a_broken_question_is_not_made(manager: Client) -> None:
    assert manager.post("/audit/export/", {"first": "yesterday"}).status_code == 422
    assert not AuditEvent.objects.filter(action="export").exists()
