"""Today as a page: the list costs the same for one row and for two hundred, and the panel comes by itself."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from clinic_journey.models import Serving
from clinic_journey.why import said
from journeys.models import Journey, Step, StepKind, StepTemplate
from outreach.actions import plan_attempts
from outreach.followup import after_contacts
from outreach.models import Attempt, AttemptStatus, OutreachTask, Reply
from patients.models import AuditEvent, Clinic, ServiceCard
from tests import builders
from tests.clinic_journey.test_today import a_call, desk, post, served
from tests.conftest import NOW
from tests.scenarios.house import frozen

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LIST, LIVE, PANEL = 12, 9, 38  # statements, the session and the audit trail included


@pytest.fixture(autouse=True)
def _monday_morning() -> Iterator[None]:
    with frozen(NOW):
        yield


@pytest.fixture
def clinic() -> Clinic:
    builders.messages_loaded()
    return builders.clinic()


def rows_of_each_kind(clinic: Clinic, rows: int) -> None:
    for n in range(rows):
        called = a_call(clinic, phone=f"050-23{n % 3}-{n:04}")
        builders.step(called.journey, kind=StepKind.PROMISE, title="the price")
        patient = builders.patient(clinic, phone=f"052-23{n % 3}-{n:04}")
        told = builders.step(builders.journey(patient), kind=StepKind.CONFIRM)
        builders.attempt(
            builders.task(told, plan_from=None, status="done", ended_at=NOW),
            status=AttemptStatus.SENT,
            sent_at=NOW,
        )
        builders.appointment(patient, step=told, start=NOW.replace(month=4, day=1 + n % 28))


@pytest.mark.parametrize("rows", [1, 3, 200])
def test_the_list_asks_as_much_for_one_row_as_for_two_hundred(
    clinic: Clinic, rows: int, django_assert_num_queries: Any
) -> None:
    client = desk(clinic)
    rows_of_each_kind(clinic, rows)
    client.get("/today/")
    with django_assert_num_queries(LIST):
        page = client.get("/today/").content.decode()
    assert page.count('class="queue-row"') == min(2 * rows, 300)  # 200 of each kind are read


@pytest.mark.parametrize("rows", [1, 3])
def test_the_live_part_asks_as_much_for_one_row_as_for_three(
    clinic: Clinic, rows: int, django_assert_num_queries: Any
) -> None:
    client = desk(clinic)
    rows_of_each_kind(clinic, rows)
    with django_assert_num_queries(LIVE):
        client.get("/today/live/?shown=p0.")


@pytest.mark.parametrize("rows", [1, 3])
def test_a_panel_asks_as_much_in_a_long_list(
    clinic: Clinic, rows: int, django_assert_num_queries: Any
) -> None:
    client = desk(clinic)
    rows_of_each_kind(clinic, rows)
    step = Step.objects.filter(kind=StepKind.BOOK).first()
    assert step
    client.get(f"/today/{step.public_id}/panel/")
    with django_assert_num_queries(PANEL):
        client.get(f"/today/{step.public_id}/panel/")


def test_the_list_alone_serves_nobody(clinic: Clinic) -> None:
    a_call(clinic)
    client = desk(clinic)
    page = client.get("/today/").content.decode()
    assert "Why now" not in page
    assert not Serving.objects.exists()
    assert "Why now" in served(client)
    assert Serving.objects.count() == 1


def test_without_scripts_the_list_leads_to_its_first_row(clinic: Clinic) -> None:
    step = a_call(clinic)
    client = desk(clinic)
    assert (
        f'<noscript><p><a class="btn btn-primary" href="?item={step.public_id}">'
        in client.get("/today/").content.decode()
    )
    assert "Why now" in client.get(f"/today/?item={step.public_id}").content.decode()


def test_a_panel_of_another_clinic_is_not_found(clinic: Clinic) -> None:
    step = a_call(builders.clinic())
    assert desk(clinic).get(f"/today/{step.public_id}/panel/").status_code == 404
    assert "Why now" not in desk(clinic).get(f"/today/?item={step.public_id}").content.decode()


@pytest.mark.parametrize("how", ["panel", "page"])
def test_an_open_row_names_every_reason_of_its_patient(clinic: Clinic, how: str) -> None:
    step = a_call(clinic)
    promise = builders.step(step.journey, kind=StepKind.PROMISE, title="the price")
    path = {"panel": f"/today/{promise.public_id}/panel/", "page": f"/today/?item={promise.public_id}"}[how]
    page = desk(clinic).get(path).content.decode()
    assert "the price" in page
    assert page.count("The next visit has been without a date for") == 1


# If no answer


def said_to_follow(page: str) -> str:
    found = re.search("<dt>If no answer</dt><dd>([^<]*)</dd>", page)
    return found[1] if found else ""


def planned_after(step: Step, now: datetime) -> str:
    """What the tick plans once it comes round, in the words of the page."""
    plan_attempts(now=now)
    attempt = Attempt.objects.filter(task__step=step, status=AttemptStatus.PLANNED).get()
    return f"{attempt.get_channel_display()}, {said(attempt.send_at, now=NOW)}"


def test_what_follows_a_call_by_hand_is_what_planning_then_does(clinic: Clinic) -> None:
    step = builders.step(
        builders.journey(builders.patient(clinic)), kind=StepKind.BOOK, message_key="next_step"
    )
    client = desk(clinic)
    follows = said_to_follow(served(client))
    post(client, step, outcome="no_answer")
    assert follows
    with timezone.override(clinic.time_zone):
        assert planned_after(step, NOW + timedelta(seconds=20)) == follows


def test_what_follows_a_planned_message_is_what_planning_then_does(clinic: Clinic) -> None:
    call_command("load_catalogue", verbosity=0)
    key = StepTemplate.objects.filter(needs_answer=True, kind=StepKind.BOOK).first()
    step = builders.step(
        builders.journey(builders.patient(clinic)),
        message_key="next_step",
        template_step=key,
        due_at=NOW + 9 * DAY,
    )
    clinic.hours.filter(kind="call", weekday=NOW.weekday()).delete()  # she may not call now
    sms = builders.attempt(builders.task(step, plan_from=None), send_at=NOW + HOUR, expires_at=NOW + 2 * HOUR)
    page = desk(clinic).get(f"/today/{step.public_id}/panel/").content.decode()
    assert "<dt>Planned</dt><dd>SMS, today 11:00</dd>" in page
    Attempt.objects.filter(pk=sms.pk).update(status=AttemptStatus.SENT, sent_at=NOW + HOUR)
    after_contacts([sms.task], now=NOW + HOUR)
    again_at = OutreachTask.objects.get().plan_from
    assert again_at
    with timezone.override(clinic.time_zone):
        assert planned_after(step, again_at) == said_to_follow(page)


def test_where_the_message_is_the_last_word_nothing_is_said_to_follow(clinic: Clinic) -> None:
    step = builders.step(
        builders.journey(builders.patient(clinic)), kind=StepKind.THANK, message_key="thank_you"
    )
    clinic.hours.filter(kind="call").delete()
    builders.attempt(builders.task(step, plan_from=None), send_at=NOW + HOUR, expires_at=NOW + 2 * HOUR)
    page = desk(clinic).get(f"/today/{step.public_id}/panel/").content.decode()
    assert "<dt>Planned</dt>" in page
    assert said_to_follow(page) == ""


# What arrives while the page is open


def promised(clinic: Clinic, name: str, due_at: datetime) -> Step:
    patient = builders.patient(clinic, given_name=name, phone=f"050-234-{sum(map(ord, name)) % 9000 + 1000}")
    return builders.step(builders.journey(patient), kind=StepKind.PROMISE, title="the price", due_at=due_at)


def mark_of(step: Step, sign: str = "") -> str:
    return f"p{step.journey.patient_id}{sign}"


def live(client: Client, *marks: str, **more: object) -> str:
    asked = "&".join(f"{name}={value}" for name, value in {"shown": ".".join(marks), **more}.items())
    return str(client.get(f"/today/live/?{asked}").content.decode())


def jumps_behind(words: str) -> str:
    found = re.search('<template id="jump" data-after="([^"]*)">', words)
    return found[1] if found else ""


def test_a_promise_just_broken_jumps_to_the_second_place_and_all_else_waits(clinic: Clinic) -> None:
    called, other = promised(clinic, "first", NOW + HOUR), promised(clinic, "second", NOW + 2 * HOUR)
    late = promised(clinic, "late", NOW - timedelta(minutes=1))
    arrived = promised(clinic, "arrived", NOW + 3 * HOUR)
    client = desk(clinic)
    words = live(client, mark_of(called), mark_of(other), mark_of(late))
    assert jumps_behind(words) == mark_of(called), "it is first in the order, and somebody works there"
    assert f'id="row-{mark_of(late)}"' in words
    assert f'id="row-{mark_of(arrived)}"' not in words
    assert "1 new" in words
    assert not jumps_behind(live(client, mark_of(called), mark_of(late, "!"), mark_of(other)))


def test_a_broken_promise_keeps_its_place_behind_what_is_more_pressing(clinic: Clinic) -> None:
    asked = [promised(clinic, f"asked {n}", NOW + HOUR) for n in range(2)]
    Step.objects.update(kind=StepKind.CALL)
    late = promised(clinic, "late", NOW - timedelta(minutes=1))
    marks = [mark_of(step) for step in asked]
    assert jumps_behind(live(desk(clinic), *marks)) == marks[1]
    assert "new" not in live(desk(clinic), *marks)
    assert not jumps_behind(live(desk(clinic), mark_of(late), *marks)), "the first stays where it is"


def test_a_mark_that_is_nobodys_key_is_passed_over(clinic: Clinic) -> None:
    assert "trouble" not in live(desk(clinic), "p" + "9" * 30, "p²", "p")


def test_the_live_part_is_the_same_while_nothing_changes(clinic: Clinic) -> None:
    late = promised(clinic, "late", NOW - timedelta(minutes=1))
    first = promised(clinic, "first", NOW + HOUR)
    client, path = desk(clinic), f"/today/live/?shown={mark_of(first)}.{mark_of(late)}"
    tag = client.get(path)["HX-PTag"]
    with frozen(NOW + timedelta(seconds=4)):
        assert client.get(path, headers={"HX-PTag": tag}).status_code == 304


def test_what_the_patient_writes_arrives_on_the_open_row(clinic: Clinic) -> None:
    step = a_call(clinic)
    asked = {"item": step.public_id, "heard": 0}
    client, patient = desk(clinic), step.journey.patient
    assert patient is not None
    assert "#replies" not in live(client, **asked)
    reply = Reply.objects.create(
        clinic=clinic, patient=patient, channel="sms", at=NOW, body="after five <please>"
    )
    words = live(client, **asked)
    assert 'hx-swap-oob="afterbegin:#replies"' in words
    assert "after five &lt;please&gt;" in words
    assert AuditEvent.objects.filter(what="today_live", patient_id=patient.pk).exists()
    assert "after five" not in live(client, item=step.public_id, heard=reply.pk)
    assert "after five" not in live(desk(builders.clinic()), **asked)
    assert "after five" in client.get(f"/today/{step.public_id}/panel/").content.decode()


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("owner", "role", "minutes", "told"),
    [
        ("me", "receptionist", 10, True),
        ("me", "doctor", 9, True),
        ("nobody", "receptionist", 10, True),
        ("nobody", "doctor", 9, False),
        ("another", "receptionist", 9, False),
        ("me", "receptionist", 11, False),
        ("me", "receptionist", -1, False),  # broken: it has a place of its own
    ],
)
def test_whoever_owes_a_promise_is_told_ten_minutes_before(
    clinic: Clinic, owner: str, role: str, minutes: int, told: bool
) -> None:
    me, another = builders.user(at=clinic), builders.user(at=clinic)
    step = promised(clinic, "soon", NOW + minutes * MINUTE)
    owners = {"me": me, "another": another, "nobody": None}
    Step.objects.filter(pk=step.pk).update(owner=owners[owner], owner_role=role)
    client = Client()
    client.force_login(me)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    link = f'<a class="pill pill-late" href="/today/?item={step.public_id}"'
    assert (link in live(client)) == told
    assert (link in client.get("/today/").content.decode()) == told


def test_a_promise_that_is_nearly_due_comes_once_and_goes_when_it_is_kept(clinic: Clinic) -> None:
    steps = [promised(clinic, name, NOW + n * MINUTE) for n, name in ((9, "second"), (5, "first"))]
    client = desk(clinic)
    page = live(client)
    assert "10:05 2 promises" in page
    mark = f"{steps[1].public_id}.2"
    assert f'id="due-soon" data-due="{mark}" hx-swap-oob="true"' in page
    assert "due-soon" not in live(client, due=mark)
    Step.objects.filter(pk=steps[1].pk).update(status="cancelled")
    assert "10:09 promise" in live(client, due=mark)
    Step.objects.update(status="cancelled")
    assert '<span id="due-soon" data-due="" hx-swap-oob="true"></span>' in live(client, due=mark)


# A save that comes second


@pytest.mark.parametrize("by_scripts", [True, False])
def test_a_refused_save_leads_back_to_its_row_with_the_words_in_their_field(
    clinic: Clinic, by_scripts: bool
) -> None:
    step = a_call(clinic)
    rina, dan = desk(clinic, first_name="Rina"), desk(clinic, first_name="Dan")
    post(rina, step, outcome="no_answer", seen="0")
    said_by_dan = {"outcome": "needs_doctor", "note": "does it hurt", "at": "2026-03-10T12:00", "seen": "0"}
    headers = {"X-Keeps-Trying": "1"} if by_scripts else {}
    answer = dan.post(f"/today/{step.public_id}/outcome/", said_by_dan, headers=headers)
    if by_scripts:
        assert answer["X-Refused"] == "1"  # the browser keeps its drafts
        answer = dan.get(answer["X-Go-To"])
    page = answer.content.decode()
    assert "Rina saved “No answer” at 10:00." in page
    assert re.search(r'name="asks" open>\s*<summary[^>]*data-key="Digit9"', page)
    assert (
        by_scripts
        or 'id="note-needs_doctor" name="note" maxlength="300" required value="does it hurt"' in page
    )
    assert by_scripts or 'value="2026-03-10T12:00"' in page


def test_a_skip_that_is_saved_leaves_nothing_to_keep_and_fields_beside_it_do(clinic: Clinic) -> None:
    step, client = a_call(clinic), desk(clinic)
    page = client.get(f"/today/{step.public_id}/panel/").content.decode()
    kept = re.findall(r'<input (?=[^>]*data-draft)[^>]*id="([^"]+)"', page)
    assert {"chase-words", "promise-words", "promise-picked", "note-skip"} <= set(kept)
    assert len(kept) == len(set(kept))
    said = {"outcome": "skip", "note": "the line is engaged"}
    saved = client.post(f"/today/{step.public_id}/outcome/", said, headers={"X-Keeps-Trying": "1"})
    assert (saved["X-Go-To"], saved.has_header("X-Refused")) == ("/today/", False)


def test_words_refused_outside_the_hours_still_have_their_field(clinic: Clinic) -> None:
    step = a_call(clinic)
    clinic.hours.all().delete()
    Attempt.objects.update(send_at=NOW + HOUR)
    answer = post(desk(clinic), step, outcome="needs_doctor", note="does it hurt", at="2026-03-10T12:00")
    assert 'required value="does it hurt"' in answer.content.decode()


# A break


def test_in_a_break_nobody_is_opened_or_kept_until_it_ends(clinic: Clinic) -> None:
    step = a_call(clinic)
    rina, dan = desk(clinic, first_name="Rina"), desk(clinic, first_name="Dan")
    served(rina)
    assert rina.post("/today/pause/", {"on": "1"}).headers["Location"] == "/today/"
    assert not Serving.objects.exists()
    page = rina.get("/today/").content.decode()
    assert "Paused" in page
    assert "data-serve" not in page
    assert "data-serve" in dan.get("/today/").content.decode(), "the break is hers alone"
    assert "Why now" in rina.get(f"/today/?item={step.public_id}").content.decode(), "a chosen row opens"
    post(rina, step, outcome="no_answer")
    assert "data-serve" not in rina.get("/today/").content.decode()
    rina.post("/today/pause/")
    a_call(clinic, phone="050-234-5679")
    assert "Why now" in served(rina)


def test_the_script_names_the_first_two_times_in_the_patients_language(clinic: Clinic) -> None:
    step, doctor = a_call(clinic, language="ru"), builders.practitioner(clinic, user=builders.user(at=clinic))
    Journey.objects.update(doctor=doctor.user)
    for days in (1, 2, 3):
        builders.open_time(doctor, NOW + days * DAY, minutes=30)
    page = desk(clinic).get(f"/today/{step.public_id}/panel/").content.decode()
    assert "Есть свободное время: вторник, 10 марта, 10:00 или среда, 11 марта, 10:00." in page


def test_the_script_names_times_at_which_she_can_come_and_the_choice_is_kept(clinic: Clinic) -> None:
    step, doctor = a_call(clinic, language="en"), builders.practitioner(clinic, user=builders.user(at=clinic))
    Journey.objects.update(doctor=doctor.user)
    patient = step.journey.patient
    assert patient
    for days, hour in ((1, 0), (2, 0), (9, 7), (10, 7)):  # 10:00, and 17:00 in more than a week
        builders.open_time(doctor, NOW + days * DAY + timedelta(hours=hour), minutes=30)
    rina, panel = desk(clinic), f"/today/{step.public_id}/panel/"
    page = rina.get(panel).content.decode()
    assert "Tuesday 10 March, 10:00" in page
    assert "<b>not asked yet</b>" in page
    back = f"/today/?item={step.public_id}"
    said = {"coming": ["after_work"], "coming_shown": "", "next": back}
    answer = rina.post(f"/patients/{patient.public_id}/coming/", said)
    assert (answer.status_code, answer["Location"]) == (302, back)
    page = rina.get(panel).content.decode()
    assert "<b>After work, from 17</b>" in page
    assert "Wednesday 18 March, 17:00" in page.split("Save")[0]
    times = rina.get(panel).context["panel"].times
    assert [start.day for start in times] == [18, 19, 10, 11]
    answer = rina.post(
        f"/patients/{patient.public_id}/coming/", {**said, "coming": ["x"], "next": "//evil.example"}
    )
    assert answer["Location"] == f"/patients/{patient.public_id}/"
    assert ServiceCard.objects.get(patient=patient).coming_windows.count() == 7


@pytest.mark.parametrize(("language", "shown"), [("ru", True), ("en", False)])
def test_the_script_can_be_read_in_the_readers_language(clinic: Clinic, language: str, shown: bool) -> None:
    step = a_call(clinic, language=language)
    page = desk(clinic).get(f"/today/{step.public_id}/panel/").content.decode()
    assert ('data-key="KeyE">In your language' in page) == shown
    assert page.count("Your next visit is ready to book.") == 1


def test_call_today_is_told_beside_the_list_until_it_is_done(clinic: Clinic) -> None:
    call_command("load_catalogue", verbosity=0)
    client = desk(clinic)
    assert "call today" not in live(client)
    template = StepTemplate.objects.filter(key="call_today").first()
    fields: dict[str, Any] = {"kind": StepKind.CALL, "template_step": template}
    first, _second = [
        builders.step(builders.journey(builders.patient(clinic, phone=f"050-234-{n}")), **fields)
        for n in (5000, 5001)
    ]
    builders.step(builders.journey(builders.patient(clinic)), kind=StepKind.CALL)  # somebody wrote
    page = live(client)
    assert f'<a class="pill pill-due" href="/today/?item={first.public_id}"' in page
    assert "call today: 2 patients" in page
    assert "call today: 2 patients" in client.get("/today/").content.decode()
    mark = f"{first.public_id}.2"
    assert f'data-due="{mark}"' in page
    assert "due-soon" not in live(client, due=mark)  # it is there already, and the focus may be on it
    Step.objects.filter(pk=first.pk).update(status="cancelled")
    assert "call today: 1 patient" in live(client, due=mark)
