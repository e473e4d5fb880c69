"""Today while others work: rows open beside a list that stays, a broken promise comes second, a reply arrives."""

from datetime import timedelta
from email.utils import parsedate_to_datetime

from playwright.sync_api import Page, Route, expect

from tests.browser.at_the_desk import CALLED, SAVED, open_row, saves
from tests.browser.conftest import DemoServer, Opener
from tests.browser.keyboard import Keyboard

ROWS = ".queue:first-of-type .queue-row"
NOTE = "#note-needs_doctor"


def marks(page: Page) -> list[str]:
    return [str(row.get_attribute("data-mark")) for row in page.locator("[data-mark]").all()]


def test_the_first_row_opens_by_itself_and_others_beside_the_same_list(open_page: Opener) -> None:
    page = open_page("/today/")
    expect(page.locator("#panel [data-item]")).to_be_visible()
    first, shown = page.locator("[data-item]").get_attribute("data-item"), marks(page)
    expect(page.locator(ROWS).first).to_have_attribute("aria-current", "true")
    Keyboard(page, "he").press("KeyJ")
    second = page.locator(ROWS).nth(1)
    expect(second).to_have_attribute("aria-current", "true")
    expect(page.locator(".desk-detail h2").first).to_be_focused()
    item = str(second.get_attribute("href")).removeprefix("?item=")
    expect(page.locator("[data-item]")).to_have_attribute("data-item", item)
    assert item != first
    assert page.url.endswith(f"?item={item}")
    assert marks(page) == shown


def test_keys_are_heard_as_soon_as_the_first_row_is_open(open_page: Opener) -> None:
    """Also where “How it ended” opens by itself: no field takes the focus that nobody asked for."""
    page = open_page("/today/")
    rows = page.locator(ROWS)
    for number in range(rows.count()):
        rows.nth(number).click()
        expect(page.locator("#panel")).not_to_have_attribute("aria-busy", "true")
        if page.locator("details[open] #ending-note").count():
            break
    else:
        raise AssertionError("no row opens with its endings shown")
    page.evaluate(
        "new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
    )  # its toggle is heard
    expect(page.locator(".desk-detail h2").first).to_be_focused()


def test_no_key_acts_on_the_patient_before_while_the_next_is_fetched(
    demo: DemoServer, open_page: Opener
) -> None:
    page = open_page("/today/")
    open_row(page, CALLED)
    saved = saves(demo)
    waiting: list[Route] = []
    page.route("**/panel/", lambda route: waiting.append(route))  # noqa: PLW0108 - it is asked for its parameters
    with page.expect_request("**/panel/"):
        page.keyboard.press("k")
    expect(page.locator("#panel")).to_have_attribute("aria-busy", "true")
    page.keyboard.press("2")
    expect(page.locator(CALLED)).to_be_enabled()
    waiting[0].continue_()
    expect(page.locator("#panel")).not_to_have_attribute("aria-busy", "true")
    assert saves(demo) == saved


def test_a_promise_just_broken_moves_up_and_not_under_the_cursor(demo: DemoServer, open_page: Opener) -> None:
    page = open_page("/today/")
    expect(page.locator("#panel [data-item]")).to_be_visible()
    before = marks(page)
    unconfirmed = page.locator(ROWS, has_text="is not confirmed").last.get_attribute("data-mark")
    place = before.index(str(unconfirmed))
    patient = int(before[place].strip("p!"))
    page.locator(ROWS).nth(2).hover()
    demo.write(
        "UPDATE journeys_step SET kind = 'promise', title = 'the price', due_at = datetime('2026-03-01')"
        " WHERE status = 'active' AND owner_role = 'receptionist' AND journey_id IN"
        " (SELECT id FROM journeys_journey WHERE patient_id = ?)",
        patient,
    )
    expect(page.locator("#jump")).to_have_count(1)
    assert marks(page) == before
    goes_behind = page.locator("#jump").get_attribute("data-after")
    page.mouse.move(900, 500)
    expect(page.locator(f"{ROWS}[data-mark='p{patient}!']")).to_be_visible()
    now = marks(page)
    assert now[0] == before[0]
    assert 1 <= now.index(f"p{patient}!") < place
    assert now[now.index(f"p{patient}!") - 1] == goes_behind
    assert len(now) == len(before)


def she_writes(demo: DemoServer, page: Page) -> None:
    """A message of whoever's row is open; it comes in by itself."""
    step = str(page.locator("[data-item]").get_attribute("data-item")).replace("-", "")
    demo.write(
        "INSERT INTO outreach_reply (clinic_id, patient_id, channel, at, body, meaning)"
        " SELECT s.clinic_id, j.patient_id, 'sms', s.opened_at, 'after five, please', ''"
        " FROM journeys_step s JOIN journeys_journey j ON j.id = s.journey_id WHERE s.public_id = ?",
        step,
    )
    expect(page.locator("#replies")).to_contain_text("after five, please")
    ((reply,),) = demo.rows("SELECT max(id) FROM outreach_reply")
    expect(page.locator("#panel [name=heard]").first).to_have_value(str(reply))  # noted after it is shown


def test_a_reply_arrives_on_the_open_row_while_somebody_types(demo: DemoServer, open_page: Opener) -> None:
    page = open_page("/today/")
    open_row(page, CALLED)
    page.keyboard.press("9")
    page.fill(NOTE, "half a sent")
    page.locator(NOTE).focus()
    she_writes(demo, page)
    expect(page.locator(NOTE)).to_be_focused()
    expect(page.locator(NOTE)).to_have_value("half a sent")


def test_what_is_saved_over_a_reply_that_arrived_on_this_page_is_saved(
    demo: DemoServer, open_page: Opener
) -> None:
    page = open_page("/today/")
    open_row(page, CALLED)
    saved = saves(demo)
    she_writes(demo, page)
    page.locator(CALLED).click()
    expect(page.locator(SAVED)).to_be_visible()
    assert saves(demo) == [*saved, "no_answer"]


NEARLY_DUE = """
UPDATE journeys_step SET due_at = ?, owner_id = (SELECT id FROM auth_user WHERE username = 'rina')
WHERE id = (SELECT id FROM journeys_step WHERE kind = 'promise' AND status = 'active'
            AND owner_role = 'receptionist' ORDER BY due_at LIMIT 1)
"""


def test_a_promise_of_mine_that_is_nearly_due_is_told_and_nothing_moves(
    demo: DemoServer, open_page: Opener
) -> None:
    page = open_page("/today/")
    expect(page.locator("#panel [data-item]")).to_be_visible()
    third = page.locator(ROWS).nth(2)
    stood = third.bounding_box()
    there = parsedate_to_datetime(page.request.get("/healthz").headers["date"])  # the server's own clock
    demo.write(NEARLY_DUE, f"{there + timedelta(minutes=5):%F %T}")
    notice = page.locator("#due-soon a")
    expect(notice).to_be_visible()
    assert third.bounding_box() == stood
    notice.focus()
    with page.expect_response("**/today/live/**"):
        pass  # the page has asked once more
    expect(notice).to_be_focused()
