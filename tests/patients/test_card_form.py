"""The card's form: presets, groups of days, hours told exactly, half a card, and nothing lost that nobody touched."""

from datetime import time, timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.django import TestCase

from patients.actions import CardAnswers, save_card
from patients.card_form import DAYS, PARTS, CardForm
from patients.coming import in_words, windows_of
from patients.models import CARD_LASTS, CardState, ComingWindow, ContactWindow, Patient, ServiceCard
from patients.queries import coming_hours, needs_card, patient_hours
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db

ALL = range(7)
EVENING, WHOLE = PARTS["16-20"], (time.min, time.max)


def answers(patient: Patient, **said: Any) -> CardAnswers:
    form = CardForm.of(patient, {"language": "he", **said}, now=NOW)
    assert form.is_valid(), form.errors
    return form.answers()


@pytest.mark.parametrize(
    ("days", "hours", "windows"),
    [
        ([], [], ()),
        (["any"], ["any"], ()),
        (["weekdays", "weekend"], [], tuple((day, *WHOLE) for day in ALL)),
        (["weekdays"], ["16-20"], tuple((day, *EVENING) for day in (0, 1, 2, 3, 6))),
        (["weekend"], ["any"], ((4, *WHOLE), (5, *WHOLE))),
        (["any", "1"], ["16-20"], tuple((day, *EVENING) for day in ALL)),
        (["1", "weekend"], ["20-24"], tuple((day, time(20), time.max) for day in (1, 4, 5))),
        ([], ["16-20"], tuple((day, *EVENING) for day in ALL)),
    ],
)
def test_days_and_hours_become_windows(days: list[str], hours: list[str], windows: Any) -> None:
    said = answers(builders.patient(), channel="sms", days=days, hours=hours)
    assert said.windows == windows
    assert (said.days_told, said.hours_told) == (bool(days), bool(hours))


def test_the_weekend_is_that_of_the_clinics_country() -> None:
    patient = builders.patient(builders.clinic(country="DE"), phone="+49 1512 3456789")
    said = answers(patient, days=["weekend"], hours=["any"])
    assert {day for day, _start, _end in said.windows} == {5, 6}


class ReadBack(TestCase):
    @settings(max_examples=40)
    @given(
        st.sets(st.sampled_from([name for name, _label in DAYS])),
        st.sets(st.sampled_from([*PARTS, "any"])),
    )
    def test_a_card_shown_and_saved_again_is_the_same_card(self, days: set[str], hours: set[str]) -> None:
        patient = builders.patient()
        first = answers(patient, channel="sms", days=sorted(days), hours=sorted(hours))
        save_card(patient, first, now=NOW, by=None)
        shown = CardForm.of(Patient.objects.get(pk=patient.pk), now=NOW)
        again = answers(Patient.objects.get(pk=patient.pk), **shown.initial)
        assert sorted(again.windows) == sorted(first.windows)
        assert (again.days_told, again.hours_told) == (first.days_told, first.hours_told)


def test_hours_told_exactly_are_shown_and_kept_even_where_they_differ_by_day() -> None:
    patient = builders.patient()
    exact = ((0, time(9, 30), time(11)), (1, time(16), time(20)))
    save_card(patient, CardAnswers("sms", exact), now=NOW, by=None)
    patient = Patient.objects.get(pk=patient.pk)
    form = CardForm.of(patient, now=NOW)
    assert ("09:30-11:00", '<bdi dir="ltr">09:30–11:00</bdi>') in form.fields["hours"].choices  # type: ignore[attr-defined]
    assert form.initial["hours"] == ["09:30-11:00", "16-20"]
    assert answers(patient, **{**form.initial, "channel": "phone"}).windows == exact


def test_of_two_hours_that_begin_together_the_longer_holds() -> None:
    patient = builders.patient()
    save_card(patient, CardAnswers("sms", ((0, time(8), time(10)),)), now=NOW, by=None)
    patient = Patient.objects.get(pk=patient.pk)
    said = answers(patient, days=["0"], hours=["08:00-10:00", "8-12"])
    save_card(patient, said, now=NOW, by=None)
    assert list(ContactWindow.objects.values_list("weekday", "start", "end")) == [(0, time(8), time(12))]


@pytest.mark.parametrize(
    ("said", "missing", "state"),
    [
        ({"channel": "sms", "days": ["any"], "hours": ["any"]}, [], CardState.COMPLETE),
        ({"channel": "sms", "days": ["any"]}, ["which hours"], CardState.HALF),
        ({"days": ["any"], "hours": ["8-12"]}, ["how"], CardState.HALF),
        ({}, ["how", "which days", "which hours"], CardState.HALF),
    ],
)
def test_half_a_card_is_saved_and_counts_as_half(said: Any, missing: list[str], state: CardState) -> None:
    patient = builders.patient()
    card = save_card(patient, answers(patient, **said), now=NOW, by=None)
    assert (card.missing, card.state(now=NOW)) == (missing, state)
    assert needs_card(patient, now=NOW) == (state != CardState.COMPLETE)


def test_a_card_is_renewed_after_six_months() -> None:
    patient = builders.patient()
    assert patient.card.state(now=NOW) == CardState.MISSING
    card = save_card(patient, CardAnswers("sms"), now=NOW, by=None)
    day_before, then = NOW + CARD_LASTS - timedelta(days=1), NOW + CARD_LASTS
    assert (card.state(now=day_before), needs_card(patient, now=day_before)) == (CardState.COMPLETE, False)
    assert (card.state(now=then), needs_card(patient, now=then)) == (CardState.OLD, True)
    ServiceCard.objects.all().delete()
    assert needs_card(patient, now=NOW)


