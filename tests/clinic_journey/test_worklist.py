"""The order of Today and its sentences: fixed tiers, then the window that closes first, then the oldest."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from clinic_journey.due import Due
from clinic_journey.why import Facts, Visit, said, why_now
from clinic_journey.worklist import Row, merged, midnight, tier_of, with_doctor, worklist
from journeys.models import OwnerRole, Step, StepKind, StepStatus
from outreach.models import AttemptStatus
from patients.access import Here
from patients.models import Channel, Clinic, Patient, Role
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _in_the_clinics_time() -> Iterator[None]:
    with timezone.override("Asia/Jerusalem"):
        yield


def here(clinic: Clinic, role: str = Role.RECEPTIONIST, now: datetime = NOW) -> Here:
    return Here(builders.user(role, at=clinic), clinic, role, now)


def somebody(clinic: Clinic, name: str) -> Patient:
    return builders.patient(clinic, given_name=name, phone=f"050-234-{sum(map(ord, name)) % 9000 + 1000}")


def due(clinic: Clinic, name: str, kind: str, **fields: Any) -> Step:
    """A step of its own patient that only a person can move."""
    return builders.step(builders.journey(somebody(clinic, name)), kind=kind, **fields)


def tell_her(step: Step) -> None:
    """A message about it has left."""
    done = builders.task(step, plan_from=None, status="done", ended_at=NOW)
    builders.attempt(done, status=AttemptStatus.SENT, sent_at=NOW - DAY)


def names(rows: list[Row]) -> list[str]:
    return [row.name.removesuffix(" Levi") for row in rows]


def test_the_tiers_stand_in_their_fixed_order_whatever_is_late() -> None:
    clinic = builders.clinic()
    builders.step(
        builders.journey(somebody(clinic, "x"), status="active"), kind=StepKind.IDENTIFY, due_at=NOW - 9 * DAY
    )
    due(clinic, "thanked", StepKind.THANK, due_at=NOW - 8 * DAY)
    due(clinic, "recalled", StepKind.RECALL, due_at=NOW - 7 * DAY)
    due(clinic, "next step", StepKind.BOOK, due_at=NOW - 6 * DAY)
    missed = due(clinic, "missed", StepKind.BOOK, due_at=NOW - 5 * DAY)
    ended: dict[str, Any] = {
        "status": StepStatus.COMPLETED,
        "outcome": "no_show",
        "completed_at": NOW - 2 * DAY,
    }
    builders.step(missed.journey, kind=StepKind.VISIT, **ended)
    near = due(clinic, "unconfirmed", StepKind.CONFIRM, due_at=NOW - 4 * DAY)
    builders.appointment(near.journey.patient, step=near, start=NOW + DAY)
    tell_her(near)
    due(clinic, "decided", StepKind.CONFIRM, due_at=NOW - 3 * DAY)
    due(clinic, "promised", StepKind.PROMISE, title="x", due_at=NOW - 2 * DAY)
    due(clinic, "doctor asks", StepKind.CALL, due_at=NOW - DAY)
    assert names(worklist(here(clinic)).now) == [
        "doctor asks",
        "promised",
        "decided",
        "unconfirmed",
        "missed",
        "next step",
        "recalled",
        "thanked",
        "x",
    ]


def test_within_a_tier_what_closes_first_then_the_oldest() -> None:
    clinic = builders.clinic()
    due(clinic, "young", StepKind.BOOK, due_at=NOW + HOUR, opened_at=NOW)
    due(clinic, "old", StepKind.BOOK, due_at=NOW + HOUR, opened_at=NOW - DAY)
    due(clinic, "first", StepKind.BOOK, due_at=NOW + HOUR / 2)
    assert names(worklist(here(clinic)).now) == ["first", "old", "young"]


def test_a_patient_has_one_row_with_every_reason() -> None:
    clinic = builders.clinic()
    tell = due(clinic, "Dana", StepKind.TELL, due_at=NOW - HOUR)
    builders.step(tell.journey, kind=StepKind.PROMISE, title="call about the images", due_at=NOW + HOUR)
    (row,) = worklist(here(clinic)).now
    assert row.due.kind == StepKind.PROMISE
    assert row.reasons == [
        "We promised by today 11:00: call about the images",
        "There has been news for 0\xa0minutes and the patient has not heard it from us.",
    ]


def test_told_but_not_confirmed_is_less_pressing_than_not_told() -> None:
    clinic = builders.clinic()
    tell_her(due(clinic, "told", StepKind.CONFIRM, due_at=NOW - 2 * HOUR))
    due(clinic, "not told", StepKind.CONFIRM, due_at=NOW - HOUR)
    assert names(worklist(here(clinic)).now) == ["not told", "told"]


@pytest.mark.parametrize("ahead", [HOUR, DAY, 3 * DAY])
def test_who_was_not_told_does_not_sink_as_her_visit_nears(ahead: timedelta) -> None:
    clinic = builders.clinic()
    told = due(clinic, "told", StepKind.CONFIRM, due_at=NOW - 2 * HOUR)
    tell_her(told)
    untold = due(clinic, "not told", StepKind.CONFIRM, due_at=NOW - HOUR)
    for step in (told, untold):
        builders.appointment(step.journey.patient, step=step, start=NOW + ahead)
    assert names(worklist(here(clinic)).now) == ["not told", "told"]


def test_a_call_we_gave_up_on_is_as_pressing_as_what_it_was_about() -> None:
    recall = builders.step(kind=StepKind.RECALL)
    call = builders.step(recall.journey, kind=StepKind.CALL, title="no answer", about=recall)
    assert tier_of(Due.of(call), Facts(), now=NOW) == tier_of(Due.of(recall), Facts(), now=NOW)


def test_later_today_ends_at_the_clinics_midnight() -> None:
    clinic = builders.clinic()
    at = here(clinic)
    assert midnight(at) == datetime(2026, 3, 9, 22, 0, tzinfo=UTC)
    for name, send_at in (("evening", 11 * HOUR), ("tomorrow", 14 * HOUR + HOUR / 2)):
        step = due(clinic, name, StepKind.BOOK)
        task = builders.task(step, plan_from=None)
        builders.attempt(task, channel=Channel.PHONE, send_at=NOW + send_at, expires_at=NOW + send_at + HOUR)
    found = worklist(at)
    assert (names(found.now), names(found.later)) == ([], ["evening"])


def test_a_patient_who_is_to_be_called_now_is_not_listed_for_later_too() -> None:
    clinic = builders.clinic()
    step = due(clinic, "Dana", StepKind.TELL)
    other = builders.step(step.journey, kind=StepKind.BOOK)
    task = builders.task(other, plan_from=None)
    builders.attempt(task, channel=Channel.PHONE, send_at=NOW + HOUR, expires_at=NOW + 2 * HOUR)
    found = worklist(here(clinic))
    assert (names(found.now), names(found.later)) == (["Dana"], [])


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_asks_as_much_for_one_row_as_for_three(rows: int, django_assert_num_queries: Any) -> None:
    clinic = builders.clinic()
    for n in range(rows):
        due(clinic, f"patient {n}", StepKind.BOOK)
        task = builders.task(due(clinic, f"called {n}", StepKind.CONFIRM), plan_from=None)
        builders.attempt(task, channel=Channel.PHONE)
    at = here(clinic)
    with django_assert_num_queries(4):
        assert len(worklist(at).now) == 2 * rows


def test_waiting_for_the_doctor_is_read_up_to_what_a_badge_shows() -> None:
    clinic = builders.clinic()
    due(clinic, "Dana", StepKind.REVIEW, owner_role=OwnerRole.DOCTOR)
    assert with_doctor(here(clinic)) == 1


FACTS = Facts(decided_at=NOW - timedelta(minutes=40))


@pytest.mark.parametrize(
    ("kind", "fields", "facts", "words"),
    [
        ("promise", {"title": "the price"}, Facts(), "We promised by today 14:00: the price"),
        (
            "promise",
            {"title": "the price", "due_at": NOW - HOUR},
            Facts(),
            "We promised by today 09:00 and are late: the price",
        ),
        ("call", {}, Facts(), "The doctor asked 1\xa0hour ago that we call the patient today."),
        ("call", {"title": "Dana asks: does it hurt"}, Facts(), "Dana asks: does it hurt"),
        (
            "tell",
            {},
            Facts(arrived_at=NOW - 2 * HOUR),
            "Everything we were waiting for arrived 2\xa0hours ago; the patient has not heard it from us.",
        ),
        ("confirm", {}, FACTS, "The doctor decided 40\xa0minutes ago. The visit has no date yet."),
        ("book", {}, FACTS, "The doctor decided 40\xa0minutes ago. The next visit has no date."),
        (
            "book",
            {},
            Facts(not_kept="no_show", not_kept_at=NOW - 2 * DAY),
            "The visit was missed 2\xa0days ago and there is no new date.",
        ),
        (
            "recall",
            {"last_visit_at": NOW - 180 * DAY},
            Facts(),
            "The last visit was on 10 September 2025; it is time for the check-up.",
        ),
        ("recall", {}, Facts(), "It is time for the check-up."),
        (
            "await_result",
            {"due_at": NOW - 3 * DAY},
            Facts(),
            "The result was due 3\xa0days ago; ask the institute.",
        ),
        ("identify", {}, Facts(), "A document came 1\xa0hour ago and nobody knows whose it is."),
    ],
)
def test_why_now_is_one_sentence_with_facts(
    kind: str, fields: dict[str, Any], facts: Facts, words: str
) -> None:
    seen = {"last_visit_at": fields.pop("last_visit_at", None)}
    step = builders.step(kind=kind, **{"opened_at": NOW - HOUR, **fields})
    assert why_now(Due.of(step)._replace(**seen), facts, now=NOW) == words


def test_a_visit_is_named_as_it_stands() -> None:
    held = Visit(NOW + DAY, NOW + DAY + HOUR, "pending", NOW + DAY / 2, None)
    step = builders.step(kind=StepKind.CONFIRM)
    words = why_now(Due.of(step), Facts(decided_at=NOW - HOUR, visit=held), now=NOW)
    assert words == "The doctor decided 1\xa0hour ago. The visit tomorrow 10:00 is held until today 22:00."


def test_days_are_said_by_name() -> None:
    assert said(NOW + 3 * DAY, now=NOW) == "Thursday 12 March, 10:00"


def test_merging_keeps_the_order_of_the_most_pressing_reason() -> None:
    recall, tell = builders.step(kind=StepKind.RECALL), builders.step(kind=StepKind.TELL)
    rows = [Row(Due.of(recall), Facts(), 6, NOW), Row(Due.of(tell), Facts(), 2, NOW)]
    assert [row.due.pk for row in merged(rows)] == [tell.pk, recall.pk]
