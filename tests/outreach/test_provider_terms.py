"""Who carries the messages: what a country asks to be answered first, and that only listed addresses get any before."""

from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from holidays.registry import COUNTRIES

from outreach.at_once import refuse_to_write
from outreach.because import Because
from outreach.decision_models import Decision
from outreach.dispatch import dispatch
from outreach.door import forbidden_by, nothing_forbids
from outreach.gate import allow
from outreach.health import State, health_of
from outreach.models import Attempt
from outreach.provider_models import ProviderTerms
from outreach.provider_terms import (
    Answer,
    Missing,
    Providers,
    answer_for_provider,
    missing_of,
    missing_on,
    unanswered,
)
from outreach.reach import Reach
from patients.actions import RefusedError
from patients.country import FOLDER, ProfileError, read_profile
from patients.models import AddressKind, Channel, Clinic
from tests import builders
from tests.conftest import NOW
from tests.standins.twilio import Twilio

AGREED, ABROAD = Answer(has_agreement=True), Answer("US", "", has_agreement=True)


@pytest.fixture
def attempt(twilio: Twilio, db: None) -> Attempt:
    """An SMS to a patient of a clinic in the United States, at a good hour."""
    builders.messages_loaded()
    patient = builders.patient(builders.clinic(country="US"), phone="+12015550124", language="en")
    builders.opened(patient.clinic)
    task = builders.task(builders.step(builders.journey(patient)), plan_from=None)
    return builders.attempt(task, contact_point=patient.contacts.get().contact_point)


def answered(clinic: Clinic, answer: Answer, channel: str = Channel.SMS) -> ProviderTerms:
    return answer_for_provider(clinic, channel, answer, now=NOW, by=builders.user())


def begins(attempt: Attempt) -> bool:
    clinic = Clinic.objects.get(pk=attempt.clinic_id)
    return Attempt.objects.filter(*nothing_forbids(attempt.channel, [clinic]).values()).exists()


def ways(attempt: Attempt) -> set[str]:
    reach = Reach.among([attempt.task_id], now=NOW)
    return {option.channel for option in reach.options(reach.tasks[0])}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.stem)
def test_a_profile_names_countries_that_there_are(path: Path) -> None:
    assert read_profile(path).provider_countries <= {*(entry[1] for entry in COUNTRIES.values()), "FO"}


def test_a_profile_that_asks_for_what_we_do_not_know_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "xx.toml"
    given = (FOLDER / "us.toml").read_text(encoding="utf-8")
    broken.write_text(
        given.replace('provider_asks = ["agreement"]', 'provider_asks = ["a tea"]'), encoding="utf-8"
    )
    with pytest.raises(ProfileError, match=r"^xx.toml: a tea is not among agreement, country"):
        read_profile(broken)


@pytest.mark.parametrize(
    ("country", "answer", "missing"),
    [
        ("IL", Answer(), []),
        ("US", Answer(), [Missing.AGREEMENT]),
        ("US", AGREED, []),
        ("DE", Answer(), [Missing.COUNTRY, Missing.AGREEMENT]),
        ("DE", Answer("FR", "", has_agreement=True), []),
        ("DE", Answer("IL", "", has_agreement=True), []),
        ("DE", ABROAD, [Missing.BASIS]),
        ("DE", Answer("US", "Standard clauses", has_agreement=True), []),
        ("RU", Answer("RU"), []),
        ("RU", Answer("US"), [Missing.BASIS]),
        ("KZ", Answer(), [Missing.COUNTRY]),
        ("UA", Answer("US"), []),
        ("GE", Answer(), [Missing.COUNTRY]),
    ],
)
@pytest.mark.django_db
def test_each_country_asks_for_its_own_and_the_statement_agrees(
    twilio: Twilio, country: str, answer: Answer, missing: list[Missing]
) -> None:
    clinic = builders.clinic(country=country)
    terms = answered(clinic, answer)
    assert missing_of(clinic, terms) == missing_on(clinic, Channel.SMS) == missing
    assert Providers([clinic]).is_answered(clinic.pk, Channel.SMS) == (not missing)
    patient = builders.patient(clinic, phone="+972502345678")
    made = builders.attempt(builders.task(builders.step(builders.journey(patient))))
    lacking = unanswered(Channel.SMS, [clinic])
    assert (lacking is not None and Attempt.objects.filter(lacking, pk=made.pk).exists()) == bool(missing)


def test_without_an_agreement_nothing_is_planned_or_leaves_there(attempt: Attempt, twilio: Twilio) -> None:
    assert Channel.SMS not in ways(attempt)
    assert not begins(attempt)
    assert forbidden_by(attempt, now=NOW) == Because.PROVIDER_UNKNOWN
    assert dispatch(now=attempt.send_at).sent == 0
    assert twilio.taken == []
    assert [str(each.rules) for each in Decision.objects.filter(kind="stopped")] == [Because.PROVIDER_UNKNOWN]


def test_why_it_does_not_go_there_can_be_read(attempt: Attempt) -> None:
    reach = Reach.among([attempt.task_id], now=NOW)
    barred = {each.channel: each.because for each in reach.passed_over(reach.tasks[0])}
    assert barred[Channel.SMS] == Because.PROVIDER_UNKNOWN


def test_a_listed_address_gets_messages_all_the_same(attempt: Attempt) -> None:
    allow(attempt.clinic, AddressKind.PHONE, "+12015550124")
    assert Channel.SMS in ways(attempt)
    assert begins(attempt)


def test_an_answer_opens_its_own_channel_of_its_own_clinic_alone(attempt: Attempt) -> None:
    answered(builders.clinic(country="US"), AGREED)
    answered(attempt.clinic, AGREED, Channel.WHATSAPP)
    assert not begins(attempt)
    answered(attempt.clinic, AGREED)
    assert Channel.SMS in ways(attempt)
    assert begins(attempt)


def test_an_answer_taken_back_shuts_it_again(attempt: Attempt) -> None:
    answered(attempt.clinic, AGREED)
    answered(attempt.clinic, Answer())
    assert not begins(attempt)
    assert ProviderTerms.objects.count() == 1


def test_a_shut_gate_comes_first(attempt: Attempt) -> None:
    answered(attempt.clinic, AGREED)
    attempt.clinic.gate.delete()
    assert forbidden_by(attempt, now=NOW) == Because.GATE


def test_what_is_written_by_hand_is_refused_with_the_cure(attempt: Attempt) -> None:
    tie = attempt.patient.contacts.get()
    with pytest.raises(RefusedError, match="answers for the provider, under Channels"):
        refuse_to_write(tie, Channel.SMS, now=NOW)


def test_the_channel_says_how_it_stands(attempt: Attempt) -> None:
    def state() -> State:
        return next(each.state for each in health_of(attempt.clinic, now=NOW) if each.channel == Channel.SMS)

    assert state() == State.PROVIDER_UNKNOWN
    answered(attempt.clinic, AGREED)
    assert state() == State.WORKS


@pytest.mark.django_db
def test_what_is_only_shown_here_needs_no_provider() -> None:
    assert missing_on(builders.clinic(country="US"), Channel.SMS) == []


@pytest.mark.django_db
def test_people_who_call_are_no_provider() -> None:
    clinic = builders.clinic(country="US")
    with pytest.raises(RefusedError):
        answered(clinic, AGREED, Channel.PHONE)
    with pytest.raises(IntegrityError), transaction.atomic():
        ProviderTerms.objects.create(clinic=clinic, channel=Channel.PHONE, at=NOW)
    builders.provider_answered(clinic)
    with pytest.raises(IntegrityError), transaction.atomic():
        builders.provider_answered(clinic)
