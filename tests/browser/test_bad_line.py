"""A line that breaks, a page that is left, and news from others: nothing is lost, doubled or moved."""

import pytest
from playwright.sync_api import expect

from tests.browser.at_the_desk import CALLED, SAVED, open_row, saves
from tests.browser.conftest import DemoServer, Opener

NOTE = "#note-not_now"
HALF = "after the holidays, when her"


def test_a_save_over_a_broken_line_happens_once(demo: DemoServer, open_page: Opener) -> None:
    page = open_page("/today/")
    open_row(page, CALLED)
    ended = "SELECT count(*) FROM outreach_attempt WHERE outcome = 'no_answer'"
    ((before,),) = demo.rows(ended)
    page.context.set_offline(True)
    page.keyboard.press("2")
    expect(page.locator("#not-saved")).to_contain_text("Not saved, trying again")
    expect(page.locator(CALLED)).to_be_disabled()
    assert saves(demo) == []
    page.context.set_offline(False)
    expect(page.locator(SAVED)).to_be_visible(timeout=30_000)
    assert saves(demo) == ["no_answer"]
    assert demo.rows(ended) == [(before + 1,)]


def test_a_save_whose_answer_is_lost_happens_once(demo: DemoServer, open_page: Opener) -> None:
    page = open_page("/today/")
    open_row(page, CALLED)
    reached: list[int] = []

    def swallow(route) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - a route of Playwright
        answer = route.fetch(max_redirects=0)
        reached.append(answer.status)
        if len(reached) == 1:
            route.abort()
        else:
            route.fulfill(response=answer)

    page.route("**/outcome/", swallow)
    page.keyboard.press("2")
    expect(page.locator(SAVED)).to_be_visible(timeout=30_000)
    assert len(reached) == 2
    assert saves(demo) == ["no_answer"]


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        ("KeyC", "outreach_attempt WHERE status = 'sending' AND channel = 'phone'"),
        ("KeyP", "clinic_journey_setaside WHERE kind = 'parked'"),
    ],
)
def test_a_call_or_a_row_is_taken_once_the_line_is_back(
    demo: DemoServer, open_page: Opener, key: str, rows: str
) -> None:
    page, made = open_page("/today/"), f"SELECT count(*) FROM {rows}"
    open_row(page, f"[data-saves] [data-key={key}]")
    ((before,),) = demo.rows(made)
    page.context.set_offline(True)
    page.keyboard.press(key)
    expect(page.locator("#not-saved")).to_contain_text("Not saved, trying again")
    page.context.set_offline(False)
    expect(page.locator("#not-saved")).to_be_hidden(timeout=30_000)
    assert demo.rows(made) == [(before + 1,)]


def test_half_a_note_is_still_there_and_only_for_its_writer(open_page: Opener) -> None:
    page = open_page("/today/")
    step = open_row(page, NOTE)
    page.keyboard.press("7")
    page.fill(NOTE, HALF)
    page.goto("/today/")
    page.goto(f"/today/?item={step}")
    expect(page.locator(NOTE)).to_have_value(HALF)
    page.reload()
    expect(page.locator(NOTE)).to_have_value(HALF)
    page.context.clear_cookies()
    page.goto("/login/")
    page.fill("[name=username]", "dan")
    page.fill("[name=password]", "demo")
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login/" not in url)
    page.goto(f"/today/?item={step}")
    expect(page.locator(NOTE)).to_have_value("")


def test_news_moves_nothing(open_page: Opener) -> None:
    page = open_page("/today/", viewport={"width": 1400, "height": 500})
    open_row(page, NOTE)
    page.keyboard.press("7")
    page.fill(NOTE, HALF)
    state = """() => ({
      focus: document.activeElement.id,
      typed: document.activeElement.value,
      scrolled: [scrollY, ...[...document.querySelectorAll(".desk > *")].map((part) => part.scrollTop)],
      rows: [...document.querySelectorAll(".queue-row .queue-who")].map((row) => row.textContent.trim()),
    })"""
    before = page.evaluate(state)
    assert before["focus"] == "note-not_now"
    beside = page.locator(".queue-row:not([aria-current])").nth(2).get_attribute("href")
    open_page(f"/today/{beside}", login="dan")
    expect(page.get_by_text("Dan is viewing").first).to_be_visible(timeout=30_000)
    assert page.evaluate(state) == before
