"""Refer with the visit held, take the result, decide: each move, its refusals, and what follows by itself."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils.timezone import localtime

from appointments import actions as appointments
from appointments.actions import SlotTakenError, Visit
from appointments.models import Appointment, AppointmentStatus, Location, Practitioner, Schedule
from journeys.actions import cancel_journey, complete_step, hold_step
from journeys.models import Journey, JourneyStatus, OwnerRole, Step, StepKind, StepStatus
from patients.actions import RefusedError, StaleStateError
from patients.models import Patient, Role
from referrals import links
from referrals.actions import (
    NewReferral,
    OtherTime,
    hold_ends,
    match_by_hand,
    receive_upload,
    record_review,
    refer,
    reject,
    revoke,
)
from referrals.arrivals import match_documents
from referrals.models import (
    Decision,
    DocumentStatus,
    IncomingDocument,
    Referral,
    ReferralStatus,
    Result,
    ResultStatus,
)
from referrals.queries import candidates_of, expected, late, referrals_visible_to, to_decide, unmatched
from tests import builders, mails
from tests.conftest import NOW

pytestmark = pytest.mark.django_db

VISIT_AT = datetime(2026, 3, 17, 8, 0, tzinfo=UTC)  # Tuesday of next week, 10:00 in Jerusalem
OTHER_AT = datetime(2026, 3, 18, 9, 0, tzinfo=UTC)
EXPECTED_AT = datetime(2026, 3, 12, 16, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
DECIDED = NOW + timedelta(hours=2)


@pytest.fixture
def doctor() -> Practitioner:
    """A doctor who receives every weekday from 9 to 17, with a calendar."""
    call_command("load_catalogue")
    clinic = builders.clinic()
    made = builders.practitioner(clinic, user=builders.user(Role.DOCTOR, at=clinic, last_name="Cohen"))
    room = Location.objects.create(clinic=clinic, name="Room 1")
    for weekday in (6, 0, 1, 2, 3):
        Schedule.objects.create(
            practitioner=made,
            location=room,
            weekday=weekday,
            start=time(9),
            end=time(17),
            valid_from=date(2026, 1, 1),
        )
    appointments.fill_slots(NOW, days=14)
    return made


@pytest.fixture
def patient(doctor: Practitioner) -> Patient:
    return builders.patient(doctor.clinic)


@pytest.fixture
def rina(doctor: Practitioner) -> User:
    return builders.user(at=doctor.clinic)


def new(patient: Patient, doctor: Practitioner, **fields: object) -> NewReferral:
    given = {
        "service": "Panoramic image",
        "expected_at": EXPECTED_AT,
        "title": "Tooth 36",
        "performer": "Carmel Imaging",
        "hold": Visit(patient, doctor, VISIT_AT, 30, "Extraction"),
        **fields,
    }
    return NewReferral(patient=patient, requester=doctor, **given)  # type: ignore[arg-type]


@pytest.fixture
def referral(patient: Patient, doctor: Practitioner, rina: User) -> Referral:
    return refer(new(patient, doctor), now=NOW, by=rina)


def send_in(referral: Referral, content: bytes = mails.PDF, *, now: datetime = LATER) -> Result | None:
    document = receive_upload(referral, "image.pdf", content, now=now)
    match_documents(now=now)
    return Result.objects.filter(document=document).first()


@pytest.fixture
def result(referral: Referral) -> Result:
    made = send_in(referral)
    assert made is not None
    return made


def active(journey: Journey) -> list[str]:
    return sorted(step.key for step in journey.steps.filter(status=StepStatus.ACTIVE))


def only_visit() -> Appointment:
    return Appointment.objects.select_related("step", "awaits").get()


# --- refer ---


def test_refer_promises_the_date_and_holds_the_visit(referral: Referral, rina: User) -> None:
    visit = only_visit()
    assert referral.step is not None
    assert (referral.step.kind, referral.step.due_at) == (StepKind.AWAIT_RESULT, EXPECTED_AT)
    assert (visit.status, visit.awaits, visit.start) == (AppointmentStatus.PENDING, referral.step, VISIT_AT)
    assert visit.hold_until == VISIT_AT - timedelta(hours=24)
    assert (referral.status, referral.made_by, len(referral.code)) == (ReferralStatus.ACTIVE, rina, 10)
    assert referral.journey.doctor == referral.requester.user


def test_refer_without_a_hold_needs_a_reason(patient: Patient, doctor: Practitioner) -> None:
    with pytest.raises(RefusedError, match=r"Hold a visit now, or say why not\."):
        refer(new(patient, doctor, hold=None, hold_refused_because="  "), now=NOW)
    made = refer(new(patient, doctor, hold=None, hold_refused_because="Goes abroad"), now=NOW)
    assert made.hold_refused_because == "Goes abroad"
    assert not Appointment.objects.exists()


def test_refer_makes_nothing_where_the_time_is_taken(
    referral: Referral, patient: Patient, doctor: Practitioner
) -> None:
    with pytest.raises(SlotTakenError):
        refer(new(patient, doctor), now=NOW)
    assert list(Referral.objects.all()) == [referral]
    assert list(Journey.objects.all()) == [referral.journey]


def test_refer_twice_with_one_key_is_one_referral(patient: Patient, doctor: Practitioner) -> None:
    first = refer(new(patient, doctor, request_key="form-1"), now=NOW)
    assert refer(new(patient, doctor, request_key="form-1"), now=LATER) == first
    assert Journey.objects.count() == 1


def test_refer_refuses_what_cannot_be_kept(patient: Patient, doctor: Practitioner) -> None:
    elsewhere = builders.practitioner()
    stranger = builders.patient(doctor.clinic, phone="054-765-4321")
    with pytest.raises(RefusedError, match="another clinic"):
        refer(new(patient, elsewhere), now=NOW)
    with pytest.raises(RefusedError, match="another patient"):
        refer(new(patient, doctor, hold=Visit(stranger, doctor, VISIT_AT, 30)), now=NOW)
    with pytest.raises(RefusedError, match="in the past"):
        refer(new(patient, doctor, expected_at=NOW), now=NOW)
    with pytest.raises(RefusedError, match="waits for no result"):
        refer(new(patient, doctor, template_key="recall"), now=NOW)
    assert not Journey.objects.exists()


def test_next_referral_answers_the_step_that_asked_for_it(patient: Patient, doctor: Practitioner) -> None:
    asked = builders.step(builders.journey(patient), kind=StepKind.REFER)
    refer(new(patient, doctor, answers=asked), now=NOW)
    asked.refresh_from_db()
    assert (asked.status, asked.outcome) == (StepStatus.COMPLETED, "referred")


@pytest.mark.parametrize(
    ("ahead", "until"),
    [
        (timedelta(days=8), timedelta(days=7)),
        (timedelta(hours=48), timedelta(hours=46)),
        (timedelta(hours=3), timedelta(hours=1)),
        (timedelta(hours=1), timedelta(hours=1)),
    ],
)
def test_hold_ends_a_day_before_the_visit_or_two_hours_where_it_is_near(
    ahead: timedelta, until: timedelta
) -> None:
    assert hold_ends(NOW + ahead, now=NOW) == NOW + until


# --- a result comes ---


def test_result_ends_the_wait_and_the_doctor_has_it_today(result: Result, referral: Referral) -> None:
    referral.refresh_from_db()
    assert active(referral.journey) == ["inform_arrival", "review"]
    assert (referral.status, result.version, result.status) == (
        ReferralStatus.COMPLETED,
        1,
        ResultStatus.FINAL,
    )
    assert result.review is not None
    assert result.review.owner == referral.requester.user
    assert result.review.due_at is not None
    assert localtime(result.review.due_at, ZoneInfo("Asia/Jerusalem")).date() == date(2026, 3, 9)
    assert only_visit().awaits == result.review
    document = result.document
    assert (document.status, document.matched_by, document.match_from) == ("matched", "code", None)
    assert [(file.name, file.content.read()) for file in document.files.all()] == [("image.pdf", mails.PDF)]


def test_same_upload_again_is_the_same_document(referral: Referral) -> None:
    first = receive_upload(referral, "image.pdf", mails.PDF, now=NOW)
    assert receive_upload(referral, "image (1).pdf", mails.PDF, now=LATER) == first
    stored = [path.name for path in Path(first.raw.storage.path("incoming")).rglob("*.bin")]
    assert len(stored) == 1
    assert "image" not in stored[0]


def test_second_file_before_the_decision_joins_the_review(result: Result, referral: Referral) -> None:
    second = send_in(referral, mails.PDF + b"%2")
    assert second is not None
    assert (second.version, second.status, second.review) == (2, ResultStatus.AMENDED, result.review)
    assert list(to_decide(Result.objects.all())) == [second]
    record_review(second, Decision.NO_TREATMENT, now=DECIDED, by=builders.user())
    result.refresh_from_db()
    assert result.decision == Decision.NO_TREATMENT


def test_correction_after_the_decision_opens_the_review_anew_once(result: Result, referral: Referral) -> None:
    record_review(result, Decision.TREAT, now=DECIDED, by=builders.user())
    corrected = [send_in(referral, mails.PDF + extra) for extra in (b"%2", b"%3")]
    reviews = referral.journey.steps.filter(kind=StepKind.REVIEW).order_by("round")
    assert [(step.round, step.status) for step in reviews] == [(1, "completed"), (2, "active")]
    assert [made.review for made in corrected if made] == [reviews[1], reviews[1]]


def test_correction_reaches_the_doctor_even_when_the_journey_has_ended(
    result: Result, referral: Referral
) -> None:
    record_review(result, Decision.NO_TREATMENT, now=DECIDED, by=builders.user())
    cancel_journey(referral.journey, reason="all told", now=LATER)
    corrected = send_in(referral, mails.PDF + b"%2")
    referral.journey.refresh_from_db()
    assert corrected is not None
    assert (referral.journey.status, active(referral.journey)) == (JourneyStatus.ACTIVE, ["review"])


def test_result_for_a_wait_that_was_put_on_hold_ends_it_all_the_same(referral: Referral) -> None:
    assert referral.step is not None
    hold_step(referral.step, now=NOW)
    assert send_in(referral) is not None
    assert active(referral.journey) == ["inform_arrival", "review"]


def test_result_in_a_journey_without_a_template_is_reviewed_too() -> None:
    referral = builders.referral()
    assert send_in(referral) is not None
    review = referral.journey.steps.get(kind=StepKind.REVIEW)
    assert (review.status, review.owner_role) == (StepStatus.ACTIVE, OwnerRole.DOCTOR)


@pytest.mark.parametrize(
    ("content", "filename", "problem"),
    [
        (b"", "image.pdf", "empty_attachment"),
        (mails.PDF, "image.jpg", "type_mismatch"),
        (mails.PDF + b" " * 2000, "image.pdf", "oversized_attachment"),
        (b"GIF89a", "image.gif", "unsupported_type"),
    ],
)
def test_file_nobody_can_look_at_does_not_end_the_wait(
    referral: Referral, settings: LazySettings, content: bytes, filename: str, problem: str
) -> None:
    settings.MAX_ATTACHMENT_BYTES = 1000
    document = receive_upload(referral, filename, content, now=NOW)
    match_documents(now=NOW)
    document.refresh_from_db()
    assert (document.status, document.reasons) == (DocumentStatus.UNMATCHED, [problem])
    assert candidates_of(document) == [referral]
    assert document.files.get().problem == problem
    assert "await_result" in active(referral.journey)


# --- a person decides whose it is ---


@pytest.fixture
def stray(doctor: Practitioner) -> IncomingDocument:
    """An empty upload for a revoked referral: in the desk's hands, with an owner and a clock."""
    revoked = builders.referral(builders.patient(doctor.clinic, phone="054-765-4321"), requester=doctor)
    revoke(revoked, because="wrong tooth", now=NOW, by=builders.user())
    document = receive_upload(revoked, "image.pdf", mails.PDF, now=NOW)
    match_documents(now=NOW)
    document.refresh_from_db()
    return document


