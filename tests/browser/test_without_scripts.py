"""With JavaScript off every main job is a plain form that does the same."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.at_the_desk import CALLED, SAVED, open_row, patient_with, saves
from tests.browser.conftest import DemoServer, Opener
from tests.browser.test_main_jobs import HELD, NEVER_ASKED, SLOT


def without_scripts(open_page: Opener, path: str, login: str = "rina") -> Page:
    return open_page(path, login=login, java_script_enabled=False)


@pytest.mark.parametrize("wanted", [CALLED, SLOT])
def test_a_call_is_saved_and_a_visit_booked(demo: DemoServer, open_page: Opener, wanted: str) -> None:
    page = without_scripts(open_page, "/today/")
    open_row(page, wanted)
    page.locator(wanted).click()
    expect(page.locator(SAVED)).to_be_visible()
    assert saves(demo) == ["no_answer" if wanted == CALLED else "booked"]
    page.locator(SAVED).get_by_role("button").click()
    expect(page.locator("#messages")).to_contain_text("Undone")


def test_a_card_is_saved(demo: DemoServer, open_page: Opener) -> None:
    patient = patient_with(demo, NEVER_ASKED)
    page = without_scripts(open_page, f"/patients/{patient}/card/")
    page.locator("input[name=channel][value=sms]").check()
    page.get_by_role("button", name="Save the card").click()
    told = "SELECT c.channel FROM patients_servicecard c JOIN patients_patient p ON p.id = c.patient_id"
    assert demo.rows(f"{told} WHERE p.public_id = ? AND c.told_at IS NOT NULL", patient.hex) == [("sms",)]


def test_a_doctor_decides(demo: DemoServer, open_page: Opener) -> None:
    page = without_scripts(open_page, "/results/", login="cohen")
    decided = "SELECT count(*) FROM referrals_result WHERE decision = 'no_treatment'"
    ((before,),) = demo.rows(decided)
    page.locator("button[value=no_treatment]").click()
    assert demo.rows(decided) == [(before + 1,)]


def test_a_referral_leaves_with_a_held_visit(demo: DemoServer, open_page: Opener) -> None:
    patient = patient_with(demo, "NOT EXISTS (SELECT 1 FROM referrals_referral r WHERE r.patient_id = p.id)")
    page = without_scripts(open_page, f"/patients/{patient}/refer/")
    ((before,),) = demo.rows(HELD)
    page.locator("#times button").first.click()
    assert demo.rows(HELD) == [(before + 1,)]


def test_a_caller_is_found_and_a_promise_made(demo: DemoServer, open_page: Opener) -> None:
    patient = patient_with(demo, "p.status = 'active'")
    page = without_scripts(open_page, f"/caller/{patient}/")
    page.locator(".caller-promise summary").click()
    page.locator(".caller-promise .outcome").first.click()
    promised = (
        "SELECT count(*) FROM journeys_step s JOIN journeys_journey j ON j.id = s.journey_id"
        " JOIN patients_patient p ON p.id = j.patient_id"
        " WHERE p.public_id = ? AND s.kind = 'promise' AND s.status = 'active'"
    )
    assert demo.rows(promised, patient.hex) == [(1,)]
