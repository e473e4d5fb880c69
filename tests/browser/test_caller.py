"""Somebody calls while we are at something else: found, counted and promised an answer, by keyboard alone."""

from uuid import UUID

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LANGUAGES, DemoServer, Opener
from tests.browser.keyboard import Keyboard

# Somebody who waits for us and whose number is nobody else's.
WAITS = """
SELECT p.public_id, a.value FROM patients_patient p
JOIN patients_patientcontact t ON t.patient_id = p.id JOIN patients_contactpoint a ON a.id = t.contact_point_id
WHERE p.status = 'active' AND a.kind = 'phone'
  AND (SELECT count(*) FROM patients_patientcontact o WHERE o.contact_point_id = a.id) = 1
  AND EXISTS (SELECT 1 FROM journeys_step s JOIN journeys_journey j ON j.id = s.journey_id
              WHERE j.patient_id = p.id AND s.kind = 'promise' AND s.status = 'active')
ORDER BY p.id LIMIT 1
"""
STEPS = "journeys_step s JOIN journeys_journey j ON j.id = s.journey_id JOIN patients_patient p ON p.id = j.patient_id"
CHASED = (
    f"SELECT e.detail, u.username FROM {STEPS} JOIN journeys_stepevent e ON e.step_id = s.id"
    " JOIN auth_user u ON u.id = e.by_id WHERE e.kind = 'chased' AND p.public_id = ? ORDER BY e.id DESC LIMIT 1"
)
PROMISED = (
    f"SELECT s.title, s.due_at = datetime(?), u.username FROM {STEPS} JOIN auth_user u ON u.id = s.owner_id"
    " WHERE s.kind = 'promise' AND s.status = 'active' AND p.public_id = ? ORDER BY s.id DESC LIMIT 1"
)
PROMISES = (
    f"SELECT count(*) FROM {STEPS} WHERE s.kind = 'promise' AND s.status = 'active' AND p.public_id = ?"
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_calls_is_found_counted_and_promised_an_answer(
    demo: DemoServer, open_page: Opener, language: str
) -> None:
    ((patient, number),) = demo.rows(WAITS)
    page = open_page("/waiting/", language=language)
    window = page.locator("#caller-window")
    done, promise = window.locator(".notice-success"), window.locator(".caller-promise")
    keys = Keyboard(page, language)
    keys.press("Slash")
    page.keyboard.type(number)
    expect(page.locator("#matches [data-matches]")).to_have_attribute("data-q", number)  # not of half of it
    expect(page.locator(f"#matches a[href*='{UUID(patient)}']")).to_be_visible()
    keys.press("Enter")
    head = window.locator("h2").first
    expect(head).to_be_focused()

    keys.press("KeyX")
    expect(done).to_be_visible()
    expect(head).to_be_focused()  # last of all, when what has come is ready for keys
    assert demo.rows(CHASED, patient) == [("", "rina")]

    ((promised,),) = demo.rows(PROMISES, patient)
    keys.press("KeyM", "Tab")
    expect(promise.locator("[name=words]")).to_be_focused()
    page.keyboard.type("the price of a bridge")
    by_noon = promise.locator("[data-key=Digit2]")
    at = by_noon.get_attribute("value")
    keys.press("Tab", "Tab", "Tab")
    expect(by_noon).to_be_focused()
    keys.press("Enter")
    expect(promise).not_to_have_attribute("open", "")
    expect(done).to_be_visible()
    expect(head).to_be_focused()
    assert demo.rows(PROMISED, at, patient) == [("the price of a bridge", 1, "rina")]

    keys.press("KeyM", "Digit1")
    expect(promise).not_to_have_attribute("open", "")
    assert demo.rows(PROMISES, patient) == [(promised + 2,)]
    keys.press("Escape")
    expect(window).to_be_hidden()
    assert page.url.endswith("/waiting/")
