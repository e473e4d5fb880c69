"""The week is one page, however much it has to tell."""

import pytest
from django.utils.translation import override

from clinic_journey.reports.weekly_pdf import page_of

HEAD = ["From", "To", "Passed", "Left here", "Half waited at most", "9 out of 10 waited at most", "Standard"]
LONG = [
    "Waiting for the images from the institute",
    "The doctor looks at the images and decides",
    "1,200",
    "17",
]


@pytest.mark.parametrize(("language", "lines"), [("en", 1), ("en", 8), ("he", 8), ("ar", 8)])
def test_three_journeys_of_any_length_are_on_one_page(language: str, lines: int) -> None:
    row = [*LONG, "3 days", "12 working days and more", "2 working days"]
    stories = [(f"Images before a treatment, {n}", [HEAD, *[row] * lines]) for n in range(3)]
    with override(language):
        page = page_of(stories, "The week of 2 March", "Alon Clinic", "90 of 100 ways are on this page.")
    assert page.startswith(b"%PDF")
    assert page.count(b"/Type /Page\n") == 1
