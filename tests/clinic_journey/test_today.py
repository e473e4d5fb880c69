"""Today as the receptionist meets it: the page, the outcomes, who comes second, and what others change meanwhile."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from clinic_journey.models import DeskAction, Serving, SetAside
from journeys.models import Journey, Step, StepEvent, StepKind, StepStatus, StepTemplate
from outreach.models import Attempt, AttemptStatus, OutreachTask, Reply
from patients.models import AddressStatus, Channel, Clinic, Consent, ContactPoint, Role
from tests import builders
from tests.conftest import NOW
from tests.scenarios.house import frozen

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _monday_morning() -> Iterator[None]:
    with frozen(NOW):
        yield


@pytest.fixture
def clinic() -> Clinic:
    builders.messages_loaded()
    return builders.clinic()


def desk(clinic: Clinic, **fields: Any) -> Client:
    client = Client()
    client.force_login(builders.user(Role.RECEPTIONIST, at=clinic, **fields))
    return client


def a_call(clinic: Clinic, **fields: Any) -> Step:
    """A planned call whose window is open, about a step that asks for a date."""
    now = NOW
    patient = builders.patient(clinic, now=now, **fields)
    step = builders.step(builders.journey(patient, now=now), now=now, message_key="next_step")
    task = builders.task(step, now=now, plan_from=None)
    builders.attempt(task, now=now - timedelta(minutes=1), channel=Channel.PHONE)
    return step


def post(client: Client, step: Step, to: str = "outcome", **data: str) -> Any:
    return client.post(f"/today/{step.public_id}/{to}/", data)


def served(client: Client) -> str:
    """What the page does when nobody has chosen: it opens the first row that is free."""
    found = re.search('data-serve="([^"]+)"', client.get("/today/").content.decode())
    assert found
    return str(client.get(f"/today/{found[1]}/panel/").content.decode())


def test_the_page_says_who_and_why(clinic: Clinic) -> None:
    a_call(clinic)
    page = desk(clinic).get("/today/").content.decode()
    assert "Dana Levi" in page
    assert "The next visit has been without a date for" in page


def test_another_clinics_call_is_not_found(clinic: Clinic) -> None:
    step = a_call(clinic)
    stranger = desk(builders.clinic())
    for where in ("outcome", "finish", "call", "park", "keep"):
        assert post(stranger, step, where, outcome="no_answer").status_code == 404
    post(desk(clinic), step, outcome="no_answer")
    saved = DeskAction.objects.get()
    assert stranger.post(f"/today/undo/{saved.pk}/").status_code == 404
    assert desk(clinic).post(f"/today/undo/{saved.pk}/").status_code == 404, "only whoever saved it"


def test_no_answer_is_silence_and_plans_again_after_a_moment(clinic: Clinic) -> None:
    step = a_call(clinic)
    assert post(desk(clinic), step, outcome="no_answer").headers["Location"] == "/today/"
    task = OutreachTask.objects.get()
    assert Attempt.objects.get().outcome == "no_answer"
    assert task.plan_from == NOW + timedelta(seconds=20)
    step.refresh_from_db()
    assert step.status == StepStatus.ACTIVE


def test_a_message_sent_waits_in_the_outbox_and_replaces_the_call(clinic: Clinic) -> None:
    step = a_call(clinic)
    post(desk(clinic), step, outcome="message")
    call, message = Attempt.objects.order_by("pk")
    assert (call.status, call.outcome) == (AttemptStatus.CANCELLED, "replanned")
    assert (message.status, message.channel) == (AttemptStatus.PLANNED, Channel.SMS)
    assert message.send_at == NOW + timedelta(seconds=20)


def test_not_now_keeps_the_patients_words_and_asks_again_on_that_day(clinic: Clinic) -> None:
    step = a_call(clinic)
    answer = post(
        desk(clinic), step, outcome="not_now", reason="money", note="after my salary", on="2026-04-20"
    )
    assert answer.status_code == 302
    step.refresh_from_db()
    reply = Reply.objects.get()
    assert (reply.body, reply.meaning) == ("after my salary", "not_now_money")
    assert step.status == StepStatus.ACTIVE
    assert step.contact_from == datetime(2026, 4, 20, 6, 0, tzinfo=UTC), "nine in the morning at the clinic"
    assert step.due_at == datetime(2026, 4, 21, 6, 0, tzinfo=UTC)
    assert OutreachTask.objects.get().outcome == "not_now"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"outcome": "not_now", "reason": "money", "note": "", "on": "2999-01-01"}, "still to come"),
        ({"outcome": "not_now", "reason": "we guess", "note": "x"}, "the reason the patient gave"),
        ({"outcome": "call_at", "at": ""}, "the time the patient asked for"),
        ({"outcome": "needs_doctor", "note": "does it hurt"}, "by when you promise"),
        ({"outcome": "skip", "note": ""}, "why you skip"),
        ({"outcome": "declined", "note": ""}, "own words"),
    ],
)
def test_what_is_missing_is_asked_for_and_nothing_typed_is_lost(
    clinic: Clinic, data: dict[str, str], words: str
) -> None:
    step = a_call(clinic)
    answer = post(desk(clinic), step, **data)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert words in page
    assert not data.get("note") or f'value="{data["note"]}"' in page
    assert Attempt.objects.get().status == AttemptStatus.PLANNED
    assert not DeskAction.objects.exists()


def test_a_chip_promises_the_call(clinic: Clinic) -> None:
    step = a_call(clinic)
    at = NOW + timedelta(hours=1)
    post(desk(clinic), step, call_again_at=at.isoformat())
    promise = Step.objects.get(kind=StepKind.PROMISE)
    assert (promise.due_at, promise.about) == (at, step)


def test_the_doctor_gets_the_question_with_the_promised_time(clinic: Clinic) -> None:
    step = a_call(clinic)
    at = NOW + timedelta(hours=3)
    post(desk(clinic), step, outcome="needs_doctor", note="does it hurt", at=at.isoformat())
    question = Step.objects.get(kind=StepKind.CALL)
    assert (question.owner_role, question.due_at) == ("doctor", at)
    assert "does it hurt" in question.title


def test_a_wrong_number_and_a_stop_change_what_is_known(clinic: Clinic) -> None:
    post(desk(clinic), a_call(clinic), outcome="wrong_number")
    assert ContactPoint.objects.get().status == AddressStatus.BAD
    post(desk(clinic), a_call(clinic, phone="050-234-5679"), outcome="asked_to_stop")
    assert Consent.objects.filter(status="withdrawn").exists()


def test_a_skipped_row_goes_to_the_end_with_its_reason(clinic: Clinic) -> None:
    first, second = a_call(clinic), a_call(clinic, given_name="Igor", phone="050-234-5679")
    client = desk(clinic)
    post(client, first, outcome="skip", note="the line is noisy")
    page = client.get("/today/").content.decode()
    assert page.index(str(second.public_id)) < page.index(str(first.public_id))
    assert StepEvent.objects.filter(step=first, detail__contains="the line is noisy").exists()


def test_a_parked_row_waits_apart_for_this_person_alone(clinic: Clinic) -> None:
    step = a_call(clinic)
    mine, other = desk(clinic), desk(clinic)
    post(mine, step, "park")
    assert "Parked" in mine.get("/today/").content.decode()
    assert ">Parked<" not in other.get("/today/").content.decode()
    post(mine, step, "park", back="1")
    assert not SetAside.objects.exists()


# Two people and one patient


def test_whoever_comes_second_sees_who_is_there_and_cannot_save(clinic: Clinic) -> None:
    step = a_call(clinic)
    rina, dan = desk(clinic, first_name="Rina"), desk(clinic, first_name="Dan")
    served(rina)
    assert "Rina is with this patient" in dan.get(f"/today/?item={step.public_id}").content.decode()
    answer = post(dan, step, outcome="not_now", reason="fear", note="kept words", on="2999-01-01")
    assert answer.status_code == 409
    assert not DeskAction.objects.exists()
    post(rina, step, outcome="no_answer")
    assert DeskAction.objects.get().user.first_name == "Rina"


@pytest.mark.parametrize("order", [("Rina", "Dan"), ("Dan", "Rina")])
def test_the_second_save_is_refused_with_what_the_first_one_did(
    clinic: Clinic, order: tuple[str, str]
) -> None:
    step = a_call(clinic)
    clients = {name: desk(clinic, first_name=name) for name in order}
    first, second = (clients[name] for name in order)
    assert post(first, step, outcome="no_answer", seen="0", request_key="a").status_code == 302
    answer = post(second, step, outcome="wrong_number", seen="0", request_key="b")
    assert answer.status_code == 409
    assert f"{order[0]} saved “No answer” at" in answer.content.decode()
    assert Attempt.objects.get().outcome == "no_answer"
    assert ContactPoint.objects.get().status != AddressStatus.BAD


def test_the_same_save_sent_twice_is_one_save(clinic: Clinic) -> None:
    step = a_call(clinic)
    client = desk(clinic)
    for _again in range(2):
        answer = client.post(
            f"/today/{step.public_id}/outcome/",
            {"outcome": "no_answer", "seen": "0", "request_key": "k"},
            headers={"X-Keeps-Trying": "1"},
        )
        assert (answer.status_code, answer["X-Go-To"]) == (204, "/today/")
    assert DeskAction.objects.count() == 1
    assert Attempt.objects.count() == 1


def test_a_lease_runs_out_and_activity_renews_it(clinic: Clinic) -> None:
    step = a_call(clinic)
    rina, dan = desk(clinic, first_name="Rina"), desk(clinic, first_name="Dan")
    served(rina)
    Serving.objects.update(until=NOW + timedelta(seconds=5))
    assert post(rina, step, "keep").status_code == 204
    assert Serving.objects.get().until > NOW + timedelta(minutes=2)
    Serving.objects.update(until=NOW)
    served(dan)
    assert Serving.objects.get().user.first_name == "Dan"


def test_others_are_served_the_next_patient(clinic: Clinic) -> None:
    a_call(clinic)
    a_call(clinic, given_name="Igor", phone="050-234-5679")
    served(desk(clinic))
    served(desk(clinic))
    assert set(Serving.objects.values_list("patient__given_name", flat=True)) == {"Dana", "Igor"}


def test_who_turns_to_another_patient_leaves_the_first(clinic: Clinic) -> None:
    a_call(clinic)
    second = a_call(clinic, given_name="Igor", phone="050-234-5679")
    rina = desk(clinic)
    served(rina)
    rina.get(f"/today/?item={second.public_id}")
    assert list(Serving.objects.values_list("patient__given_name", flat=True)) == ["Igor"]


# What others change


def test_the_live_part_tells_what_is_new_and_who_is_where(clinic: Clinic) -> None:
    step = a_call(clinic)
    rina, dan = desk(clinic, first_name="Rina"), desk(clinic, first_name="Dan")
    mark = f"p{step.journey.patient_id}"
    served(rina)
    answer = dan.get(f"/today/live/?shown={mark}.")
    assert "Rina is viewing" in answer.content.decode()
    same = dan.get(f"/today/live/?shown={mark}.", headers={"HX-PTag": answer["HX-PTag"]})
    assert (same.status_code, same.content) == (304, b"")
    a_call(clinic, phone="050-234-5679")
    post(rina, step, outcome="no_answer")
    words = dan.get(f"/today/live/?shown={mark}.", headers={"HX-PTag": answer["HX-PTag"]}).content.decode()
    assert "1 new" in words
    assert "Rina saved “No answer” at" in words


def test_an_empty_list_names_two_useful_jobs(clinic: Clinic) -> None:
    builders.patient(clinic)  # without any, it would be the first day
    page = desk(clinic).get("/today/").content.decode()
    assert "Fill in missing service cards" in page
    assert "Look at the held visits" in page


def test_a_call_outside_the_agreed_hours_asks_why_and_keeps_it(clinic: Clinic) -> None:
    step = a_call(clinic)
    Attempt.objects.update(send_at=NOW + timedelta(minutes=1))
    clinic.hours.all().delete()
    client = desk(clinic)
    assert "Call outside the agreed hours" in client.get(f"/today/?item={step.public_id}").content.decode()
    refused = post(client, step, "call", because="")
    assert refused.status_code == 409
    assert "Say why you call now" in refused.content.decode()
    assert post(client, step, "call", because="she asked for it").status_code == 302
    assert Attempt.objects.get(status=AttemptStatus.SENDING).why == "|she asked for it"


def test_where_there_are_no_words_no_message_is_offered_or_sent(clinic: Clinic) -> None:
    step = a_call(clinic)
    Step.objects.update(message_key="")
    client = desk(clinic)
    assert "Send the message" not in served(client)
    refused = post(client, step, outcome="message")
    assert refused.status_code == 409
    assert "There is no message about this" in refused.content.decode()


def test_a_late_step_that_was_just_tried_does_not_come_straight_back(clinic: Clinic) -> None:
    step = a_call(clinic)
    Step.objects.update(due_at=NOW - timedelta(days=1))
    client = desk(clinic)
    assert "Dana Levi" in client.get("/today/").content.decode()
    post(client, step, outcome="no_answer")
    assert f"?item={step.public_id}" not in client.get("/today/").content.decode()


def test_a_review_that_waits_offers_no_call(clinic: Clinic) -> None:
    patient = builders.patient(clinic)
    builders.step(builders.journey(patient), kind=StepKind.REVIEW, due_at=NOW - timedelta(days=1))
    page = served(desk(clinic))
    assert "The result has waited" in page
    assert "No answer" not in page


def test_each_outcome_says_what_follows_before_it_happens(clinic: Clinic) -> None:
    a_call(clinic)
    page = served(desk(clinic))
    assert page.count("SMS, today 13:00") == 2, "beside the facts and on the button"


def test_a_visit_the_patient_does_not_want_is_given_back_with_her_words(clinic: Clinic) -> None:
    call_command("load_catalogue", verbosity=0)
    step = builders.step(builders.journey(builders.patient(clinic)), kind=StepKind.CONFIRM)
    key = StepTemplate.objects.get(template__key="imaging_treatment", key="tell_decision")
    Step.objects.filter(pk=step.pk).update(template_step=key)
    Journey.objects.update(template=key.template)
    visit = builders.appointment(step.journey.patient, step=builders.step(step.journey, kind=StepKind.VISIT))
    client = desk(clinic)
    assert post(client, step, "finish", outcome="declined", note="").status_code == 409
    assert post(client, step, "finish", outcome="declined", note="I moved away").status_code == 302
    visit.refresh_from_db()
    step.refresh_from_db()
    assert (visit.status, visit.ended_because) == ("cancelled", "I moved away")
    assert (step.outcome, step.note) == ("declined", "I moved away")
    client.post(f"/today/undo/{DeskAction.objects.get().pk}/")
    visit.refresh_from_db()
    assert (visit.status, visit.slot_uses.count()) == ("booked", 30 // clinic.cell_minutes)


def test_a_step_is_ended_by_hand_and_named_in_the_bar(clinic: Clinic) -> None:
    step = builders.step(builders.journey(builders.patient(clinic)), kind=StepKind.PROMISE, title="the price")
    client = desk(clinic)
    assert post(client, step, "finish", outcome="nonsense").status_code == 409
    assert post(client, step, "finish", outcome="kept").status_code == 302
    page = client.get("/today/").content.decode()
    assert "Saved: Done as promised." in page
    client.post(f"/today/undo/{DeskAction.objects.get().pk}/")
    step.refresh_from_db()
    assert step.status == StepStatus.ACTIVE


def test_booking_a_time_that_is_taken_names_who_has_it(clinic: Clinic) -> None:
    step = a_call(clinic)
    start = NOW + timedelta(days=1)
    builders.appointment(
        builders.patient(clinic, given_name="Igor", phone="050-234-5670"),
        practitioner=builders.practitioner(clinic),
        start=start,
    )
    answer = post(desk(clinic), step, "finish", start=start.isoformat())
    assert answer.status_code == 409
    assert "is booked for Igor Levi" in answer.content.decode()


def test_a_broken_time_is_refused_in_words(clinic: Clinic) -> None:
    answer = post(desk(clinic), a_call(clinic), "finish", start="yesterday")
    assert answer.status_code == 409
    assert "This time has passed" in answer.content.decode()


def test_a_number_where_nobody_may_call_is_not_shown_to_call(clinic: Clinic) -> None:
    patient = builders.patient(clinic)
    patient.contacts.update(may_be_called=False)
    builders.step(builders.journey(patient), kind=StepKind.BOOK, due_at=NOW)
    page = served(desk(clinic))
    assert patient.full_name in page
    assert "tel:" not in page
