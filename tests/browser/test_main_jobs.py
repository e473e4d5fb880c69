"""Each main job by keyboard alone, in four layouts, within the keys that the design gives it.

| Screen | Main job | Keys | Test |
|---|---|---|---|
| Today | no answer | 1 | test_no_answer_is_one_key |
| Today | book | 2 | test_booking_is_two_keys |
| Today | message | 1 | test_write.test_a_message_is_one_key_and_one_takes_it_back |
| Today | answer who wrote | typing | test_write.test_who_wrote_is_answered_by_keyboard_alone |
| Caller | find, count, promise | typing + 1 each | test_caller |
| Service card | save at the desk | 5 | test_a_card_is_saved_with_five_keys |
| Results | decide | 1 | test_a_decision_is_one_key |
| Booking | next visit | 2 | test_the_next_visit_is_two_keys |
| Calendar | move a visit | 2 | test_week.test_a_visit_is_moved_by_keyboard |
| Calendar | offer a free time, say yes to it | 2 + 2 | test_offers |
| Referral | leave with a held visit | 2 | test_a_referral_leaves_with_a_held_visit_in_two_keys |
| Inquiry | yes or no, and the price | typing | test_ask.test_answered_in_typing_and_one_key |
| Reports | worst gap to names, then act | 1, 2 | test_stuck.test_the_worst_gap_is_one_press_from_its_names_… |
| Patient page | confirm, another time | 1, 2 presses | test_patient_taps.test_the_same_by_keyboard |
| Complaint | read, write, send | typing | test_complaints |

Each of them as a plain form is in test_without_scripts, over a line that breaks in test_bad_line and test_saves.
"""

import pytest
from playwright.sync_api import Response, expect

from tests.browser.at_the_desk import CALLED, SAVED, open_row, patient_with, saves
from tests.browser.conftest import LANGUAGES, DemoServer, Opener
from tests.browser.keyboard import Keyboard

pytestmark = pytest.mark.parametrize("language", LANGUAGES)
BOOKED = "SELECT count(*) FROM appointments_appointment WHERE status = 'booked'"
HELD = "SELECT count(*) FROM appointments_appointment WHERE status = 'pending' AND awaits_id IS NOT NULL"
NEVER_ASKED = (
    "EXISTS (SELECT 1 FROM patients_servicecard c WHERE c.patient_id = p.id AND c.told_at IS NULL"
    " AND NOT EXISTS (SELECT 1 FROM patients_contactwindow w WHERE w.card_id = c.id))"
)
SLOT = "#book button[data-key=Digit2]"


def test_no_answer_is_one_key(demo: DemoServer, open_page: Opener, language: str) -> None:
    page = open_page("/today/", language=language)
    open_row(page, CALLED)
    ended = "SELECT count(*) FROM outreach_attempt WHERE outcome = 'no_answer'"
    ((before,),) = demo.rows(ended)
    keys = Keyboard(page, language)
    keys.press("Digit2")
    expect(page.locator(SAVED)).to_be_visible()
    assert keys.pressed == 1
    assert saves(demo) == ["no_answer"]
    assert demo.rows(ended) == [(before + 1,)]


def test_booking_is_two_keys(demo: DemoServer, open_page: Opener, language: str) -> None:
    page = open_page("/today/", language=language)
    open_row(page, "[data-then='#book']", SLOT)
    chosen = page.locator(SLOT).get_attribute("value")
    keys = Keyboard(page, language)
    keys.press("Digit1")
    expect(page.locator("#book")).to_have_js_property("id", "book")
    keys.press("Digit2")
    expect(page.locator(SAVED)).to_be_visible()
    assert keys.pressed == 2
    assert saves(demo) == ["booked"]
    at_that_time = (
        "SELECT count(*) FROM appointments_appointment WHERE status = 'booked' AND start = datetime(?)"
    )
    assert demo.rows(at_that_time, chosen)[0][0] >= 1