def test_upload_for_a_revoked_referral_waits_for_a_person(stray: IncomingDocument) -> None:
    assert (stray.status, stray.reasons) == (DocumentStatus.UNMATCHED, ["unknown_code", "nothing_said"])
    assert stray.step is not None
    assert (stray.step.kind, stray.step.due_at) == (StepKind.IDENTIFY, NOW + timedelta(hours=2))
    assert stray.step.journey.status == JourneyStatus.UNIDENTIFIED
    assert list(unmatched(IncomingDocument.objects.all())) == [stray]
    assert stray.reason_words[0] == "Its referral code is closed or not ours."


def test_match_by_hand_ends_the_search_and_opens_the_review(
    stray: IncomingDocument, referral: Referral, rina: User
) -> None:
    made = match_by_hand(stray, referral, now=LATER, by=rina)
    stray.refresh_from_db()
    assert (stray.status, stray.matched_by, stray.ended_by) == (DocumentStatus.MATCHED, "person", rina)
    assert stray.step is not None
    assert (stray.step.outcome, stray.step.journey.status) == ("identified", JourneyStatus.COMPLETED)
    assert made.review is not None
    assert active(referral.journey) == ["inform_arrival", "review"]


def test_reject_keeps_the_document_with_the_reason(stray: IncomingDocument, rina: User) -> None:
    with pytest.raises(RefusedError, match="Say why"):
        reject(stray, because=" ", now=LATER, by=rina)
    reject(stray, because="Advertising", now=LATER, by=rina)
    stray.refresh_from_db()
    assert (stray.status, stray.rejected_because) == (DocumentStatus.REJECTED, "Advertising")
    assert stray.step is not None
    assert stray.step.outcome == "rejected"
    assert stray.raw.read() == mails.PDF


