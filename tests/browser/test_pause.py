"""The space bar pauses serving when no control has the focus; without scripts it is a button."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LANGUAGES, Opener
from tests.browser.keyboard import Keyboard

ITEM, PAUSE = "#panel [data-item]", "[data-key=Space]"


@pytest.mark.parametrize("language", LANGUAGES)
def test_space_pauses_and_goes_on(open_page: Opener, language: str) -> None:
    page = open_page("/today/", language=language)
    expect(page.locator(ITEM)).to_be_visible()
    keys = Keyboard(page, language)
    keys.press("Space")
    expect(page.locator("#panel [role=status]")).to_be_visible()
    expect(page.locator(ITEM)).to_have_count(0)
    page.wait_for_load_state()  # the words stand before the scripts that hear keys
    keys.press("Space")
    expect(page.locator(ITEM)).to_be_visible()


def test_space_on_a_control_is_the_controls(open_page: Opener) -> None:
    page = open_page("/today/")
    expect(page.locator(ITEM)).to_be_visible()
    page.locator("details.menu summary").focus()
    Keyboard(page, "en").press("Space")
    expect(page.locator("details.menu[open]")).to_have_count(1)
    expect(page.locator(ITEM)).to_be_visible()


def test_without_scripts_it_is_a_button(open_page: Opener) -> None:
    page = open_page("/today/", java_script_enabled=False)
    page.locator(PAUSE).click()
    expect(page.locator("#panel [role=status]")).to_be_visible()
    page.locator(PAUSE).click()
    expect(page.locator("#panel [role=status]")).to_have_count(0)
