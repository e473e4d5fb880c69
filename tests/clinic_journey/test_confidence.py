"""On the record and on the patient's own page: what is kept from the parents, and who may be told."""

from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.test import Client

from journeys.models import Journey, StepKind
from outreach.complaint_models import Complaint
from patients.actions import add_address
from patients.models import AddressKind, AuditEvent, Relation
from tests import builders
from tests.clinic_journey.own_page import OwnPage
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


@pytest.fixture
def journey() -> Journey:
    girl = builders.patient(birth_date=date(2010, 1, 2), language="en")
    add_address(girl, AddressKind.PHONE, "+972547654321", relation=Relation.PARENT)
    return builders.journey(girl)


@pytest.fixture
def desk(journey: Journey) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(builders.user(at=journey.clinic))
    return client


def at(journey: Journey, what: str) -> str:
    assert journey.patient is not None
    return f"/patients/{journey.patient.public_id}/{what}/{journey.public_id}/"


def record(desk: Client, journey: Journey) -> str:
    assert journey.patient is not None
    return desk.get(f"/patients/{journey.patient.public_id}/").content.decode()


def test_the_desk_keeps_it_and_reads_why_nobody_else_is_told(desk: Client, journey: Journey) -> None:
    page = record(desk, journey)
    assert "Until the age of 18 parents and guardians are told." in page
    assert "Keep it from the parents" in page
    assert desk.post(at(journey, "keep")).status_code == 302
    page = record(desk, journey)
    assert "On the phone tell nobody else" in page
    assert (
        "Kept from the parents: tell nobody but the patient" in page
    )  # where a caller is told how it stands
    told = AuditEvent.objects.get(what="journey", clinic=journey.clinic)
    assert (told.patient, told.action, told.by) == (journey.patient, "change", "user")
    desk.post(at(journey, "tell"))
    journey.refresh_from_db()
    assert not journey.is_confidential


def test_of_an_adult_nothing_has_to_be_kept(desk: Client, journey: Journey) -> None:
    assert journey.patient is not None
    journey.patient.birth_date = date(1991, 5, 4)
    journey.patient.save()
    page = record(desk, journey)
    assert "Keep it from the parents" not in page
    assert "parents and guardians are told" not in page
    desk.post(at(journey, "keep"))
    journey.refresh_from_db()
    assert not journey.is_confidential


def test_another_clinics_journey_is_not_found(desk: Client) -> None:
    other = builders.journey()
    assert {desk.post(at(other, what)).status_code for what in ("keep", "tell")} == {404}


def test_a_page_that_a_parent_may_have_tells_nothing_of_it(journey: Journey) -> None:
    secret = builders.journey(journey.patient)
    builders.step(secret, kind=StepKind.PROMISE, title="A secret call")
    page = OwnPage(journey).prove(journey.patient)
    assert "A secret call" in page.text()
    Journey.objects.filter(pk=secret.pk).update(is_confidential=True)
    assert "A secret call" not in page.text()
    secret.refresh_from_db()
    assert "A secret call" in OwnPage(secret).prove(journey.patient).text()


def test_how_a_kept_visit_was_is_asked_on_its_own_page_alone(journey: Journey) -> None:
    visit = builders.step(builders.journey(journey.patient, is_confidential=True), kind=StepKind.VISIT)
    builders.appointment(journey.patient, status="fulfilled", start=NOW - timedelta(days=1), step=visit)
    asks = "How was it on 8 March?"
    assert asks in OwnPage(visit.journey).prove(journey.patient).text()
    assert asks not in OwnPage(journey).prove(journey.patient).text()


def test_a_complaint_on_the_page_of_what_is_kept_is_told_there_alone(journey: Journey) -> None:
    call_command("load_catalogue", verbosity=0)
    kept = builders.journey(journey.patient, is_confidential=True)
    OwnPage(kept).post("say", {"meaning": "complaint", "body": "Nobody asked me."})
    assert Complaint.objects.get().journey.is_confidential
    assert "Nobody asked me." in OwnPage(kept).prove(journey.patient).text()
    page = OwnPage(journey).prove(journey.patient).text()
    assert "Your complaint" not in page
    assert "Nobody asked me." not in page
