"""Thanks reach whom they are for, one's figures are one's own, and the manager is asked to thank once a month."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from journeys.ledgers import promises_by_team
from journeys.models import OwnerRole, Step, StepKind, StepStatus
from outreach.matters import record_feeling, stage_to_ask
from outreach.models import Reply
from outreach.praise import (
    MONTH,
    Figures,
    figures,
    note_extra,
    prompt_recognition,
    say_whom,
    thank,
    thanks_from_messages,
    who_is_meant,
)
from outreach.praise_models import Praise
from patients.actions import RefusedError, StaleStateError
from patients.models import Clinic, Patient, Role
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def patient() -> Patient:
    return builders.patient(language="en")


@pytest.fixture
def clinic(patient: Patient) -> Clinic:
    return patient.clinic


def refused(write: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        write()


def test_what_the_database_keeps_of_praise(patient: Patient) -> None:
    rina, praise = builders.user(at=patient.clinic), builders.praise(patient)
    rows = Praise.objects.filter(pk=praise.pk)
    refused(lambda: rows.update(words=""))
    refused(lambda: rows.update(kind="x"))
    refused(lambda: rows.update(patient=None))
    refused(lambda: rows.update(kind="extra"))
    refused(lambda: rows.update(kind="extra", to=rina, by=rina))


def test_thanks_are_with_whom_the_patient_named(patient: Patient, clinic: Clinic) -> None:
    rina = builders.user(at=clinic, first_name="Rina", last_name="Levi")
    doctor = builders.user(Role.DOCTOR, at=clinic, first_name="Igor")
    builders.practitioner(clinic, name="Dr Cohen", user=doctor)
    builders.user(at=builders.clinic(), first_name="Rina")
    assert who_is_meant(clinic, "rina") == rina
    assert who_is_meant(clinic, "Cohen") == doctor
    assert who_is_meant(clinic, "Dr. Cohen") == doctor
    builders.user(at=clinic, first_name="Rina", last_name="Katz")
    assert who_is_meant(clinic, "Rina") is None  # two of them: a person says who
    assert who_is_meant(clinic, "") is None
    praise = thank(patient, "You waited with me.", "Rina Levi", now=NOW)
    assert praise
    assert (praise.to, praise.named, praise.kind) == (rina, "Rina Levi", "thanks")
    assert thank(patient, "You waited with me.", now=NOW + HOUR) == praise
    assert thank(patient, "  ", now=NOW) is None
    assert Reply.objects.get().meaning == "thanks"


def test_thanks_that_name_nobody_are_given_to_somebody_once(patient: Patient, clinic: Clinic) -> None:
    praise, rina, dan = builders.praise(patient), builders.user(at=clinic), builders.user(at=clinic)
    say_whom(praise, rina)
    with pytest.raises(StaleStateError):
        say_whom(praise, dan)
    praise.refresh_from_db()
    assert praise.to == rina


def test_a_message_of_thanks_waits_for_no_answer(patient: Patient, clinic: Clinic) -> None:
    rina, matter = builders.user(at=clinic), builders.step(builders.journey(patient), kind=StepKind.CALL)
    said = {"clinic": clinic, "patient": patient, "channel": "sms", "at": NOW, "matter": matter}
    Reply.objects.create(body="Thank you, Rina!", **said)
    praise = thanks_from_messages(patient, rina, heard=None, now=NOW, by=rina)
    matter.refresh_from_db()
    assert (praise.words, praise.to, matter.outcome) == ("Thank you, Rina!", rina, "thanks")
    with pytest.raises(StaleStateError):
        thanks_from_messages(patient, rina, heard=None, now=NOW, by=rina)


def test_an_extra_step_is_seen_by_somebody_else(clinic: Clinic) -> None:
    rina, dan = builders.user(at=clinic), builders.user(at=clinic)
    with pytest.raises(RefusedError, match="yourself"):
        note_extra(clinic, rina, "Stayed late", now=NOW, by=rina)
    with pytest.raises(RefusedError, match="what your colleague did"):
        note_extra(clinic, rina, " ", now=NOW, by=dan)
    assert note_extra(clinic, rina, "Stayed late", now=NOW, by=dan).to == rina


def test_figures_are_of_all_or_of_oneself(patient: Patient, clinic: Clinic) -> None:
    rina, dan = builders.user(at=clinic), builders.user(at=clinic)
    builders.praise(patient, to=rina)
    builders.praise(patient, to=dan, at=NOW - 40 * DAY)
    note_extra(clinic, dan, "Stayed late", now=NOW, by=rina)
    journey = builders.journey(patient)
    kept: dict[str, Any] = {"status": StepStatus.COMPLETED, "outcome": "kept", "due_at": NOW - HOUR}
    builders.step(journey, kind=StepKind.PROMISE, owner=rina, completed_at=NOW - 2 * HOUR, **kept)
    builders.step(journey, kind=StepKind.PROMISE, owner=dan, completed_at=NOW, **kept)
    builders.step(journey, kind=StepKind.PROMISE, owner=dan, due_at=NOW + HOUR)
    early = {**kept, "due_at": NOW + HOUR}  # kept before its time: it held already
    builders.step(journey, kind=StepKind.PROMISE, owner=rina, completed_at=NOW - HOUR, **early)
    assert figures(clinic, now=NOW) == Figures(thanks=1, extra=1, due=3, kept=2)
    (team,) = promises_by_team(clinic, since=NOW - MONTH, now=NOW)
    assert (team.due, team.kept) == (3, 2)  # the ledger counts the same
    assert figures(clinic, now=NOW, of=rina) == Figures(thanks=1, extra=0, due=2, kept=2)
    assert figures(clinic, now=NOW, of=dan) == Figures(thanks=0, extra=1, due=1, kept=0)


def test_the_manager_is_asked_to_thank_once_a_month_and_only_from_evidence(patient: Patient) -> None:
    assert prompt_recognition(now=NOW) == 0
    builders.praise(patient)
    assert prompt_recognition(now=NOW + HOUR) == 1
    assert prompt_recognition(now=NOW + 2 * HOUR) == 0
    step = Step.objects.get()
    assert (step.kind, step.owner_role, step.journey.patient) == (StepKind.THANK, OwnerRole.MANAGER, None)
    assert step.names["en"] == "Thank colleagues, March: patients' thanks 1, extra steps 0"
    builders.praise(patient, at=NOW + 30 * DAY)
    assert prompt_recognition(now=NOW + 31 * DAY) == 1


def test_a_stage_is_asked_about_once_and_at_most_once_a_month(patient: Patient) -> None:
    visit = builders.step(builders.journey(patient), kind=StepKind.VISIT)
    assert stage_to_ask(patient, shown=visit.journey, now=NOW) is None
    first = builders.appointment(patient, status="fulfilled", start=NOW - DAY, step=visit)
    assert stage_to_ask(patient, shown=visit.journey, now=NOW) == first
    record_feeling(visit.journey, "going_so_so", "The chair was cold", now=NOW)
    reply = Reply.objects.get()
    assert (reply.meaning, reply.body, reply.step) == ("going_so_so", "The chair was cold", visit)
    assert stage_to_ask(patient, shown=visit.journey, now=NOW) is None
    other = builders.step(builders.journey(patient), kind=StepKind.VISIT)
    second = builders.appointment(patient, status="fulfilled", start=NOW + 20 * DAY, step=other)
    assert stage_to_ask(patient, shown=visit.journey, now=NOW + 21 * DAY) is None
    assert stage_to_ask(patient, shown=visit.journey, now=NOW + 31 * DAY) == second


def test_an_unhappy_answer_is_with_a_person_in_her_words(patient: Patient) -> None:
    journey = builders.step(builders.journey(patient)).journey
    record_feeling(journey, "going_badly", "Nobody explained it", now=NOW)
    step = Step.objects.get(kind=StepKind.CALL)
    assert step.names["en"] == "\u2068Dana Levi\u2069 is not happy: \u2068Nobody explained it\u2069"
    assert step.due_at == NOW + 2 * HOUR
