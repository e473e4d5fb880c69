"""Ways to the rows and patients of the demo that a test is about."""

from uuid import UUID

from playwright.sync_api import Page, expect

from tests.browser.conftest import DemoServer

CALLED = "#outcomes button[value=no_answer][data-key=Digit2]"
SAVED = "form.saved"


def open_row(page: Page, *wanted: str) -> str:
    """Open the first row of Today that shows all of `wanted`; its step's public id."""
    page.goto("/today/")
    expect(page.locator(".queue-row").first).to_be_visible()
    links = [str(link.get_attribute("href")) for link in page.locator(".queue-row").all()]
    for link in links:
        page.goto(f"/today/{link}")
        if all(page.locator(each).count() for each in wanted):
            return link.removeprefix("?item=")
    raise AssertionError(f"none of {len(links)} rows of Today shows {wanted}; the last says {page.content()}")


def saves(demo: DemoServer) -> list[str]:
    """What the desk has saved, in order."""
    found = demo.rows("SELECT what FROM clinic_journey_deskaction ORDER BY id")
    return [what for (what,) in found]


def patient_with(demo: DemoServer, condition: str) -> UUID:
    """The first patient of whom the condition, on the table `p`, is true."""
    sql = f"SELECT p.public_id FROM patients_patient p WHERE {condition} ORDER BY p.id LIMIT 1"
    ((found,),) = demo.rows(sql)
    return UUID(found)
