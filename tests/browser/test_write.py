"""Writing from Today by keyboard: one key sends what the row is about, and one takes it back before it has left."""

from datetime import timedelta
from uuid import UUID

import pytest
from playwright.sync_api import expect

from tests.browser.at_the_desk import SAVED, open_row, saves
from tests.browser.conftest import LANGUAGES, DemoServer, Opener
from tests.browser.keyboard import Keyboard

in_every_language = pytest.mark.parametrize("language", LANGUAGES)
MESSAGE = ".reach button[value=message][data-key=KeyW]"
ANSWER = ".reach a[data-key=KeyW]"
PLANNED = """
SELECT a.id, a.status, p.public_id FROM outreach_attempt a JOIN outreach_outreachtask t ON t.id = a.task_id
JOIN journeys_step s ON s.id = t.step_id JOIN patients_patient p ON p.id = a.patient_id
WHERE a.channel <> 'phone' AND a.status = 'planned' AND p.id = (
    SELECT j.patient_id FROM journeys_journey j JOIN journeys_step s ON s.journey_id = j.id WHERE s.public_id = ?)
"""
OF_THE_PATIENT = (
    "SELECT a.channel, a.status, a.send_at FROM outreach_attempt a WHERE a.status <> 'cancelled' AND a.patient_id ="
    " (SELECT j.patient_id FROM journeys_journey j JOIN journeys_step s ON s.journey_id = j.id WHERE s.public_id = ?)"
    " ORDER BY a.id"
)
TO_CALL = """
SELECT s.public_id FROM journeys_step s JOIN outreach_outreachtask t ON t.step_id = s.id
JOIN outreach_attempt a ON a.task_id = t.id
WHERE s.kind = 'recall' AND s.status = 'active' AND a.status = 'planned' AND a.channel = 'phone'
ORDER BY a.send_at, a.id LIMIT 1
"""
SEND = """
from datetime import datetime
from outreach.channels import by_machine
from outreach.dispatch import dispatch_on
for channel in by_machine():
    dispatch_on(channel, now=datetime.fromisoformat("{now}"))
"""


@in_every_language
def test_a_message_is_one_key_and_one_takes_it_back(
    demo: DemoServer, open_page: Opener, language: str
) -> None:
    page = open_page("/today/", language=language)
    ((step,),) = demo.rows(TO_CALL)
    page.goto(f"/today/?item={UUID(step)}")
    before = demo.rows(OF_THE_PATIENT, step)
    keys = Keyboard(page, language)
    keys.press("KeyW")
    expect(page.locator(SAVED)).to_be_visible()
    assert keys.pressed == 1
    assert saves(demo) == ["message"]
    assert len(demo.rows(PLANNED, step)) == 1
    keys.press("KeyZ")
    expect(page.locator("#messages .notice-success")).to_be_visible()
    assert demo.rows(PLANNED, step) == []
    assert demo.rows(OF_THE_PATIENT, step) == before
    expect(page.locator(MESSAGE)).to_be_visible()


def test_what_was_sent_is_on_the_patients_phone_and_its_trace_in_the_record(
    demo: DemoServer, open_page: Opener
) -> None:
    page = open_page("/today/")
    ((step,),) = demo.rows(TO_CALL)
    page.goto(f"/today/?item={UUID(step)}")
    Keyboard(page, "en").press("KeyW")
    expect(page.locator(SAVED)).to_be_visible()
    ((attempt, _status, patient),) = demo.rows(PLANNED, step)
    demo.work(SEND.format(now=demo.now() + timedelta(minutes=1)))
    ((status, body, language, her_own),) = demo.rows(
        "SELECT a.status, a.body, a.language, p.language FROM outreach_attempt a"
        " JOIN patients_patient p ON p.id = a.patient_id WHERE a.id = ?",
        attempt,
    )
    assert (status, language) == ("sent", her_own)
    page.goto("/demo/")
    expect(page.locator(f".text [lang={language}]").first).to_contain_text(body.split()[0])
    page.goto(f"/patients/{UUID(patient)}/why/")
    expect(page.locator("main")).to_contain_text("A person decided so")
    page.goto("/today/")
    page.locator(SAVED).get_by_role("button").click()
    expect(page.locator("#messages .notice-error")).to_be_visible()
    assert demo.rows("SELECT status FROM outreach_attempt WHERE id = ?", attempt) == [("sent",)]


@in_every_language
def test_who_wrote_is_answered_by_keyboard_alone(demo: DemoServer, open_page: Opener, language: str) -> None:
    page = open_page("/today/", language=language)
    open_row(page, ANSWER)
    keys = Keyboard(page, language)
    with page.expect_navigation(url="**/inbox/**"):
        keys.press("KeyW")
    keys.press("KeyW")
    words, send = page.locator("#words"), page.locator("form:has(#words) .btn-primary")
    expect(words).to_be_focused()
    page.keyboard.type("Yes, on Monday at nine.")
    while not send.evaluate("button => button === document.activeElement"):
        keys.press("Tab")
    with page.expect_navigation():
        keys.press("Enter")
    assert keys.pressed <= 15  # a day and a time are five stops of Tab
    assert saves(demo) == ["answered"]
    written = "SELECT count(*) FROM outreach_attempt WHERE body = ?"
    assert demo.rows(written, "Yes, on Monday at nine.") == [(1,)]
