"""Two people at one patient: the second sees who is there, is refused in words, and keeps what was typed."""

from playwright.sync_api import Page, expect

from tests.browser.at_the_desk import CALLED, SAVED, open_row, saves
from tests.browser.conftest import DemoServer, Opener

WORDS = "she asked for the evening"
NOTE = "#note-needs_doctor"
BY = "#at-needs_doctor"


def typed_by(page: Page, step: str) -> None:
    """A question to the doctor, half said."""
    page.goto(f"/today/?item={step}")
    page.keyboard.press("9")
    page.fill(BY, "2026-03-10T12:00")
    page.fill(NOTE, WORDS)


def test_the_second_sees_who_is_with_the_patient(open_page: Opener) -> None:
    rina = open_page("/today/")
    step = open_row(rina, CALLED)
    dan = open_page(f"/today/?item={step}", login="dan")
    expect(dan.locator(".desk-detail .pill-due").first).to_contain_text("Rina")


def test_the_second_save_is_refused_with_who_and_what(demo: DemoServer, open_page: Opener) -> None:
    rina = open_page("/today/")
    step = open_row(rina, CALLED)
    dan = open_page("/today/", login="dan")
    typed_by(dan, step)
    rina.keyboard.press("2")
    expect(rina.locator(SAVED)).to_be_visible()
    dan.press(NOTE, "Enter")
    refused = dan.get_by_text("Rina saved “No answer”")
    expect(refused).to_be_visible()
    expect(dan.locator(NOTE)).to_be_visible()
    expect(dan.locator(NOTE)).to_have_value(WORDS)
    expect(dan.locator(BY)).to_have_value("2026-03-10T12:00")
    assert saves(demo) == ["no_answer"]


def test_without_scripts_the_refused_words_stay_too(demo: DemoServer, open_page: Opener) -> None:
    rina = open_page("/today/")
    step = open_row(rina, CALLED)
    dan = open_page(f"/today/?item={step}", login="dan", java_script_enabled=False)
    dan.locator("summary", has_text="Needs the doctor").click()
    dan.fill(BY, "2026-03-10T12:00")
    dan.fill(NOTE, WORDS)
    rina.keyboard.press("2")
    expect(rina.locator(SAVED)).to_be_visible()
    dan.press(NOTE, "Enter")
    expect(dan.get_by_text("Rina saved “No answer”")).to_be_visible()
    expect(dan.locator(NOTE)).to_be_visible()
    expect(dan.locator(NOTE)).to_have_value(WORDS)
    expect(dan.locator(BY)).to_have_value("2026-03-10T12:00")
    assert saves(demo) == ["no_answer"]