def test_document_is_settled_by_one_person_only(
    stray: IncomingDocument, referral: Referral, rina: User
) -> None:
    reject(stray, because="Advertising", now=LATER, by=rina)
    with pytest.raises(StaleStateError):
        match_by_hand(stray, referral, now=LATER, by=rina)
    with pytest.raises(StaleStateError):
        reject(stray, because="Again", now=LATER, by=rina)
    assert not Result.objects.exists()


def test_match_by_hand_stays_inside_the_clinic(stray: IncomingDocument, rina: User) -> None:
    with pytest.raises(RefusedError, match="another clinic"):
        match_by_hand(stray, builders.referral(), now=LATER, by=rina)


# --- the doctor decides ---


def test_treat_books_the_held_visit_and_tells(result: Result, referral: Referral) -> None:
    decided = record_review(result, Decision.TREAT, now=DECIDED, by=builders.user(), note="Two roots")
    visit = only_visit()
    assert visit.step is not None
    assert (visit.status, visit.step.kind, visit.step.due_at) == (
        AppointmentStatus.BOOKED,
        StepKind.VISIT,
        visit.end,
    )
    assert active(referral.journey) == ["tell_decision", "visit"]
    assert (decided.decision, decided.decided_at, decided.note) == (Decision.TREAT, DECIDED, "Two roots")


