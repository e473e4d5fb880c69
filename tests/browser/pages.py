"""Every page of the product that a GET shows, each with an object of the demo and a login that may see it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from django.db.models import Exists, OuterRef
from django.test import Client

from appointments.models import Appointment, AppointmentStatus
from appointments.waiting_models import Offer, OfferStatus, WaitlistEntry
from clinic_journey.importing.models import Import
from inquiries.actions import Question, Said, promise_answer, record_answer
from inquiries.models import Inquiry, Offering
from journeys.chases import Promise
from journeys.models import Journey, JourneyStatus, OwnerRole, Step, StepKind, StepStatus
from outreach.complaint_models import CameBy, Complaint
from outreach.complaints import complain, restate
from outreach.links import path_for
from outreach.silent import silent_tasks
from patients.models import Clinic, Patient, PatientStatus
from patients.queries import User
from referrals.models import IncomingDocument, Referral, Result
from tests import builders
from tests.browser.serve import MONDAY
from tests.clinic_journey.importing.files import DANA, HEADER, YOSSI, checked, csv_file, uploaded
from tests.clinic_journey.test_access import routes

LOGINS = ("rina", "cohen", "dan", "admin")
NOT_PAGES = {
    "hook_twilio",
    "hook_voice",
    "hook_voice_answered",
    "hook_voice_key",
    "hook_whatsapp",
    "hook_telegram",
    "hook_email",
    "logout",
    "set_language",
    "alive",
    "ready",
    "file",
    "schema",
}
PARTS = {
    "today_live",
    "today_panel",
    "results_fresh",
    "inbox_fresh",
    "page_changed",
    "other_times",
    "follows",
    "calendar_taken",
    "address_test",
    "search",
    "setup_words_text",
    "offerings_csv",
    "report_alerts",
}  # of a page, or the way to one
ACTIVE = {"status": JourneyStatus.ACTIVE, "patient__isnull": False}


def pages() -> Iterator[dict[str, str]]:
    objects = choose()
    clients = {name: Client(headers={"host": "localhost"}) for name in LOGINS}
    for name, client in clients.items():
        assert client.login(username=name, password="demo")
    yield {"name": "login", "path": "/login/", "login": ""}
    yield {"name": "offered", "path": "/offered/alon/", "login": ""}
    yield {"name": "changed", "path": "/changed/alon/", "login": ""}
    yield {"name": "offered_one", "path": "/offered/alon/?q=flu", "login": ""}
    for name, path in patient_pages():
        yield {"name": name, "path": path, "login": ""}
    yield from pages_of_known_patients()
    for name, path in [*routed(objects), *by_query(objects)]:
        for login, client in clients.items():
            answer = client.get(path)
            if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
                yield {"name": name, "path": path, "login": login}
                break
    yield {"name": "results_decide", "path": "/results/", "login": "cohen"}
    yield {"name": "results_nothing", "path": "/results/?item=none", "login": "cohen"}
    yield {"name": "not_found", "path": "/patients/nobody/", "login": "rina"}
    yield {"name": "not_allowed", "path": "/audit/", "login": "rina"}


def routed(objects: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for route, pattern in routes():
        path = f"/{route}"
        for argument, value in objects.items():
            for kind in ("uuid", "int"):
                path = path.replace(f"<{kind}:{argument}>", str(value))
        if "<" not in path and pattern.name not in NOT_PAGES | PARTS:
            yield str(pattern.name), path


def by_query(objects: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a page shows only when it is asked for more."""
    booked = objects["booked"]
    at = quote(booked.start.isoformat())
    on = booked.start.date()
    for kind in (StepKind.CALL, StepKind.TELL, StepKind.BOOK, StepKind.REVIEW, StepKind.IDENTIFY):
        step = objects[kind]
        yield f"today_{kind}", f"/today/?item={step}"
    gap = "template=imaging_treatment&weeks=12&gap=await_result%3Ereview"
    yield "stuck_gap", f"/reports/stuck/?{gap}&all=1"
    yield "stuck_doctor", "/reports/stuck/?template=imaging_treatment&by=language:he&view=table"
    yield "stuck_nobody", "/reports/stuck/?template=year_thanks"
    for who in ("open", "late", "untouched", "lost"):
        yield f"stuck_names_{who}", f"/reports/stuck/names/?template=imaging_treatment&who={who}"
    for shown in ("expected", "unmatched", "closed"):
        yield f"results_{shown}", f"/results/?list={shown}"
    yield "calendar_list", f"/calendar/?on={on}&list=1"
    yield "calendar_time", f"/calendar/?on={on}&doctor={booked.practitioner_id}&at={at}"
    yield "calendar_for", f"/calendar/?on={on}&patient={objects['patient_id']}"
    yield "calendar_empty", "/calendar/?on=2026-03-13"
    yield "calendar_week_doctor", f"/calendar/week/?on={on}&doctor={booked.practitioner_id}"
    yield "offer_time_to", f"/waiting/time/?doctor={booked.practitioner_id}&at={at}"
    yield "merge_other", f"/patients/{objects['patient_id']}/merge/?other={booked.patient.public_id}"
    for name, asked in (
        ("some", "vaccine"),
        ("one", "flu"),
        ("none_left", "hepatitis"),
        ("unknown", "x-ray"),
    ):
        yield f"ask_{name}", f"/ask/?what={asked}"
    yield "call_by_hand", f"/patients/{objects['nothing_open']}/call/"
    yield "inquiry_send", f"/ask/{objects['inquiry_id']}/?then=send"
    if "task_id" in objects:
        yield "silent_together", f"/silent/together/?task={objects['task_id']}"
    yield "ask_caller", "/ask/?what=flu&from=03-555-0177"
    yield "inquiry_owed", f"/ask/{objects['owed']}/"
    yield "matches_none", "/caller/?q=nobody"
    yield "matches_some", "/caller/?q=a"
    yield "list_some", "/patients/?q=a"
    yield "setup_words_he", "/setup/words/?language=he"
    for language in ("en", "he"):
        text = f"key=held_visit&channel=&language={language}"
        yield f"setup_words_text_{language}", f"/setup/words/text/?{text}"
    for number in ("returned", "holds", "unchanged", "at_risk", "promises_today", "calls_today"):
        yield f"report_names_{number}", f"/reports/names/?number={number}"
    yield "reach_agreed", "/reports/reach/?only=agreed"
    yield "import_checked", f"/import/{objects['checked']}/"


