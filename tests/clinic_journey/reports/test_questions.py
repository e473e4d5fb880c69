"""Whether who pays makes anybody wait for an answer, told only where there is enough to tell it."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from hypothesis import given, strategies as st

from clinic_journey.reports.answer_times import ENOUGH, longer, within
from patients.models import Clinic, Role
from tests import builders
from tests.conftest import NOW

PAGE = "/reports/questions/"
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
QUICK = [SECOND * n for n in range(1, ENOUGH + 1)]
waits = st.lists(st.integers(0, 500).map(lambda n: SECOND * n), min_size=ENOUGH, max_size=60)


@pytest.mark.parametrize(
    ("these", "those", "verdict"),
    [
        (QUICK[1:], QUICK, None),
        (QUICK, [], None),
        (QUICK, QUICK, 0),
        ([SECOND] * ENOUGH, [SECOND] * ENOUGH, 0),  # all alike: nothing to spread
        ([*QUICK[1:], DAY * 9], QUICK, 0),  # one that lay for days decides nothing
        ([each + SECOND * 20 for each in QUICK], QUICK, 1),
        (QUICK, [each + SECOND * 20 for each in QUICK], -1),
        ([SECOND] * ENOUGH, [SECOND * 2] * ENOUGH, -1),
    ],
)
def test_longer_is_said_only_where_it_is_more_than_chance(
    these: list[timedelta], those: list[timedelta], verdict: int | None
) -> None:
    assert longer(these, those) == verdict


@given(waits, waits)
def test_who_is_named_first_makes_no_difference(these: list[timedelta], those: list[timedelta]) -> None:
    assert (longer(these, those) or 0) == -(longer(those, these) or 0)


@pytest.mark.parametrize(("n", "half", "most"), [(1, 1, 1), (2, 1, 2), (10, 5, 9), (11, 6, 10)])
def test_half_and_nine_in_ten_are_waits_that_happened(n: int, half: int, most: int) -> None:
    listed = [SECOND * nth for nth in range(n, 0, -1)]
    assert (within(listed, 0.5), within(listed, 0.9)) == (SECOND * half, SECOND * most)


def read(clinic: Clinic) -> str:
    client = Client(headers={"accept-language": "en"})
    client.force_login(builders.user(Role.MANAGER, at=clinic))
    assert ">Questions</a>" in client.get("/reports/").content.decode()
    assert f'href="{PAGE}"' in client.get("/ask/list/").content.decode()
    page: str = client.get(PAGE).content.decode()
    return page


def answered(clinic: Clinic, payer: str, *, seconds: int) -> None:
    builders.inquiry(clinic, payer=payer, asked_at=NOW - SECOND * seconds)


@pytest.mark.django_db
@pytest.mark.time_machine(NOW, tick=False)
class TestPage:
    def test_each_payer_has_its_row_and_too_few_are_called_so(self) -> None:
        clinic = builders.clinic()
        for payer, seconds in (("alone", 5), ("alone", 9), ("insured", 7), ("", 200), ("insured", 600)):
            answered(clinic, payer, seconds=seconds)
        builders.inquiry(clinic, payer="alone", asked_at=NOW - 100 * DAY)  # too long ago
        builders.inquiry(payer="insured", asked_at=NOW - SECOND * 3)  # elsewhere
        page = read(clinic)
        cell = r'</t[hd]><td class="numbers">([^<]+)'
        assert re.findall(rf'<th scope="row">([^<]+){cell}{cell}{cell}</td></tr>', page) == [
            ("Pays without insurance", "2", "5 seconds", "9 seconds"),
            ("Through insurance", "2", "7 seconds", "10\xa0minutes"),
            ("nobody asked who pays", "1", "3\xa0minutes", "3\xa0minutes"),
        ]
        assert "Too few answers yet to tell whether who pays makes a difference: it takes 20 of each." in page

    @pytest.mark.parametrize(
        ("later", "said"),
        [
            (0, "Who pays made no difference"),
            (60, "Who comes through insurance waited longer for an answer"),
            (-60, "Who pays without insurance waited longer for an answer"),
        ],
    )
    def test_the_difference_is_said_in_a_sentence(self, later: int, said: str) -> None:
        clinic = builders.clinic()
        for n in range(ENOUGH):
            answered(clinic, "alone", seconds=100 + n)
            answered(clinic, "insured", seconds=100 + n + later)
        assert said in read(clinic)

    def test_why_people_went_elsewhere_stands_beside_it(self) -> None:
        clinic = builders.clinic()
        for because in ("price", "price", "payer"):
            builders.inquiry(clinic, outcome="lost", lost_because=because)
        builders.inquiry(clinic, asked="laser", offering=None)
        page = read(clinic)
        table = page[page.index("<h2>Why people went elsewhere, in 90 days") :].split("</section>")[0]
        assert re.findall(r'<td class="numbers">(\d)</td>', table) == ["2", "1"]
        assert "Their insurance is not taken here" in table
        assert "What people asked for and we could not answer" in page

    @pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.DOCTOR])
    def test_only_managers_read_it(self, role: Role) -> None:
        clinic, client = builders.clinic(), Client()
        client.force_login(builders.user(role, at=clinic))
        assert client.get(PAGE).status_code == 403
        assert PAGE not in client.get("/ask/list/").content.decode()
