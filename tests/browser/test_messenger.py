"""A messenger is linked at the desk by keyboard, and the link fits on a phone."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DemoServer, Opener, resize
from tests.browser.test_every_page import OLD_PHONE, TOO_WIDE


@pytest.mark.parametrize("language", ["he", "en"])
def test_whose_phone_it_is_is_said_and_the_link_fits(
    demo: DemoServer, open_page: Opener, language: str
) -> None:
    (path,) = (each["path"] for each in demo.pages() if each["name"] == "messenger")
    page = open_page(path, language=language)
    page.focus("[name=relation][value=self]")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[name=relation]:checked")).to_have_value("parent")
    with page.expect_navigation():  # measured with its styles
        page.keyboard.press("Enter")
    expect(page.locator("bdi.address")).to_contain_text("https://t.me/alon_clinic_bot?start=")
    resize(page, OLD_PHONE)
    assert page.evaluate(TOO_WIDE) == []
