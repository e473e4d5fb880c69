"""A visit is moved by dragging it in the picture of the week, or by keyboard; both are one move, and she sees it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.browser.at_the_desk import saves
from tests.browser.conftest import LANGUAGES, DemoServer, Opener
from tests.browser.keyboard import Keyboard

in_every_language = pytest.mark.parametrize("language", LANGUAGES)
HIGH = {"width": 1400, "height": 2000}  # a whole day can be seen
JERUSALEM = ZoneInfo("Asia/Jerusalem")
HALF_HOUR = 54  # pixels of the picture
VISIT = """
SELECT a.id, a.public_id, a.practitioner_id, a.start, a.end FROM appointments_appointment a
JOIN journeys_step s ON s.id = a.step_id JOIN journeys_journey j ON j.id = s.journey_id
WHERE j.public_id = ? AND a.status = 'booked' AND a.confirmed_at IS NULL
"""
CELLS = """
SELECT c.start, c.end, u.appointment_id FROM appointments_slot c
LEFT JOIN appointments_slotuse u ON u.slot_id = c.id
WHERE c.practitioner_id = ? AND NOT c.is_closed AND date(c.start) = date(?) ORDER BY c.start
"""
STATE = "SELECT start, status, confirmed_at FROM appointments_appointment WHERE id = ?"


@dataclass(frozen=True)
class Visit:
    """A visit that its patient has not confirmed yet, and the day around it; times in UTC."""

    pk: int
    public_id: str
    doctor: int
    start: datetime
    end: datetime
    cells: list[tuple[datetime, datetime, int | None]]

    def other_time(self, *, is_free: bool) -> datetime:
        """A start of this day at which it fits, or at which somebody else is."""
        length = self.end - self.start
        for start, _end, _taker in self.cells:
            inside = [each for each in self.cells if start <= each[0] < start + length]
            whole = sum((end - begin for begin, end, _taker in inside), timedelta()) == length
            takers = {taker for _begin, _end, taker in inside} - {self.pk}
            if whole and start != self.start and bool(takers - {None}) != is_free:
                return start
        raise AssertionError(f"no such time in {self.cells}")


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def her_page(demo: DemoServer, open_page: Opener) -> Page:
    path = next(page["path"] for page in demo.pages() if page["name"] == "patient_page_confirm")
    return open_page(f"{path}?lang=en", login="")


@pytest.fixture
def visit(demo: DemoServer, her_page: Page) -> Visit:
    journey = her_page.url.split("/p/")[1].split("/")[0].replace("-", "")
    ((pk, public_id, doctor, start, end),) = demo.rows(VISIT, journey)
    cells = [(instant(one), instant(other), taker) for one, other, taker in demo.rows(CELLS, doctor, start)]
    return Visit(pk, public_id, doctor, instant(start), instant(end), cells)


def week_of(visit: Visit) -> str:
    return f"/calendar/week/?on={visit.start:%F}&doctor={visit.doctor}"


def drag(page: Page, visit: Visit, to: datetime) -> None:
    """With the mouse, by so many half hours down or up."""
    box = place_of(page, visit)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 10, steps=2)
    page.mouse.move(x, y + (to - visit.start) / timedelta(minutes=30) * HALF_HOUR, steps=5)
    with page.expect_navigation():
        page.mouse.up()


def drawn(page: Page, visit: Visit) -> Locator:
    dashed = str(visit.public_id)
    dashed = "-".join((dashed[:8], dashed[8:12], dashed[12:16], dashed[16:20], dashed[20:]))
    return page.locator(f"#week [data-url*='{dashed}']")


def place_of(page: Page, visit: Visit) -> FloatRect:
    """Where it is drawn, once the picture stands still."""
    drawn(page, visit).scroll_into_view_if_needed()
    box = drawn(page, visit).bounding_box()
    assert box
    return box


def is_moved(demo: DemoServer, her_page: Page, visit: Visit, to: datetime) -> None:
    """Saved with its way back; what she said yes to is asked anew, and her own page shows the new time."""
    ((start, status, confirmed_at),) = demo.rows(STATE, visit.pk)
    assert (instant(start), status, confirmed_at) == (to, "booked", None)
    assert saves(demo) == ["moved"]
    her_page.reload()
    expect(her_page.locator("main")).to_contain_text(f"{to.astimezone(JERUSALEM):%H:%M}")


@in_every_language
def test_a_visit_is_dragged_to_another_time(
    demo: DemoServer, open_page: Opener, her_page: Page, visit: Visit, language: str
) -> None:
    page, to = open_page(week_of(visit), language=language, viewport=HIGH), visit.other_time(is_free=True)
    drag(page, visit, to)
    expect(page.locator(".notice-success")).to_contain_text(f"{to.astimezone(JERUSALEM):%H:%M}")
    expect(drawn(page, visit)).to_contain_text(f"{to.astimezone(JERUSALEM):%H:%M}")
    is_moved(demo, her_page, visit, to)


@in_every_language
def test_a_visit_is_moved_by_keyboard(
    demo: DemoServer, open_page: Opener, her_page: Page, visit: Visit, language: str
) -> None:
    page = open_page(week_of(visit), language=language)
    move = page.locator(f".week-table a[href*='/move/'][href*='{visit.public_id[:8]}']")
    move.focus()
    keys = Keyboard(page, language)
    with page.expect_navigation():
        keys.press("Enter")
    first = page.locator("button[name=start][data-key=Digit1]")
    to = datetime.fromisoformat(str(first.get_attribute("value")))
    with page.expect_navigation():
        keys.press("Digit1")
    assert keys.pressed == 2
    is_moved(demo, her_page, visit, to)


@in_every_language
def test_a_visit_dragged_onto_a_taken_time_stays_with_the_reason(
    demo: DemoServer, open_page: Opener, visit: Visit, language: str
) -> None:
    page, before = open_page(week_of(visit), language=language, viewport=HIGH), demo.rows(STATE, visit.pk)
    stood = place_of(page, visit)
    drag(page, visit, visit.other_time(is_free=False))
    expect(page.locator("#messages .notice-error")).to_be_visible()
    assert place_of(page, visit) == stood
    assert demo.rows(STATE, visit.pk) == before
    assert saves(demo) == []