def test_a_card_is_saved_with_five_keys(demo: DemoServer, open_page: Opener, language: str) -> None:
    patient = patient_with(demo, NEVER_ASKED)
    page = open_page(f"/patients/{patient}/card/", language=language)
    keys = Keyboard(page, language)
    expect(page.locator("#card [name=channel]:focus")).to_have_count(1)  # by itself, once the page is drawn
    keys.press("Digit3", "KeyW", "KeyY", "KeyR", "Enter")
    page.wait_for_url(lambda url: not url.endswith("/card/"))
    assert keys.pressed == 5
    said = (
        "SELECT DISTINCT c.channel, p.language, w.start, w.end FROM patients_contactwindow w"
        " JOIN patients_servicecard c ON c.id = w.card_id JOIN patients_patient p ON p.id = c.patient_id"
        " WHERE p.public_id = ?"
    )
    assert demo.rows(said, patient.hex) == [("sms", "ru", "16:00:00", "20:00:00")]


def test_when_she_can_come_is_one_key_while_booking(
    demo: DemoServer, open_page: Opener, language: str
) -> None:
    patient = patient_with(demo, NEVER_ASKED)
    page = open_page(f"/patients/{patient}/book/", language=language)
    keys = Keyboard(page, language)
    with page.expect_navigation():
        keys.press("KeyX")
    expect(page.locator("[name=coming][value=after_work]")).to_be_checked()
    assert keys.pressed == 1
    told = (
        "SELECT w.start, count(*) FROM patients_comingwindow w JOIN patients_servicecard c ON c.id = w.card_id"
        " JOIN patients_patient p ON p.id = c.patient_id WHERE p.public_id = ? GROUP BY w.start"
    )
    assert demo.rows(told, patient.hex) == [("17:00:00", 7)]


def test_a_call_from_the_record_is_one_key(demo: DemoServer, open_page: Opener, language: str) -> None:
    something_open = (
        "EXISTS (SELECT 1 FROM journeys_step s JOIN journeys_journey j ON j.id = s.journey_id"
        " WHERE j.patient_id = p.id AND s.status = 'active' AND s.kind = 'book')"
    )
    page = open_page(f"/patients/{patient_with(demo, something_open)}/", language=language)
    keys = Keyboard(page, language)
    with page.expect_navigation():
        keys.press("KeyC")
    assert keys.pressed == 1
    assert "/today/?item=" in page.url
    expect(page.locator(".desk-detail a[href^='tel:']")).to_be_visible()


def is_saved(answer: Response) -> bool:
    """The server has answered a form. Navigation tells less: a page may also rename its own address."""
    return answer.request.method == "POST" and "/results/" in answer.url


def test_a_decision_is_one_key(demo: DemoServer, open_page: Opener, language: str) -> None:
    page = open_page("/results/", login="cohen", language=language)
    decided = "SELECT count(*) FROM referrals_result WHERE decision = 'no_treatment'"
    ((before,),) = demo.rows(decided)
    keys = Keyboard(page, language)
    with page.expect_response(is_saved):
        keys.press("Digit3")
    assert keys.pressed == 1
    assert demo.rows(decided) == [(before + 1,)]
    expect(page.locator("[data-key=KeyZ]")).to_be_visible()
    page.wait_for_load_state()
    with page.expect_response(is_saved):
        keys.press("KeyZ")
    assert demo.rows(decided) == [(before,)]
    expect(page.locator("h2[tabindex='-1']")).to_be_visible()


def test_the_next_visit_is_two_keys(demo: DemoServer, open_page: Opener, language: str) -> None:
    patient = patient_with(
        demo, "NOT EXISTS (SELECT 1 FROM appointments_appointment a WHERE a.patient_id = p.id)"
    )
    page = open_page(f"/patients/{patient}/", language=language)
    ((before,),) = demo.rows(BOOKED)
    keys = Keyboard(page, language)
    with page.expect_navigation():
        keys.press("KeyB")
    with page.expect_navigation():
        keys.press("Digit1")
    assert keys.pressed == 2
    assert demo.rows(BOOKED) == [(before + 1,)]


def test_a_referral_leaves_with_a_held_visit_in_two_keys(
    demo: DemoServer, open_page: Opener, language: str
) -> None:
    patient = patient_with(demo, "NOT EXISTS (SELECT 1 FROM referrals_referral r WHERE r.patient_id = p.id)")
    page = open_page(f"/patients/{patient}/", language=language)
    ((before,),) = demo.rows(HELD)
    keys = Keyboard(page, language)
    with page.expect_navigation():
        keys.press("KeyR")
    with page.expect_navigation():
        keys.press("Digit1")
    assert keys.pressed == 2
    assert demo.rows(HELD) == [(before + 1,)]
