"""Results: what is shown before a decision is what happens after it; one owner; nothing moves under the cursor."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.urls import reverse

from appointments.models import Appointment, AppointmentStatus
from clinic_journey import results_screen
from clinic_journey.decisions_ahead import decisions_ahead
from clinic_journey.desk import LEAVES_AFTER
from journeys.models import OwnerRole, Step, StepKind, StepStatus
from journeys.watch import watch_steps
from outreach.actions import open_tasks, plan_attempts
from outreach.dispatch import dispatch
from outreach.models import Attempt
from patients.actions import RefusedError, StaleStateError
from patients.models import Clinic, Role
from patients.queries import opening_hours
from referrals import passing
from referrals.actions import record_review
from referrals.models import Decision, Result, ReviewPass
from referrals.results import attach
from tests import builders
from tests.clinic_journey.on_the_desk import DAY, PNG, arrived, browser, next_version
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> object:
    call_command("load_catalogue", verbosity=0)
    builders.messages_loaded()
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


@pytest.fixture
def cohen(clinic: Clinic) -> User:
    return builders.user(Role.DOCTOR, at=clinic, first_name="Dan", last_name="Cohen")


@pytest.fixture
def shaham(clinic: Clinic) -> User:
    return builders.user(Role.DOCTOR, at=clinic, first_name="Noa", last_name="Shaham")


def page(user: User, **asked: str) -> str:
    """With what each decision sets going, as without scripts."""
    asked.setdefault("follows", "1")
    return browser(user).get(reverse("results"), asked).content.decode()


@pytest.mark.parametrize("decision", list(Decision))
def test_what_is_shown_before_a_decision_is_what_happens(
    clinic: Clinic, cohen: User, decision: Decision
) -> None:
    result = arrived(clinic, cohen)
    visit = Appointment.objects.select_related("practitioner__clinic", "awaits").get()
    assert result.review is not None
    opening = opening_hours(clinic, now=NOW)
    ahead = {each.decision: each for each in decisions_ahead(result, visit, opening=opening, now=NOW)}[
        decision
    ]
    open_before = set(Step.objects.values_list("pk", flat=True))
    record_review(result, decision, now=NOW, by=cohen)
    opened = Step.objects.exclude(pk__in=open_before).exclude(kind=StepKind.VISIT)
    shown = [(step.key, step.due_at) for step in ahead.for_reception]
    assert shown == [(step.key, step.due_at) for step in opened.filter(owner_role=OwnerRole.RECEPTIONIST)]
    visit.refresh_from_db()
    assert ahead.keeps == (visit.status == AppointmentStatus.BOOKED)
    open_tasks(now=NOW)
    plan_attempts(now=NOW)
    dispatch(now=NOW)
    told = Attempt.objects.filter(task__step__in=opened).exclude(body="")
    assert [attempt.body for attempt in told] == ([ahead.said.body] if ahead.said else [])
    assert (ahead.said is None) == (decision == Decision.CALL_TODAY)


def test_the_page_shows_both_languages_and_the_visit(clinic: Clinic, cohen: User) -> None:
    arrived(clinic, cohen)
    shown = page(cohen)
    assert "במרפאת" in shown or "מרפאת" in shown or "שלום" in shown  # hers
    assert "has kept Thursday 12 March" in shown  # the reader's
    assert "Decided: patient confirms the visit" in shown
    assert "books Thu 12.3 10:00" in shown


def test_what_a_link_names_is_shown_below_a_long_list(
    clinic: Clinic, cohen: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results_screen, "SHOWN", 1)
    arrived(clinic, cohen)
    last = arrived(clinic, cohen, family_name="Below")
    shown = page(cohen, list="decide", item=str(last.public_id))
    assert reverse("decide", args=[last.public_id]) in shown
    assert shown.count('class="queue-row') == 2


def test_the_note_reaches_reception_where_the_work_is(clinic: Clinic, cohen: User) -> None:
    result = arrived(clinic, cohen)
    said = {"decision": "call_today", "note": "Ask about allergies."}
    browser(cohen).post(reverse("decide", args=[result.public_id]), said)
    assert Step.objects.get(kind=StepKind.CALL).note == "Ask about allergies."


def test_what_follows_comes_after_the_page_and_is_the_same(clinic: Clinic, cohen: User) -> None:
    result = arrived(clinic, cohen)
    client, address = browser(cohen), reverse("follows", args=[result.public_id])
    first = client.get(reverse("results")).content.decode()
    assert f'hx-get="{address}"' in first
    assert "has kept Thursday 12 March" not in first
    part = client.get(address).content.decode()
    assert "has kept Thursday 12 March" in part
    assert part.count("hx-swap-oob") == 2
    record_review(result, "treat", now=NOW, by=cohen)
    assert client.get(address).status_code == 204
    assert browser(builders.user(at=clinic)).get(address).status_code == 403


class TestAnotherTime:
    def test_length_and_time_are_chosen_at_once(self, clinic: Clinic, cohen: User) -> None:
        result = arrived(clinic, cohen)
        visit = Appointment.objects.get()
        start = NOW + 5 * DAY
        builders.open_time(visit.practitioner, start, minutes=60)
        said = {"start": start.isoformat(), "minutes": "60"}
        answer = browser(cohen).post(reverse("decide", args=[result.public_id]), said)
        visit.refresh_from_db()
        result.refresh_from_db()
        assert answer.status_code == 302
        assert (visit.start, visit.end - visit.start) == (start, timedelta(hours=1))
        assert (visit.status, result.decision) == (AppointmentStatus.BOOKED, Decision.TREAT_OTHER)
        assert visit.slot_uses.count() == 6

    def test_a_time_that_is_taken_loses_nothing_typed(self, clinic: Clinic, cohen: User) -> None:
        result = arrived(clinic, cohen)
        visit = Appointment.objects.get()
        taken = builders.appointment(practitioner=visit.practitioner, start=NOW + 5 * DAY)
        said = {"start": taken.start.isoformat(), "minutes": "30", "note": "Two roots"}
        answer = browser(cohen).post(reverse("decide", args=[result.public_id]), said)
        assert (answer.status_code, "Two roots" in answer.content.decode()) == (409, True)
        result.refresh_from_db()
        assert result.decision == ""

    def test_times_follow_the_length(self, clinic: Clinic, cohen: User) -> None:
        result = arrived(clinic, cohen)
        doctor = Appointment.objects.get().practitioner
        builders.open_time(doctor, NOW + 4 * DAY, minutes=30)
        path = reverse("other_times", args=[result.public_id])
        times = {
            m: browser(cohen).get(path, {"minutes": m}).content.decode().count('name="start"')
            for m in (30, 60)
        }
        assert times == {30: 1, 60: 0}


class TestPassing:
    def pass_it(self, clinic: Clinic, cohen: User, shaham: User) -> ReviewPass:
        result = arrived(clinic, cohen)
        said = {"to": shaham.username, "because": "your field"}
        browser(cohen).post(reverse("pass_on", args=[result.public_id]), said)
        return ReviewPass.objects.select_related("review").get()

    def owner(self) -> User | None:
        return Step.objects.get(kind=StepKind.REVIEW).owner

    def answer(self, asked: ReviewPass, user: User, answer: str) -> int:
        path = reverse("answer_pass", args=[asked.public_id])
        return browser(user).post(path, {"answer": answer}).status_code

    def test_the_owner_stays_and_the_clock_runs_until_it_is_accepted(
        self, clinic: Clinic, cohen: User, shaham: User
    ) -> None:
        asked = self.pass_it(clinic, cohen, shaham)
        due_at = asked.review.due_at
        assert (self.owner(), "passed to you" in page(shaham), "passed to you" in page(cohen)) == (
            cohen,
            True,
            False,
        )
        assert self.answer(asked, shaham, "accept") == 302
        assert (self.owner(), Step.objects.get(kind=StepKind.REVIEW).due_at) == (shaham, due_at)

    def test_given_back_it_stays_with_its_owner(self, clinic: Clinic, cohen: User, shaham: User) -> None:
        asked = self.pass_it(clinic, cohen, shaham)
        self.answer(asked, shaham, "give_back")
        asked.refresh_from_db()
        assert (self.owner(), asked.answer) == (cohen, "given_back")

    def test_only_the_colleague_asked_can_answer(self, clinic: Clinic, cohen: User, shaham: User) -> None:
        asked = self.pass_it(clinic, cohen, shaham)
        assert self.answer(asked, cohen, "accept") == 404
        assert self.owner() == cohen

    def test_whoever_is_first_has_it(self, clinic: Clinic, cohen: User, shaham: User) -> None:
        asked = self.pass_it(clinic, cohen, shaham)
        self.answer(asked, shaham, "give_back")
        self.answer(asked, shaham, "accept")  # from a page that was open before
        assert self.owner() == cohen
        result = Result.objects.get()
        with pytest.raises(StaleStateError):
            passing.accept(asked, now=NOW, by=shaham)
        record_review(result, "no_treatment", now=NOW, by=cohen)
        assert result.review is not None
        with pytest.raises(StaleStateError):
            passing.pass_on(result.review, to=shaham, now=NOW, by=cohen)

    def test_a_decision_ends_the_pass(self, clinic: Clinic, cohen: User, shaham: User) -> None:
        asked = self.pass_it(clinic, cohen, shaham)
        record_review(Result.objects.get(), "no_treatment", now=NOW, by=cohen)
        asked.refresh_from_db()
        assert (asked.answer, asked.answered_at) == ("ended", NOW)
        with pytest.raises(StaleStateError):
            passing.accept(asked, now=NOW, by=shaham)

    def test_it_is_passed_to_one_doctor_of_this_clinic_at_a_time(
        self, clinic: Clinic, cohen: User, shaham: User
    ) -> None:
        asked = self.pass_it(clinic, cohen, shaham)
        third = builders.user(Role.DOCTOR, at=clinic)
        with pytest.raises(StaleStateError, match="already"):
            passing.pass_on(asked.review, to=third, now=NOW, by=cohen)
        self.answer(asked, shaham, "give_back")
        for nobody in (cohen, builders.user(at=clinic), builders.user(Role.DOCTOR, at=builders.clinic())):
            with pytest.raises(RefusedError):
                passing.pass_on(asked.review, to=nobody, now=NOW, by=cohen)


def test_a_correction_shows_what_was_decided_and_told(clinic: Clinic, cohen: User) -> None:
    first = arrived(clinic, cohen)
    record_review(first, "no_treatment", now=NOW, by=cohen)
    told = Step.objects.get(kind=StepKind.TELL, status=StepStatus.ACTIVE)
    builders.attempt(
        builders.task(told, plan_from=None), status="sent", sent_at=NOW, body="No visit is needed."
    )
    review = builders.step(first.referral.journey, kind=StepKind.REVIEW, owner=cohen, owner_role="doctor")
    next_version(first.referral, review)
    shown = page(cohen)
    assert "Corrected: version 2 arrived" in shown
    assert "No treatment needed</b>" in shown
    assert "No visit is needed." in shown


class TestPictures:
    def file(self, clinic: Clinic, cohen: User) -> Any:
        return arrived(clinic, cohen).document.files.get()

    def test_a_picture_is_shown_with_nothing_that_could_run(self, clinic: Clinic, cohen: User) -> None:
        shown = browser(cohen).get(reverse("image", args=[self.file(clinic, cohen).pk]))
        assert (shown.status_code, shown["Content-Type"], b"".join(shown)) == (200, "image/png", PNG)
        assert shown["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert shown["X-Content-Type-Options"] == "nosniff"

    @pytest.mark.parametrize(
        ("fields", "content"),
        [
            ({"content_type": "application/pdf"}, PNG),
            ({"content_type": "image/svg+xml"}, PNG),
            ({"problem": "type_mismatch"}, PNG),
            ({}, b"<script>alert(1)</script>"),
        ],
    )
    def test_what_is_no_picture_is_not_shown(
        self, clinic: Clinic, cohen: User, fields: dict[str, str], content: bytes
    ) -> None:
        file = self.file(clinic, cohen)
        file.content.save("b.png", ContentFile(content))
        for name, value in fields.items():
            setattr(file, name, value)
        file.save()
        assert browser(cohen).get(reverse("image", args=[file.pk])).status_code == 404

    def test_one_that_cannot_be_read_is_asked_for_again_and_the_review_rests(
        self, clinic: Clinic, cohen: User
    ) -> None:
        result = arrived(clinic, cohen)
        path = reverse("ask_again", args=[result.public_id])
        for _press in range(2):
            browser(cohen).post(path)
        asks = result.referral.journey.steps.get(kind=StepKind.AWAIT_RESULT, status=StepStatus.ACTIVE)
        promise = Step.objects.get(kind=StepKind.PROMISE)
        result.referral.refresh_from_db()
        assert (asks.owner_role, asks.due_at) == (OwnerRole.RECEPTIONIST, NOW + 2 * DAY)
        assert (promise.message_key, promise.contact_from, promise.due_at) == (
            "asked_again",
            NOW + LEAVES_AFTER,
            NOW + 3 * DAY,
        )
        assert (result.referral.status, result.referral.step) == ("active", asks)
        assert "Nothing to decide." in page(cohen)

    def test_what_comes_again_wakes_the_same_review(self, clinic: Clinic, cohen: User) -> None:
        result = arrived(clinic, cohen)
        browser(cohen).post(reverse("ask_again", args=[result.public_id]))
        again = attach(builders.document(clinic), result.referral, matched_by="code", now=NOW + DAY)
        assert again.review is not None
        again.review.refresh_from_db()
        assert (again.review_id, again.review.status) == (result.review_id, StepStatus.ACTIVE)
        record_review(again, "treat", now=NOW + DAY, by=cohen)
        assert Step.objects.get(kind=StepKind.PROMISE).outcome == "kept"
        assert Appointment.objects.get().status == AppointmentStatus.BOOKED


class TestExpected:
    def test_the_institute_is_asked_and_the_wait_rings_again(self, clinic: Clinic) -> None:
        rina = builders.user(at=clinic)
        referral = builders.referral(builders.patient(clinic), expected_at=NOW - DAY)
        Step.objects.update(due_at=NOW - DAY)
        path = reverse("chase", args=[referral.public_id])
        browser(rina).post(path, {"look": "0", "words": "tomorrow, they say"})
        assert Step.objects.get().due_at == NOW + DAY
        shown = page(rina, list="expected")
        assert "tomorrow, they say" in shown
        assert "asked; look again Tue 10.3 10:00" in shown

    @pytest.mark.parametrize("look", ["", "7", "-1", "x"])
    def test_it_says_when_to_look_again(self, clinic: Clinic, look: str) -> None:
        referral = builders.referral(builders.patient(clinic))
        due_at = Step.objects.get().due_at
        browser(builders.user(at=clinic)).post(reverse("chase", args=[referral.public_id]), {"look": look})
        assert Step.objects.get().due_at == due_at

    def test_late_ones_come_first(self, clinic: Clinic) -> None:
        for n, days in enumerate((3, -1, 1)):
            made = builders.referral(
                builders.patient(clinic, family_name=f"Name{days}", phone=f"050-234-600{n}"),
                expected_at=NOW + days * DAY,
            )
            Step.objects.filter(referrals=made).update(due_at=NOW + days * DAY)
        shown = page(builders.user(at=clinic), list="expected")
        order = re.findall(r'queue-who">Dana Name(-?\d)', shown)
        assert order == ["-1", "1", "3"]


def test_delay_is_said_in_words_and_the_apology_shown(clinic: Clinic, cohen: User) -> None:
    result = arrived(clinic, cohen)
    assert result.review is not None
    due_at = result.review.due_at
    assert due_at is not None
    watch_steps(now=due_at)
    with time_machine.travel(due_at + timedelta(minutes=1), tick=False):
        first = page(cohen)
    with time_machine.travel(due_at + 2 * DAY, tick=False):
        second = page(cohen)
    assert "late since Mon 9.3 19:00" in first
    assert ("pill-late" in first, "with the manager" in second, "pill-late" in second) == (False, True, True)
    assert "the patient was told we are late" in first


class TestLive:
    def test_what_arrives_is_a_line_to_press_and_moves_nothing(self, clinic: Clinic, cohen: User) -> None:
        arrived(clinic, cohen)
        path = re.search(r'hx-get="(/results/fresh/[^"]+)"', page(cohen))
        assert path is not None
        unchanged = browser(cohen).get(path[1].replace("&amp;", "&"))
        assert (unchanged.status_code, unchanged.content) == (204, b"")
        arrived(clinic, cohen)
        line = browser(cohen).get(path[1].replace("&amp;", "&"))
        assert "1 new" in line.content.decode()
        again = re.search(r'hx-get="(/results/fresh/[^"]+)"', line.content.decode())
        assert again is not None
        assert browser(cohen).get(again[1].replace("&amp;", "&")).status_code == 204

    def test_a_document_nobody_could_match_is_new_too(self, clinic: Clinic, cohen: User) -> None:
        arrived(clinic, cohen)
        waits = builders.document(clinic)  # came before the page was made, and was looked at after it
        path = re.search(r'hx-get="(/results/fresh/[^"]+)"', page(cohen))
        assert path is not None
        waits.step, waits.status = builders.step(kind=StepKind.IDENTIFY), "unmatched"
        waits.save()
        assert "1 new" in browser(cohen).get(path[1].replace("&amp;", "&")).content.decode()

    @pytest.mark.parametrize("since", ["", "x", "7", "7.", ".7", "1.2.3", "9" * 30 + ".1", "²"])
    def test_a_broken_mark_has_seen_nothing(self, cohen: User, since: str) -> None:
        assert browser(cohen).get(reverse("results_fresh"), {"since": since}).status_code in {200, 204}

    def test_nothing_of_another_clinic_is_counted(self, clinic: Clinic, cohen: User) -> None:
        arrived(builders.clinic())
        assert browser(cohen).get(reverse("results_fresh"), {"since": "0"}).status_code == 204


def to_decide(clinic: Clinic, number: int, doctor: User) -> None:
    """As little as a row of the list needs; the first of them is late."""
    who = builders.patient(clinic)
    for n in range(number):
        waits = builders.referral(who, status="completed")
        review = builders.step(
            waits.journey, kind=StepKind.REVIEW, owner=doctor, due_at=NOW + timedelta(hours=n - 1)
        )
        next_version(waits, review)


def expected(clinic: Clinic, number: int, _doctor: User) -> None:
    who = builders.patient(clinic)
    for _n in range(number):
        builders.referral(who)


def unmatched(clinic: Clinic, number: int, _doctor: User) -> None:
    finds = builders.step(kind=StepKind.IDENTIFY)
    for _n in range(number):
        builders.document(clinic, status="unmatched", step=finds)


@pytest.mark.parametrize("number", [1, 3, 200])
@pytest.mark.parametrize(
    ("shown", "fill", "queries"),
    [("decide", to_decide, 12), ("expected", expected, 11), ("unmatched", unmatched, 9)],
)
def test_the_lists_take_as_many_queries_for_one_row_as_for_two_hundred(
    cohen: User, django_assert_num_queries: Any, number: int, shown: str, fill: Any, queries: int
) -> None:
    fill(cohen.memberships.get().clinic, number, cohen)
    client = browser(cohen)
    client.get(reverse("results"), {"list": shown})
    with django_assert_num_queries(queries):
        assert client.get(reverse("results"), {"list": shown}).status_code == 200


def test_a_correction_takes_two_queries_more(
    clinic: Clinic, cohen: User, django_assert_num_queries: Any
) -> None:
    first = arrived(clinic, cohen)
    record_review(first, "no_treatment", now=NOW, by=cohen)
    review = builders.step(first.referral.journey, kind=StepKind.REVIEW, owner=cohen, owner_role="doctor")
    next_version(first.referral, review)
    client = browser(cohen)
    client.get(reverse("results"))
    with django_assert_num_queries(12):
        client.get(reverse("results"))


@pytest.mark.parametrize("name", ["decide", "pass_on", "ask_again"])
def test_reception_reads_and_does_not_decide(clinic: Clinic, cohen: User, name: str) -> None:
    result = arrived(clinic, cohen)
    rina = builders.user(at=clinic)
    assert (
        browser(rina).post(reverse(name, args=[result.public_id]), {"decision": "treat"}).status_code == 403
    )
    assert "The doctor decides" in page(rina)


def test_what_nobody_could_match_is_found_by_the_patients_name(clinic: Clinic) -> None:
    unmatched(clinic, 1, builders.user(at=clinic))
    document = clinic.documents.get()
    ours = builders.referral(builders.patient(clinic, given_name="Naomi", family_name="Peled"))
    builders.referral(builders.patient(clinic, given_name="Other"))
    theirs = builders.referral(builders.patient(builders.clinic(), given_name="Naomi", family_name="Peled"))
    rina = browser(builders.user(at=clinic))
    asked = {"list": "unmatched", "item": str(document.public_id)}

    assert ours.code not in rina.get(reverse("results"), asked).content.decode()
    found = rina.get(reverse("results"), {**asked, "q": "peled"}).content.decode()
    assert ours.code in found
    assert theirs.code not in found
    assert found.count('name="code" value=') == 1
    nobody = rina.get(reverse("results"), {**asked, "q": "Nobody"}).content.decode()
    assert "We wait for nothing from a patient of that name" in nobody
