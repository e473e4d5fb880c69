"""Who looked: every page that names an object of a patient leaves a trace, and a new one cannot be forgotten."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import URLPattern

from clinic_journey.api import router
from clinic_journey.audit.middleware import short_agent
from clinic_journey.audit.subjects import HOLDERS, NAMED, OF_NOBODY
from outreach.links import path_for
from outreach.models import AttemptStatus
from patients.models import AuditEvent, Channel, Clinic, Patient, Role
from referrals.links import upload_token
from tests import builders
from tests.clinic_journey.test_access import (
    ALL_ROUTES,
    WITHOUT_AN_OBJECT,
    filled,
    logged_in,
    objects_of,
    routes,
)
from tests.clinic_journey.test_api import Place
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

SHOWS_NOBODY = {  # of the pages without an object; parts that ask by themselves are told in counts alone
    "home",
    "new",
    "choose_clinic",
    "audit_export",
    "today_live",
    "results_fresh",
    "inbox_fresh",
    "page_changed",
    "visit_types",
    "imports",
    "setup",
    "setup_clinic",
    "setup_hours",
    "channels",
    "channels_gate",
    "channels_allow",
    "channels_attest",
    "channels_provider",
    "setup_patients",
    "setup_standards",
    "lock",
    "unlock",
    "still_here",
    "kept",
    "pin",
    "keys",
    "today_pause",
    "calendar_taken",
    "setup_content",
    "setup_words",
    "setup_words_text",
    "ask",
    "ask_answered",
    "ask_elsewhere",
    "silent_plan_all",
    "silent_undo_all",
    "ask_promised",
    "offerings",
    "what_changed",
    "offerings_file",
    "offerings_csv",
    "team_extra",
    "stuck",
    "stuck_export",
    "stuck_names_export",
    "stuck_week",
    "stuck_ideas",
    "reports",
    "visit_value",
    "reach_times",
    "report_questions",
    "report_export",
    "routine",
    "routine_change",
    "own_standard",
    "digest",
    "report_alerts",
}
NEEDS_MORE = {  # asked for beside the name, else there is nothing to show
    "calendar_feed": {"start": "2026-03-08", "end": "2026-03-15"},
    "offer_time": {"doctor": "{practitioner_id}", "at": "2026-03-11T09:00+02:00"},
}


def reads(**fields: Any) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="read", **fields))


def with_a_patient(clinic: Clinic) -> dict[str, Any]:
    """The document of test_access belongs to nobody yet; here it is the patient's."""
    objects = objects_of(clinic)
    patient = Patient.objects.get(public_id=objects["patient_id"])
    clinic.documents.update(referral=patient.referrals.get(), status="matched", match_from=None)
    return objects


@pytest.mark.parametrize(("path", "pattern"), ALL_ROUTES)
def test_a_page_that_names_an_object_says_whose_record_was_looked_at(path: str, pattern: URLPattern) -> None:
    if "<" not in path:
        return
    clinic = builders.clinic()
    objects = with_a_patient(clinic)
    clinic.documents.get().files.update(content="")
    client = logged_in(Role.MANAGER, clinic)
    client.raise_request_exception = False
    answer = client.get(filled(path, objects))
    patient = Patient.objects.get(public_id=objects["patient_id"])
    if set(pattern.pattern.converters) <= OF_NOBODY:
        assert reads() == []
    elif answer.status_code == 200:
        event = AuditEvent.objects.get(action="read", patient=patient)
        assert (event.what, event.clinic_id, event.by) == (pattern.name, clinic.pk, "user")
        assert event.actor_id is not None
    else:
        assert answer.status_code in {
            204,
            302,
            404,
            405,
            500,
        }  # 204: nothing to decide; 302: on to what is open; 500: this file has no bytes
        assert reads() == []


def test_every_argument_of_our_addresses_is_known_to_the_trail() -> None:
    named = {name for path, pattern in routes() for name in pattern.pattern.converters}
    assert named - set(NAMED) - OF_NOBODY == set()


def test_every_link_without_a_login_has_a_holder() -> None:
    for path, pattern in routes(open_too=True):
        if "token" in pattern.pattern.converters:
            assert path.partition("/")[0] in HOLDERS


def test_every_route_of_the_api_is_known_to_the_trail() -> None:
    shows_nobody = {"api-practitioner", "api-offering", "api-handover"}
    assert {basename for _prefix, _viewset, basename in router.registry} - set(NAMED) - shows_nobody == set()


