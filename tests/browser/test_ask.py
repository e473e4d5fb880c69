"""The caller's question: answered in typing and one key, and nothing is asked of her before."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import LANGUAGES, DemoServer, Opener
from tests.browser.keyboard import Keyboard

KEPT = "SELECT asked, said_available, said_price, payer, name FROM inquiries_inquiry ORDER BY id DESC LIMIT 1"
ASKED = {"en": "flu vaccine", "he": "חיסון לשפעת", "ru": "прививка от гриппа", "ar": "لقاح الانفلونزا"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_answered_in_typing_and_one_key(demo: DemoServer, open_page: Opener, language: str) -> None:
    page = open_page("/patients/", language=language)
    keys = Keyboard(page, language)
    keys.press("KeyQ")  # from wherever she is
    page.wait_for_url("**/ask/")
    expect(page.locator("#asked")).to_be_focused()
    page.keyboard.type(ASKED[language])
    expect(page.locator(".ask-words")).to_contain_text("80")
    for asks in ("payer", "insurance", "name", "phone"):
        assert page.locator(f"[name={asks}]").count() == 0
    keys.press("Enter")
    page.wait_for_url(re.compile(r"/ask/[0-9a-f-]{36}/$"))
    assert keys.pressed == 2
    assert demo.rows(KEPT) == [(ASKED[language], 1, 80, "", "")]
    assert page.locator("[name=payer]").count() > 0
    keys.press("Digit1")  # the first of the times
    expect(page.locator("[name=time]").nth(1)).to_be_checked()


def only_whole_pages(route: Route) -> None:
    """What htmx asks for never arrives."""
    if route.request.headers.get("hx-request"):
        route.abort()
    else:
        route.continue_()


def test_enter_before_the_answer_has_come_keeps_nothing(demo: DemoServer, open_page: Opener) -> None:
    ((before,),) = demo.rows("SELECT count(*) FROM inquiries_inquiry")
    page = open_page("/ask/")
    page.route("**/ask/?what=*", only_whole_pages)
    page.locator("#asked").fill("flu")
    page.locator("#asked").press("Enter")
    page.wait_for_url("**/ask/?what=flu*")
    expect(page.locator(".ask-words")).to_contain_text("80")
    assert demo.rows("SELECT count(*) FROM inquiries_inquiry") == [(before,)]


def test_of_several_one_is_chosen_by_its_digit(demo: DemoServer, open_page: Opener) -> None:
    page = open_page("/ask/")
    page.locator("#asked").type("vaccine")
    expect(page.locator("#answer .outcome")).to_have_count(2)
    page.locator("#asked").press("Enter")
    Keyboard(page, "en").press("Digit2")
    expect(page.locator(".ask-words")).to_contain_text("none left")


def test_without_scripts_it_is_a_plain_form(demo: DemoServer, open_page: Opener) -> None:
    page = open_page("/ask/", java_script_enabled=False)
    page.locator("#asked").fill("flu vaccine")
    page.locator("#asked").press("Enter")
    page.locator("[data-answered]").click()
    assert demo.rows(KEPT) == [("flu vaccine", 1, 80, "", "")]
    page.locator("[name=name]").fill("Noa Levi")
    page.locator("[name=phone]").fill("054-765-4321")
    page.locator("[name=time]").nth(1).check()
    page.locator("form[action$='/caller/'] button").click()
    page.locator("form[action$='/join/'] button.btn-primary").click()
    outcome = "SELECT outcome FROM inquiries_inquiry ORDER BY id DESC LIMIT 1"
    assert demo.rows(outcome) == [("booked",)]
