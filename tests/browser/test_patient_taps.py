"""The patient's page on an old phone, by touch: one tap confirms, two take another time. With and without scripts."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LANGUAGES, DemoServer, Opener

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