@pytest.mark.parametrize(("path", "pattern"), ALL_ROUTES)
def test_a_page_of_many_says_what_was_asked_and_how_many_were_shown(path: str, pattern: URLPattern) -> None:
    if pattern.name not in WITHOUT_AN_OBJECT - SHOWS_NOBODY:
        return
    clinic = builders.clinic()
    objects = objects_of(clinic)
    more = {key: value.format(**objects) for key, value in NEEDS_MORE.get(str(pattern.name), {}).items()}
    asked = urlencode({"q": "Dana", **more})
    answer = logged_in(Role.MANAGER, clinic).get(f"/{path}?{asked}")
    event = AuditEvent.objects.get(action="search")
    assert answer.status_code in {200, 302}
    assert (event.what, event.asked, event.clinic_id) == (pattern.name, asked, clinic.pk)
    assert event.rows is not None


@pytest.mark.parametrize("page", ["/today/live/", "/results/fresh/?known=9", "/reports/alerts/"])
def test_a_part_that_asks_by_itself_names_nobody_and_leaves_no_trace(page: str) -> None:
    clinic = builders.clinic()
    with_a_patient(clinic)
    answer = logged_in(Role.MANAGER, clinic).get(page, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "Dana" not in answer.content.decode()
    assert reads() == []
    assert not AuditEvent.objects.filter(action__in=["list", "search"]).exists()


@pytest.mark.parametrize(("step", "rows"), [("columns/", 1), ("left-out.csv", 0)])
def test_an_import_says_how_many_rows_it_shows(step: str, rows: int) -> None:
    clinic = builders.clinic()
    objects = objects_of(clinic)
    answer = logged_in(Role.MANAGER, clinic).get(f"/import/{objects['import_id']}/{step}")
    assert answer.status_code == 200
    event = AuditEvent.objects.get(action="list")
    assert (event.rows, event.what_id) == (rows, str(objects["import_id"]))


def test_the_week_counts_the_visits_it_shows() -> None:
    clinic = builders.clinic()
    visit = builders.appointment(builders.patient(clinic))
    logged_in(Role.MANAGER, clinic).get(f"/calendar/week/?on={visit.start.date()}")
    assert AuditEvent.objects.get(action="list").rows == 1


def test_a_list_names_nobody_but_counts() -> None:
    clinic = builders.clinic()
    for n in range(3):
        builders.patient(clinic, given_name=f"Dana {n}", phone=f"050-234-567{n}")
    logged_in(Role.RECEPTIONIST, clinic).get("/patients/")
    event = AuditEvent.objects.get(action="list")
    assert (event.rows, event.patient_id, event.asked) == (3, None, "")


@pytest.mark.parametrize("page", ["/today/?item={step}", "/results/"])
def test_a_list_with_one_record_beside_it_says_whose(page: str) -> None:
    clinic = builders.clinic()
    objects_of(clinic)
    step = builders.step(builders.journey(Patient.objects.get()), kind="review", owner_role="doctor")
    Patient.objects.get().referrals.get().results.update(review=step)
    logged_in(Role.MANAGER, clinic).get(page.format(step=step.public_id))
    assert [event.patient_id for event in reads()] == [Patient.objects.get().pk]


def test_one_look_a_minute_is_one_event(time_machine: Any) -> None:
    patient = builders.patient()
    client = logged_in(Role.DOCTOR, patient.clinic)
    other = logged_in(Role.DOCTOR, patient.clinic)
    page = f"/patients/{patient.public_id}/"
    for _nth in range(3):
        client.get(page)
    assert len(reads(patient=patient)) == 1
    other.get(page)
    assert len(reads(patient=patient)) == 2
    time_machine.move_to(NOW + timedelta(minutes=1), tick=False)
    client.get(page)
    assert len(reads(patient=patient)) == 3


def test_a_page_that_asks_by_itself_is_one_event_an_hour(time_machine: Any) -> None:
    patient = builders.patient()
    client = logged_in(Role.DOCTOR, patient.clinic)
    for minute in range(5):
        time_machine.move_to(NOW + timedelta(minutes=minute), tick=False)
        client.get(f"/patients/{patient.public_id}/", headers={"HX-Request": "true"})
    assert len(reads(patient=patient)) == 1


def test_another_clinics_record_leaves_no_trace_as_nothing_was_shown() -> None:
    patient = builders.patient()
    logged_in(Role.MANAGER, builders.clinic()).get(f"/patients/{patient.public_id}/")
    assert reads() == []


def test_the_patients_link_is_logged_as_the_link(client: Client) -> None:
    journey = builders.step().journey
    client.get(path_for(journey), headers={"User-Agent": "WhatsApp/2.0\n"})
    assert not AuditEvent.objects.filter(by="patient").exists()  # a preview keeps no cookie, and saw nothing
    client.get(path_for(journey), headers={"User-Agent": "WhatsApp/2.0\n"}, follow=True)
    event = AuditEvent.objects.get(by="patient")
    assert (event.by, event.action, event.patient_id, event.actor_id) == (
        "patient",
        "read",
        journey.patient_id,
        None,
    )
    assert (event.agent, event.what_id) == ("WhatsApp/2.0", "")  # the token itself stays out of the trail


def test_an_upload_link_is_logged_as_the_institutes(client: Client) -> None:
    referral = builders.referral()
    client.get(f"/u/{upload_token(referral)}/")
    event = AuditEvent.objects.get(action="read")
    assert (event.by, event.patient_id) == ("institute", referral.patient_id)


def test_a_link_nobody_gave_out_leaves_no_trace(client: Client) -> None:
    for path in ("/p/nonsense/", f"/p/{builders.step().journey.public_id}/"):
        assert client.get(path).status_code == 404
    assert reads() == []
    assert not AuditEvent.objects.filter(by="patient").exists()


@pytest.mark.parametrize(
    "name",
    [
        "patients",
        "referrals",
        "incoming-documents",
        "appointments",
        "outreach-tasks",
        "waiting-list",
        "inquiries",
        "message-traces",
    ],
)
def test_the_api_says_whose_record_a_program_read(name: str) -> None:
    place = Place()
    patient = place.referral.patient
    place.clinic.documents.update(referral=place.referral, status="matched", step=None, ended_at=NOW)
    user = builders.user(at=place.clinic)
    assert builders.api(user).get(f"/api/v1/{name}/{place.ids[name]}/").status_code == 200
    event = AuditEvent.objects.get(action="read")
    assert (event.by, event.actor_id, event.patient_id) == ("program", user.pk, patient.pk)


def test_a_list_of_the_api_counts_its_rows() -> None:
    place = Place()
    builders.api(builders.user(at=place.clinic)).get("/api/v1/patients/?q=dana")
    event = AuditEvent.objects.get(action="search")
    assert (event.rows, event.asked, event.clinic_id) == (1, "q=dana", place.clinic.pk)


def test_a_wrong_key_of_the_api_is_a_failed_login() -> None:
    client = builders.api()
    client.credentials(HTTP_AUTHORIZATION="Token nonsense")
    client.get("/api/v1/patients/")
    event = AuditEvent.objects.get()
    assert (event.action, event.by, event.actor_id) == ("login_failed", "nobody", None)


def test_the_admin_leaves_the_same_trace() -> None:
    referral = builders.referral()
    client = Client()
    client.force_login(builders.user(Role.ADMIN, at=referral.clinic, is_staff=True, is_superuser=True))
    client.get(f"/admin/referrals/referral/{referral.pk}/change/")
    client.get("/admin/referrals/referral/")
    assert [event.patient_id for event in reads()] == [referral.patient_id]
    assert AuditEvent.objects.get(action="list").rows == 1


def test_logins_failed_ones_and_logouts_are_logged() -> None:
    clinic = builders.clinic()
    user = builders.user(at=clinic)
    client = Client()
    client.post("/login/", {"username": user.username, "password": "wrong"})
    client.post("/login/", {"username": "My Secret Password 1", "password": "x"})
    client.post("/login/", {"username": user.username, "password": "x"})
    client.post("/logout/")
    events = [(event.action, event.by, event.actor_id) for event in AuditEvent.objects.order_by("pk")]
    assert events == [
        ("login_failed", "nobody", user.pk),
        ("login_failed", "nobody", None),
        ("login", "user", user.pk),
        ("logout", "user", user.pk),
    ]
    assert "Secret" not in str(list(AuditEvent.objects.values()))


@pytest.mark.parametrize(
    ("proxies", "header", "seen"),
    [
        (0, "1.2.3.4", "127.0.0.1"),  # anybody can write the header
        (1, "1.2.3.4, 203.0.113.7", "203.0.113.7"),
        (2, "1.2.3.4, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (1, "", ""),
        (3, "203.0.113.7", "127.0.0.1"),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "'; DROP TABLE", ""),
    ],
)
def test_the_address_is_the_one_our_own_proxy_saw(
    settings: Any, proxies: int, header: str, seen: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    patient = builders.patient()
    client = logged_in(Role.DOCTOR, patient.clinic)
    client.get(f"/patients/{patient.public_id}/", headers={"X-Forwarded-For": header})
    assert [event.ip for event in reads()] == [seen]


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/129.0 Safari/537 Edg/129.0", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17 like Mac OS X) Version/17 Safari/604", "Safari, iPhone"),
        ("python-requests/2.31\n", "python-requests/2.31"),
        ("x" * 500, "x" * 80),
        ("", ""),
    ],
)
def test_a_browser_is_named_in_short(agent: str, shown: str) -> None:
    assert short_agent(agent) == shown


def test_a_call_of_an_outreach_task_is_read_by_its_patient() -> None:
    """The API names a task; its attempts show the patient's number."""
    task = builders.task(plan_from=None)
    builders.attempt(task, channel=Channel.PHONE, status=AttemptStatus.PLANNED)
    builders.api(builders.user(at=task.clinic)).get(f"/api/v1/outreach-tasks/{task.public_id}/")
    assert [event.patient_id for event in reads()] == [task.patient_id]
