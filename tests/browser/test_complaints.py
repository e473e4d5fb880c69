"""A complaint by keyboard alone: no answer can be written until somebody has found that we understood."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LANGUAGES, DemoServer, Opener
from tests.browser.keyboard import Keyboard

ANSWERED = "SELECT understood_by, answer FROM outreach_complaint ORDER BY id DESC LIMIT 1"


def complaint_of(demo: DemoServer) -> str:
    (path,) = [page["path"] for page in demo.pages() if page["name"] == "complaint"]
    return path


@pytest.mark.parametrize("language", LANGUAGES)
def test_locked_until_a_second_reader_finds_it_understood(
    demo: DemoServer, open_page: Opener, language: str
) -> None:
    page = open_page(complaint_of(demo), login="dan", language=language)
    expect(page.locator("#answer-head")).to_be_visible()
    expect(page.locator("button[value=answer]")).to_have_count(0)
    expect(page.locator("button[value=read]")).to_have_count(0)  # dan put it into these words himself

    other = open_page(complaint_of(demo), login="admin", language=language)
    keys = Keyboard(other, language)
    keys.press("KeyY")
    other.wait_for_load_state()
    expect(other.locator("button[value=answer]")).to_be_visible()
    assert demo.rows(ANSWERED) == [("reader", "")]

    page.reload()
    write_and_send(page, Keyboard(page, language))
    assert demo.rows(ANSWERED) == [("reader", "We are sorry.")]


def write_and_send(page: Page, keys: Keyboard) -> None:
    keys.press("KeyW")
    expect(page.locator("#answer")).to_be_focused()
    page.keyboard.type("We are sorry.")
    page.keyboard.press("Tab")
    expect(page.locator("button[value=answer]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("button[value=answer]")).to_have_count(0)
    expect(page.locator("button[value=change]")).to_be_visible()
