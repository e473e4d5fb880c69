"""The gaps in order: by patients and waiting, by money at risk, each one press from its names."""

from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.db.models import Min

from clinic_journey.reports import summaries
from clinic_journey.reports.gaps import Gaps
from clinic_journey.reports.money import BEFORE_A_VISIT, at_risk
from clinic_journey.reports.money_actions import set_visit_value
from journeys.models import Step
from patients.models import Clinic
from tests import builders
from tests.clinic_journey.reports.planted import (
    IMAGING,
    finish,
    loaded,
    manager,
    the_doctor_is_the_gap,
    went,
)
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PAGE = f"/reports/stuck/?template={IMAGING}"
Order = list[tuple[str, str]]


def gaps_shown(where: Clinic, order: str = "") -> Gaps:
    found = manager(where).get(f"{PAGE}&order={order}").context["gaps"]
    assert isinstance(found, Gaps)
    return found


def order_of(gaps: Gaps) -> Order:
    return [(gap.line.source, gap.line.target) for gap in gaps.rows]


@pytest.fixture
def clinic() -> Clinic:
    """The doctor took long and is quick now; three wait for their images, within the time these may take."""
    made = the_doctor_is_the_gap()
    for n in range(3):
        went(made, NOW - 2 * DAY, [], phone=f"050-234-66{n}0", family_name=f"Images {n}")
    summaries.catch_up(made, now=NOW)
    return made


def test_the_widest_gap_stands_first_with_the_waiting_of_all_added_up(clinic: Clinic) -> None:
    first = gaps_shown(clinic).rows[0]
    assert (first.line.source, first.line.target) == ("await_result", "review")
    # By hand: two waited 26 working hours, one waits for 37 (8, 11, 5, 11 and 2 since Wednesday); the standard is 10.
    assert first.line.over == 2 * (26 - 10) + (37 - 10)


def test_without_a_price_no_money_is_spoken_of_and_nobody_is_left_out(clinic: Clinic) -> None:
    gaps = gaps_shown(clinic)
    assert (gaps.whole, {gap.risk for gap in gaps.rows}) == (None, {None})
    assert "Say what a visit is worth" in manager(clinic).get(PAGE).content.decode()
    assert ("", "await_result") not in order_of(gaps)  # nobody waits too long there


def test_by_money_the_gap_with_most_at_risk_stands_first(clinic: Clinic) -> None:
    set_visit_value(clinic, Decimal(1000), "ILS")
    assert order_of(gaps_shown(clinic))[0] == ("await_result", "review")
    by_money = gaps_shown(clinic, "money")
    sums = [sum(gap.at_risk) for gap in by_money.rows]
    assert sums == sorted(sums, reverse=True)
    of_images = next(gap for gap in by_money.rows if gap.line.target == "await_result")
    # By hand: three patients, two days: 1 to 4 in a hundred drift away a day, until the fourth day at most.
    assert [round(each) for each in of_images.at_risk] == [
        round(3000 * (1 - 0.99**4)),
        round(3000 * (1 - 0.96**4)),
    ]
    assert of_images.risk
    assert of_images.risk.is_default


def test_each_patient_is_counted_at_one_gap_and_all_are_the_money_of_the_clinic(clinic: Clinic) -> None:
    set_visit_value(clinic, Decimal(1000), "ILS")
    gaps, whole = gaps_shown(clinic), at_risk(clinic, now=NOW)
    by_hand = (
        Step.objects.filter(clinic=clinic, status="active", kind__in=BEFORE_A_VISIT)
        .values("journey")
        .annotate(since=Min("opened_at"))
    )
    assert whole
    assert gaps.whole
    assert sum(gap.risk.people for gap in gaps.rows if gap.risk) == by_hand.count() == 4
    assert (gaps.whole.people, gaps.whole.words) == (whole.people, whole.words)
    (doctor,) = [gap for gap in gaps.rows if gap.line.target == "review"]
    assert doctor.risk
    assert doctor.risk.people == 1  # and not at the message that opened with it


def test_one_press_leads_to_the_names_and_they_are_those_that_are_counted(clinic: Clinic) -> None:
    set_visit_value(clinic, Decimal(1000), "ILS")
    client = manager(clinic)
    page = client.get(f"{PAGE}&order=money").content.decode()
    part = page[page.index('id="gaps"') :]
    link = unescape(part[part.index("/reports/stuck/names/") :].split('"', 1)[0])
    named = client.get(link).content.decode()
    assert [n for n in range(3) if f"Images {n}" in named] == [0, 1, 2]
    assert named.count("/today/?item=") == 3


def test_a_gap_in_which_nobody_waits_any_more_leads_to_who_left() -> None:
    loaded()
    where = builders.clinic()
    begun = NOW - 9 * DAY
    ends = [("await_result", "received"), ("inform_arrival", "told"), ("review", "treat_other")]
    lost = went(where, begun, [(*each, begun + nth * HOUR) for nth, each in enumerate(ends, 1)])
    summaries.catch_up(where, now=NOW)
    finish(lost, "book", "declined", begun + 2 * DAY)
    summaries.rebuild(where, now=NOW)
    (gap,) = [gap for gap in gaps_shown(where).rows if gap.line.target == "book"]
    assert (gap.line.lost, gap.line.now.open, "who=lost" in gap.query) == (1, 0, True)


def test_the_file_has_the_same_order_and_the_same_sums(clinic: Clinic) -> None:
    set_visit_value(clinic, Decimal(1000), "ILS")
    client = manager(clinic)
    for order in ("", "money"):
        asked = f"/reports/stuck/export/?template={IMAGING}&table=gaps&order={order}&as=csv"
        lines = [line.split(",") for line in client.get(asked).content.decode("utf-8-sig").splitlines()[1:]]
        gaps = gaps_shown(clinic, order)
        assert [line[:2] for line in lines] == [
            [gap.line.source_words, gap.line.target_words] for gap in gaps.rows
        ]
        assert [line[4] for line in lines] == [str(gap.line.over) for gap in gaps.rows]
        assert [line[7:9] for line in lines if line[6]] == [
            [str(round(each)) for each in gap.at_risk] for gap in gaps.rows if gap.risk
        ]
