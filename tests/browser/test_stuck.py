"""From the worst gap to the names in one press, and on to an item to act on in a second one; the picture is drawn."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LANGUAGES, Opener
from tests.browser.keyboard import Keyboard

MAP = "/reports/stuck/?template=imaging_treatment&weeks=12"
WAITING = (
    "/reports/stuck/?template=start_of_treatment&weeks=12"  # in its widest gap somebody waits in the demo
)


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
    for number, part in enumerate(("map", "table", "ages", "funnel", "weeks", "lanes", "gaps", "trend"), 1):
        keyboard.press(f"Digit{number}")
        assert page.evaluate("location.hash") == f"#{part}"
    keyboard.press("KeyE")
    expect(page.locator("details.menu a[href*='as=xlsx']").first).to_be_visible()
    keyboard.press("KeyF")
    expect(page.locator("#template")).to_be_focused()


def test_in_the_picture_who_is_still_in_time_is_hatched(open_page: Opener) -> None:
    page = open_page(MAP, login="dan")
    expect(page.locator("[data-stuck-picture] svg")).to_be_visible()
    young = page.locator("[data-stuck-picture] .band-young")
    assert young.count() >= 1
    for mark in (young.first, page.locator(".stuck-legend .band-young")):
        assert "#too-young" in mark.evaluate("band => getComputedStyle(band).fill")
    Keyboard(page, "en").press("Period")
    expect(page.locator("[data-stuck-picture]")).to_have_count(0)
    expect(page.locator(".stuck-table")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "he"])
def test_on_paper_the_picture_is_there_with_its_legend(open_page: Opener, language: str) -> None:
    page = open_page(MAP, login="dan", language=language)
    page.emulate_media(media="print", color_scheme="light")
    expect(page.locator("[data-stuck-picture] svg")).to_be_visible()
    expect(page.locator(".stuck-legend")).to_be_visible()
    late, young = (
        page.locator(f".stuck-legend .band-{kind}").evaluate("band => getComputedStyle(band).strokeWidth")
        for kind in ("late", "young")
    )
    assert (late, young) == ("2px", "1px")  # told apart without their colours


def test_without_scripts_the_picture_and_the_table_tell_everything(open_page: Opener) -> None:
    page = open_page(MAP, login="dan", java_script_enabled=False)
    expect(page.locator("[data-stuck-picture] svg")).to_be_visible()
    assert page.locator(".stuck-table tbody tr").count() >= 5
    page.goto(WAITING)
    page.get_by_role("link", name="Open list").click()
    page.wait_for_url("**/reports/stuck/names/**")
