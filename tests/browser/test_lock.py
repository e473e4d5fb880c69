"""A shared desk: one key covers the screen, a PIN opens it where its owner was, and drafts stay with their author."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.at_the_desk import CALLED, open_row
from tests.browser.conftest import DESK, LANGUAGES, DemoServer, Opener, resize
from tests.browser.keyboard import Keyboard
from tests.browser.test_every_page import OLD_PHONE, TOO_WIDE, axe_problems, picture

PIN = "2580"
IDLE = 5 * 60 * 1000 + 2000  # milliseconds
WORDS = "she asked for the evening"
NOTE = "#note-needs_doctor"


def choose_pin(page: Page) -> None:
    page.goto("/desk/pin/")
    page.fill("[name=password]", "demo")
    page.fill("[name=pin]", PIN)
    page.press("[name=pin]", "Enter")
    expect(page.locator(".notice-success")).to_be_visible()


def is_covered(page: Page) -> None:
    page.wait_for_url("**/lock/")
    expect(page.locator("#key")).to_be_focused()


def unlock(page: Page, key: str) -> None:
    page.keyboard.insert_text(key)  # as a paste does
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/lock/" not in url)


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_key_locks_and_four_digits_open(demo: DemoServer, open_page: Opener, language: str) -> None:
    page = open_page("/today/", language=language)
    choose_pin(page)
    step = open_row(page, CALLED)
    names = [
        name for (name,) in demo.rows("SELECT family_name FROM patients_patient WHERE family_name <> ''")
    ]
    Keyboard(page, language).press("KeyL")
    is_covered(page)
    assert [name for name in names if name in page.content()] == []
    assert axe_problems(page) == []
    for size in (DESK, OLD_PHONE):
        resize(page, size)
        picture(page, f"lock-{language}-{size['width']}")
        assert page.evaluate(TOO_WIDE) == []
    unlock(page, PIN)
    assert page.url.endswith(f"/today/?item={step}")


def test_the_screen_covers_itself_and_keeps_the_draft(open_page: Opener) -> None:
    page = open_page("/today/", has_clock=True)
    choose_pin(page)
    open_row(page, CALLED)
    page.keyboard.press("9")
    page.fill(NOTE, WORDS)
    page.clock.run_for(4 * 60 * 1000)
    expect(page.locator(NOTE)).to_have_value(WORDS)
    page.clock.run_for(IDLE)
    is_covered(page)
    unlock(page, PIN)
    expect(page.locator(NOTE)).to_have_value(WORDS)
    expect(page.locator(NOTE)).to_be_focused()


def test_work_keeps_the_screen_open(open_page: Opener) -> None:
    page = open_page("/patients/new/", has_clock=True)
    for _quarter in range(3):
        page.clock.run_for(4 * 60 * 1000)
        page.locator("[name=given_name]").press_sequentially("a")
    expect(page.locator("[name=given_name]")).to_have_value("aaa")


def test_a_colleague_takes_the_desk_and_sees_no_draft(open_page: Opener) -> None:
    page = open_page("/today/")
    choose_pin(page)
    page.goto("/patients/new/")
    page.fill("[name=given_name]", "Noa")
    page.locator("[data-lock] button").click()
    is_covered(page)
    page.get_by_role("link", name="Log in with a password").click()
    page.fill("[name=username]", "dan")
    page.fill("[name=password]", "demo")
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/reports/")
    page.goto("/patients/new/")
    expect(page.locator("[name=given_name]")).to_have_value("")
    page.fill("[name=given_name]", "Igor")
    page.locator("[data-lock] button").click()
    is_covered(page)
    page.get_by_role("link", name="Rina").click()
    page.wait_for_url("**/lock/?who=*")
    expect(page.locator("#key")).to_be_focused()
    unlock(page, PIN)
    page.wait_for_url("**/patients/new/")
    expect(page.locator("[name=given_name]")).to_have_value("Noa")


def test_every_tab_is_covered_and_opens_again(open_page: Opener) -> None:
    first = open_page("/patients/new/")
    second = first.context.new_page()
    second.goto("/calendar/")
    first.fill("[name=given_name]", "Noa")
    second.locator("[data-lock] button").click()
    is_covered(second)
    first.wait_for_url("**/lock/")
    unlock(second, "demo")
    assert "/calendar/" in second.url
    first.wait_for_url("**/patients/new/")
    expect(first.locator("[name=given_name]")).to_have_value("Noa")


def test_back_shows_nothing_of_what_was_covered(demo: DemoServer, open_page: Opener) -> None:
    page = open_page("/patients/")
    page.goto("/calendar/")
    page.locator("[data-lock] button").click()
    is_covered(page)
    page.go_back()
    page.wait_for_url("**/lock/")
    expect(page.locator("#key")).to_be_visible()


def test_without_scripts_the_button_locks_and_the_password_opens(open_page: Opener) -> None:
    page = open_page("/patients/?q=a", java_script_enabled=False)
    page.locator("[data-lock] button").click()
    page.fill("#key", "demo")
    page.press("#key", "Enter")
    page.wait_for_url("**/patients/?q=a")
