"""In a conversation: what is planned, what was stopped and by which rule, and the way from each line to its trace."""

import re
from datetime import timedelta
from typing import Any

import pytest

from outreach.decision_models import Decision
from patients.models import Clinic
from tests import builders
from tests.clinic_journey.test_inbox import at_the_desk, page
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


def test_what_is_planned_and_what_was_stopped_is_told_with_its_rule(clinic: Clinic) -> None:
    client, _user = at_the_desk(clinic)
    patient = builders.patient(clinic)
    step = builders.step(builders.journey(patient))
    task = builders.task(step, plan_from=None, message_key="visit_reminder")
    ended: dict[str, Any] = {"status": "cancelled", "ended_at": NOW - timedelta(hours=1)}
    stopped = builders.attempt(task, outcome="replanned", **ended)
    Decision.objects.create(step=step, attempt=stopped, kind="stopped", at=NOW, rules="gate")
    builders.attempt(task, outcome="replanned", channel="email", **ended)  # it only gave way
    builders.attempt(task, send_at=NOW + timedelta(hours=3), channel="phone")
    text = " ".join(page(client, f"/inbox/{patient.public_id}/").split())
    assert text.count("of ours: Reminder of a visit") == 2
    assert "Not sent: only the listed addresses get messages now, and this is none of them" in text
    assert "a call of ours: Reminder of a visit · Mon 9.3 13:00 · <span>Planned<" in text
    assert "E-mail" not in text


def test_each_line_of_ours_leads_to_its_trace_however_long_ago(clinic: Clinic) -> None:
    client, _user = at_the_desk(clinic)
    patient = builders.patient(clinic)
    journey = builders.journey(patient)
    ended: dict[str, Any] = {"status": "completed", "completed_at": NOW, "outcome": "told"}
    first = builders.step(journey, title="The first", **ended, now=NOW - timedelta(days=90))
    for n in range(20):
        builders.step(journey, title=f"Later {n}", **ended)
    builders.attempt(
        builders.task(first, plan_from=None, status="done", outcome="told", ended_at=NOW),
        status="sent",
        sent_at=NOW,
        called_at=NOW,
    )
    text = page(client, f"/inbox/{patient.public_id}/")
    found = re.findall(r'href="(/patients/[^"]*/why/\?step=[^"]*)"', text)
    assert found == [f"/patients/{patient.public_id}/why/?step={first.public_id}"]
    headings = re.findall(r"<h2>(.*?)</h2>", page(client, found[0]))
    assert headings[0] == "The first"
    assert "The first" not in page(client, f"/patients/{patient.public_id}/why/")
    assert f'href="/patients/{patient.public_id}/why/"' in text


def test_a_trace_of_somebody_elses_step_is_not_shown(clinic: Clinic) -> None:
    client, _user = at_the_desk(clinic)
    patient, other = builders.patient(clinic), builders.step(builders.journey(), title="Elsewhere")
    for asked in (other.public_id, "nonsense"):
        text = page(client, f"/patients/{patient.public_id}/why/?step={asked}")
        assert "Elsewhere" not in text
