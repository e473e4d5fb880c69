"""A mail without what its program quotes below it."""

import pytest

from outreach.quoted import own_words

GMAIL = "Yes\n\nOn Mon, Mar 9, 2026 at 10:00 AM Alon Clinic <a@alon.example>\nwrote:\n\n> Does it suit you?\n"
HEBREW = "כן\n\nבתאריך יום ב׳, 9 במרץ 2026 ב-10:00 מאת מרפאת אלון <a@alon.example>:\n\n> מתאים?\n"
RUSSIAN = "Да\n\nпн, 9 мар. 2026 г. в 10:00, Клиника <a@alon.example>:\n> Вам подходит?\n"
OUTLOOK = "Yes, thank you\n\n________________________________\nFrom: Alon\nSent: Monday\nDoes it suit you?"
BROKEN = "STOP\n\nOn Tue, Mar 3, 2026 at 10:00 AM The Big Alon Clinic of Haifa <\na@alon.example> wrote:\n\n> Hello\n"
PLAIN_OUTLOOK = (
    "STOP\n\nFrom: Alon <a@alon.example>\nSent: Monday, March 9, 2026 10:00\nTo: Dana\n\nHello Dana"
)
OLD = "Yes\n\n-----Original Message-----\nFrom: Alon\n\nDoes it suit you?"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Yes", "Yes"),
        (GMAIL, "Yes"),
        (HEBREW, "כן"),
        (RUSSIAN, "Да"),
        (OUTLOOK, "Yes, thank you"),
        (OLD, "Yes"),
        (BROKEN, "STOP"),
        (PLAIN_OUTLOOK, "STOP"),
        ("From: what I know it is at nine", "From: what I know it is at nine"),
        ("Yes\r\n-- \r\nDana Levi\r\nTel Aviv", "Yes"),
        ("> Does it suit you?\nYes, at 9:00", "> Does it suit you?\nYes, at 9:00"),
        ("I can come:\n\n> on Monday?\nno, on Tuesday", "I can come:"),
        ("Please call me at these hours:\n9-11\n17-19", "Please call me at these hours:\n9-11\n17-19"),
        ("", ""),
    ],
)
def test_what_was_typed_stays_and_what_is_quoted_goes(text: str, words: str) -> None:
    assert own_words(text) == words
