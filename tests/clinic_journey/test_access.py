"""Every page by every asker: nobody sees another clinic's rows, and nobody gets in without a name."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from clinic_journey.desk import Press, save
from clinic_journey.reports.standards import standards_of
from clinic_journey.reports.standards_actions import load_standards
from patients.access import Here
from patients.models import Clinic, Role
from tests import builders
from tests.clinic_journey.importing.files import DANA, HEADER, csv_file, uploaded
from tests.conftest import NOW

pytestmark = pytest.mark.django_db

OPEN_TO_ALL = {
    "login",
    "logout",
    "set_language",
    "alive",
    "ready",
    "patient_link",
    "patient_page",
    "patient_answer",
    "patient_identify",
    "patient_not_me",
    "patient_offer",
    "patient_sooner",
    "patient_say",
    "patient_complaint",
    "changed",
    "patient_card",
    "patient_visit_file",
    "upload",
    "offered",
    "hook_twilio",
    "hook_voice",
    "hook_voice_answered",
    "hook_voice_key",
    "hook_whatsapp",
    "hook_telegram",
    "hook_email",
}
NOT_OURS = ("admin/", "api/")  # the admin's own rules; the API has a walk of its own
WITHOUT_AN_OBJECT = {
    "home",
    "today",
    "today_live",
    "today_pause",
    "inbox",
    "search",
    "list",
    "new",
    "choose_clinic",
    "results",
    "results_fresh",
    "inbox_fresh",
    "page_changed",
    "calendar",
    "audit",
    "audit_export",
    "matches",
    "silent",
    "silent_together",
    "silent_plan_all",
    "silent_planned",
    "silent_undo_all",
    "ledgers",
    "cards",
    "schedules",
    "visit_types",
    "refused_holds",
    "calendar_print",
    "calendar_week",
    "calendar_feed",
    "calendar_taken",
    "imports",
    "setup",
    "setup_clinic",
    "setup_hours",
    "setup_patients",
    "setup_standards",
    "setup_content",
    "setup_words",
    "setup_words_text",  # named by its query, and always of the asker's clinic
    "waiting",
    "offer_time",
    "lock",
    "unlock",
    "still_here",
    "kept",
    "pin",
    "keys",
    "channels",
    "channels_gate",
    "channels_allow",
    "channels_attest",
    "channels_provider",
    "ask",
    "ask_answered",
    "ask_elsewhere",
    "ask_promised",
    "inquiries",
    "offerings",
    "complaints",
    "what_changed",
    "offerings_file",
    "offerings_csv",
    "standards",
    "team",
    "team_extra",
    "neglected",
    "handover",
    "routine",
    "routine_change",
    "stuck",
    "stuck_names",
    "stuck_names_export",
    "stuck_export",
    "stuck_week",
    "stuck_ideas",
    "reports",
    "report_names",
    "visit_value",
    "reach_times",
    "report_questions",
    "report_export",
    "own_standard",
    "digest",
    "report_alerts",
}


def routes(
    patterns: Any = None, prefix: str = "", *, open_too: bool = False
) -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns or get_resolver().url_patterns:
        path = prefix + str(pattern.pattern)
        if path.startswith(NOT_OURS):
            continue
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path, open_too=open_too)
        elif open_too or pattern.name not in OPEN_TO_ALL:
            yield path, pattern


ALL_ROUTES = [pytest.param(path, pattern, id=str(pattern.name)) for path, pattern in routes()]


def objects_of(clinic: Clinic) -> dict[str, Any]:
    """One object of each kind that a URL can name, all of one clinic."""
    builders.messages_loaded()
    load_standards([clinic])
    patient = builders.patient(clinic)
    (tie,) = patient.contacts.all()
    step = builders.step(builders.journey(patient))
    document = builders.document(clinic)
    file = document.files.create(position=0, content_type="application/pdf", size=1, content="a.pdf")
    referral = builders.referral(patient)
    result = referral.results.create(document=document, source_id="x", received_at=NOW)
    entry = builders.waiting_entry(patient)
    freed = builders.opening(builders.practitioner(clinic), NOW + timedelta(days=2))
    review = builders.step(step.journey, kind="review")
    asked = review.passes.create(by=builders.user(), to=builders.user(), made_at=NOW)
    return {
        "entry_id": entry.public_id,
        "offer_id": builders.offer(freed, entry).public_id,
        "patient_id": patient.public_id,
        "tie_id": tie.pk,
        "step_id": step.public_id,
        "journey_id": step.journey.public_id,
        "task_id": builders.task(step).public_id,
        "document_id": document.public_id,
        "file_id": file.pk,
        "referral_id": referral.public_id,
        "result_id": result.public_id,
        "pass_id": asked.public_id,
        "appointment_id": builders.appointment(patient).public_id,
        "practitioner_id": referral.requester_id,
        "schedule_id": builders.schedule(referral.requester).pk,
        "exception_id": referral.requester.exceptions.create(
            kind="away", first_on=NOW.date(), last_on=NOW.date(), made_at=NOW
        ).pk,
        "visit_type_id": builders.visit_type(clinic).pk,
        "action_id": save(step, Press("kept"), lambda: None, here=desk_of(clinic)).pk,
        "offering_id": builders.offering(clinic).pk,
        "praise_id": builders.praise(patient).public_id,
        "handover_id": builders.handover(clinic, words="Dana calls").public_id,
        "complaint_id": builders.complaint(patient).public_id,
        "inquiry_id": builders.inquiry(clinic, patient=patient).public_id,
        "standard_id": standards_of(clinic)[0].pk,
        "import_id": uploaded(clinic, csv_file(HEADER, DANA)).public_id,
        "idea_id": builders.improvement(clinic).pk,
    }


def desk_of(clinic: Clinic) -> Here:
    return Here(builders.user(Role.RECEPTIONIST, at=clinic), clinic, Role.RECEPTIONIST, NOW)


def filled(path: str, objects: dict[str, Any]) -> str:
    for name, value in objects.items():
        for kind in ("uuid", "int"):
            path = path.replace(f"<{kind}:{name}>", str(value))
    assert "<" not in path, f"say in objects_of() which object {path} names"
    return f"/{path}"


def logged_in(role: str, clinic: Clinic, *, reads: str = "") -> Client:
    """`reads`: the language that the browser asks for."""
    client = Client(headers={"accept-language": reads} if reads else None)
    client.force_login(builders.user(role, at=clinic))
    return client


@pytest.mark.parametrize(("path", "pattern"), ALL_ROUTES)
def test_nobody_gets_in_without_a_name(path: str, pattern: URLPattern) -> None:
    address = filled(path, objects_of(builders.clinic()))
    for answer in (Client().get(address), Client().post(address)):
        assert answer.status_code in {302, 405}, address
        if answer.status_code == 302:
            assert answer["Location"].startswith("/login/")


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize(("path", "pattern"), ALL_ROUTES)
def test_another_clinics_rows_are_not_found(path: str, pattern: URLPattern, role: str) -> None:
    if pattern.name in WITHOUT_AN_OBJECT:
        return
    address = filled(path, objects_of(builders.clinic()))
    stranger = logged_in(role, builders.clinic())
    for answer in (stranger.get(address), stranger.post(address)):
        assert answer.status_code in {403, 404, 405}, address


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize(
    "path",
    [
        "/today/",
        "/results/",
        "/calendar/",
        "/calendar/print/",
        "/calendar/week/",
        "/schedules/",
        "/patients/",
        "/silent/",
        "/inbox/",
        "/inbox/?list=answered",
        "/caller/?q=Levi",
        "/reports/ledgers/",
        "/reports/standards/",
        "/reports/stuck/names/",
        "/reports/",
        "/reports/digest/",
        "/reports/names/?number=at_risk",
        "/patients/cards/",
        "/waiting/",
        "/ask/?what=flu",
        "/ask/list/",
        "/offerings/",
        "/complaints/",
        "/team/",
        "/to-ask-how-they-are/",
        "/handover/",
    ],
)
def test_lists_hold_only_the_own_clinics_rows(path: str, role: str) -> None:
    clinic = builders.clinic()
    objects = objects_of(clinic)
    answer = logged_in(role, builders.clinic()).get(path)
    assert answer.status_code in {200, 403}
    page = answer.content.decode()
    assert not re.search(r"\bDana\b", page)  # as a word: a random token may spell it
    assert not any(str(value) in page for value in objects.values() if isinstance(value, UUID))


def test_a_user_without_a_clinic_sees_nothing() -> None:
    client = Client()
    client.force_login(builders.user())
    assert client.get("/today/").status_code == 403


@pytest.mark.parametrize("role", [Role.RECEPTIONIST])
def test_only_doctors_and_managers_decide(role: str) -> None:
    clinic = builders.clinic()
    objects = objects_of(clinic)
    address = f"/results/{objects['result_id']}/decide/"
    assert logged_in(role, clinic).post(address, {"decision": "treat"}).status_code == 403
