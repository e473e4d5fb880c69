"""A quarter of a doctor's week may be held; above that the desk says why, and managers see who does not hold."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from appointments.actions import Visit
from appointments.models import Appointment, Practitioner
from appointments.suggestions import times_for
from patients.models import Role
from referrals.actions import HeldShareError, NewReferral, refer
from referrals.models import Referral
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
MONDAY = NOW + timedelta(days=7)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def doctor() -> Practitioner:
    """Two hours in the week after this one: three held half-hours would be more than a quarter of it."""
    call_command("load_catalogue", verbosity=0)
    made = builders.practitioner()
    builders.open_time(made, MONDAY, minutes=120)
    builders.open_time(made, MONDAY + timedelta(days=7), minutes=120)
    return made


def new(doctor: Practitioner, nth: int, **fields: object) -> NewReferral:
    patient = builders.patient(doctor.clinic, phone="", given_name=f"Patient {nth}")
    given: dict[str, object] = {
        "patient": patient,
        "requester": doctor,
        "service": "Panoramic image",
        "expected_at": NOW + timedelta(days=3),
        "hold": Visit(patient, doctor, MONDAY + 30 * nth * MINUTE, 30),
    }
    return NewReferral(**{**given, **fields})  # type: ignore[arg-type]


def test_above_a_quarter_a_hold_needs_a_reason_which_is_kept(doctor: Practitioner) -> None:
    refer(new(doctor, 0), now=NOW)
    with pytest.raises(HeldShareError, match="A quarter of the week of Dr Cohen is held already"):
        refer(new(doctor, 1), now=NOW)
    assert (Referral.objects.count(), Appointment.objects.count()) == (1, 1)
    refer(new(doctor, 1, hold_despite_because="she is in pain"), now=NOW)
    noted = Appointment.objects.latest("start").events.get(what="above_share")
    assert noted.detail == "she is in pain"


def test_another_week_and_certain_visits_do_not_count(doctor: Practitioner) -> None:
    builders.appointment(
        builders.patient(doctor.clinic, phone=""), practitioner=doctor, start=MONDAY + 60 * MINUTE
    )
    refer(new(doctor, 0), now=NOW)
    later = new(doctor, 2)
    assert later.hold
    visit = Visit(later.patient, doctor, MONDAY + timedelta(days=7), 30)
    refer(new(doctor, 2, patient=later.patient, hold=visit), now=NOW)
    assert Referral.objects.count() == 2


def test_the_form_asks_why_and_keeps_what_was_typed(doctor: Practitioner) -> None:
    refer(new(doctor, 0), now=NOW)
    patient = builders.patient(doctor.clinic, phone="")
    desk = Client()
    desk.force_login(builders.user(at=doctor.clinic))
    said = {
        "template_key": "imaging_treatment",
        "title": "Tooth 36",
        "service": "Panoramic image",
        "practitioner": doctor.pk,
        "performer": "Carmel Imaging",
        "expected_on": "2026-03-12",
        "minutes": "30",
        "hold": (MONDAY + 30 * MINUTE).isoformat(),
        "request_key": "k",
    }
    path = f"/patients/{patient.public_id}/refer/"
    with time_machine.travel(NOW, tick=False):
        answer = desk.post(path, said)
        page = answer.content.decode()
        assert answer.status_code == 422
        assert 'name="hold_despite_because"' in page
        assert 'value="Tooth 36"' in page
        assert desk.post(path, {**said, "hold_despite_because": "in pain"}).status_code == 302


def test_managers_read_why_no_visit_was_held(doctor: Practitioner) -> None:
    rina = builders.user(at=doctor.clinic, last_name="Azulay")
    refer(new(doctor, 0, hold=None, hold_refused_because="she travels"), now=NOW, by=rina)
    refer(new(doctor, 1), now=NOW, by=rina)
    refer(new(builders.practitioner(), 2, hold=None, hold_refused_because="elsewhere"), now=NOW)
    manager = Client()
    manager.force_login(builders.user(Role.MANAGER, at=doctor.clinic))
    page = manager.get("/referrals/refused-holds/").content.decode()
    assert "she travels" in page
    assert "Rina Azulay" in page
    assert "elsewhere" not in page
    assert "Patient 1" not in page


def test_first_offers_lie_within_a_week_of_the_result(doctor: Practitioner) -> None:
    """A time that suits three weeks on is named after one that suits less this week."""
    patient = builders.patient(doctor.clinic, phone="")
    after = NOW + timedelta(days=5)
    starts = times_for(patient, doctor, after=after, now=NOW)
    assert [start > after + timedelta(days=7) for start in starts] == [False, False, True, True]


@pytest.mark.parametrize(
    ("language", "first", "second", "is_read"),
    [
        ("en", "Monday 16 March, 10:00", "Monday 16 March, 10:30", False),
        ("ru", "понедельник 16 марта, 10:00", "понедельник 16 марта, 10:30", True),
    ],
)
def test_what_is_said_about_the_kept_time_is_in_the_patients_language(
    doctor: Practitioner, language: str, first: str, second: str, *, is_read: bool
) -> None:
    patient = builders.patient(doctor.clinic, phone="", language=language)
    desk = Client()
    desk.force_login(builders.user(at=doctor.clinic))
    with time_machine.travel(NOW, tick=False):
        page = " ".join(desk.get(f"/patients/{patient.public_id}/refer/").content.decode().split())
    said = page.partition(f'<p lang="{language}" dir="auto">')[2].partition("</p>")[0]
    assert first in said
    assert second in said
    assert ("before the images" in said) == (language == "en")
    assert ('data-key="KeyE">In your language' in page) == is_read
    assert "Which suits you better: Monday 16 March, 10:00 or Monday 16 March, 10:30?" in page