def test_every_answer_of_a_group_has_a_key_and_no_key_means_two_things() -> None:
    form = CardForm.of(builders.patient(), now=NOW)
    keys = [
        option.data["key"]
        for name in ("channel", "days", "hours", "language", "coming")
        for option in form[name]
        if "key" in option.data
    ]
    assert "".join(keys) == "12345WFAQTYUIHRBEMPXG"
    assert len({*keys, "V", "O"}) == len(keys) + 2


# When she can come


def saved(patient: Patient, **said: Any) -> Patient:
    """The card's form as it is shown, with what is said now over it."""
    patient = Patient.objects.get(pk=patient.pk)
    shown = CardForm.of(patient, now=NOW).initial
    save_card(patient, answers(patient, **{**shown, **said}), now=NOW, by=None)
    return Patient.objects.get(pk=patient.pk)


@pytest.mark.parametrize(
    ("said", "windows"),
    [
        ({"coming": ["any"]}, []),
        ({"coming": ["after_work"]}, [(day, time(17), time.max) for day in ALL]),
        ({"coming": ["mornings"], "coming_days": ["6", "1"]}, [(day, time.min, time(12)) for day in (1, 6)]),
        ({"coming_days": ["4"]}, [(4, *WHOLE)]),
        (
            {"coming_days": ["4"], "coming_from": "18:30", "coming_until": "20:00"},
            [(4, time(18, 30), time(20))],
        ),
        (
            {"coming": ["any", "mornings"], "coming_days": ["4"], "coming_from": "18:30"},
            [(4, time(18, 30), time.max)],
        ),
        (
            {
                "coming": ["mornings"],
                "coming_days": ["4"],
                "coming_until": "20:00",
            },  # of one start the longer
            [(4, time.min, time(20))],
        ),
    ],
)
def test_parts_of_the_day_and_own_hours_become_windows(said: Any, windows: Any) -> None:
    patient = saved(builders.patient(), **said)
    assert list(ComingWindow.objects.values_list("weekday", "start", "end")) == windows
    assert patient.card.coming_told_at == NOW
    again = saved(patient)
    assert list(ComingWindow.objects.values_list("weekday", "start", "end")) == windows
    assert CardForm.of(again, now=NOW).initial["coming"] != []


def test_a_card_is_as_complete_without_the_hours_to_come() -> None:
    patient = saved(builders.patient(), channel="sms", days=["any"], hours=["any"])
    assert (patient.card.state(now=NOW), patient.card.coming_told_at) == (CardState.COMPLETE, None)
    assert not needs_card(patient, now=NOW)


def test_an_old_card_is_no_newer_for_the_hours_to_come() -> None:
    patient = builders.patient()
    save_card(patient, CardAnswers("sms"), now=NOW - CARD_LASTS, by=None)
    patient = builders.comes(patient, (0, time(17), time.max))
    assert patient.card.state(now=NOW) == CardState.OLD


def test_hours_to_come_that_nobody_touched_stay_even_where_they_differ_by_day() -> None:
    exact = ((0, time(9, 30), time(11)), (1, time(17), time.max))
    patient = saved(builders.comes(builders.patient(), *exact), channel="phone", days=["any"])
    assert windows_of(patient.card) == exact
    form = CardForm.of(patient, now=NOW)
    assert form.initial["coming"] == ["09:30-11:00", "after_work"]
    assert form.initial["coming_days"] == ["0", "1"]


def test_midnight_is_the_end_of_the_day_and_no_hour_ends_before_it_begins() -> None:
    said = {"channel": "sms", "days": ["any"], "hours": ["any"], "language": "he", "coming_days": ["1"]}
    patient = saved(builders.patient(), **said, coming_from="18:00", coming_until="00:00")
    assert windows_of(patient.card) == ((1, time(18), time.max),)
    form = CardForm.of(builders.patient(), {**said, "coming_from": "09:00", "coming_until": "09:00"}, now=NOW)
    assert list(form.errors) == ["coming_until"]
    assert CardForm.of(builders.patient(), {**said, "coming_until": "00:00"}, now=NOW).is_valid()


def test_what_is_taken_back_is_not_told() -> None:
    patient = saved(builders.comes(builders.patient(), (0, time(17), time.max)), coming=[], coming_days=[])
    assert (windows_of(patient.card), patient.card.coming_told_at) == ((), None)


def test_an_end_before_the_beginning_is_refused() -> None:
    patient = builders.patient()
    form = CardForm.of(patient, {"language": "he", "coming_from": "20:00", "coming_until": "18:00"}, now=NOW)
    assert form.errors == {"coming_until": ["The end is not after the beginning."]}


def test_she_comes_by_the_clock_of_the_clinic_and_is_reached_by_her_own() -> None:
    patient = builders.patient()
    Patient.objects.filter(pk=patient.pk).update(time_zone="America/New_York")
    patient = builders.comes(patient, (0, time(17), time.max))
    assert (coming_hours(patient).zone, patient_hours(patient, patient.card).zone) == (
        "Asia/Jerusalem",
        "America/New_York",
    )


def test_hours_to_come_are_read_in_a_line() -> None:
    windows = (*((day, time(17), time.max) for day in (6, 0, 1, 2, 3)), (4, time(9, 30), time(11)))
    assert in_words(windows) == ["Sun–Thu After work, from 17", 'Fri <bdi dir="ltr">09:30–11:00</bdi>']
    assert in_words([(day, time.min, time(12)) for day in ALL]) == ["Mornings"]
