"""What a clinic holds itself to: each measure by its own event, live and as the nights have written it."""

from datetime import date, time, timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from clinic_journey.models import Standard, StandardDay
from clinic_journey.reports.standards import Kept, Share, kept_now, standards_visible_to
from clinic_journey.reports.standards_actions import (
    Strictness,
    change_standard,
    load_standards,
    rebuild_days,
)
from clinic_journey.reports.standards_measures import MEASURES
from clinic_journey.setup.actions import open_clinic
from journeys.actions import cancel_steps
from journeys.deadlines import Limit, Unit
from journeys.models import Step, StepKind
from outreach.contact_models import PersonalContact
from patients.actions import CardAnswers, save_card
from patients.models import Clinic, Role
from tests import builders
from tests.clinic_journey.reports.measured import HOUR, MAKE, SUNDAY, done, everything, step
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
YESTERDAY = date(2026, 3, 8)
QUERIES = 23  # of a page with all fourteen, whatever there is


@pytest.fixture
def clinic() -> Clinic:
    made = builders.clinic()
    load_standards([made])
    return made


def kept(clinic: Clinic, key: str) -> Kept:
    return next(each for each in kept_now(clinic, now=NOW) if each.standard.key == key)


def test_each_measure_has_a_case_here_and_a_standard_in_the_catalogue(clinic: Clinic) -> None:
    assert set(MAKE) == set(MEASURES) == set(clinic.standards.values_list("measure", flat=True))
    assert set(clinic.standards.values_list("foundation", flat=True)) == set(range(1, 10))


@pytest.mark.parametrize("key", [key for key in MAKE if key not in {"thanked", "answered_first"}])
@pytest.mark.parametrize("met", [True, False])
def test_a_case_counts_on_its_day(clinic: Clinic, key: str, met: bool) -> None:
    before = kept(clinic, key)
    assert (before.lately, before.none_yet) == (Share(), str(MEASURES[key].none_yet))
    MAKE[key](clinic, met=met)
    found = kept(clinic, key)
    on = dict(found.days)
    is_next_day = (key, met) == ("decided", False)  # its working day ends today
    assert on[date(2026, 3, 9) if is_next_day else YESTERDAY] == Share(int(met), 1)
    assert found.lately == Share(int(met), 1)
    assert found.is_below is not met


def test_a_thank_you_that_never_left_counts_when_its_day_is_over(clinic: Clinic) -> None:
    MAKE["thanked"](clinic, met=True)
    MAKE["thanked"](clinic, met=False)
    found = kept(clinic, "thanked")
    assert dict(found.days)[YESTERDAY] == Share(1, 1)
    assert found.today == Share(0, 1)


@pytest.mark.parametrize("met", [True, False])
@pytest.mark.parametrize("ended", ["spoken", "not_reached", ""])
def test_a_call_to_ask_how_she_is_counts_in_the_agreed_hours_as_any_other(
    clinic: Clinic, met: bool, ended: str
) -> None:
    patient, hours = builders.patient(clinic), (9, 12) if met else (16, 20)
    told = CardAnswers("phone", ((6, time(hours[0]), time(hours[1])),), "he")
    save_card(patient, told, now=SUNDAY - HOUR, by=None)
    contact = PersonalContact(clinic=clinic, patient=patient, at=SUNDAY, called_at=SUNDAY, ended=ended)
    contact.words = "She is well" if ended == "spoken" else ""
    contact.save()
    found = kept(clinic, "kept_window")
    assert found.lately == Share(int(met), 1)
    better_not = PersonalContact(
        clinic=clinic, patient=patient, at=SUNDAY, ended="not_now", words="in mourning"
    )
    better_not.save()
    assert kept(clinic, "kept_window").lately == found.lately, "nobody rang"


def test_a_question_answered_at_once_is_not_one_that_was_owed(clinic: Clinic) -> None:
    MAKE["answered_first"](clinic, met=True)
    MAKE["answered_first"](clinic, met=False)
    assert kept(clinic, "answered_first").lately == Share(1, 2)
    assert kept(clinic, "answered_later").lately == Share()


def test_what_was_no_longer_needed_is_not_counted_and_what_was_late_before_is(clinic: Clinic) -> None:
    in_time, too_late = (step(clinic, StepKind.REVIEW) for _n in range(2))
    Step.objects.filter(pk=too_late.pk).update(opened_at=SUNDAY - HOUR * 72)
    cancel_steps([in_time, too_late], now=NOW)
    assert kept(clinic, "decided").lately == Share(0, 1)


def test_the_next_to_run_out_is_named(clinic: Clinic) -> None:
    late, soon = (step(clinic, StepKind.PROMISE, due_at=NOW + HOUR * hours) for hours in (3, 1))
    done(step(clinic, StepKind.PROMISE, due_at=NOW + HOUR / 2), NOW, "kept")
    verdict = kept(clinic, "promise_kept").next_breach
    assert kept(clinic, "promise_kept").none_yet == "Nothing has come due yet."
    assert verdict
    assert (verdict.case.key, verdict.due_at) == (soon.pk, soon.due_at)
    assert late.due_at


