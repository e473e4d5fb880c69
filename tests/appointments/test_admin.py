"""The set-up pages open, save what they are for, and let nobody change a template."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from appointments.models import Practitioner
from journeys.models import JourneyTemplate
from patients.models import Clinic, HoursKind
from tests import builders

pytestmark = pytest.mark.django_db
NO_ROWS = {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0"}


def posted(prefixes: tuple[str, ...], **fields: str) -> dict[str, str]:
    forms = {f"{prefix}-{name}": value for prefix in prefixes for name, value in NO_ROWS.items()}
    return {**forms, **fields}


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", password="x"))
    return client


@pytest.mark.parametrize(
    "model",
    ["patients_clinic", "patients_membership", "appointments_practitioner", "appointments_location"],
)
@pytest.mark.parametrize("page", ["changelist", "add"])
def test_the_set_up_pages_open(administrator: Client, model: str, page: str) -> None:
    builders.schedule(builders.practitioner())
    assert administrator.get(reverse(f"admin:{model}_{page}")).status_code == 200


def test_a_clinic_and_a_practitioner_open_with_their_rows(administrator: Client) -> None:
    rule = builders.schedule(builders.practitioner())
    for model, key in [
        ("patients_clinic", rule.practitioner.clinic_id),
        ("appointments_practitioner", rule.practitioner_id),
    ]:
        assert administrator.get(reverse(f"admin:{model}_change", args=[key])).status_code == 200


def test_a_new_clinic_starts_with_the_usual_hours(
    administrator: Client, django_capture_on_commit_callbacks: Any
) -> None:
    form = posted(
        ("hours", "closed_days", "memberships"),
        name="Rimon",
        slug="rimon",
        sender_name="Rimon",
        phone="050-234-5678",
        time_zone="Asia/Jerusalem",
        country="IL",
        language="he",
        cell_minutes="10",
    )
    with django_capture_on_commit_callbacks() as nudges:
        assert administrator.post(reverse("admin:patients_clinic_add"), form).status_code == 302
    assert Clinic.objects.get(slug="rimon").hours.filter(kind=HoursKind.OPEN).count() == 6
    assert len(nudges) == 1


def test_a_new_schedule_asks_the_worker_to_fill_the_calendar(
    administrator: Client, django_capture_on_commit_callbacks: Any
) -> None:
    room = builders.location()
    form = posted(("schedules",), name="Dr Mizrahi", clinic=str(room.clinic_id), is_active="on") | {
        "schedules-TOTAL_FORMS": "1",
        "schedules-0-location": str(room.pk),
        "schedules-0-weekday": "0",
        "schedules-0-start": "09:00",
        "schedules-0-end": "12:00",
        "schedules-0-valid_from": "2026-03-09",
    }
    with django_capture_on_commit_callbacks() as nudges:
        assert administrator.post(reverse("admin:appointments_practitioner_add"), form).status_code == 302
    assert Practitioner.objects.get(name="Dr Mizrahi").schedules.count() == 1
    assert len(nudges) == 1


def test_templates_are_shown_and_never_changed(administrator: Client) -> None:
    call_command("load_catalogue")
    template = JourneyTemplate.objects.get(key="imaging_treatment")
    shown = reverse("admin:journeys_journeytemplate_change", args=[template.pk])
    assert administrator.get(shown).status_code == 200
    assert administrator.post(shown, {"key": "other"}).status_code == 403
    assert administrator.get(reverse("admin:journeys_journeytemplate_add")).status_code == 403
    delete = reverse("admin:journeys_journeytemplate_delete", args=[template.pk])
    assert administrator.post(delete, {"post": "yes"}).status_code == 403
