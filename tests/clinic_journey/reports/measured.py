"""One case for each measure, kept or not, all of them begun on the Sunday before NOW at ten in the morning."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

from journeys.chases import log_chase
from journeys.models import OwnerRole, Step, StepKind, StepStatus
from outreach.models import Attempt, AttemptStatus, Reply, TaskStatus
from patients.actions import CardAnswers, save_card
from patients.models import Channel, Clinic, Patient
from tests import builders
from tests.conftest import NOW

HOUR = timedelta(hours=1)
SUNDAY = NOW - timedelta(days=1)  # 8 March 2026, 10:00
Make = Callable[..., Patient | None]


def done(step: Step, at: datetime, outcome: str) -> None:
    Step.objects.filter(pk=step.pk).update(status=StepStatus.COMPLETED, completed_at=at, outcome=outcome)


def sent(step: Step, at: datetime, **fields: Any) -> Attempt:
    task = builders.task(step, plan_from=None)
    given: dict[str, Any] = {
        "status": AttemptStatus.DELIVERED,
        "send_at": at,
        "called_at": at,
        "sent_at": at,
        "language": "he",
    }
    return builders.attempt(task, **{**given, **fields})


def step(clinic: Clinic, kind: StepKind, **fields: Any) -> Step:
    journey = builders.journey(builders.patient(clinic, language="he"), now=SUNDAY)
    return builders.step(journey, now=SUNDAY, kind=kind, **fields)


def whose(about: Step) -> Patient:
    patient = about.journey.patient
    assert patient
    return patient


def told_arrived(clinic: Clinic, *, met: bool) -> Patient:
    about = step(clinic, StepKind.TELL, message_key="result_arrived")
    sent(about, SUNDAY + (HOUR / 2 if met else HOUR * 2))
    return whose(about)


def decided(clinic: Clinic, *, met: bool) -> Patient:
    about = step(clinic, StepKind.REVIEW, owner_role=OwnerRole.DOCTOR)
    done(about, SUNDAY + (HOUR if met else HOUR * 26), "treat")
    return whose(about)


def reached(clinic: Clinic, *, met: bool) -> Patient:
    patient = builders.patient(clinic, language="he")
    referral = builders.referral(patient, now=SUNDAY - HOUR * 24)
    referral.results.create(
        document=builders.document(clinic),
        source_id="x",
        received_at=SUNDAY - HOUR,
        decision="treat",
        decided_at=SUNDAY,
    )
    about = builders.step(referral.journey, now=SUNDAY, kind=StepKind.CONFIRM)
    sent(about, SUNDAY + (HOUR if met else HOUR * 6))
    return patient


def leaves_with_date(clinic: Clinic, *, met: bool) -> Patient:
    patient = builders.patient(clinic)
    referral = builders.referral(patient, now=SUNDAY)
    made_at = SUNDAY + (timedelta() if met else HOUR * 3)
    builders.appointment(patient, awaits=referral.step, made_at=made_at)
    return patient


def card(clinic: Clinic, *, met: bool) -> Patient:
    patient = builders.patient(clinic)
    if met:
        save_card(patient, CardAnswers("sms", days_told=True, hours_told=True), now=SUNDAY, by=None)
    builders.appointment(patient, start=SUNDAY, status="fulfilled")
    return patient


def kept_window(clinic: Clinic, *, met: bool) -> Patient:
    about = step(clinic, StepKind.BOOK)
    windows = ((6, time(9), time(12)) if met else (6, time(16), time(20)),)
    save_card(whose(about), CardAnswers(Channel.SMS, windows, "he"), now=SUNDAY - HOUR * 24, by=None)
    sent(about, SUNDAY)
    return whose(about)


def own_language(clinic: Clinic, *, met: bool) -> Patient:
    about = step(clinic, StepKind.BOOK)
    sent(about, SUNDAY, language="he" if met else "en")
    return whose(about)


def answered_first(clinic: Clinic, *, met: bool) -> None:
    asked = SUNDAY
    builders.inquiry(clinic, asked_at=asked, answered_at=asked + (timedelta() if met else HOUR))


def answered_later(clinic: Clinic, *, met: bool) -> None:
    owed = builders.step(
        builders.journey(builders.patient(clinic), now=SUNDAY), kind=StepKind.CALL, now=SUNDAY
    )
    builders.inquiry(clinic, asked_at=SUNDAY, answered_at=SUNDAY + (HOUR if met else HOUR * 3), step=owed)


def promise_kept(clinic: Clinic, *, met: bool) -> Patient:
    about = step(clinic, StepKind.PROMISE, due_at=SUNDAY + HOUR * 2)
    done(about, SUNDAY + (HOUR if met else HOUR * 3), "kept")
    return whose(about)


def message_answered(clinic: Clinic, *, met: bool) -> Patient:
    about = step(clinic, StepKind.CALL)
    patient = whose(about)
    said = {"clinic": clinic, "patient": patient, "channel": "sms", "at": SUNDAY, "body": "Hello?"}
    Reply.objects.create(matter=about, **said)
    done(about, SUNDAY + (HOUR if met else HOUR * 4), "answered")
    return patient


def thanked(clinic: Clinic, *, met: bool) -> Patient:
    about = step(clinic, StepKind.THANK)
    if met:
        sent(about, SUNDAY + HOUR)
    else:
        done(about, SUNDAY + HOUR, "could_not_reach")
    return whose(about)


def apology_first(clinic: Clinic, *, met: bool) -> Patient:
    about = step(clinic, StepKind.PROMISE, message_key="apology", due_at=SUNDAY + HOUR * 8)
    log_chase(about, now=SUNDAY + HOUR)
    sent(about, SUNDAY + (HOUR / 2 if met else HOUR * 2))
    return whose(about)


def not_on_a_guess(clinic: Clinic, *, met: bool) -> Patient:
    about = step(clinic, StepKind.BOOK)
    task = builders.task(about, plan_from=None)
    hours = (-24, -16, -2) if met else (-24, -23, -22)
    for number in hours:
        at = SUNDAY + HOUR * number
        made: dict[str, Any] = {
            "send_at": at,
            "called_at": at,
            "channel": Channel.PHONE,
            "outcome": "no_answer",
        }
        builders.attempt(task, status=AttemptStatus.FAILED, **made)
    ended = {"status": TaskStatus.GIVEN_UP, "outcome": "attempts_used", "ended_at": SUNDAY}
    type(task).objects.filter(pk=task.pk).update(**ended)
    return whose(about)


MAKE: dict[str, Make] = {
    each.__name__: each
    for each in (
        told_arrived, decided, reached, leaves_with_date, card, kept_window, own_language, answered_first,
        answered_later, promise_kept, message_answered, thanked, apology_first, not_on_a_guess,
    )
}  # fmt: skip


def everything(clinic: Clinic) -> None:
    """Of each measure one case kept and one not."""
    for make in MAKE.values():
        make(clinic, met=True)
        make(clinic, met=False)
