"""Pressed twice, or with what no page of ours would send: once, and in words."""

import pytest

from appointments.actions import hold
from appointments.holds import keep
from appointments.visits import Visit
from appointments.waiting_models import WaitlistEntry
from journeys.models import Journey, StepKind
from patients.models import Role
from tests import builders
from tests.clinic_journey.test_access import logged_in, objects_of
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def test_put_on_the_list_twice_she_waits_once() -> None:
    patient = builders.patient()
    desk = logged_in(Role.RECEPTIONIST, patient.clinic)
    for _press in range(2):
        assert desk.post(f"/patients/{patient.public_id}/wait/", {"minutes": "30"}).status_code == 302
    assert WaitlistEntry.objects.count() == 1
    assert Journey.objects.count() == 1


def test_a_page_that_says_nonsense_of_what_it_has_seen_is_refused() -> None:
    clinic = builders.clinic()
    objects = objects_of(clinic)
    desk = logged_in(Role.RECEPTIONIST, clinic)
    form = {"outcome": "no_answer", "because": "asked", "seen": "9" * 5000}
    assert desk.post(f"/today/{objects['step_id']}/outcome/", form).status_code in {302, 409}


def test_a_hold_booked_by_hand_has_a_journey_like_any_visit() -> None:
    doctor = builders.practitioner()
    start = builders.open_time(doctor, NOW.replace(day=12))[0].start
    patient = builders.patient(doctor.clinic)
    held = hold(Visit(patient, doctor, start, 30), awaits=None, until=NOW.replace(day=11), now=NOW)
    keep(held, now=NOW)
    held.refresh_from_db()
    assert held.step is not None
    assert held.step.kind == StepKind.VISIT


def test_a_file_that_is_gone_is_not_found() -> None:
    clinic = builders.clinic()
    objects = objects_of(clinic)
    assert logged_in(Role.DOCTOR, clinic).get(f"/files/{objects['file_id']}/").status_code == 404
