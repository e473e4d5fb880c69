"""The calendar while others work in it: a time taken elsewhere fades under its name, and nothing moves."""

import re

from playwright.sync_api import Page, expect

from tests.browser.at_the_desk import patient_with
from tests.browser.conftest import DemoServer, Opener
from tests.browser.keyboard import Keyboard

FREE = "a.free[data-offer]"
FREE_LATER = "/calendar/?on=2026-03-11"
NO_VISIT = "NOT EXISTS (SELECT 1 FROM appointments_appointment a WHERE a.patient_id = p.id)"


def booked_by(other: Page, demo: DemoServer, href: str) -> None:
    """Somebody books the time that a free link of the day leads to."""
    asked = re.sub(r"^\?", "", href)
    other.goto(f"/patients/{patient_with(demo, NO_VISIT)}/book/?{asked}")
    with other.expect_navigation():
        other.locator("button.slot", has_text="the time you chose").click()


def test_a_time_taken_elsewhere_fades_with_a_name_and_the_focus_stays(
    demo: DemoServer, open_page: Opener
) -> None:
    dan = open_page(FREE_LATER, login="dan")
    free = dan.locator(FREE).first
    free.focus()
    where = free.bounding_box()
    booked_by(open_page("/today/"), demo, str(free.get_attribute("href")))
    expect(free.locator(".taken")).to_contain_text("Rina")
    expect(free).to_be_focused()
    assert free.bounding_box() == where


def test_a_on_a_free_time_offers_it_to_who_waits(open_page: Opener) -> None:
    page = open_page(FREE_LATER)
    keys = Keyboard(page, "en")
    page.locator(FREE).first.focus()
    with page.expect_navigation():
        keys.press("KeyA")
    assert "/waiting/time/" in page.url
    assert keys.pressed == 1


def test_a_kept_time_counts_down_and_is_said_once(demo: DemoServer, open_page: Opener) -> None:
    page = open_page(f"/patients/{patient_with(demo, NO_VISIT)}/book/")
    page.clock.install()
    with page.expect_navigation():
        page.locator("button[data-key='Shift+Digit1']").click()
    count, said = page.locator("[data-countdown]"), page.locator("[data-last-minute]")
    expect(count).to_have_text("in 5 minutes")
    expect(said).to_have_text("")
    page.clock.run_for("02:01")
    expect(count).to_have_text("in 3 minutes")
    page.mouse.move(5, 5)  # somebody is here; an idle desk would lock itself meanwhile
    page.clock.run_for("02:00")
    expect(count).to_have_text("in 1 minute")
    expect(said).to_have_text("One minute is left to book this time.")
    page.clock.run_for("01:00")
    expect(count).to_have_text("This time is not kept any more.")
