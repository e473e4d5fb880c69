"""A free time goes to somebody who waits, by keyboard alone: A and Enter offer it, A and Enter say yes for her."""

from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LANGUAGES, DemoServer, Opener
from tests.browser.keyboard import Keyboard

pytestmark = pytest.mark.parametrize("language", LANGUAGES)
YES = "button[value=offer_yes]"
OFFER = """
SELECT o.status, e.status, a.start = o.start, a.status, a.confirmed_at IS NOT NULL
FROM appointments_offer o JOIN appointments_waitlistentry e ON e.id = o.entry_id
JOIN appointments_appointment a ON a.id = e.appointment_id WHERE o.public_id = ?
"""
ASK_BY_PHONE = """
from datetime import datetime
from appointments.waiting_models import Offer
from outreach.actions import open_tasks, plan_attempts
from patients.actions import CardAnswers, save_card
now = datetime.fromisoformat("{now}")
save_card(Offer.objects.order_by("step_id")[0].entry.patient, CardAnswers("phone"), now=now, by=None)
open_tasks(now=now)
plan_attempts(now=now)
"""
ALL_SAID_NO = (
    "UPDATE appointments_offer SET status = 'declined', ended_at = answer_by",
    "UPDATE appointments_waitlistentry SET status = 'waiting'",
)
ACCEPTED = ("accepted", "placed", 1, "booked", 1)


def offer_on(page: Page) -> str:
    """The offer whose answer has the focus."""
    expect(page.locator(YES).first).to_be_focused()
    action = str(page.locator(f"form:has({YES}:focus)").get_attribute("action"))
    return UUID(action.rstrip("/").rsplit("/", 1)[1]).hex


def test_a_free_time_of_the_calendar_is_offered_and_taken(
    demo: DemoServer, open_page: Opener, language: str
) -> None:
    for each in ALL_SAID_NO:
        demo.write(each)
    page = open_page("/calendar/?on=2026-03-11", language=language)
    keys = Keyboard(page, language)
    page.locator("a.free[data-offer]").first.focus()
    with page.expect_navigation():
        keys.press("KeyA")
    expect(page.locator("main [autofocus]")).to_be_focused()
    with page.expect_navigation():
        keys.press("Enter")
    keys.press("KeyA")
    offer = offer_on(page)
    with page.expect_navigation():
        keys.press("Enter")
    assert keys.pressed == 4
    assert demo.rows(OFFER, offer) == [ACCEPTED]
    expect(page.locator(".notice-success")).to_be_visible()


def test_on_the_waiting_list_a_leads_from_offer_to_offer_and_enter_takes_one(
    demo: DemoServer, open_page: Opener, language: str
) -> None:
    page = open_page("/waiting/", language=language)
    keys = Keyboard(page, language)
    keys.press("KeyA", "KeyA")
    yes = page.locator(YES)
    expect(yes.nth(1)).to_be_focused()
    entries = page.locator(".waiting-table tbody tr")
    waiting = entries.count()
    offer = UUID(
        str(page.locator(f"form:has({YES}:focus)").get_attribute("action")).rstrip("/").rsplit("/", 1)[1]
    )
    with page.expect_navigation():
        keys.press("Enter")
    assert demo.rows(OFFER, offer.hex) == [ACCEPTED]
    expect(entries).to_have_count(waiting - 1)
    expect(page.locator(f"form[action*='{offer}']")).to_have_count(0)


def test_in_today_it_is_answered_where_the_call_is_made(
    demo: DemoServer, open_page: Opener, language: str
) -> None:
    demo.work(ASK_BY_PHONE.format(now=demo.now()))
    ((step,),) = demo.rows(
        "SELECT s.public_id FROM journeys_step s WHERE s.id = (SELECT min(step_id) FROM appointments_offer)"
    )
    page = open_page(f"/today/?item={UUID(step)}", language=language)
    row = page.locator(f".queue-row[href='?item={UUID(step)}']")
    expect(row).to_be_visible()
    keys = Keyboard(page, language)
    keys.press("KeyA")
    offer = offer_on(page)
    with page.expect_navigation(url="**/today/"):
        keys.press("Enter")
    assert keys.pressed == 2
    assert demo.rows(OFFER, offer) == [ACCEPTED]
    expect(row).to_have_count(0)
