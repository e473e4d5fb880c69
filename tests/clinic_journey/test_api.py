"""The REST API as a whole: its page, its addresses, who may ask for what, and pages of long lists."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import URLPattern
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from clinic_journey.api import router
from journeys.models import JourneyTemplate
from outreach.models import AttemptStatus
from patients.models import MANAGERS, Channel, Clinic, Role
from referrals.models import DocumentStatus
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

LISTS = (
    "patients",
    "referrals",
    "incoming-documents",
    "appointments",
    "practitioners",
    "outreach-tasks",
    "waiting-list",
    "offerings",
    "inquiries",
    "complaints",
    "praise",
    "handovers",
)
SOON = "2026-03-10T10:00:00+02:00"


@dataclass
class Place:
    """One clinic with one thing of each kind."""

    clinic: Clinic = field(default_factory=builders.clinic)
    ids: dict[str, Any] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        if not JourneyTemplate.objects.exists():
            call_command("load_catalogue", verbosity=0)
        patient = builders.patient(self.clinic)
        self.doctor = builders.practitioner(self.clinic)
        self.referral = builders.referral(patient, requester=self.doctor)
        document = builders.document(
            self.clinic,
            status=DocumentStatus.UNMATCHED,
            match_from=None,
            raw=ContentFile(b"as it came", name="scan.bin"),
            step=builders.step(self.referral.journey, kind="identify"),
        )
        task = builders.task(builders.step(self.referral.journey), plan_from=None)
        builders.attempt(task, channel=Channel.PHONE, status=AttemptStatus.PLANNED)
        visit = builders.appointment(patient, practitioner=self.doctor, start=NOW - timedelta(hours=1))
        waits = builders.waiting_entry(step=task.step)
        offering = builders.offering(self.clinic, stock=1)
        asked = builders.inquiry(self.clinic, offering=offering, patient=patient)
        complaint = builders.complaint(patient)
        thanks = builders.praise(patient)
        note = builders.handover(self.clinic)
        self.patient, self.visit = patient, visit
        self.ids = {
            "patients": patient.public_id,
            "waiting-list": waits.public_id,
            "offerings": offering.public_id,
            "inquiries": asked.public_id,
            "referrals": self.referral.public_id,
            "incoming-documents": document.public_id,
            "appointments": visit.public_id,
            "outreach-tasks": task.public_id,
            "message-traces": patient.public_id,
            "complaints": complaint.public_id,
            "praise": thanks.public_id,
            "handovers": note.public_id,
        }

    def body(self, method: str, path: str) -> dict[str, Any]:
        """A body that is good as far as its shape goes, so that what is refused is the asker."""
        bodies: dict[str, dict[str, Any]] = {
            "patients/": {"given_name": "Noa", "phone": "054-765-4321"},
            "referrals/": {
                "patient": str(self.patient.public_id),
                "requester": self.doctor.pk,
                "service": "Panoramic image",
                "expected_at": SOON,
                "hold_refused_because": "not yet",
            },
            "appointments/": {
                "patient": str(self.patient.public_id),
                "practitioner": self.doctor.pk,
                "start": SOON,
                "minutes": 30,
            },
            "move/": {"start": SOON},
            "cancel/": {"because": "ill"},
            "revoke/": {"because": "not needed"},
            "reject/": {"because": "advertising"},
            "match/": {"referral": str(self.referral.public_id)},
            "outcome/": {"outcome": "no_answer"},
            "card/": {"channel": "sms"},
            "batches/B1/": {"quantity": 5},
            "inquiries/": {"asked": "flu vaccine"},
            "offerings/": {"kind": "service", "names": {"en": "Check-up"}},
            f"offerings/{self.ids['offerings']}/": {"kind": "service", "names": {"en": "Check-up"}},
            "restate/": {"words": "x"},
            "reader/": {"reader": "nobody"},
            "understood/": {"by": "told_us", "seen": "x"},
            "otherwise/": {"seen": "x"},
            "change/": {"words": "x", "is_changed": True},
            f"complaints/{self.ids['complaints']}/answer/": {"words": "x"},
            "complaints/": {"patient": str(self.patient.public_id), "words": "I waited."},
            "handovers/": {"words": "The lift is broken."},
            "answer/": {"available": True},
            "caller/": {"name": "Noa"},
        }
        return (
            next((body for end, body in bodies.items() if path.endswith(end)), {}) if method != "get" else {}
        )


def routes() -> Iterator[tuple[str, str]]:
    """Method and address of every route there is, from the router itself: a new one is walked at once."""
    for pattern in router.urls:
        assert isinstance(pattern, URLPattern)
        actions = getattr(pattern.callback, "actions", None) or {"get": "root"}
        for method in actions:
            yield method, str(pattern.pattern)


ROUTES = sorted(routes())
ANSWERS = {  # of what is not simply done, for members of the clinic
    ("get", "appointments/free-times/"): 400,  # asked without a practitioner
    ("post", "appointments/"): 422,  # outside the hours of the practitioner
    ("post", "appointments/<uuid:id>/book/"): 409,  # booked already
    ("post", "appointments/<uuid:id>/move/"): 422,
    ("post", "incoming-documents/"): 400,  # without a file
    ("post", "patients/"): 201,
    ("post", "referrals/"): 201,
    ("post", "inquiries/"): 201,
    ("post", "inquiries/<uuid:id>/answer/"): 409,  # answered already
    ("patch", "inquiries/<uuid:id>/caller/"): 409,  # who asked is a patient now
    ("post", "offerings/"): 201,
    ("post", "complaints/"): 201,
    ("post", "complaints/<uuid:id>/reader/"): 422,  # nobody is called that
    ("post", "complaints/<uuid:id>/understood/"): 409,  # nothing is in our own words yet
    ("post", "complaints/<uuid:id>/otherwise/"): 409,
    ("post", "complaints/<uuid:id>/answer/"): 422,  # not understood yet
    ("post", "complaints/<uuid:id>/change/"): 422,  # not answered yet
    ("post", "handovers/"): 201,
}
MANAGED = [("post", "offerings/"), ("put", "offerings/<uuid:id>/")]
FOR_MANAGERS = ("complaints/<uuid:id>/", "praise/<uuid:id>/")  # for others these do not exist


def ask(client: APIClient, method: str, route: str, place: Place) -> int:
    path = route.replace("<uuid:id>", str(place.ids.get(route.split("/", maxsplit=1)[0], "")))
    path = path.replace("<str:number>", "B1")
    answer = client.generic(
        method.upper(), f"/api/v1/{path}", json.dumps(place.body(method, path)), "application/json"
    )
    assert answer.status_code < 500, (path, answer.content)
    return answer.status_code


def test_every_route_is_walked() -> None:
    assert len(ROUTES) == 58
    assert {route.split("/")[0] for _method, route in ROUTES} == {"", *LISTS, "message-traces"}


def walk(user: User | None, place: Place) -> dict[tuple[str, str], int]:
    """What each route answers, each asked as if it were the first."""
    client = builders.api(user)
    answers = {}
    for method, route in ROUTES:
        with transaction.atomic():
            answers[method, route] = ask(client, method, route, place)
            transaction.set_rollback(True)
    return answers


def test_nobody_without_a_token_gets_an_answer() -> None:
    assert walk(None, Place()) == dict.fromkeys(ROUTES, 401)


def test_a_user_of_no_clinic_is_refused() -> None:
    refused = dict.fromkeys(ROUTES, 403) | {("get", ""): 200}  # the list of lists
    assert walk(builders.user(), Place()) == refused


@pytest.mark.parametrize("role", Role.values)
def test_every_role_of_the_clinic_is_answered(role: str) -> None:
    place = Place()
    expected = dict.fromkeys(ROUTES, 200) | ANSWERS
    if role not in MANAGERS:
        expected |= dict.fromkeys(MANAGED, 403)
        hidden = [route for route in ROUTES if route[1].startswith(FOR_MANAGERS)]
        expected |= dict.fromkeys(hidden, 404)
    assert walk(builders.user(role, at=place.clinic), place) == expected


@pytest.mark.parametrize("role", Role.values)
def test_what_another_clinic_has_does_not_exist(role: str) -> None:
    elsewhere = walk(builders.user(role, at=builders.clinic()), Place())
    named = {each: status for each, status in elsewhere.items() if "<uuid:id>" in each[1]}
    assert named == dict.fromkeys(named, 404)
    bodies = {each: status for each, status in elsewhere.items() if each[0] == "post" and each not in named}
    assert bodies == {
        ("post", "appointments/"): 400,
        ("post", "incoming-documents/"): 400,
        ("post", "patients/"): 201,  # in their own clinic
        ("post", "referrals/"): 400,
        ("post", "inquiries/"): 201,
        ("post", "offerings/"): 201 if role in MANAGERS else 403,
        ("post", "complaints/"): 400,
        ("post", "handovers/"): 201,
    }


@pytest.mark.parametrize("name", LISTS)
def test_lists_hold_nothing_of_another_clinic(name: str) -> None:
    Place()
    client = builders.api(builders.user(at=builders.clinic()))
    assert client.get(f"/api/v1/{name}/").json()["results"] == []


@pytest.mark.parametrize("name", ["patients", "referrals", "appointments", "complaints", "handovers"])
def test_nothing_is_made_for_another_clinics_patient_or_clinic(name: str) -> None:
    place = Place()
    client = builders.api(builders.user(at=builders.clinic()))
    body = {**place.body("post", f"{name}/"), "clinic": place.clinic.slug}
    answer = client.post(f"/api/v1/{name}/", body, format="json")
    assert answer.status_code == 400
    assert "clinic" in answer.json()


def test_a_session_works_too_but_not_without_its_csrf_token() -> None:
    place = Place()
    client = Client(enforce_csrf_checks=True)
    client.force_login(builders.user(at=place.clinic))
    assert client.get("/api/v1/patients/").status_code == 200
    body = place.body("post", "patients/")
    assert client.post("/api/v1/patients/", body, content_type="application/json").status_code == 403


def rows(user: User, name: str, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = builders.api(user).get(f"/api/v1/{name}/?{query}").json()["results"]
    return found


# Who asks, whether they work anywhere, the rows, and what each kind of row prefetches; then where, and the trail.
QUERIES = {
    "patients": 9,
    "referrals": 5,
    "incoming-documents": 6,
    "appointments": 5,
    "practitioners": 5,
    "outreach-tasks": 5,
    "waiting-list": 5,
    "offerings": 8,
    "inquiries": 5,
    "complaints": 5,
    "praise": 5,
    "handovers": 5,
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_costs_the_same_for_one_row_and_for_three(
    name: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    place = Place()
    user = builders.user(Role.MANAGER, at=place.clinic)  # complaints and all thanks are read by who manages
    client = builders.api(user)
    with django_assert_num_queries(QUERIES[name]):
        assert len(client.get(f"/api/v1/{name}/").json()["results"]) == 1
    Place(place.clinic)
    Place(place.clinic)
    with django_assert_num_queries(QUERIES[name]):
        assert len(client.get(f"/api/v1/{name}/").json()["results"]) == 3


def test_long_lists_come_in_pages_by_key_the_newest_first() -> None:
    clinic = builders.clinic()
    made = [str(builders.patient(clinic).public_id) for _n in range(5)]
    client = builders.api(builders.user(at=clinic))
    address, seen = "/api/v1/patients/?page_size=2", []
    while address:
        page = client.get(address).json()
        assert set(page) == {"next", "previous", "results"}
        seen.append([row["id"] for row in page["results"]])
        address = page["next"]
    assert seen == [[made[4], made[3]], [made[2], made[1]], [made[0]]]


@pytest.mark.parametrize(
    ("name", "query", "found"),
    [
        ("referrals", "status=active", 1),
        ("referrals", "status=revoked", 0),
        ("referrals", "status=revoked&status=active", 1),
        ("referrals", "expected_at_before=2026-03-10T00:00:00Z", 0),
        ("referrals", "expected_at_after=2026-03-10T00:00:00Z", 1),
        ("incoming-documents", "status=unmatched&received_at_after=2026-03-09T08:00:00Z", 1),
        ("incoming-documents", "received_at_before=2026-03-09T07:59:59Z", 0),
        ("appointments", "status=booked&start_before=2026-03-09T08:00:00Z", 1),
        ("appointments", "status=pending", 0),
        ("appointments", "made_at_after=2026-03-10T00:00:00Z", 0),
        ("outreach-tasks", "status=open&purpose=service&opened_at_after=2026-03-09T08:00:00Z", 1),
        ("outreach-tasks", "status=done", 0),
        ("outreach-tasks", "ended_at_after=2026-03-09T08:00:00Z", 0),
        ("patients", "status=active&language=he&q=levi", 1),
        ("patients", "q=0502345678", 1),
        ("patients", "q=nobody", 0),
    ],
)
def test_lists_are_filtered(name: str, query: str, found: int) -> None:
    place = Place()
    assert len(rows(builders.user(at=place.clinic), name, query)) == found


@pytest.mark.parametrize("name", ["referrals", "appointments", "outreach-tasks"])
def test_lists_are_filtered_by_patient_and_clinic(name: str) -> None:
    place = Place()
    other = Place(place.clinic)
    user = builders.user(at=place.clinic)
    (row,) = rows(user, name, f"patient={other.patient.public_id}&clinic={place.clinic.slug}")
    assert row["id"] == str(other.ids[name])
    assert rows(user, name, "clinic=elsewhere") == []


@pytest.mark.parametrize(
    "query", ["patient=nonsense", "status=nonsense", "start_after=monday", "practitioner=" + "9" * 30]
)
def test_nonsense_in_a_filter_is_said_or_finds_nothing(query: str) -> None:
    place = Place()
    answer = builders.api(builders.user(at=place.clinic)).get(f"/api/v1/appointments/?{query}")
    assert answer.status_code == 400 or answer.json()["results"] == []


def test_an_address_with_nonsense_is_not_there() -> None:
    client = builders.api(builders.user(at=builders.clinic()))
    assert client.get("/api/v1/patients/1/").status_code == 404
    assert client.get(f"/api/v1/patients/{uuid4()}/").status_code == 404


def test_the_openapi_page_describes_every_route_without_a_warning(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True)
    assert capsys.readouterr().out.startswith("openapi: 3")
    page = client.get("/api/schema/?format=json").json()
    told = {(method, path) for path, methods in page["paths"].items() for method in methods}
    walked = {
        (method, "/api/v1/" + route.replace("<uuid:id>", "{id}").replace("<str:number>", "{number}"))
        for method, route in ROUTES
        if route
    }
    assert told == walked


def test_the_openapi_page_needs_no_script_of_its_own(client: Client) -> None:
    page = client.get("/api/")
    assert page.status_code == 200
    text = page.content.decode()
    assert text.count("<script") == text.count("<script src=")
    assert client.get("/api/?script=").status_code == 200
