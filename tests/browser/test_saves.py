"""A line that breaks in mid-save, on other pages than Today: what is typed stays, the bar says so, one save is made."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.utils import translation
from django.utils.translation import gettext
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.at_the_desk import patient_with, saves
from tests.browser.conftest import LANGUAGES, DemoServer, Opener
from tests.browser.keyboard import Keyboard

in_every_language = pytest.mark.parametrize("language", LANGUAGES)
NO_VISIT = "NOT EXISTS (SELECT 1 FROM appointments_appointment a WHERE a.patient_id = p.id)"
NO_CARD = "EXISTS (SELECT 1 FROM patients_servicecard c WHERE c.patient_id = p.id AND c.told_at IS NULL)"
BOOKED = "SELECT count(*) FROM appointments_appointment WHERE status = 'booked'"
HALF = "after the holidays, when her"


class BadLine:
    """It breaks twice for what is sent to an address: before that reaches us, and before our answer comes back.

    The third try waits until it is mended.
    """

    def __init__(self, page: Page, address: str, made: Callable[[], int]) -> None:
        self.page, self.made = page, made
        self.found: list[int] = []  # how many were made, at the beginning of each try
        self.waiting: list[Route] = []
        self.ways = iter((self._lose, self._lose_answer))
        self.is_mended = False
        page.route(address, self._carry)

    def _carry(self, route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        self.found.append(self.made())
        next(self.ways, self._hold)(route)

    def _lose(self, route: Route) -> None:
        route.abort()

    def _lose_answer(self, route: Route) -> None:
        route.fetch(max_redirects=0)
        route.abort()

    def _hold(self, route: Route) -> None:
        if self.is_mended:
            route.continue_()
        else:
            self.waiting.append(route)

    def mend(self) -> None:
        self.is_mended = True
        for route in self.waiting:
            route.continue_()


def saved_once(line: BadLine, language: str, press: Callable[[], None], *typed: tuple[Locator, str]) -> None:
    """Press, and look at the page while the line is broken and after it."""
    page, bar, before = line.page, line.page.locator("#not-saved"), line.made()
    with translation.override(language):
        words = gettext("Not saved, trying again")
    press()
    expect(bar).to_be_visible()
    page.clock.run_for(1000)
    expect(bar).to_have_text(f"{words} (2)")
    for field, value in typed:
        expect(field).to_have_value(value)
    expect(page.locator("[data-saves] button:enabled")).to_have_count(0)
    with page.expect_navigation():
        line.mend()
        page.clock.run_for(2000)
    expect(page.locator(".notice-success, .saved").first).to_be_visible()
    expect(bar).to_be_hidden()
    assert [*line.found, line.made()] == [before, before, before + 1, before + 1]


def opened(open_page: Opener, path: str, language: str, login: str = "rina") -> Page:
    """The page, with a clock that can be put forward."""
    page = open_page("/patients/", login=login, language=language)
    page.clock.install()
    page.goto(path)
    return page


@in_every_language
def test_a_visit_is_booked_once(demo: DemoServer, open_page: Opener, language: str) -> None:
    page = opened(open_page, f"/patients/{patient_with(demo, NO_VISIT)}/book/", language)
    line = BadLine(page, "**/book/", lambda: demo.rows(BOOKED)[0][0])
    page.fill("[name=title]", HALF)
    keys = Keyboard(page, language)
    saved_once(line, language, lambda: keys.press("Escape", "Digit1"), (page.locator("[name=title]"), HALF))
    assert saves(demo) == ["booked"]


def test_a_visit_that_a_step_asks_for_is_booked_once(demo: DemoServer, open_page: Opener) -> None:
    asked = (
        "SELECT s.public_id, p.public_id FROM journeys_step s JOIN journeys_journey j ON j.id = s.journey_id"
    )
    asked += " JOIN patients_patient p ON p.id = j.patient_id WHERE s.kind = 'book' AND s.status = 'active'"
    step, patient = (UUID(each) for each in demo.rows(asked)[0])
    page = opened(open_page, f"/patients/{patient}/book/?step={step}", "en")
    line = BadLine(page, "**/book/**", lambda: len(saves(demo)))
    saved_once(line, "en", lambda: Keyboard(page, "en").press("Digit1"))
    assert saves(demo) == ["booked"]


@in_every_language
def test_a_decision_is_made_once(demo: DemoServer, open_page: Opener, language: str) -> None:
    page = opened(open_page, "/results/", language, login="cohen")
    decided = "SELECT count(*) FROM referrals_result WHERE decision = 'no_treatment'"
    line = BadLine(page, "**/decide/", lambda: demo.rows(decided)[0][0])
    expect(page.locator("#follows > *").first).to_be_visible()
    page.fill("#note", HALF)
    page.locator("#note").blur()
    press = Keyboard(page, language).press
    saved_once(line, language, lambda: press("Digit3"), (page.locator("#note"), HALF))
    assert saves(demo) == ["no_treatment"]
    assert demo.rows("SELECT count(*) FROM referrals_result WHERE note = ?", HALF) == [(1,)]


@in_every_language
def test_an_answer_is_sent_once(demo: DemoServer, open_page: Opener, language: str) -> None:
    talk = str(open_page("/inbox/").locator(".queue-row").last.get_attribute("href"))
    page = opened(open_page, talk, language)
    written = "SELECT count(*) FROM outreach_attempt WHERE body = ?"
    line = BadLine(page, "**/answer/", lambda: demo.rows(written, HALF)[0][0])
    page.fill("#words", HALF)
    send = page.locator("form:has(#words) .btn-primary")
    saved_once(line, language, send.click, (page.locator("#words"), HALF))
    expect(page.locator("#words")).to_have_value("")


@in_every_language
def test_a_card_is_saved_once(demo: DemoServer, open_page: Opener, language: str) -> None:
    patient = patient_with(demo, NO_CARD)
    page = opened(open_page, f"/patients/{patient}/card/", language)
    written = "SELECT count(*) FROM patients_auditevent WHERE what = 'servicecard' AND action = 'change'"
    line = BadLine(page, "**/card/", lambda: demo.rows(written)[0][0])
    page.fill("[name=may_tell]", HALF)
    page.locator("[name=may_tell]").blur()
    page.locator("#card").focus()
    keys = Keyboard(page, language)
    press = lambda: keys.press("Digit3", "KeyW", "KeyY", "Enter")  # noqa: E731
    saved_once(line, language, press, (page.locator("[name=may_tell]"), HALF))


def test_what_is_refused_once_the_line_is_back_is_said_and_nothing_typed_is_lost(
    demo: DemoServer, open_page: Opener
) -> None:
    patient = patient_with(demo, NO_VISIT)
    page = opened(open_page, f"/patients/{patient}/book/", "en")
    page.fill("[name=title]", HALF)
    page.context.set_offline(True)
    first = page.locator("button.slot[data-key=Digit1]")
    wanted = first.get_attribute("value")
    first.click()
    expect(page.locator("#not-saved")).to_be_visible()
    other = open_page(f"/patients/{other_patient(demo, patient)}/book/", login="dan")
    with other.expect_navigation():
        other.locator(f"button.slot[value='{wanted}']").click()
    with page.expect_navigation():
        page.context.set_offline(False)
        page.clock.run_for(15_000)  # the longest that it waits between two tries
    expect(page.locator("form .errorlist")).to_contain_text("is booked for")
    expect(page.locator("[name=title]")).to_have_value(HALF)
    assert saves(demo) == ["booked"]


def other_patient(demo: DemoServer, patient: UUID) -> UUID:
    return patient_with(demo, f"{NO_VISIT} AND p.public_id <> '{patient.hex}'")
