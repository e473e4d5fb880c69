"""The page of one standard: whose patients it is kept with, and what stands there while its measure cannot be read."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from clinic_journey.reports.standards import verdicts, within
from clinic_journey.reports.standards_actions import load_standards
from clinic_journey.reports.standards_cases import Span
from clinic_journey.reports.standards_measures import MEASURES
from journeys.models import Journey, StepKind
from patients.models import Clinic, Patient, Role, ServiceCard
from tests import builders
from tests.clinic_journey.reports.measured import HOUR, MAKE, step, whose
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
LIST = "/reports/standards/"


@pytest.fixture
def clinic() -> Clinic:
    made = builders.clinic()
    load_standards([made])
    return made


def manager(clinic: Clinic) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(builders.user(Role.MANAGER, at=clinic))
    return client


def of(patient: Patient | None, **fields: object) -> Patient:
    assert patient
    Patient.objects.filter(pk=patient.pk).update(**fields)
    return patient


def test_one_standard_is_told_apart_by_whose_patients_they_are(clinic: Clinic) -> None:
    doctor = builders.user(Role.DOCTOR, at=clinic, first_name="Noa", last_name="Shaham")
    found = clinic.standards.get(key="promise_kept")
    russian = of(MAKE["promise_kept"](clinic, met=False), language="ru")
    hebrew = of(MAKE["promise_kept"](clinic, met=False), language="he")
    of(MAKE["promise_kept"](clinic, met=True), language="ru")
    Journey.objects.filter(patient=hebrew).update(doctor=doctor)
    client, address = manager(clinic), f"{LIST}{found.pk}/"

    def shown(by: str) -> tuple[list[Patient | None], tuple[int, int], int]:
        page = client.get(f"{address}?by={by}")
        kept = page.context["kept"]
        named = [breach.patient for breach in page.context["breaches"]]
        return named, (kept.lately.met, kept.lately.counted), sum(share.counted for _on, share in kept.days)

    assert shown("language:ru") == ([russian], (1, 2), 2)
    assert shown("language:he") == ([hebrew], (0, 1), 1)
    assert shown(f"doctor:{doctor.pk}") == ([hebrew], (0, 1), 1)
    assert shown("doctor:none") == ([russian], (1, 2), 2)
    ServiceCard.objects.filter(patient=hebrew).update(channel="")
    ServiceCard.objects.filter(patient=russian).update(channel="email")
    assert shown("channel:none") == ([hebrew], (0, 1), 1)
    assert shown("channel:email") == ([russian], (0, 1), 1)
    assert shown("channel:voice")[1] == (0, 0)
    for everybody in ("", "nonsense", "doctor:x", "colour:red"):
        assert shown(everybody)[1] == (1, 3)
    page = client.get(f"{address}?by=language:ru").content.decode()
    assert '<option value="language:ru" selected>Russian</option>' in page
    assert "?by=language:ru&amp;day=2026-03-08" in page
    # By hand: every verdict of the last 28 days, whoever it is about.
    span = Span(NOW - HOUR * 24 * 28, NOW + HOUR * 24, NOW)
    assert len(within(verdicts(found, clinic, span), span)) == 3


def test_a_measure_that_fails_blanks_only_its_part_of_its_own_page(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object) -> Any:
        raise RuntimeError

    whose(step(clinic, StepKind.PROMISE, due_at=NOW - HOUR))
    monkeypatch.setitem(MEASURES, "promise_kept", replace(MEASURES["promise_kept"], cases=broken))
    client, found = manager(clinic), clinic.standards.get(key="promise_kept")
    for by in ("", "?by=language:he"):
        page = client.get(f"{LIST}{found.pk}/{by}")
        assert page.status_code == 200
        assert page.content.decode().count("This part cannot be shown now.") in (1, 2)
    assert client.post(f"{LIST}{found.pk}/", {"goal": 50, "is_on": "on"}).status_code == 302
