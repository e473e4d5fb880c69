"""When one may come without an appointment, and what to do before: typed once, and told to everybody who asks."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from inquiries.models import Offering, WalkInHours
from inquiries.on_offer import set_walk_in
from patients.models import Clinic, Role
from tests import builders
from tests.clinic_journey.importing.files import csv_file
from tests.clinic_journey.test_access import logged_in
from tests.clinic_journey.test_ask import asked, words_in
from tests.clinic_journey.test_offered_page import shown
from tests.clinic_journey.test_offerings import FLU
from tests.clinic_journey.test_offerings_file import FILE, bring
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]  # a Monday, 10:00
MORNINGS = {weekday: [(time(8), time(12))] for weekday in (6, 0, 1, 2, 3)}
HOUR = timedelta(hours=1)


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(language="en")


@pytest.fixture
def desk(clinic: Clinic) -> Client:
    return logged_in(Role.RECEPTIONIST, clinic, reads="en")


@pytest.fixture
def manager(clinic: Clinic) -> Client:
    return logged_in(Role.MANAGER, clinic)


def flu(clinic: Clinic, **fields: Any) -> Offering:
    made = builders.offering(clinic, **{"stock": 3, "is_public": True, **fields})
    set_walk_in(made, MORNINGS)
    return made


def closed_today(clinic: Clinic) -> None:
    clinic.closed_days.create(on=NOW.date(), name="Purim")


def shut_early(clinic: Clinic) -> None:
    clinic.closed_days.create(on=NOW.date(), name="Eve", closes_at=time(11))


def as_usual(_clinic: Clinic) -> None:
    pass


@pytest.mark.parametrize(
    ("day", "at", "says"),
    [
        (as_usual, NOW, "Without an appointment: today until 12:00."),
        (shut_early, NOW, "Without an appointment: today until 11:00."),
        (closed_today, NOW, "Without an appointment: tomorrow 08:00 until 12:00."),
        (as_usual, NOW + 1.75 * HOUR, "Without an appointment: tomorrow 08:00 until 12:00."),
        (as_usual, NOW - 4 * HOUR, "Without an appointment: today 08:00 until 12:00."),
        (as_usual, NOW + timedelta(days=3, hours=3), "Without an appointment: Sunday 08:00 until 12:00."),
    ],
)
def test_the_next_time_is_said_by_the_days_on_which_we_are_here(
    clinic: Clinic, day: Callable[[Clinic], None], at: datetime, says: str
) -> None:
    flu(clinic)
    day(clinic)
    with time_machine.travel(at, tick=False):
        desk = logged_in(Role.RECEPTIONIST, clinic, reads="en")
        assert says in words_in(asked(desk, what="flu"))


@pytest.mark.parametrize("stock", [0, None])
def test_nobody_is_told_to_come_for_what_may_not_be_here(
    desk: Client, clinic: Clinic, stock: int | None
) -> None:
    flu(clinic, stock=stock, preparations={"en": "come fasting"})
    words = words_in(asked(desk, what="flu"))
    assert "Without an appointment" not in words
    assert ("come fasting" in words) == (stock is None)


def test_what_to_do_before_is_said_in_the_language_of_the_answer(desk: Client, clinic: Clinic) -> None:
    said = {"en": "come fasting.", "ru": "приходите натощак"}
    flu(clinic, preparations=said)
    page = asked(desk, what="flu")
    assert words_in(page).endswith("Before you come: come fasting.")
    assert "<bdi>come fasting.</bdi>" in page
    assert "приходите натощак." in words_in(asked(desk, what="flu", language="ru"))


def test_everybody_reads_it_on_the_public_sheet(clinic: Clinic) -> None:
    flu(clinic, preparations={"en": "come fasting"})
    builders.offering(clinic, stock=1, is_public=True, names={"en": "Hepatitis A"})
    page = shown(clinic)
    assert "Sun–Thu" in page
    assert "08:00–12:00" in page
    assert "You can come today until 12:00." in page
    assert "Before the visit: <bdi>come fasting</bdi>" in page
    closed_today(clinic)
    assert "The next time: Tuesday 10 March, between 08:00 and 12:00." in shown(clinic)


def test_a_manager_types_it(manager: Client, clinic: Clinic) -> None:
    typed = {"walk_in_0": "8-12, 16:00-18:00", "preparation_en": " come fasting ", "is_active": "on"}
    assert manager.post("/offerings/", {**FLU, **typed}).status_code == 302
    offering = Offering.objects.get()
    assert offering.preparations == {"en": "come fasting"}
    rows = list(offering.walk_in.values_list("weekday", "start", "end"))
    assert rows == [(0, time(8), time(12)), (0, time(16), time(18))]
    page = manager.get(f"/offerings/{offering.pk}/").content.decode()
    assert 'value="08:00-12:00, 16:00-18:00"' in page
    assert manager.post(f"/offerings/{offering.pk}/", {**FLU, "is_active": "on"}).status_code == 302
    assert not WalkInHours.objects.exists()


def test_hours_that_make_no_sense_change_nothing(manager: Client, clinic: Clinic) -> None:
    answer = manager.post("/offerings/", {**FLU, "walk_in_0": "12-8"})
    assert answer.status_code == 422
    assert "Write hours as 8:00-12:00" in answer.content.decode()
    assert not Offering.objects.exists()


def test_it_goes_out_in_the_file_and_comes_back(manager: Client, clinic: Clinic) -> None:
    flu(clinic, preparations={"he": "להגיע בצום"})
    out = b"".join(manager.get(f"{FILE}offerings.csv").streaming_content)  # type: ignore[attr-defined]
    assert "mon 08:00-12:00; tue 08:00-12:00" in out.decode("utf-8-sig")
    WalkInHours.objects.all().delete()
    Offering.objects.update(preparations={})
    assert bring(manager, out)[0] == 302
    offering = Offering.objects.get()
    assert offering.preparations == {"he": "להגיע בצום"}
    assert [row.weekday for row in offering.walk_in.all()] == [0, 1, 2, 3, 6]


@pytest.mark.parametrize("wrong", ["monday 8-12", "mon 12-8"])
def test_hours_in_a_file_that_make_no_sense_are_named(manager: Client, wrong: str) -> None:
    status, page = bring(manager, csv_file(("kind", "name_en", "walk_in"), ("service", "Check-up", wrong)))
    assert (status, "Line 2: Write walk_in as" in page) == (422, True)


def test_a_program_writes_and_reads_it(clinic: Clinic) -> None:
    program = builders.api(builders.user(Role.MANAGER, at=clinic))
    walk_in = [{"weekday": 0, "start": "08:00:00", "end": "12:00:00"}]
    body = {"kind": "service", "names": {"en": "Blood test"}, "clinic": clinic.slug, "walk_in": walk_in}
    made = program.post("/api/v1/offerings/", body | {"preparations": {"en": "come fasting"}}, format="json")
    assert made.status_code == 201, made.content
    read = program.get(f"/api/v1/offerings/{made.json()['id']}/").json()
    assert (read["walk_in"], read["preparations"]) == (walk_in, {"en": "come fasting"})
    again = {"weekday": 0, "start": "11:00", "end": "13:00"}
    for wrong in ([*walk_in, again], [again | {"end": "10:00"}], [again | {"weekday": 7}]):
        assert program.post("/api/v1/offerings/", body | {"walk_in": wrong}, format="json").status_code == 400
    assert (
        program.post("/api/v1/offerings/", body | {"preparations": {"xx": "?"}}, format="json").status_code
        == 400
    )
