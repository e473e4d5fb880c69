"""The calendar while others work in it: a time taken elsewhere fades under its name, and nothing moves."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.at_the_desk import patient_with
from tests.browser.conftest import LANGUAGES, DemoServer, Opener, resize
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_after_a_click_on_a_free_time_the_keys_act_and_f_leads_to_the_name(
    open_page: Opener, language: str
) -> None:
    page = open_page(FREE_LATER, language=language)
    keys = Keyboard(page, language)
    with page.expect_navigation():
        page.locator(FREE).first.click()
    keys.press("KeyF")
    expect(page.locator("#whom")).to_be_focused()
    expect(page.locator("#whom")).to_have_value("")
    keys.press("Escape")
    with page.expect_navigation(url="**/waiting/time/**"):
        keys.press("KeyA")


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


@pytest.mark.parametrize("language", ["en", "he"])
def test_each_visit_of_two_lines_in_the_picture_of_a_week_shows_whose_it_is(
    open_page: Opener, language: str
) -> None:
    page = open_page("/calendar/week/", language=language)
    doctors = page.locator("#week .ec-event:not(.week-short) small bdi")
    expect(doctors.first).to_be_visible()
    cut = "all => all.filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.textContent)"
    assert doctors.evaluate_all(cut) == []
    below = """all => all.filter((each) => {
        const bottom = (part) => part.getBoundingClientRect().bottom;
        return bottom(each) > bottom(each.closest(".ec-event"));
    }).map((each) => each.textContent)"""
    assert doctors.evaluate_all(below) == []


SEEN = """(column) => {
  column.scrollIntoView({ inline: "start", block: "nearest" });
  const box = (name) => document.querySelector(name).getBoundingClientRect();
  const [day, times, own] = [box(".day"), box(".day-hours"), column.getBoundingClientRect()];
  const [start, end] = document.dir === "rtl" ? [day.left, times.left] : [times.right, day.right];
  return { times: times.left - day.left, seen: Math.min(own.right, end) - Math.max(own.left, start) };
}"""


@pytest.mark.parametrize("language", ["en", "he"])
def test_on_a_phone_each_doctor_can_be_read_whole_beside_the_times(open_page: Opener, language: str) -> None:
    page = open_page("/calendar/", language=language)
    resize(page, {"width": 320, "height": 700})
    found = [column.evaluate(SEEN) for column in page.locator(".day-column").all()]
    assert len(found) > 1
    assert {round(each["times"]) for each in found} == {round(found[0]["times"])}, "the times stay"
    assert min(each["seen"] for each in found) > 205, "beside them no doctor is cut"
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
