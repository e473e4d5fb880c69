"""The first run: from an empty database to a clinic with hours, a doctor and times to book."""

from datetime import time

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client

from appointments.models import Practitioner, Slot
from clinic_journey.setup.forms import parse_stretches
from patients.models import Clinic, HoursKind, Role
from patients.written_hours import written
from tests import builders

pytestmark = pytest.mark.django_db
CLINIC = {
    "name": "מרפאת אלון",
    "phone": "03-555-0142",
    "language": "he",
    "country": "IL",
    "time_zone": "Asia/Jerusalem",
    "rest": "friday",
}


@pytest.fixture
def first() -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_superuser("first", password="x"))
    return client


def week(kind: str, **days: str) -> dict[str, str]:
    return {f"{kind}-{day}": days.get(f"d{day}", "9:00-17:00") for day in range(7)}


def test_the_whole_first_run(first: Client) -> None:
    assert first.get("/")["Location"] == "/setup/"
    assert first.get("/setup/")["Location"] == "/setup/clinic/"
    assert first.get("/setup/hours/")["Location"] == "/setup/clinic/"
    assert "Set up the clinic" in first.get("/setup/clinic/").content.decode()
    assert first.post("/setup/clinic/", CLINIC)["Location"] == "/setup/hours/"
    clinic = Clinic.objects.get()
    assert (clinic.name, str(clinic.phone), clinic.slug) == ("מרפאת אלון", "+97235550142", "clinic")
    assert clinic.memberships.get().role == Role.ADMIN
    assert clinic.closed_days.exists()
    assert not clinic.hours.filter(weekday=5).exists()
    assert first.get("/setup/")["Location"] == "/setup/hours/"
    doctor = {"add": "1", "name": "Dr Cohen", "weekdays": ["6", "0", "1"], "hours": "9:00-12:00, 14-18"}
    assert "can be booked now" in first.post("/setup/hours/", doctor, follow=True).content.decode()
    assert Practitioner.objects.get().schedules.count() == 6
    assert Slot.objects.exists()
    assert first.post("/setup/hours/", week("open", d5=""))["Location"] == "/setup/patients/"
    assert clinic.hours.filter(kind=HoursKind.OPEN).count() == 6
    assert first.get("/setup/")["Location"] == "/setup/patients/"
    assert "make demo" not in first.get("/setup/patients/").content.decode()
    builders.patient(clinic)
    assert first.get("/setup/")["Location"] == "/setup/standards/"
    assert 'value="09:00-20:00"' in first.get("/setup/standards/").content.decode()
    hours = {**week("message", d0="8:00-24:00"), **week("call")}
    assert first.post("/setup/standards/", hours)["Location"] == "/"
    assert clinic.hours.get(kind=HoursKind.MESSAGE, weekday=0).end == time.max
    assert first.get("/")["Location"] == "/today/"


def test_coming_back_to_the_first_step_changes_the_clinic_and_keeps_its_hours(first: Client) -> None:
    first.post("/setup/clinic/", {**CLINIC, "rest": "saturday"})
    clinic = Clinic.objects.get()
    assert not clinic.hours.filter(weekday=6).exists()
    before = list(clinic.hours.values_list("pk"))
    first.post("/setup/clinic/", {**CLINIC, "name": "Alon", "country": "DE", "time_zone": "Europe/Berlin"})
    clinic.refresh_from_db()
    assert (clinic.name, clinic.country, Clinic.objects.count()) == ("Alon", "DE", 1)
    assert list(clinic.hours.values_list("pk")) == before


def test_a_second_clinic_of_the_name_has_its_own_address(first: Client) -> None:
    first.post("/setup/clinic/", {**CLINIC, "name": "Alon"})
    other = Client()
    other.force_login(User.objects.create_superuser("second", password="x"))
    other.post("/setup/clinic/", {**CLINIC, "name": "Alon"})
    assert sorted(Clinic.objects.values_list("slug", flat=True)) == ["alon", "alon-2"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": ""}, "required"),
        ({"phone": "12"}, "not a phone number"),
        ({"time_zone": "Mars"}, "valid choice"),
    ],
)
def test_bad_input_keeps_what_was_typed(first: Client, changed: dict[str, str], words: str) -> None:
    answer = first.post("/setup/clinic/", {**CLINIC, **changed})
    assert (answer.status_code, Clinic.objects.count()) == (422, 0)
    assert words in answer.content.decode()
    assert 'value="Asia/Jerusalem"' in answer.content.decode()


def test_hours_that_cannot_be_read_are_refused_and_nothing_is_lost(first: Client) -> None:
    first.post("/setup/clinic/", CLINIC)
    before = list(Clinic.objects.get().hours.values_list("pk"))
    answer = first.post("/setup/hours/", week("open", d0="all day"))
    assert answer.status_code == 422
    assert 'value="all day"' in answer.content.decode()
    assert "Write hours as" in answer.content.decode()
    assert first.post("/setup/standards/", {**week("message"), **week("call", d1="9-8")}).status_code == 422
    assert list(Clinic.objects.get().hours.values_list("pk")) == before
    assert first.post("/setup/hours/", {"add": "1", "name": "Dr X", "hours": ""}).status_code == 422
    assert Practitioner.objects.count() == 0


@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.DOCTOR])
@pytest.mark.parametrize("step", ["clinic", "hours", "patients", "standards"])
def test_only_those_who_manage_the_clinic_set_it_up(role: str, step: str) -> None:
    client = Client()
    client.force_login(builders.user(role, at=builders.clinic()))
    assert client.get(f"/setup/{step}/").status_code == 403


@pytest.mark.parametrize("step", ["clinic", "hours", "patients", "standards"])
def test_a_user_without_a_clinic_who_is_no_superuser_opens_none(step: str) -> None:
    client = Client()
    client.force_login(builders.user())
    assert client.get(f"/setup/{step}/").status_code == 403
    assert client.get("/").status_code == 403


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("8:00-19:00", "08:00-19:00"),
        ("8-13, 16:30 – 24", "08:00-13:00, 16:30-24:00"),
        ("", ""),
    ],
)
def test_hours_are_read_and_written(text: str, said: str) -> None:
    assert written(parse_stretches(text)) == said


@pytest.mark.parametrize("text", ["19-8", "8-8", "8-12, 11-14", "25-26", "8", "8:99-9", "24:30-25"])
def test_hours_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        parse_stretches(text)


@pytest.mark.parametrize("role", [Role.MANAGER, Role.RECEPTIONIST])
def test_empty_screens_show_the_way_out(role: str) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(builders.user(role, at=builders.clinic()))
    for path in ("/today/", "/patients/"):
        page = client.get(path).content.decode()
        assert ("Import patients<" in page) is (role == Role.MANAGER)
        assert 'href="/patients/new/"' in page
    assert ("/setup/hours/" in client.get("/calendar/").content.decode()) is (role == Role.MANAGER)
