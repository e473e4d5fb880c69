"""Several silent patients by keyboard alone: read what would be tried, plan it with one key, take it back with one."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LANGUAGES, DemoServer, Opener
from tests.browser.keyboard import Keyboard

PLANNED = "SELECT id FROM outreach_attempt WHERE status = 'planned' ORDER BY id"
SAVED = "SELECT count(*) FROM clinic_journey_deskaction WHERE what = 'replanned' AND undone_at IS NULL"


def nothing_planned(demo: DemoServer) -> None:
    """As if the machine had not come to it yet."""
    demo.write(
        "UPDATE outreach_attempt SET status = 'cancelled', ended_at = send_at WHERE status = 'planned'"
    )


def one_cause(page: Page) -> str:
    """The key of the first group in which something can be tried."""
    key = page.locator("main a[href*='cause=one_']").first.get_attribute("data-key")
    assert key
    return key


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_of_one_cause_are_read_planned_and_taken_back(
    demo: DemoServer, open_page: Opener, language: str
) -> None:
    page = open_page("/silent/", language=language)
    nothing_planned(demo)
    page.reload()
    keys = Keyboard(page, language)
    keys.press(one_cause(page))
    page.wait_for_url("**/silent/together/?cause=one_*")
    rows = page.locator("[name=plan]").count()
    assert rows >= 1
    assert demo.rows(PLANNED) == []
    keys.press("KeyP")
    page.wait_for_url("**/silent/together/planned/?key=*")
    assert demo.rows(SAVED) == [(rows,)]
    assert len(demo.rows(PLANNED)) == rows
    keys.press("KeyZ")
    page.wait_for_url(re.compile("/silent/$"))
    assert (demo.rows(SAVED), demo.rows(PLANNED)) == ([(0,)], [])
    assert keys.pressed == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_some_are_chosen_with_space(demo: DemoServer, open_page: Opener, language: str) -> None:
    page = open_page("/silent/", language=language)
    keys = Keyboard(page, language)
    box = page.locator("[name=task]").first
    box.focus()
    keys.press("Space")
    expect(box).to_be_checked()
    keys.press("KeyP")
    page.wait_for_url("**/silent/together/?task=*")
    expect(page.locator("[name=plan], .silent-rows li")).to_have_count(1)


def test_without_scripts_it_is_a_plain_form(demo: DemoServer, open_page: Opener) -> None:
    page = open_page("/silent/", java_script_enabled=False)
    nothing_planned(demo)
    page.reload()
    page.locator("main a[href*='cause=one_']").first.click()
    page.locator("main form[method=post] button").click()
    ((saved,),) = demo.rows(SAVED)
    assert saved >= 1
    page.locator("main form[method=post] button").click()
    assert demo.rows(SAVED) == [(0,)]
