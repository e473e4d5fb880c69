"""A user gives a command another key by pressing it, in every layout; pages act on it and show it."""

from uuid import UUID

import pytest
from playwright.sync_api import expect

from tests.browser.at_the_desk import open_row
from tests.browser.conftest import LANGUAGES, DemoServer, Opener
from tests.browser.keyboard import Keyboard

PARK = "#panel [data-key=KeyP]"


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_commands_change_keys(demo: DemoServer, open_page: Opener, language: str) -> None:
    page = open_page("/desk/keys/", language=language)
    keys = Keyboard(page, language)
    park, question = page.locator("[name=KeyP]"), page.locator("[name=KeyQ]")
    park.focus()
    keys.press("KeyQ")
    expect(park).to_have_value("Q")
    keys.press("Enter")
    expect(page.locator(".errorlist")).to_have_count(1)
    expect(page.locator(".field:has(.errorlist) input")).to_have_value("Q")
    question.focus()
    keys.press("KeyP", "Enter")
    expect(page.locator(".notice-success")).to_be_visible()
    step = open_row(page, PARK)
    expect(page.locator(f"{PARK} kbd")).to_have_text("Q")
    expect(page.locator(".nav-main kbd")).to_have_text("P")
    park_words = page.locator(PARK).inner_text().removesuffix("Q").strip()
    keys.press_with_shift("Slash")
    expect(page.locator("#keys-help")).to_be_visible()
    expect(page.locator("#keys-help li").filter(has=page.locator("kbd", has_text="Q"))).to_have_text(
        f"Q {park_words}"
    )
    keys.press("Escape")
    expect(page.locator("#keys-help")).to_be_hidden()
    with page.expect_navigation():
        keys.press("KeyQ")
    parked = "SELECT a.kind FROM clinic_journey_setaside a JOIN journeys_step s ON s.id = step_id WHERE s.public_id = ?"
    assert demo.rows(parked, UUID(step).hex) == [("parked",)]
    with page.expect_navigation(url="**/ask/"):
        keys.press("KeyP")


def test_who_turns_the_keys_off_turns_them_off_for_herself(open_page: Opener) -> None:
    page = open_page("/desk/keys/")
    keys = Keyboard(page, "en")
    switch = page.locator("main [data-keys-switch]")
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "false")
    page.context.clear_cookies()  # another user logs in on the same computer
    page.goto("/login/")
    page.fill("[name=username]", "dan")
    page.fill("[name=password]", "demo")
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login/" not in url)
    page.goto("/desk/keys/")
    expect(switch).to_have_attribute("aria-pressed", "true")
    with page.expect_navigation(url="**/ask/"):
        keys.press("KeyQ")
