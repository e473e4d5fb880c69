"""What is typed about a patient comes back until it is sent, and not after it."""

from playwright.sync_api import Page, expect

from tests.browser.at_the_desk import open_row, patient_with
from tests.browser.conftest import DemoServer, Opener

CHASE, SKIP = "#panel #chase-words", "#panel #note-skip"


def opened(page: Page, row: str) -> None:
    page.locator(row).click()
    expect(page.locator(row)).to_have_attribute("aria-current", "true")
    expect(page.locator("#panel[aria-busy]")).to_have_count(0)


def test_notes_of_an_open_row_come_back_until_they_are_saved(open_page: Opener) -> None:
    page = open_page("/today/")
    step = open_row(page, CHASE, SKIP)
    page.fill(CHASE, "Where is my answer?")
    opened(page, f".queue-row:not([href='?item={step}']) >> nth=0")
    opened(page, f".queue-row[href='?item={step}']")
    expect(page.locator(CHASE)).to_have_value("Where is my answer?")
    with page.expect_navigation():
        page.locator("#panel [data-key=KeyX]").click()
    expect(page.locator(CHASE)).to_have_value("")
    page.locator("#panel .asks:has(#note-skip) summary").click()
    page.fill(SKIP, "the line is engaged")
    with page.expect_navigation():
        page.locator("#panel button[value=skip]").click()
    page.goto(f"/today/?item={step}")
    expect(page.locator("#panel [data-item]")).to_be_visible()
    expect(page.locator(SKIP)).to_have_value("")
    expect(page.locator("#panel .asks[open]")).to_have_count(0)


def test_the_callers_window_closed_by_mistake_keeps_what_was_typed(
    demo: DemoServer, open_page: Opener
) -> None:
    page = open_page("/waiting/")
    waits = "EXISTS (SELECT 1 FROM journeys_journey j JOIN journeys_step s ON s.journey_id = j.id"
    waits += " WHERE j.patient_id = p.id AND s.status = 'active' AND s.kind = 'promise')"
    patient = patient_with(demo, f"p.status = 'active' AND {waits}")
    ((name,),) = demo.rows(
        "SELECT given_name || ' ' || family_name FROM patients_patient WHERE public_id = ?", patient.hex
    )
    window = page.locator("#caller-window")
    words = window.locator(".caller-chase [name=words]")

    def look_up(typed: str) -> None:
        page.fill("[data-caller-search] [name=q]", typed)
        page.locator(f"#matches a[href*='{patient}']").click()
        expect(window).to_be_visible()

    look_up(name)
    words.fill("Where is my answer?")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(window).to_be_hidden()
    look_up(f"{name} ")
    expect(words).to_have_value("Where is my answer?")
    window.locator("[data-key=KeyX]").click()
    expect(window.locator(".notice-success")).to_be_visible()
    expect(window.locator("h2").first).to_be_focused()  # last of all, when the draft is forgotten
    page.keyboard.press("Escape")
    look_up(name)
    expect(words).to_have_value("")
