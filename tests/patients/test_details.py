"""What is known of the person herself is put right at the desk, and all that goes by it follows."""

from datetime import UTC, date, datetime

import pytest
from django.test import Client
from django.urls import reverse

from patients.actions import RefusedError
from patients.details import correct_details
from patients.forms import DetailsForm
from patients.models import AuditEvent, Patient, PatientStatus, Role
from patients.queries import listed, patients_of
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def patient() -> Patient:
    return builders.patient(given_name="Dana", family_name="Lewi", phone="050-2345670")


def at_the_desk(patient: Patient, answers: dict[str, str]) -> Client:
    """One who opened the page when it showed the patient as she is, and sends it with these answers."""
    client = Client()
    client.force_login(builders.user(Role.RECEPTIONIST, at=patient.clinic))
    shown = DetailsForm(None, patient)
    data = {field.html_name: field.value() or "" for field in shown}
    data |= {field.html_initial_name: field.value() or "" for field in shown}
    page = client.post(reverse("patients:details", args=[patient.public_id]), data | answers)
    assert page.status_code == 302, page.content.decode()
    return client


def test_a_name_put_right_is_found_and_a_date_of_birth_counts(patient: Patient) -> None:
    client = at_the_desk(patient, {"family_name": " Levi ", "birth_date": "2014-01-02"})
    patient.refresh_from_db()
    assert (patient.family_name, patient.birth_date) == ("Levi", date(2014, 1, 2))
    searched = [listed(patients_of(patient.clinic), text, limit=5) for text in ("levi", "lewi", "0502345670")]
    ids = [[each.public_id for each in found] for found in searched]
    assert ids == [[patient.public_id], [], [patient.public_id]]
    page = client.get(reverse("patient", args=[patient.public_id])).content.decode()
    assert "no parent or guardian" in page
    changes = AuditEvent.objects.filter(patient=patient, actor__isnull=False, before__isnull=False)
    assert any((each.before or {}).get("family_name") == "Lewi" for each in changes)


def test_two_desks_that_correct_two_things_both_keep_theirs(patient: Patient) -> None:
    before = Patient.objects.get(pk=patient.pk)
    at_the_desk(patient, {"family_name": "Levi"})
    at_the_desk(before, {"gender": "f"})
    patient.refresh_from_db()
    assert (patient.family_name, patient.gender) == ("Levi", "f")


def test_an_id_of_somebody_else_is_refused_with_what_to_do(patient: Patient) -> None:
    builders.patient(patient.clinic, phone="050-2345671", national_id="123456782")
    client = Client()
    client.force_login(builders.user(Role.RECEPTIONIST, at=patient.clinic))
    answers = {"given_name": "Dana", "national_id": "12345678-2"}
    page = client.post(reverse("patients:details", args=[patient.public_id]), answers)
    assert page.status_code == 422
    assert "is registered already" in page.content.decode()
    patient.refresh_from_db()
    assert patient.national_id == ""


def test_her_own_id_is_no_obstacle_and_no_name_is_none(patient: Patient) -> None:
    correct_details(patient, {"national_id": "12345678-2"}, now=NOW)
    correct_details(patient, {"national_id": "123456782", "family_name": ""}, now=NOW)
    patient.refresh_from_db()
    assert (patient.national_id, patient.family_name) == ("123456782", "")
    client = Client()
    client.force_login(builders.user(Role.RECEPTIONIST, at=patient.clinic))
    answers = {"given_name": " ", "birth_date": "no date"}
    page = client.post(reverse("patients:details", args=[patient.public_id]), answers)
    assert page.status_code == 422
    assert page.content.decode().count("errorlist") == 2


def test_a_closed_record_stays_as_it_is(patient: Patient) -> None:
    Patient.objects.filter(pk=patient.pk).update(status=PatientStatus.DECEASED)
    with pytest.raises(RefusedError):
        correct_details(patient, {"given_name": "Dina"}, now=NOW)


def test_nobody_is_born_after_today_and_today_is_the_clinics_own(patient: Patient) -> None:
    after_midnight = datetime(2026, 3, 9, 22, 30, tzinfo=UTC)  # the 10th has begun in Jerusalem
    correct_details(patient, {"birth_date": date(2026, 3, 10)}, now=after_midnight)
    with pytest.raises(RefusedError, match="in the future"):
        correct_details(patient, {"birth_date": date(2026, 3, 11)}, now=after_midnight)
    patient.refresh_from_db()
    assert patient.birth_date == date(2026, 3, 10)
    correct_details(patient, {"birth_date": None}, now=NOW)


def test_the_page_says_that_the_date_is_in_the_future(patient: Patient) -> None:
    client = Client()
    client.force_login(builders.user(Role.RECEPTIONIST, at=patient.clinic))
    answers = {"given_name": "Dana", "birth_date": "2999-01-02"}
    page = client.post(reverse("patients:details", args=[patient.public_id]), answers)
    assert page.status_code == 422
    assert "The date of birth is in the future" in page.content.decode()
