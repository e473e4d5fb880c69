"""Whatever is posted to whichever address by whomever: an answer, never a fault of ours."""

from typing import Any
from urllib.parse import quote

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern

from journeys.models import Journey
from outreach.links import token_for
from patients.models import Clinic, Role
from referrals.links import upload_token
from referrals.models import Referral
from tests import builders
from tests.clinic_journey.own_page import OwnPage
from tests.clinic_journey.test_access import filled, logged_in, objects_of, routes
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

FORM = "application/x-www-form-urlencoded"
SURROGATE = "%ED%B3%BF"
EXTREME = ["9999-12-31", "0001-01-01"]
GARBAGE = [
    quote("\0"),
    SURROGATE,
    "a" * 10_000,
    "9" * 5_000,
    "-1",
    str(2**63),
    quote("²"),
    "0001-01-01T00:00:00%2B14:00",
    "9999-12-31T23:59",
    "00000000-0000-0000-0000-000000000000",
    *EXTREME,
]
FIELDS = """
    act add after answer any_doctor at back because begun_on birth_date body call_again_at channel chase clinic code
    column_0 country date_order days decision doctor due earliest_on email end entry expected_on family_name
    first first_on found gender given_name heard hold hold_despite_because hold_refused_because hours item keep key kind
    known language last last_on latest_on learned left_empty list location look may_be_called may_call may_say may_tell
    meaning minutes name name_en national_id next no_more not_before note offer offered_for on other outcome
    owner patient payer performer performer_email phone picked pin place practitioner promise q question quietly rank
    reason relation remove request_key rest return said seen service sheet shown shown_type spot start step template
    think time_zone times title to type valid_from valid_until value visit visit_type wants weekday who whom words
""".split()  # noqa: SIM905 - a list to be read
DAYS = [
    "after",
    "day",
    "first",
    "last",
    "not_before",
    "on",
    "since",
    "start",
    "week",
]  # that pages are asked about
ROUTES = [
    pytest.param(path, pattern, id=str(pattern.name))
    for path, pattern in routes(open_too=True)
    if pattern.name != "logout" and "<str:code>" not in path
]
PAGES = [path for path, pattern in routes(open_too=True) if pattern.name != "logout" and "<" not in path]


def address_of(path: str, objects: dict[str, Any], clinic: Clinic) -> str:
    referral = Referral.objects.get(public_id=objects["referral_id"])
    journey = Journey.objects.get(public_id=objects["journey_id"])
    token = upload_token(referral) if path.startswith("u/") else token_for(journey)
    return filled(path.replace("<str:token>", token).replace("<slug:clinic>", clinic.slug), objects)


def come_in(client: Client, path: str, clinic: Clinic) -> None:
    """Through the link, and having said who she is, where it is a patient's own page."""
    if path.startswith("p/<uuid:journey_id>/"):
        page = OwnPage(clinic.journeys.get(steps__outreach_tasks__isnull=False), browser=client)
        page.prove(clinic.patients.get())


def answered(client: Client, address: str, sent: dict[str, str]) -> None:
    body = "&".join(f"{name}={value}" for name, value in sent.items())
    answer = client.post(address, body, content_type=FORM)
    assert answer.status_code < 500, (address, body[:200])


@pytest.mark.parametrize(("path", "pattern"), ROUTES)
def test_no_field_makes_a_fault(path: str, pattern: URLPattern) -> None:
    call_command("load_catalogue", verbosity=0)
    clinic = builders.clinic()
    address = address_of(path, objects_of(clinic), clinic)
    for nth, role in enumerate(Role.values):
        client = logged_in(role, clinic)
        come_in(client, path, clinic)
        answered(client, address, {})
        for garbage in GARBAGE[nth :: len(Role.values)]:
            answered(client, address, dict.fromkeys(FIELDS, garbage))


@pytest.mark.parametrize("path", PAGES)
def test_no_day_in_an_address_makes_a_fault(path: str) -> None:
    clinic = builders.clinic()
    client = logged_in(Role.MANAGER, clinic)
    for day in EXTREME:
        answer = client.get(f"/{path}", dict.fromkeys(DAYS, day))
        assert answer.status_code < 500, (path, day)


KNOWN = {
    "outcome": "no_answer",
    "because": "asked",
    "note": "n",
    "act": "cancel",
    "said": "offer_no",
    "decision": "treat",
    "answer": "accept",
    "meaning": "ask",
    "owner": "me",
    "channel": "sms",
    "kind": "phone",
}


@pytest.mark.parametrize(
    "path",
    [
        "today/<uuid:step_id>/outcome/",
        "today/<uuid:step_id>/finish/",
        "caller/<uuid:patient_id>/promise/",
        "appointments/<uuid:appointment_id>/act/",
        "results/<uuid:result_id>/decide/",
        "waiting/offers/<uuid:offer_id>/",
        "p/<uuid:journey_id>/answer/",
        "p/<uuid:journey_id>/say/",
        "p/<uuid:journey_id>/card/",
        "patients/<uuid:patient_id>/addresses/add/",
    ],
)
def test_garbage_beside_what_is_understood_makes_no_fault(path: str) -> None:
    clinic = builders.clinic()
    address = address_of(path, objects_of(clinic), clinic)
    client = logged_in(Role.MANAGER, clinic)
    come_in(client, path, clinic)
    for garbage in GARBAGE:
        answered(client, address, {**dict.fromkeys(FIELDS, garbage), **KNOWN})