def as_shown(clinic: Clinic) -> list[tuple[str, Share, list[tuple[date, Share]], Share]]:
    return [(each.standard.key, each.today, each.days, each.before) for each in kept_now(clinic, now=NOW)]


def test_what_the_nights_have_written_is_what_is_counted_live(clinic: Clinic) -> None:
    everything(clinic)
    other = builders.clinic()
    load_standards([other])
    everything(other)
    live = as_shown(clinic)
    assert sum(share.counted for _key, _today, days, _before in live for _on, share in days) > 28
    call_command("rebuild_standard_days", clinic=clinic.slug, verbosity=0)
    StandardDay.objects.all().delete()
    assert rebuild_days(clinic, now=NOW) == 56 * len(MEASURES)
    assert as_shown(clinic) == live
    rebuild_days(clinic, now=NOW)  # and once more is the same
    assert as_shown(clinic) == live
    StandardDay.objects.filter(on=YESTERDAY).delete()  # a night in which nothing ran
    assert as_shown(clinic) == live


def test_the_days_before_are_read_from_what_is_written(clinic: Clinic) -> None:
    MAKE["decided"](clinic, met=True)
    rebuild_days(clinic, now=NOW)
    StandardDay.objects.filter(on=YESTERDAY, standard__key="decided").update(met=3, counted=5)
    assert dict(kept(clinic, "decided").days)[YESTERDAY] == Share(3, 5)


def test_another_limit_counts_the_days_before_anew(clinic: Clinic) -> None:
    MAKE["told_arrived"](clinic, met=False)
    rebuild_days(clinic, now=NOW)
    standard = clinic.standards.get(key="told_arrived")
    goal = Strictness(goal=80, is_on=True, limit=standard.limit)
    change_standard(standard, goal)
    assert StandardDay.objects.filter(standard=standard).count() == 56
    change_standard(standard, Strictness(goal=80, is_on=True, limit=Limit(3, Unit.WORKING_HOURS)))
    assert not StandardDay.objects.filter(standard=standard).exists()
    found = kept(clinic, "told_arrived")
    assert (found.lately, found.standard.goal) == (Share(1, 1), 80)


def test_loading_again_leaves_a_clinics_own_strictness(clinic: Clinic) -> None:
    standard = clinic.standards.get(key="told_arrived")
    off = Strictness(
        goal=70, is_on=False, limit=Limit(2, Unit.HOURS), off_because="A colleague calls them all"
    )
    change_standard(standard, off)
    Standard.objects.filter(pk=standard.pk).update(names={"en": "old words"})
    assert load_standards([clinic]) == 0
    standard.refresh_from_db()
    assert (standard.goal, standard.is_on, standard.limit) == (70, False, Limit(2, Unit.HOURS))
    assert standard.names["en"] != "old words"
    assert standard.key not in {each.standard.key for each in kept_now(clinic, now=NOW)}


def test_a_clinic_that_is_opened_has_its_standards() -> None:
    given = {
        "name": "Oren",
        "phone": "+97235550142",
        "language": "he",
        "country": "IL",
        "time_zone": "Asia/Jerusalem",
    }
    made = open_clinic(given, rest_from_friday=True, now=NOW, by=builders.user())
    assert made.standards.count() == len(MEASURES)


def test_standards_are_seen_in_the_own_clinics_only(clinic: Clinic) -> None:
    manager = builders.user(Role.MANAGER, at=builders.clinic())
    assert not standards_visible_to(manager).exists()
    assert standards_visible_to(builders.user(Role.MANAGER, at=clinic)).count() == len(MEASURES)


@pytest.mark.parametrize("times", [1, 3])
def test_all_standards_cost_as_many_statements_whatever_there_is(clinic: Clinic, times: int) -> None:
    for _n in range(times):
        everything(clinic)
    with CaptureQueriesContext(connection) as seen:
        kept_now(clinic, now=NOW)
    assert len(seen) == QUERIES


@pytest.mark.parametrize(
    "fields",
    [
        {"source": "weather"},
        {"foundation": 10},
        {"goal": 0},
        {"goal": 101},
        {"limit_unit": "months"},
        {"limit_amount": None},
        {"limit_amount": 0},
    ],
)
def test_the_database_keeps_standards_sound(clinic: Clinic, fields: dict[str, object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        clinic.standards.filter(key="decided").update(**fields)


def test_a_day_is_written_once_and_keeps_no_more_than_it_counts(clinic: Clinic) -> None:
    standard = clinic.standards.get(key="decided")
    day = {"standard": standard, "on": YESTERDAY, "counted": 2, "written_at": NOW}
    StandardDay.objects.create(met=2, **day)
    for met in (1, 3):
        with pytest.raises(IntegrityError), transaction.atomic():
            StandardDay.objects.create(met=met, **{**day, "on": YESTERDAY + timedelta(days=met == 3)})
    with pytest.raises(IntegrityError), transaction.atomic():
        Standard.objects.create(
            clinic=clinic, key="decided", measure="decided", source="result", foundation=1, goal=9
        )