def test_treat_other_with_a_time_moves_the_hold_there_and_tells(result: Result, referral: Referral) -> None:
    record_review(result, Decision.TREAT_OTHER, now=DECIDED, by=builders.user(), at=OtherTime(OTHER_AT))
    visit = only_visit()
    assert (visit.status, visit.start) == (AppointmentStatus.BOOKED, OTHER_AT)
    assert active(referral.journey) == ["tell_decision", "visit"]
    result.refresh_from_db()
    assert result.decision == Decision.TREAT_OTHER


@pytest.mark.parametrize(
    ("decision", "follows"),
    [
        (Decision.TREAT_OTHER, "book"),
        (Decision.NO_TREATMENT, "tell_no_treatment"),
        (Decision.MORE_TESTS, "refer_again"),
        (Decision.CALL_TODAY, "call_today"),
    ],
)
def test_other_decisions_give_the_time_back(
    result: Result, referral: Referral, decision: Decision, follows: str
) -> None:
    record_review(result, decision, now=DECIDED, by=builders.user())
    assert active(referral.journey) == [follows]
    visit = only_visit()
    assert (visit.status, visit.slot_uses.count()) == (AppointmentStatus.CANCELLED, 0)


def test_treat_without_a_hold_asks_for_another_time(
    patient: Patient, doctor: Practitioner, rina: User
) -> None:
    referral = refer(new(patient, doctor, hold=None, hold_refused_because="Goes abroad"), now=NOW)
    result = send_in(referral)
    assert result is not None
    with pytest.raises(RefusedError, match="Choose another time"):
        record_review(result, Decision.TREAT, now=DECIDED, by=rina)
    result.refresh_from_db()
    assert (result.decision, active(referral.journey)) == ("", ["inform_arrival", "review"])
    record_review(result, Decision.TREAT_OTHER, now=DECIDED, by=rina, at=OtherTime(OTHER_AT))
    assert (only_visit().status, only_visit().start) == (AppointmentStatus.BOOKED, OTHER_AT)


def test_second_decision_is_told_who_decided(result: Result) -> None:
    cohen = builders.user(first_name="Ada", last_name="Cohen")
    record_review(result, Decision.TREAT, now=DECIDED, by=cohen)
    with pytest.raises(StaleStateError, match=r"Treat, keep the held visit \(Ada Cohen\)"):
        record_review(result, Decision.NO_TREATMENT, now=DECIDED, by=builders.user())


