"""From the worst gap to the names in one press, and on to an item to act on in a second one; the picture is drawn."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LANGUAGES, Opener
from tests.browser.keyboard import Keyboard

MAP = "/reports/stuck/?template=imaging_treatment&weeks=12"
WAITING = (
    "/reports/stuck/?template=start_of_treatment&weeks=12"  # in its widest gap somebody waits in the demo
)
PAINTED = """() => {
  const canvas = document.querySelector("[data-stuck-picture] canvas");
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.some((value) => value > 0);
}"""


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_worst_gap_is_one_press_from_its_names_and_two_from_an_act(
    open_page: Opener, language: str
) -> None:
    page = open_page(WAITING, login="dan", language=language)
    keyboard = Keyboard(page, language)
    keyboard.press("KeyO")
    page.wait_for_url("**/reports/stuck/names/**")
    assert keyboard.pressed == 1
    names = page.locator("[data-names] tbody tr")
    assert names.count() >= 1
    act = names.first.locator("td a").last
    act.focus()
    keyboard.press("Enter")
    page.wait_for_url("**/today/?item=*")
    assert keyboard.pressed == 2
    expect(page.locator("main h1, main h2").first).to_be_visible()


@pytest.mark.parametrize("language", ["en", "he"])
def test_parts_filter_files_and_tables_have_keys(open_page: Opener, language: str) -> None:
    page = open_page(MAP, login="dan", language=language)
    keyboard = Keyboard(page, language)
    for number, part in enumerate(("map", "table", "ages", "funnel", "weeks", "lanes"), 1):
        keyboard.press(f"Digit{number}")
        assert page.evaluate("location.hash") == f"#{part}"
    keyboard.press("KeyE")
    expect(page.locator("details.menu a[href*='as=xlsx']").first).to_be_visible()
    keyboard.press("KeyF")
    expect(page.locator("#template")).to_be_focused()


def test_the_picture_is_drawn_from_the_table(open_page: Opener) -> None:
    page = open_page(MAP, login="dan")
    expect(page.locator("[data-stuck-picture]")).to_be_visible()
    page.wait_for_function(PAINTED)
    Keyboard(page, "en").press("Period")
    expect(page.locator("[data-stuck-picture]")).to_have_count(0)
    expect(page.locator(".stuck-table")).to_be_visible()


def test_without_scripts_the_table_tells_everything(open_page: Opener) -> None:
    page = open_page(MAP, login="dan", java_script_enabled=False)
    expect(page.locator("[data-stuck-picture]")).to_be_hidden()
    assert page.locator(".stuck-table tbody tr").count() >= 5
    page.get_by_role("link", name="Open list").click()
    page.wait_for_url("**/reports/stuck/names/**")