def choose() -> dict[str, Any]:
    """One object of each kind that a URL may name, under the name of its argument."""
    clinic = Clinic.objects.get()
    referral = Referral.objects.filter(results__isnull=False).first()
    booked = Appointment.objects.filter(status=AppointmentStatus.BOOKED, start__gt=MONDAY).first()
    result, document = Result.objects.first(), IncomingDocument.objects.first()
    silent = silent_tasks(User.objects.get(username="rina")).first()
    entry, offer = WaitlistEntry.objects.first(), Offer.objects.first()
    visit_type = clinic.visit_types.first()
    assert referral
    assert booked
    assert result
    assert document
    assert entry
    assert offer
    assert visit_type
    step, tie = referral.journey.steps.first(), referral.patient.contacts.first()
    schedule = referral.requester.schedules.first()
    assert step
    assert tie
    assert schedule
    objects: dict[str, Any] = {
        "patient_id": referral.patient.public_id,
        "tie_id": tie.pk,
        "step_id": step.public_id,
        "journey_id": referral.journey.public_id,
        "document_id": document.public_id,
        "referral_id": referral.public_id,
        "result_id": result.public_id,
        "appointment_id": booked.public_id,
        "entry_id": entry.public_id,
        "offer_id": offer.public_id,
        "practitioner_id": referral.requester_id,
        "schedule_id": schedule.pk,
        "visit_type_id": visit_type.pk,
        "standard_id": clinic.standards.get(key="told_arrived").pk,
        "import_id": uploaded(clinic, csv_file(HEADER, DANA, YOSSI)).public_id,
        "checked": checked(clinic, csv_file(HEADER, DANA, YOSSI, ("", "", "12", "x", "y", "z"))).public_id,
        "idea_id": builders.improvement(clinic, template_key="imaging_treatment", step_key="review").pk,
        "booked": booked,
        **asked(clinic),
        "complaint_id": complained(booked.patient).public_id,
    }
    if silent:
        objects["task_id"] = silent.public_id
    for kind in StepKind.values:
        first = Step.objects.filter(kind=kind, status=StepStatus.ACTIVE).first()
        objects[kind] = first.public_id if first else ""
    assert Import.objects.count() == 2
    open_now = Step.objects.filter(journey__patient=OuterRef("pk"), status=StepStatus.ACTIVE)
    at_rest = Patient.objects.filter(
        ~Exists(open_now), status=PatientStatus.ACTIVE, contacts__may_be_called=True
    )
    objects["nothing_open"] = at_rest.order_by("pk")[0].public_id
    return objects


