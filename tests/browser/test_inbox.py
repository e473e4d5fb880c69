"""The inbox in a browser: ready words, a draft that stays until it is sent, and the lease while somebody writes."""

import uuid

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DemoServer, Opener

LEFT = (
    "SELECT body FROM outreach_attempt a JOIN outreach_outreachtask t ON t.id = a.task_id"
    " WHERE t.message_key = 'answer' ORDER BY a.id"
)
WORDS = "#words"
WITH_A_PICTURE = (
    "SELECT p.public_id, s.public_id FROM outreach_replyfile f JOIN outreach_reply r ON r.id = f.reply_id"
    " JOIN patients_patient p ON p.id = r.patient_id JOIN journeys_step s ON s.id = r.matter_id"
)
RESULTS = "SELECT count(*) FROM referrals_result"


@pytest.fixture
def talk(open_page: Opener) -> str:
    """A conversation of the demo that waits: a patient has asked something by SMS."""
    return str(open_page("/inbox/").locator(".queue-row").last.get_attribute("href"))


def ready(page: Page) -> None:
    page.locator("[data-quick]").first.click()
    expect(page.locator(WORDS)).not_to_have_value("")


def test_a_draft_stays_until_it_is_sent_and_is_sent_once(
    demo: DemoServer, open_page: Opener, talk: str
) -> None:
    page, left = open_page(talk), demo.rows(LEFT)
    ready(page)
    words = page.locator(WORDS).input_value()
    page.reload()
    expect(page.locator(WORDS)).to_have_value(words)
    page.get_by_role("button", name="Send").dblclick()
    expect(page.locator("#messages")).to_contain_text("Sent.")
    page.wait_for_load_state()  # the draft is forgotten by a script, after the words stand
    assert demo.rows(LEFT) == [*left, (words,)]
    page.goto(talk)
    expect(page.locator(WORDS)).to_have_value("")


def test_whoever_writes_is_seen_by_the_others(open_page: Opener, talk: str) -> None:
    page = open_page(talk)
    with page.expect_response(lambda answer: answer.url.endswith("/keep/")):
        page.locator(WORDS).press_sequentially("At")
    other = open_page(talk, login="dan")
    expect(other.locator(".talk")).to_contain_text("is with this patient right now")


def test_without_scripts_ready_words_are_links(demo: DemoServer, open_page: Opener, talk: str) -> None:
    page, left = open_page(talk, java_script_enabled=False), demo.rows(LEFT)
    page.locator("[data-quick]").first.click()
    expect(page.locator(WORDS)).not_to_have_value("")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#messages")).to_contain_text("Sent.")
    assert len(demo.rows(LEFT)) == len(left) + 1


@pytest.mark.parametrize("path", ["/inbox/{0}/", "/patients/{0}/", "/today/?item={1}"])
def test_one_key_and_enter_say_that_a_picture_is_the_result(
    demo: DemoServer, open_page: Opener, path: str
) -> None:
    (found,), ((before,),) = demo.rows(WITH_A_PICTURE), demo.rows(RESULTS)
    page = open_page(path.format(*map(uuid.UUID, found)))
    page.keyboard.press("KeyI")
    expect(page.locator("[data-key=KeyI]").first).to_be_focused()
    assert demo.rows(RESULTS) == [(before,)], "the key leads to the button, and only Enter presses it"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".talk-file").first).to_contain_text("It is a result now")
    assert demo.rows(RESULTS) == [(before + 1,)]
