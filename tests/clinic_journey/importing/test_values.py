"""Cells as people type them."""

from datetime import date, time

import pytest

from clinic_journey.importing.columns import guess_columns, guess_date_order, missing_columns
from clinic_journey.importing.values import GENDERS, LANGUAGES, as_date, as_time, is_email, one_word

TODAY = date(2026, 3, 9)


@pytest.mark.parametrize(
    ("text", "order", "read"),
    [
        ("4.5.1991", "dmy", date(1991, 5, 4)),
        ("04/05/1991", "dmy", date(1991, 5, 4)),
        ("04/05/1991", "mdy", date(1991, 4, 5)),
        ("1991-05-04", "mdy", date(1991, 5, 4)),
        ("1991-05-04 09:30", "dmy", date(1991, 5, 4)),
        ("4-5-91", "dmy", date(1991, 5, 4)),
        ("4.5.26", "dmy", date(2026, 5, 4)),
        ("٤/٥/١٩٩١", "dmy", date(1991, 5, 4)),
        ("31.2.1991", "dmy", None),
        ("in May", "dmy", None),
        ("", "dmy", None),
        ("4.5.1991999", "dmy", None),
    ],
)
def test_dates(text: str, order: str, read: date | None) -> None:
    assert as_date(text, order, today=TODAY) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("14:30", time(14, 30)),
        ("9.05", time(9, 5)),
        ("2:30 pm", time(14, 30)),
        ("12:00 AM", time(0, 0)),
        ("4.12.2026 14:30", time(14, 30)),
        ("2026-12-04T08:00:00", time(8, 0)),
        ("4.12.2026", None),
        ("25:00", None),
        ("noon", None),
    ],
)
def test_times(text: str, read: time | None) -> None:
    assert as_time(text) == read


@pytest.mark.parametrize(
    ("text", "code"), [("עברית", "he"), ("Русский", "ru"), ("AR", "ar"), ("english", "en"), ("Klingon", "")]
)
def test_languages(text: str, code: str) -> None:
    assert one_word(text, LANGUAGES) == code


def test_genders() -> None:
    assert [one_word(text, GENDERS) for text in ("נ", "жен.", "Male", "?")] == ["f", "f", "m", ""]


@pytest.mark.parametrize(
    ("text", "whole"), [("a@b.co", True), ("a@b", False), ("a b@c.com", False), ("a@b.com, c@d.com", False)]
)
def test_emails(text: str, *, whole: bool) -> None:
    assert is_email(text) is whole


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        (["שם פרטי", "שם משפחה", "טלפון נייד", "ת.ז.", "תאריך לידה", "דוא״ל"],
         ["given_name", "family_name", "phone", "national_id", "birth_date", "email"]),
        (["Имя", "Фамилия", "Телефон", "Дата рождения", "Язык", "Пол"],
         ["given_name", "family_name", "phone", "birth_date", "language", "gender"]),
        (["الاسم", "رقم الهوية", "هاتف", "تاريخ الميلاد"], ["full_name", "national_id", "phone", "birth_date"]),
        (["Patient no.", "ФИО", "Mobile phone", "Notes"], ["external_id", "full_name_reversed", "phone", ""]),
        (["Home phone", "Mobile"], ["phone_2", "phone"]),
        (["No.", "Name"], ["external_id", "full_name"]),
    ],
)  # fmt: skip
def test_columns_are_guessed_from_their_names(header: list[str], columns: list[str]) -> None:
    assert guess_columns("patients", header) == columns


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        (["Patient ID", "Doctor", "Date", "Time", "Minutes"], ["external_id", "doctor", "on", "at", "minutes"]),
        (["ת.ז", "רופא", "תאריך", "שעה", "טיפול"], ["national_id", "doctor", "on", "at", "title"]),
        (["Пациент", "Телефон", "Врач", "Дата и время"], ["full_name", "phone", "doctor", "start"]),
        (["ID", "Doctor", "Date", "Start time"], ["national_id", "doctor", "on", "at"]),
    ],
)  # fmt: skip
def test_columns_of_visits_are_guessed(header: list[str], columns: list[str]) -> None:
    assert guess_columns("appointments", header) == columns
    assert missing_columns("appointments", columns) == []


def test_month_first_only_where_no_other_reading_is_left() -> None:
    columns = ["birth_date"]
    assert guess_date_order(columns, [["4/5/1991"], ["4/25/1991"]]) == "mdy"
    assert guess_date_order(columns, [["4/5/1991"], ["25/4/1991"]]) == "dmy"


def test_what_is_missing_is_said() -> None:
    assert len(missing_columns("patients", ["phone"])) == 1
    assert len(missing_columns("appointments", [""])) == 3