def asked(clinic: Clinic) -> dict[str, Any]:
    """A question with its answer, and one whose answer is owed."""
    flu = Offering.objects.filter(kind="vaccine").first()
    assert flu
    question = Question("flu vaccine", MONDAY, flu)
    answered = record_answer(clinic, question, Said(words="Yes, we have it."), now=MONDAY, by=None)
    promise = Promise("", MONDAY + timedelta(hours=4), OwnerRole.MANAGER)  # in no list of the reception
    owed = promise_answer(clinic, Question("whitening", MONDAY), promise, now=MONDAY, by=None)
    assert Inquiry.objects.count() == 2
    return {"offering_id": flu.pk, "inquiry_id": answered.public_id, "owed": owed.public_id}


def complained(patient: Patient | None) -> Complaint:
    """One that has been put into our own words, with its patient asked whether these are right."""
    assert patient
    words = "I waited for an hour, and nobody came to tell me why."
    complaint = complain(patient, words, CameBy.DESK, now=MONDAY)
    manager = User.objects.get(username="dan")
    restate(complaint, "You waited for an hour without a word from us.", now=MONDAY, by=manager)
    return complaint


def patient_pages() -> Iterator[tuple[str, str]]:
    """The patient's page as it is in each state of the way."""
    journeys = Journey.objects.filter(**ACTIVE)
    visits = Appointment.objects.filter(start__gt=MONDAY)
    booked = visits.filter(status=AppointmentStatus.BOOKED)
    offered = Offer.objects.filter(status=OfferStatus.OPEN).exclude(entry__appointment=None)
    states = {
        "confirm": journeys.filter(steps__appointments__in=booked.filter(confirmed_at=None)),
        "confirmed": journeys.filter(steps__appointments__in=booked.exclude(confirmed_at=None)),
        "held": journeys.filter(steps__holds__in=visits.filter(status=AppointmentStatus.PENDING)),
        "offered": journeys.filter(steps__appointments__in=offered.values("entry__appointment")),
        "invited": journeys.filter(steps__kind=StepKind.RECALL, steps__status=StepStatus.ACTIVE),
        "late": journeys.filter(
            steps__kind=StepKind.BOOK, steps__status=StepStatus.ACTIVE, steps__due_at__lt=MONDAY
        ),
        "ended": Journey.objects.exclude(ended_at=None).filter(patient__isnull=False),
    }
    for name, found in states.items():
        journey = found.first()
        if journey:
            yield f"patient_page_{name}", path_for(journey)
    asked = states["confirm"].first()
    assert asked
    yield "patient_page_other_time", f"{path_for(asked)}?times=1"
    yield "patient_page_thanks", f"{path_for(asked)}?said=confirm"
    for said in ("worried", "going_badly", "card"):
        yield f"patient_page_said_{said}", f"{path_for(asked)}?said={said}"
    yield "patient_page_gone", "/p/nothing/"
    yield "patient_page_closed", f"/p/{uuid4()}/"


def pages_of_known_patients() -> Iterator[dict[str, str]]:
    """What is shown once she has said who she is (`who`), and what a wrong answer leads to."""
    states = {
        "held": Journey.objects.filter(**ACTIVE, steps__holds__status=AppointmentStatus.PENDING),
        "late": Journey.objects.filter(
            **ACTIVE,
            steps__kind=StepKind.BOOK,
            steps__status=StepStatus.ACTIVE,
            steps__due_at__lt=MONDAY,
        ),
        "waiting": Journey.objects.filter(
            **ACTIVE, steps__kind=StepKind.AWAIT_RESULT, steps__status=StepStatus.ACTIVE
        ),
    }
    for name, found in states.items():
        journey = found.filter(patient__birth_date__isnull=False).order_by("pk").first()
        assert journey
        assert journey.patient
        assert journey.patient.birth_date
        who = str(journey.patient.birth_date.year)
        page = {"login": "", "who": who}
        yield {"name": f"patient_known_{name}", "path": path_for(journey), **page}
        if name == "held":
            yield {"name": "patient_card", "path": f"/p/{journey.public_id}/card/", **page}
    wrong = states["late"].last()
    assert wrong
    yield {"name": "patient_not_known", "path": path_for(wrong), "login": "", "who": "1234"}
