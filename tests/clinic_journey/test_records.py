"""Two records of one person made one, a record opened again, and what was refused allowed again: at the desk."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from journeys.models import Step, StepKind, StepStatus
from outreach.closing import reopen_record
from outreach.number_test import send_test
from patients.actions import RefusedError, StaleStateError, record_consent
from patients.models import Channel, Clinic, Consent, ConsentStatus, Patient, PatientStatus
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


@pytest.fixture
def clinic() -> Clinic:
    builders.messages_loaded()
    return builders.clinic()


@pytest.fixture
def desk(clinic: Clinic) -> Client:
    client = Client()
    client.force_login(builders.user(at=clinic))
    return client


def path_to(name: str, patient: Patient, *more: object) -> str:
    return reverse(name, args=[patient.public_id, *more])


def desk_step(patient: Patient) -> Step:
    return Step.objects.get(journey__patient=patient, kind=StepKind.CALL, status=StepStatus.ACTIVE)


def test_the_other_record_is_found_shown_beside_and_retired(clinic: Clinic, desk: Client) -> None:
    stays, other = builders.patient(clinic), builders.patient(clinic)
    visit = builders.appointment(other, start=NOW + timedelta(days=3))
    page = path_to("merge", stays)

    assert str(other.public_id) in desk.get(page).content.decode()  # the same name, without being asked
    shown = desk.get(page, {"other": str(other.public_id)}).content.decode()
    assert visit.practitioner.name in shown
    assert "cannot be undone" in shown

    done = desk.post(page, {"other": str(other.public_id)}, follow=True)
    assert "One record now" in done.content.decode()
    other.refresh_from_db()
    assert (other.status, other.merged_into) == (PatientStatus.MERGED, stays)
    visit.refresh_from_db()
    assert visit.status == "cancelled"
    assert "visits given back: 1" in desk_step(stays).name


def test_nothing_of_another_clinic_nor_the_record_itself_can_be_merged(clinic: Clinic, desk: Client) -> None:
    stays, theirs = builders.patient(clinic), builders.patient(builders.clinic())
    page = path_to("merge", stays)
    assert str(theirs.public_id) not in desk.get(page).content.decode()
    for each in (str(theirs.public_id), str(stays.public_id), "", "nonsense"):
        desk.post(page, {"other": each})
        assert "Make them one" not in desk.get(page, {"other": each}).content.decode()
    assert not Patient.objects.filter(status=PatientStatus.MERGED).exists()
    assert desk.get(path_to("merge", theirs)).status_code == 404


def test_a_closed_record_neither_takes_another_nor_is_retired(clinic: Clinic, desk: Client) -> None:
    closed, other = builders.patient(clinic), builders.patient(clinic)
    Patient.objects.filter(pk=closed.pk).update(status=PatientStatus.DECEASED)
    done = desk.post(path_to("merge", closed), {"other": str(other.public_id)})
    assert "is closed: Deceased" in done.content.decode()
    assert str(closed.public_id) not in desk.get(
        path_to("merge", other), {"q": "Dana"}
    ).content.decode().replace(path_to("merge", other), "")
    other.refresh_from_db()
    assert other.status == PatientStatus.ACTIVE


def test_a_death_said_by_mistake_is_taken_back_with_how_we_know(clinic: Clinic, desk: Client) -> None:
    patient = builders.patient(clinic)
    desk.post(path_to("died", patient), {"words": "a neighbour"})
    reopen = path_to("reopen", patient)
    assert "Write how we know" in desk.post(reopen, follow=True).content.decode()

    page = desk.post(reopen, {"words": "she called"}, follow=True).content.decode()
    patient.refresh_from_db()
    assert patient.status == PatientStatus.ACTIVE
    assert path_to("book_visit", patient) in page
    steps = Step.objects.filter(journey__patient=patient, kind=StepKind.CALL, status=StepStatus.ACTIVE)
    assert any("she called" in step.name for step in steps)


def test_only_a_record_closed_by_death_is_opened_again(clinic: Clinic) -> None:
    patient = builders.patient(clinic)
    with pytest.raises(StaleStateError):
        reopen_record(patient, "she called", now=NOW, by=builders.user(at=clinic))


def test_what_she_refused_is_shown_and_allowed_again_in_her_words(clinic: Clinic, desk: Client) -> None:
    patient = builders.patient(clinic, language="en")
    builders.opened(clinic)
    tie = patient.contacts.select_related("contact_point", "patient__clinic").get()
    record_consent(patient, tie.contact_point, Channel.SMS, ConsentStatus.WITHDRAWN, now=NOW, words="STOP")
    assert "Asked us not to use SMS" in desk.get(path_to("patient", patient)).content.decode()
    with pytest.raises(RefusedError, match="until she allows it"):
        send_test(tie, Channel.SMS, now=NOW, by=builders.user(at=clinic))

    page, refusal = path_to("address", patient, tie.pk), Consent.objects.get()
    assert "STOP" in desk.get(page).content.decode()
    allow = path_to("address_allow", patient, tie.pk)
    assert "in her words" in desk.post(allow, {"refusal": refusal.pk}, follow=True).content.decode()
    desk.post(allow, {"refusal": refusal.pk, "words": "write again, please"})
    now_valid = Consent.objects.get(superseded_at__isnull=True)
    assert (now_valid.status, now_valid.how) == (ConsentStatus.GRANTED, "write again, please")
    send_test(tie, Channel.SMS, now=NOW, by=builders.user(at=clinic))

    twice = desk.post(allow, {"refusal": refusal.pk, "words": "again"}, follow=True)
    assert "changed meanwhile" in twice.content.decode()
    assert Consent.objects.count() == 2