def test_time_that_is_taken_leaves_the_review_undecided(
    result: Result, patient: Patient, doctor: Practitioner, rina: User
) -> None:
    appointments.book(Visit(patient, doctor, OTHER_AT, 30), now=NOW)
    with pytest.raises(SlotTakenError):
        record_review(result, Decision.TREAT_OTHER, now=DECIDED, by=rina, at=OtherTime(OTHER_AT))
    result.refresh_from_db()
    assert result.decision == ""


def test_correction_decided_otherwise_stops_what_the_first_decision_began(
    result: Result, referral: Referral, rina: User
) -> None:
    record_review(result, Decision.TREAT, now=DECIDED, by=rina)
    corrected = send_in(referral, mails.PDF + b"%2")
    assert corrected is not None
    record_review(corrected, Decision.NO_TREATMENT, now=DECIDED, by=rina)
    assert active(referral.journey) == ["tell_no_treatment"]
    assert only_visit().status == AppointmentStatus.CANCELLED


def test_correction_decided_alike_keeps_the_booked_visit(
    result: Result, referral: Referral, rina: User
) -> None:
    record_review(result, Decision.TREAT, now=DECIDED, by=rina)
    corrected = send_in(referral, mails.PDF + b"%2")
    assert corrected is not None
    record_review(corrected, Decision.TREAT, now=DECIDED, by=rina)
    assert active(referral.journey) == ["tell_decision", "visit"]
    assert only_visit().status == AppointmentStatus.BOOKED


def test_correction_moves_the_booked_visit_to_the_time_the_doctor_chose(
    result: Result, referral: Referral, rina: User
) -> None:
    record_review(result, Decision.TREAT, now=DECIDED, by=rina)
    corrected = send_in(referral, mails.PDF + b"%2")
    assert corrected is not None
    record_review(corrected, Decision.TREAT_OTHER, now=DECIDED, by=rina, at=OtherTime(OTHER_AT))
    assert (only_visit().status, only_visit().start) == (AppointmentStatus.BOOKED, OTHER_AT)
    assert active(referral.journey) == ["tell_decision", "visit"]


# --- taken back ---


def test_revoke_ends_the_wait_and_gives_the_time_back(referral: Referral, rina: User) -> None:
    with pytest.raises(RefusedError, match="Say why"):
        revoke(referral, because="", now=LATER, by=rina)
    revoke(referral, because="Pregnant", now=LATER, by=rina)
    referral.refresh_from_db()
    assert (referral.status, referral.ended_because) == (ReferralStatus.REVOKED, "Pregnant")
    assert only_visit().status == AppointmentStatus.CANCELLED
    assert active(referral.journey) == []
    with pytest.raises(StaleStateError):
        revoke(referral, because="Again", now=LATER, by=rina)


def test_revoke_after_the_wait_was_ended_otherwise(referral: Referral, rina: User) -> None:
    complete_step(Step.objects.get(pk=referral.step_id or 0), "not_done", now=NOW)
    revoke(referral, because="Not going", now=LATER, by=rina)
    referral.refresh_from_db()
    assert referral.status == ReferralStatus.REVOKED
    assert only_visit().status == AppointmentStatus.CANCELLED


# --- links and lists ---


def test_upload_link_leads_to_its_referral_until_it_is_revoked(referral: Referral, rina: User) -> None:
    token = links.upload_token(referral)
    assert links.referral_for(token) == referral
    assert links.referral_for(token[:-1] + ("a" if token[-1] != "a" else "b")) is None
    assert links.referral_for(referral.code) is None
    revoke(referral, because="Pregnant", now=LATER, by=rina)
    assert links.referral_for(token) is None


def test_referrals_are_seen_by_their_clinic_only(referral: Referral, rina: User) -> None:
    assert list(expected(referrals_visible_to(rina))) == [referral]
    assert list(referrals_visible_to(builders.user(at=builders.clinic()))) == []


def test_referral_is_late_from_the_promised_moment(referral: Referral) -> None:
    assert list(late(Referral.objects.all(), now=EXPECTED_AT - timedelta(seconds=1))) == []
    assert list(late(Referral.objects.all(), now=EXPECTED_AT)) == [referral]
