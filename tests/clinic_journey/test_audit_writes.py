"""What was changed: before and after of each table of the record, by whom, and nothing taken back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client

from appointments import actions as visits
from clinic_journey.audit import triggers
from clinic_journey.audit.watched import WATCHED
from patients import actions, audit
from patients.audit import Origin
from patients.models import AddressStatus, AuditEvent, ContactPoint, Patient
from referrals.links import upload_token
from tests import builders
from tests.clinic_journey.own_page import OwnPage
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


def changes(what: str, **fields: Any) -> list[Any]:
    return list(AuditEvent.objects.filter(what=what, **fields).order_by("pk"))


def test_a_registration_is_written_down_row_by_row() -> None:
    patient = builders.patient()
    events = AuditEvent.objects.filter(patient=patient, clinic=patient.clinic, action="create", by="system")
    assert sorted(event.what for event in events) == ["patient", "patientcontact", "servicecard"]
    added: Any = events.get(what="patient")
    assert added.before is None
    assert (added.after["given_name"], added.after["birth_date"]) == ("Dana", "1991-05-04")
    assert "gender" not in added.after  # nothing was said
    assert "search_key" not in added.after


def test_a_change_tells_only_what_changed() -> None:
    patient = builders.patient(language="he")
    Patient.objects.filter(pk=patient.pk).update(language="ru", family_name="Levi")
    (event,) = changes("patient", action="change")
    assert (event.before, event.after) == ({"language": "he"}, {"language": "ru"})
    assert event.what_id.replace("-", "") == patient.public_id.hex


def test_a_write_that_changes_nothing_is_no_event() -> None:
    patient = builders.patient()
    Patient.objects.filter(pk=patient.pk).update(family_name="Levi", search_key="anything")
    assert changes("patient", action="change") == []


def test_the_card_is_told_with_its_windows() -> None:
    patient = builders.patient()
    window = (0, builders.at(9), builders.at(12))
    actions.save_card(patient, actions.CardAnswers("phone", (window,)), now=NOW, by=None)
    actions.save_card(patient, actions.CardAnswers("sms"), now=NOW, by=None)
    assert [event.action for event in changes("contactwindow", patient=patient)] == ["create", "delete"]
    removed = changes("contactwindow", action="delete", clinic=patient.clinic)[0]
    assert removed.after is None
    assert removed.before["weekday"] == 0
    assert removed.before["start"].startswith("09:00")
    assert [event.after.get("channel") for event in changes("servicecard", action="change")] == [
        "phone",
        "sms",
    ]


def test_when_she_can_come_is_told_with_its_hours() -> None:
    patient = builders.comes(builders.patient(), (0, builders.at(17), builders.at(20)))
    builders.comes(patient)
    events = changes("comingwindow", patient=patient)
    assert [event.action for event in events] == ["create", "delete"]
    removed = changes("comingwindow", action="delete", clinic=patient.clinic)[0]
    assert (removed.after, removed.before["start"][:5]) == (None, "17:00")
    (told,) = changes("servicecard", action="change")
    assert told.before["coming_told_at"] is None


def test_a_consent_that_is_withdrawn_is_told() -> None:
    patient = builders.patient()
    point = patient.contacts.get().contact_point
    actions.withdraw_consent(patient, point, "sms", now=NOW, words="STOP")
    actions.withdraw_consent(patient, point, "sms", now=NOW, words="STOP again")
    assert [event.action for event in changes("consent", patient=patient)] == ["create", "change", "create"]


def test_an_address_that_fails_is_told_in_the_record_of_each_who_is_reached_there() -> None:
    clinic = builders.clinic()
    mother, child = builders.patient(clinic), builders.patient(clinic, given_name="Noa")
    point = ContactPoint.objects.get()
    actions.mark_address(point, AddressStatus.BAD, now=NOW)
    events = changes("contactpoint", action="change")
    assert {event.patient_id for event in events} == {mother.pk, child.pk}
    assert events[0].after == {"status": "bad"}
    actions.mark_address(point, AddressStatus.BAD, now=NOW + timedelta(hours=1))
    assert len(changes("contactpoint", action="change")) == 2  # the time of the look alone says nothing


def test_a_referral_its_document_and_its_result_are_told() -> None:
    referral = builders.referral()
    document = builders.document(referral.clinic)
    type(document).objects.filter(pk=document.pk).update(
        referral=referral, status="matched", matched_by="code"
    )
    result = referral.results.create(document=document, source_id="x", received_at=NOW)
    type(result).objects.filter(pk=result.pk).update(decision="treat", decided_at=NOW, note="36, 37")
    of_patient = AuditEvent.objects.filter(patient=referral.patient, clinic=referral.clinic)
    assert of_patient.filter(what="referral", action="create").count() == 1
    match: Any = of_patient.get(what="incomingdocument", action="change")
    assert match.before["status"] == "received"
    assert match.after["matched_by"] == "code"
    decision: Any = of_patient.get(what="result", action="change")
    assert (decision.before["decision"], decision.after["note"]) == ("", "36, 37")


def test_a_visit_is_told_by_its_event_when_it_is_made_and_by_both_when_it_changes() -> None:
    doctor = builders.practitioner()
    builders.open_time(doctor, NOW + timedelta(days=1))
    patient = builders.patient(doctor.clinic)
    visit = visits.book(visits.Visit(patient, doctor, NOW + timedelta(days=1), 30), now=NOW)
    visits.cancel(visit, because="ill", now=NOW)
    assert [event.what for event in visit.events.all()] == ["booked", "cancelled"]
    (cancelled,) = changes("appointment", patient=patient, clinic=doctor.clinic)
    assert (cancelled.before["status"], cancelled.after["status"]) == ("booked", "cancelled")
    assert cancelled.after["ended_because"] == "ill"


@pytest.mark.parametrize("watched", WATCHED, ids=lambda watched: watched.model.__name__)
def test_every_watched_table_has_its_triggers_with_all_its_columns(watched: Any) -> None:
    table = watched.model._meta.db_table
    wanted = {name for name in triggers.expected(connection) if name.startswith(f"audit_{table}_")}
    events = 3 if watched.inserts else 2
    assert len(wanted) == (1 if connection.vendor == "postgresql" else events)
    assert wanted <= triggers.present(connection)
    assert set(watched.ignored) <= {field.column for field in watched.model._meta.concrete_fields}


def test_triggers_that_are_missing_are_made_again_and_a_check_says_so() -> None:
    assert not [each for each in _messages() if each.id == "clinic_journey.E006"]
    triggers.remove(connection)
    assert triggers.present(connection) == set()
    assert [each for each in _messages() if each.id == "clinic_journey.E006"]
    triggers.install(connection)
    assert triggers.present(connection) == triggers.expected(connection).keys()
    builders.patient()
    assert len(changes("patient")) == 1


def _messages() -> list[Any]:
    from django.core.checks import run_checks  # noqa: PLC0415 - slow import

    return run_checks(tags=["database"], databases=["default"])


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: AuditEvent.objects.update(by="nobody"),
        lambda: AuditEvent.objects.all().delete(),
        lambda: AuditEvent.objects.all()[:1].get().delete(),
        lambda: AuditEvent.objects.filter(action="create").update(after=None),
    ],
)
def test_the_trail_only_grows(attempt: Callable[[], object]) -> None:
    builders.patient()
    before = list(AuditEvent.objects.order_by("pk").values())
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
        attempt()
    assert list(AuditEvent.objects.order_by("pk").values()) == before


def test_the_trail_cannot_be_emptied_at_once() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite knows no TRUNCATE")
    builders.patient()
    with (
        pytest.raises(DatabaseError, match="only grows"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("TRUNCATE patients_auditevent")


def test_what_is_older_than_must_be_kept_goes_through_one_door_that_is_logged(time_machine: Any) -> None:
    clinic = builders.clinic()
    old = AuditEvent.objects.create(
        at=NOW - timedelta(days=800), by="user", action="read", what="x", clinic=clinic
    )
    new = AuditEvent.objects.create(
        at=NOW - timedelta(days=700), by="user", action="read", what="x", clinic=clinic
    )
    AuditEvent.objects.create(at=NOW - timedelta(days=800), by="user", action="read", what="x")
    time_machine.move_to(NOW, tick=False)
    call_command("erase_audit", "2024-01-10", clinic=clinic.slug, verbosity=0)
    left = AuditEvent.objects.filter(clinic=clinic)
    assert not left.filter(pk=old.pk).exists()
    assert left.filter(pk=new.pk).exists()
    said = left.get(action="delete")
    assert (said.by, said.what, said.rows, said.asked) == ("system", "audit", 1, "before 2024-01-10")
    assert AuditEvent.objects.filter(clinic=None).count() == 1
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
        new.delete()


def test_a_database_that_is_brought_along_keeps_its_trail_and_gets_one_line_more(tmp_path: Path) -> None:
    patient = builders.patient()
    moved = tmp_path / "moved.json"
    call_command("dumpdata", "patients", output=str(moved), verbosity=0)
    before = list(AuditEvent.objects.order_by("pk").values())
    for event in before:  # as exact as JSON tells it
        event["at"] = event["at"].replace(microsecond=event["at"].microsecond // 1000 * 1000)
    Patient.objects.filter(pk=patient.pk).update(family_name="Cohen")
    with audit.open_door():
        AuditEvent.objects.all().delete()
    call_command("loaddata", str(moved), verbosity=0)
    *kept, said = AuditEvent.objects.order_by("pk").values()
    assert kept == before
    assert (said["what"], said["by"]) == ("loaddata", "system")
    assert Patient.objects.get().family_name == "Levi"


def test_a_page_that_writes_says_who_and_from_where() -> None:
    patient = builders.patient()
    client = logged_in("receptionist", patient.clinic)
    client.post(
        f"/patients/{patient.public_id}/card/",
        {"channel": "phone", "language": "he"},
        headers={"User-Agent": "Firefox/128"},
    )
    event = changes("servicecard", action="change")[0]
    assert (event.by, event.ip, event.agent) == ("user", "127.0.0.1", "Firefox")
    assert event.actor_id == int(client.session["_auth_user_id"])
    assert len(event.request_id) == 32


def test_a_program_the_patient_and_the_institute_are_told_apart() -> None:
    patient = builders.patient()
    user = builders.user(at=patient.clinic)
    builders.api(user).patch(
        f"/api/v1/patients/{patient.public_id}/card/", {"channel": "phone"}, format="json"
    )
    event = changes("servicecard", action="change")[0]
    assert (event.by, event.actor_id) == ("program", user.pk)
    referral = builders.referral(patient)
    from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: PLC0415 - slow import

    scan = SimpleUploadedFile("scan.pdf", b"%PDF-1.4")
    assert Client().post(f"/u/{upload_token(referral)}/", {"file": scan}).status_code == 200
    assert [event.by for event in changes("incomingdocument", action="create")] == ["institute"]


def test_what_a_patient_presses_on_her_page_is_hers() -> None:
    visit = builders.appointment(made_by=None)
    step = builders.step(builders.journey(visit.patient), kind="confirm")
    type(visit).objects.filter(pk=visit.pk).update(step=step)
    OwnPage(step.journey).post("answer", {"meaning": "confirm"})
    said = [event for event in changes("appointment", action="change") if "confirmed_at" in event.after]
    assert [event.by for event in said] == ["patient"]


def test_after_a_request_the_connection_knows_nobody() -> None:
    patient = builders.patient()
    logged_in("receptionist", patient.clinic).post(
        f"/patients/{patient.public_id}/card/", {"channel": "phone"}
    )
    Patient.objects.filter(pk=patient.pk).update(family_name="Cohen")
    (event,) = changes("patient", action="change")
    assert (event.by, event.actor_id, event.ip, event.request_id) == ("system", None, "", "")


def test_what_is_typed_cannot_pass_for_somebody_else() -> None:
    forged = "/*clinic " + b'{"by":"user","actor":7}'.hex() + "*/"
    builders.patient(given_name=forged)
    assert [event.by for event in changes("patient")] == ["system"]
    with audit.request_of(lambda: Origin("user", 12, agent="%s {} ' \" */ ; \\")):
        Patient.objects.update(given_name=forged + "x")
    (event,) = changes("patient", action="change")
    assert (event.by, event.actor_id, event.agent) == ("user", 12, "%s {} ' \" */ ; \\")


@pytest.mark.concurrency
@pytest.mark.django_db(transaction=True)
def test_people_who_write_at_once_are_never_taken_for_each_other() -> None:
    clinic = builders.clinic()
    places = [(builders.patient(clinic, phone=f"050-234-567{n}"), builders.user(at=clinic)) for n in range(6)]
    gate = Barrier(len(places))

    def work(nth: int) -> None:
        patient, user = places[nth]
        client = Client()
        client.force_login(user)
        gate.wait(timeout=60)
        try:
            for times in range(6):
                channel = ("phone", "email")[times % 2]
                client.post(f"/patients/{patient.public_id}/card/", {"channel": channel, "language": "he"})
                Patient.objects.filter(pk=patient.pk).update(family_name=f"{times}")  # between two requests
        finally:
            connection.close()

    with ThreadPoolExecutor(len(places)) as people:
        list(people.map(work, range(len(places))))
    for patient, user in places:
        cards = changes("servicecard", action="change", patient=patient)
        assert len(cards) == 6
        assert {(event.by, event.actor_id) for event in cards} == {("user", user.pk)}
        names = [
            event
            for event in changes("patient", patient=patient, action="change")
            if "family_name" in event.after
        ]
        assert {(event.by, event.actor_id) for event in names} == {("system", None)}
