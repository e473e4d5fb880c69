"""The caller's question: answered in typing and one key, and nothing is asked of her before."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import LANGUAGES, DemoServer, Opener
from tests.browser.keyboard import Keyboard

KEPT = "SELECT asked, said_available, said_price, payer, name FROM inquiries_inquiry ORDER BY id DESC LIMIT 1"
ASKED = {"en": "flu vaccine", "he": "חיסון לשפעת", "ru": "прививка от гриппа", "ar": "لقاح الانفلونزا"}


def is_answered(page: Page, asked: str) -> None:
    """To the last letter: the answer to half a question may look the same, and Enter does not take it."""
    expect(page.locator("#answer [data-q]")).to_have_attribute("data-q", asked)


@pytest.mark.parametrize("language", LANGUAGES)
def test_answered_in_typing_and_one_key(demo: DemoServer, open_page: Opener, language: str) -> None:
    page = open_page("/patients/", language=language)
    keys = Keyboard(page, language)
    keys.press("KeyQ")  # from wherever she is
    page.wait_for_url("**/ask/")
    expect(page.locator("#asked")).to_be_focused()
    page.keyboard.type(ASKED[language])
    is_answered(page, ASKED[language])
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
    is_answered(page, "vaccine")
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


OUTCOME = "SELECT outcome, said_words FROM inquiries_inquiry ORDER BY id DESC LIMIT 1"
SENT = "SELECT value, channel, language, status FROM inquiries_sentanswer"


def typed(open_page: Opener, language: str, asked: str = "") -> tuple[Page, Keyboard]:
    """The answer is there, and the focus has left the box for it."""
    page = open_page("/ask/", language=language)
    expect(page.locator("#asked")).to_be_focused()  # by itself, and not before the page is first drawn
    page.keyboard.type(asked or ASKED[language])
    is_answered(page, asked or ASKED[language])
    keys = Keyboard(page, language)
    keys.press("Escape")
    return page, keys


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_sends_the_answer_that_is_read_before(demo: DemoServer, open_page: Opener, language: str) -> None:
    page, keys = typed(open_page, language)
    keys.press("Digit2")
    page.wait_for_url("**/?then=send*")
    expect(page.locator("#letter_words")).to_contain_text("80 ₪")
    assert demo.rows("SELECT count(*) FROM inquiries_sentanswer") == [(0,)]
    expect(page.locator("#letter_to")).to_be_focused()
    page.keyboard.type("054-765-4321")
    keys.press("Enter")
    page.wait_for_url(re.compile(r"/ask/[0-9a-f-]{36}/$"))
    assert demo.rows(SENT) == [("+972547654321", "sms", language, "planned")]
    assert [outcome for outcome, _words in demo.rows(OUTCOME)] == ["will_think"]
    keys.press("KeyZ")  # it has not left yet
    expect(page.locator("[name=stop]")).to_have_count(0)
    assert demo.rows(SENT) == [("+972547654321", "sms", language, "cancelled")]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("digit", "letter", "outcome"), [("3", "A", "lost"), ("5", "W", "referred")])
def test_three_and_five_say_where_else(
    demo: DemoServer, open_page: Opener, language: str, digit: str, letter: str, outcome: str
) -> None:
    for asked, key in (("", f"Digit{digit}"), ("zzzz", f"Key{letter}")):
        page, keys = typed(open_page, language, asked)
        keys.press(key)
        expect(page.locator("details[open] [name=words]:focus")).to_have_count(1)
        page.keyboard.type("Pharmacy, 106")
        keys.press("Enter")
        page.wait_for_url(re.compile(r"/ask/[0-9a-f-]{36}/$"))
        ((ended, words),) = demo.rows(OUTCOME)
        assert (ended, "Pharmacy, 106" in words) == (outcome, True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_four_promises_in_two_digits(demo: DemoServer, open_page: Opener, language: str) -> None:
    page, keys = typed(open_page, language)
    keys.press("Digit4", "Digit1")
    page.wait_for_url(re.compile(r"/ask/[0-9a-f-]{36}/$"))
    assert [outcome for outcome, _words in demo.rows(OUTCOME)] == ["promised"]


def test_without_scripts_the_other_keys_are_plain_forms(demo: DemoServer, open_page: Opener) -> None:
    for how, ended in (("advice", "lost"), ("turn-to", "referred")):
        page = open_page("/ask/?what=flu+vaccine", java_script_enabled=False)
        part = page.locator("details", has=page.locator(f"#{how}"))
        part.locator("summary").click()
        part.locator(f"#{how}").fill("Pharmacy, 106")
        part.locator("button").click()
        assert [outcome for outcome, _words in demo.rows(OUTCOME)] == [ended]
    page = open_page("/ask/?what=flu+vaccine", java_script_enabled=False)
    page.locator("[value=send]").click()
    page.locator("#letter_to").fill("noa@example.org")
    page.locator("#send button").click()
    assert demo.rows(SENT) == [("noa@example.org", "email", "en", "planned")]
