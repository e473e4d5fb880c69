"""Left alone: only a person's own words count, what is owed weighs, and a few a day are enough."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from journeys.models import Journey, StepKind
from outreach.contact_models import ContactEnd, PersonalContact
from outreach.models import ANSWER
from outreach.neglect import A_DAY, Shares, begin_contact, neglected, note_contact, shares
from outreach.reach import Reach
from patients.actions import RefusedError, StaleStateError, record_consent
from patients.models import Channel, Clinic, ConsentStatus, Patient
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
OLD = NOW - 400 * DAY


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


@pytest.fixture
def rina(clinic: Clinic) -> User:
    return builders.user(at=clinic)


def who_waits(clinic: Clinic, *, since: datetime = NOW - 30 * DAY, **journey: object) -> Patient:
    patient = builders.patient(clinic, now=since)
    opened = builders.journey(patient, now=since, **journey)
    builders.step(opened, now=since, due_at=NOW + DAY)
    return patient


def loyal(clinic: Clinic, *, last: datetime = NOW - 200 * DAY, visits: int = 2) -> Patient:
    patient = builders.patient(clinic, now=OLD)
    for nth in range(visits):
        builders.appointment(patient, status="fulfilled", start=last - nth * 30 * DAY)
    return patient


def found(clinic: Clinic, now: datetime = NOW) -> list[int]:
    return [each.patient.pk for each in neglected(clinic, now=now)]


def test_who_waits_and_was_spoken_with_by_nobody_is_suggested_with_the_facts(clinic: Clinic) -> None:
    patient = who_waits(clinic)
    (each,) = neglected(clinic, now=NOW)
    assert (each.patient, each.days, each.is_open, each.broken) == (patient, 30, True, 0)
    assert each.waits_for
    assert each.waits_for.kind == StepKind.BOOK
    assert found(builders.clinic()) == []


def test_a_text_of_the_machine_is_no_contact_a_call_and_own_words_are(clinic: Clinic) -> None:
    texted, called, silent, written, visited = (who_waits(clinic) for _each in range(5))
    yesterday = NOW - DAY

    def attempt(patient: Patient, key: str = "next_step", **fields: object) -> None:
        task = builders.task(builders.step(builders.journey(patient), kind="recall"), message_key=key)
        done = {"ended_at": yesterday, "sent_at": yesterday, "send_at": yesterday, "status": "sent"}
        builders.attempt(task, **{**done, **fields})  # type: ignore[arg-type]

    attempt(texted)
    attempt(called, channel="phone", outcome="spoken")
    attempt(silent, channel="phone", outcome="no_answer", status="failed")
    attempt(written, ANSWER)
    builders.appointment(visited, status="fulfilled", start=yesterday)
    assert set(found(clinic)) == {texted.pk, silent.pk}
    assert shares(clinic, now=NOW) == Shares(personal=2, texts=1)


def test_urgent_weighs_twice_and_each_broken_promise_once_more(clinic: Clinic) -> None:
    plain, urgent = who_waits(clinic, since=NOW - 40 * DAY), who_waits(clinic, urgency="urgent")
    promised = who_waits(clinic, since=NOW - 20 * DAY)
    where = promised.journeys.get()
    for _nth in range(3):
        builders.step(where, kind="promise", due_at=NOW - DAY)
    assert found(clinic) == [promised.pk, urgent.pk, plain.pk]
    first = neglected(clinic, now=NOW)[0]
    assert (first.broken, first.is_urgent) == (3, False)


def test_loyal_patients_with_nothing_to_sell_are_not_forgotten(clinic: Clinic) -> None:
    ours = loyal(clinic)
    loyal(clinic, visits=1)
    loyal(clinic, last=NOW - 100 * DAY)
    coming = loyal(clinic)
    builders.appointment(coming, start=NOW + 5 * DAY)
    (each,) = neglected(clinic, now=NOW)
    assert (each.patient, each.is_open, each.days) == (ours, False, 199)
    builders.step(
        builders.journey(ours), kind=StepKind.RECALL, due_at=NOW + 90 * DAY
    )  # next year's invitation
    assert found(clinic) == [ours.pk]
    task = builders.task(builders.step(builders.journey(ours), kind=StepKind.RECALL))
    assert found(clinic) == []  # the machine is inviting her now
    task.delete()


def test_nobody_rings_for_visits_that_are_kept_from_the_parents(clinic: Clinic) -> None:
    girl = loyal(clinic)
    assert found(clinic) == [girl.pk]
    kept = builders.journey(girl, is_confidential=True, status="completed", ended_at=NOW - 200 * DAY)
    first = girl.appointments.order_by("start")[0]
    first.step = builders.step(kept, kind="visit", status="completed", completed_at=NOW, outcome="attended")
    first.save(update_fields=["step"])
    assert found(clinic) == []


def test_who_has_died_was_merged_refused_or_left_us_is_never_suggested(clinic: Clinic) -> None:
    dead, refusing, left, without, stays = (who_waits(clinic) for _each in range(5))
    Patient.objects.filter(pk=dead.pk).update(status="deceased")
    merged = who_waits(clinic)
    Patient.objects.filter(pk=merged.pk).update(status="merged", merged_into=stays)
    point = refusing.contacts.get().contact_point
    record_consent(refusing, point, Channel.SMS, ConsentStatus.WITHDRAWN, now=NOW, words="stop")
    gone = {"status": "cancelled", "ended_at": NOW, "lost_because": "own_words", "lost_words": "Elsewhere"}
    Journey.objects.create(clinic=clinic, patient=left, opened_at=NOW, **gone)
    without.contacts.update(may_be_called=False)
    assert found(clinic) == [stays.pk]


def test_a_few_a_day(clinic: Clinic, rina: User) -> None:
    patients = [who_waits(clinic, since=NOW - (30 + nth) * DAY) for nth in range(A_DAY + 2)]
    today = found(clinic)
    assert len(today) == A_DAY
    for key in today:
        note_contact(Patient.objects.get(pk=key), ContactEnd.NOT_REACHED, "", now=NOW, by=rina)
    assert found(clinic) == []  # enough for today, though two are left
    assert set(found(clinic, NOW + DAY)) == {each.pk for each in patients} - set(today)


@pytest.mark.parametrize(
    ("ended", "days"), [(ContactEnd.SPOKEN, 7), (ContactEnd.NOT_NOW, 7), (ContactEnd.NOT_REACHED, 3)]
)
def test_what_we_owe_comes_back_after_a_week_and_sooner_where_nobody_answered(
    clinic: Clinic, rina: User, ended: ContactEnd, days: int
) -> None:
    patient = who_waits(clinic, urgency="urgent")
    builders.step(patient.journeys.get(), kind="promise", due_at=NOW - DAY)
    note_contact(patient, ended, "in her words", now=NOW, by=rina)
    assert found(clinic, NOW + days * DAY - timedelta(minutes=1)) == []
    assert found(clinic, NOW + days * DAY) == [patient.pk]


@pytest.mark.parametrize(
    ("ended", "days"), [(ContactEnd.SPOKEN, 180), (ContactEnd.NOT_NOW, 120), (ContactEnd.NOT_REACHED, 3)]
)
def test_who_waits_for_nothing_is_left_in_peace_for_months_unless_nobody_answered(
    clinic: Clinic, rina: User, ended: ContactEnd, days: int
) -> None:
    patient = loyal(clinic)
    note_contact(patient, ended, "in her words", now=NOW, by=rina)
    assert found(clinic, NOW + days * DAY - timedelta(minutes=1)) == []
    assert found(clinic, NOW + days * DAY) == [patient.pk]


def test_the_last_time_is_told_with_its_reason(clinic: Clinic, rina: User) -> None:
    patient = who_waits(clinic)
    for days, words in ((30, "on holiday"), (8, "in mourning")):
        note_contact(patient, ContactEnd.NOT_NOW, words, now=NOW - days * DAY, by=rina)
    (each,) = neglected(clinic, now=NOW)
    assert each.before
    assert each.before.words == "in mourning"


def test_what_came_of_it_is_kept_in_words_once(clinic: Clinic, rina: User) -> None:
    patient = who_waits(clinic)
    with pytest.raises(RefusedError, match="in a few words"):
        note_contact(patient, ContactEnd.SPOKEN, " ", now=NOW, by=rina)
    note_contact(patient, ContactEnd.SPOKEN, "She is well", now=NOW, by=rina)
    with pytest.raises(StaleStateError, match="A colleague"):
        note_contact(patient, ContactEnd.SPOKEN, "She is well", now=NOW, by=rina)
    rows = PersonalContact.objects.filter(patient=patient)
    for wrong in ({"words": ""}, {"ended": "x"}, {"ended": "", "called_at": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**wrong)


@pytest.mark.parametrize(("country", "is_law"), [("US", True), ("IL", False)])
def test_where_the_caps_are_law_a_call_by_hand_counts_and_is_refused_beyond_them(
    country: str, is_law: bool
) -> None:
    clinic = builders.clinic()
    patient = who_waits(clinic)
    Clinic.objects.filter(pk=clinic.pk).update(country=country)
    patient = Patient.objects.get(pk=patient.pk)
    rina, noa = builders.user(at=clinic), builders.user(at=clinic)
    task = builders.task(builders.step(patient.journeys.get()))
    begun = begin_contact(patient, "asked", now=NOW, by=rina)
    assert begin_contact(patient, "asked", now=NOW, by=rina) == begun
    reach = Reach.among([task.pk], now=NOW)
    assert [past.at for past in reach.past(reach.tasks[0])] == ([NOW] if is_law else [])
    if is_law:
        with pytest.raises(RefusedError, match="no more contacts"):
            begin_contact(patient, "asked", now=NOW, by=noa)
    else:
        begin_contact(patient, "asked", now=NOW, by=noa)
