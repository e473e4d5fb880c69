"""The patient's page on an old phone, by touch: one tap confirms, two take another time. With and without scripts.

And by keyboard alone: the order of the page is the order of its keys.
"""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LANGUAGES, DemoServer, Opener
from tests.browser.test_every_page import TOO_WIDE, axe_problems, picture

OLD_PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True}
CONFIRMED = "SELECT count(*) FROM appointments_appointment WHERE confirmed_at IS NOT NULL"


def path_of(demo: DemoServer, name: str) -> str:
    return next(page["path"] for page in demo.pages() if page["name"] == name)


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("language", LANGUAGES)
def test_one_tap_confirms(demo: DemoServer, open_page: Opener, language: str, scripts: bool) -> None:
    path = path_of(demo, "patient_page_confirm")
    page = open_page(f"{path}?lang={language}", login="", java_script_enabled=scripts, **OLD_PHONE)
    ((before,),) = demo.rows(CONFIRMED)
    page.locator("button[value=confirm]").tap()
    page.wait_for_url("**said=confirm**")
    assert demo.rows(CONFIRMED) == [(before + 1,)]


@pytest.mark.parametrize("scripts", [True, False])
def test_two_taps_take_another_time(demo: DemoServer, open_page: Opener, scripts: bool) -> None:
    path = path_of(demo, "patient_page_confirm")
    page = open_page(f"{path}?lang=en", login="", java_script_enabled=scripts, **OLD_PHONE)
    page.locator("a[href*='times=1']").tap()
    expect(page.locator("#times")).to_be_visible()
    start = page.locator("#times [name=start]").first.get_attribute("value")
    at_that_time = (
        "SELECT count(*) FROM appointments_appointment WHERE confirmed_at IS NOT NULL AND start = datetime(?)"
    )
    ((before,),) = demo.rows(at_that_time, start)
    page.locator("#times button").tap()
    page.wait_for_url("**said=another_time**")
    assert demo.rows(at_that_time, start) == [(before + 1,)]


def press(page: Page, wanted: str) -> None:
    """Walk to it with Tab and press it."""
    for _key in range(60):
        if page.locator(f"{wanted}:focus").count():
            break
        page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_by_keyboard(demo: DemoServer, open_page: Opener, language: str) -> None:
    path = path_of(demo, "patient_page_confirm")
    page = open_page(f"{path}?lang={language}", login="", viewport=OLD_PHONE["viewport"])
    ((before,),) = demo.rows(CONFIRMED)
    press(page, "button[value=confirm]")
    expect(page).to_have_url(re.compile("said=confirm"))
    assert demo.rows(CONFIRMED) == [(before + 1,)]
    page.goto(f"{path}?lang={language}")
    press(page, "a[href*='times=1']")
    start = page.locator("#times [name=start]").first.get_attribute("value")
    press(page, "#times button")
    expect(page).to_have_url(re.compile("said=another_time"))
    taken = (
        "SELECT count(*) FROM appointments_appointment WHERE confirmed_at IS NOT NULL AND start = datetime(?)"
    )
    assert demo.rows(taken, start)[0][0] >= 1


@pytest.mark.parametrize("scripts", [True, False])
def test_who_has_said_who_she_is_confirms_and_changes_her_card(
    demo: DemoServer, open_page: Opener, scripts: bool
) -> None:
    path = path_of(demo, "patient_page_confirm")
    page = open_page(f"{path}?lang=en", login="", java_script_enabled=scripts, **OLD_PHONE)
    ((born,),) = demo.rows(
        "SELECT p.birth_date FROM patients_patient p JOIN journeys_journey j ON j.patient_id = p.id"
        " WHERE j.public_id = ?",
        page.url.split("/p/")[1].split("/")[0].replace("-", ""),
    )
    page.fill("[name=who]", born[:4])
    page.locator("form[action*='/who/'] button").tap()
    expect(page.get_by_role("heading", name="Where things stand")).to_be_visible()
    ((before,),) = demo.rows(CONFIRMED)
    page.locator("button[value=confirm]").tap()
    page.wait_for_url("**said=confirm**")
    assert demo.rows(CONFIRMED) == [(before + 1,)]
    page.get_by_role("link", name="Change", exact=True).tap()
    page.locator("[name=channel][value=sms]").check()
    page.fill("[name=words]", "Never at work")
    page.get_by_role("button", name="Save").tap()
    expect(page.get_by_role("status")).to_contain_text("Saved, as you said it.")
    expect(page.locator("blockquote").filter(has_text="Never at work")).to_have_count(1)
    written = "SELECT count(*) FROM patients_servicecard WHERE source = 'patient' AND words = 'Never at work'"
    assert demo.rows(written) == [(1,)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_worry_is_two_keys_after_its_words_and_shown_back(
    demo: DemoServer, open_page: Opener, language: str
) -> None:
    path = path_of(demo, "patient_page_confirm")
    page = open_page(f"{path}?lang={language}", login="", viewport=OLD_PHONE["viewport"])
    page.locator("#body").focus()
    page.keyboard.type("שאלה: how long?")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**said=worried**")
    asked = demo.rows("SELECT body FROM outreach_reply WHERE meaning = 'worried'")
    assert asked == [("שאלה: how long?",)]
    expect(page.locator(".matter")).to_have_count(1)
    picture(page, f"patient_page_heard-{language}-320")
    assert page.evaluate(TOO_WIDE) == []
    assert axe_problems(page) == []


def test_the_keys_walk_the_page_from_top_to_bottom(demo: DemoServer, open_page: Opener) -> None:
    path = path_of(demo, "patient_page_confirm")
    page = open_page(f"{path}?lang=en&times=1", login="", viewport=OLD_PHONE["viewport"])
    tops = []
    for _key in range(60):
        page.keyboard.press("Tab")
        top = page.evaluate(
            "() => { const at = document.activeElement; return at === document.body ? null"
            " : at.getBoundingClientRect().top + scrollY; }"
        )
        if top is None:
            break
        tops.append(top)
    assert len(tops) > 10
    assert all(before <= after + 60 for before, after in pairwise(tops))
