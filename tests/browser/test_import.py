"""A manager brings in a list: four steps, progress that moves by itself, rows left out as a file, twice is once."""

import csv
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import DemoServer, Opener
from tests.browser.test_every_page import axe_problems, picture

FEW_AT_A_TIME = """
from datetime import timedelta
from django.utils import timezone
from clinic_journey.importing import work
from clinic_journey.importing.models import Import
from tests.browser.serve import MONDAY
work.CHUNK = 4
run = Import.objects.order_by("-pk").first()
for _chunk in range({chunks}):
    if run.status in ("reading", "checking", "importing"):
        with work.in_the_clinics_words(run):
            work.advance(run, lambda: MONDAY + timedelta(seconds=1))
"""
HEADER = ("First name", "Family name", "Phone", "Date of birth")
ROWS = [(f"Name{n}", f"Newcomer{n}", f"050-{7_000_000 + n}", "4.5.1991") for n in range(12)]
WRONG = ("Nobody", "Reachable", "12", "")


def tick(demo: DemoServer, chunks: int) -> None:
    """The worker of the server, for so many chunks."""
    demo.work(FEW_AT_A_TIME.format(chunks=chunks))


def upload(page: Page, file: Path) -> None:
    page.goto("/import/")
    page.check("[name=kind][value=patients]")
    page.set_input_files("[name=file]", file)
    page.get_by_role("button", name="Upload and look at the columns").click()
    page.locator("main form:has([name=column_0]) .btn-primary").click()
    expect(page.locator("#import progress")).to_be_visible()


def test_a_list_comes_in_by_four_steps_and_twice_changes_nothing(
    demo: DemoServer, open_page: Opener, tmp_path: Path
) -> None:
    file = tmp_path / "patients.csv"
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([HEADER, *ROWS, WRONG])
    ((before,),) = demo.rows("SELECT count(*) FROM patients_patient")
    page = open_page("/import/", login="dan")
    upload(page, file)
    tick(demo, 2)  # read; the first of the rows checked
    expect(page.get_by_text("4 of 13 rows")).to_be_visible()
    expect(page.get_by_text(re.compile(r"about \d+ min left|less than a minute left"))).to_be_visible()
    expect(page.get_by_text("You may leave this page")).to_be_visible()
    picture(page, "import-progress")
    assert axe_problems(page) == []
    page.goto("/patients/")  # left; the work goes on
    tick(demo, 4)
    page.go_back()
    expect(page.get_by_role("heading", name="12 rows of 13 can be imported")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download 1 row that is left out").click()
    assert "Nobody,Reachable,12" in Path(download.value.path()).read_text("utf-8-sig")
    page.get_by_role("button", name="Import 12 rows").click()
    tick(demo, 5)
    expect(page.get_by_text("removed after")).to_be_visible()  # the poll brought it
    picture(page, "import-done")
    assert axe_problems(page) == []
    count = "SELECT count(*) FROM patients_patient"
    assert demo.rows(count) == [(before + 12,)]
    upload(page, file)
    tick(demo, 6)
    expect(page.get_by_text("12 of these patients are registered already")).to_be_visible()
    page.get_by_role("button", name="Import 12 rows").click()
    tick(demo, 5)
    expect(page.locator("dl.facts")).to_contain_text("Known already")
    assert demo.rows(count) == [(before + 12,)]
