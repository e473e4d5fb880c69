"""Names fold alike however they are typed; IDs and birth dates decide; a name alone never does."""

from datetime import date

import pytest
from hypothesis import given, strategies as st

from patients.identity import (
    Agreement,
    Claim,
    Doubt,
    Known,
    Nobody,
    Person,
    agrees,
    ascii_digits,
    contradicts,
    fold_name,
    national_id_is_valid,
    normalise_national_id,
    who_is,
)

DANA = Person(1, "Dana", "Levi", date(1984, 3, 12), "123456782")
ANNA = Person(2, "Анна Петровна", "Иванова", date(1990, 7, 1), "")
NAMESAKE = Person(3, "Dana", "Levi", date(1991, 1, 2), "000000018")


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("  Dana   LEVI ", "dana levi"),
        ("Levi, Dana", "levi dana"),
        ("Bar-Lev", "bar lev"),
        ("בן־דוד", "בן דוד"),
        ("בן-דוד", "בן דוד"),
        ("שָׁלוֹם", "שלום"),
        ("ז׳בוטינסקי", "ז'בוטינסקי"),
        ("ז'בוטינסקי", "ז'בוטינסקי"),
        ("ג'ורג'", "ג'ורג"),
        ("\u202bדנה\u202c לוי\u200f", "דנה לוי"),
        ("Фёдоров", "федоров"),
        ("Андрей", "андрей"),
        ("أحمد", "احمد"),
        ("فاطمة", "فاطمه"),
        ("مُحَمَّد", "محمد"),
        ("منى", "مني"),
        ("محـــمد", "محمد"),
        ("O’Brien", "o'brien"),
        ("“Dana” Levi", "dana levi"),
        ("ﻣﺤﻤﺪ", "محمد"),
        ("", ""),
        (" - ", ""),
    ],
)
def test_name_folds_to_what_is_compared(written: str, folded: str) -> None:
    assert fold_name(written) == folded


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold_name(fold_name(text)) == fold_name(text)


@pytest.mark.parametrize(
    ("digits", "valid"),
    [
        ("123456782", True),
        ("000000018", True),
        ("123456789", False),
        ("000000000", False),
        ("12345678", False),
        ("1234567820", False),
        ("12345678a", False),
        ("١٢٣٤٥٦٧٨٢", False),
        ("", False),
    ],
)
def test_national_id_needs_nine_digits_and_their_check_digit(digits: str, *, valid: bool) -> None:
    assert national_id_is_valid(digits) is valid


@given(st.integers(min_value=1, max_value=99_999_999))
def test_each_eight_digits_have_exactly_one_check_digit(number: int) -> None:
    assert [national_id_is_valid(f"{number:08}{digit}") for digit in range(10)].count(True) == 1


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("12345678-2", "123456782"),
        ("1 2345678 2", "123456782"),
        ("18", "18"),
        ("23456782", "023456782"),
        ("\u200f123456782\u200e", "123456782"),
        ("١٢٣٤٥٦٧٨٢", "123456782"),
        ("ab 1234567", "AB1234567"),
        ("", ""),
    ],
)
def test_national_id_is_stored_in_one_form(written: str, normal: str) -> None:
    assert normalise_national_id(written) == normal


@given(st.text())
def test_normalising_an_id_twice_changes_nothing(text: str) -> None:
    assert normalise_national_id(normalise_national_id(text)) == normalise_national_id(text)


def test_digits_of_other_scripts_become_ascii() -> None:
    assert ascii_digits("١٢/٠٣/١٩٨٤ é") == "12/03/1984 é"


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("Dana Levi", True),
        ("LEVI Dana", True),
        ("Panorex of Levi, Dana (48)", True),
        ("Dana Ruth Levi", True),
        ("Dana and her neighbour Levi", False),
        ("Dana", False),
        ("Levi", False),
        ("Danah Levi", False),
        ("Dana Levin", False),
        ("", False),
    ],
)
def test_name_agrees_only_when_given_and_family_name_stand_together(written: str, *, named: bool) -> None:
    assert agrees(Claim(names=(written,)), DANA) == ((Agreement.NAME,) if named else ())


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("Иванова Анна Петровна", True),
        ("Анна Петровна Иванова", True),
        ("Иванова Анна", True),
        ("Анна Иванова", True),
        ("Иванова Анна Сергеевна", False),
        ("Анна Сергеевна Иванова", False),
        ("Иванова Петровна", False),
    ],
)
def test_patronymic_may_be_missing_but_not_different(written: str, *, named: bool) -> None:
    assert agrees(Claim(names=(written,)), ANNA) == ((Agreement.NAME,) if named else ())


def test_double_family_name_must_be_whole() -> None:
    double = Person(5, "דנה", "לוי־כהן", None, "")
    assert agrees(Claim(names=("דנה לוי כהן",)), double) == (Agreement.NAME,)
    assert agrees(Claim(names=("דנה לוי",)), double) == ()


def test_person_without_a_family_name_is_never_named() -> None:
    assert agrees(Claim(names=("Dana",)), Person(5, "Dana", "", None, "")) == ()


@pytest.mark.parametrize(
    ("claim", "traits"),
    [
        (Claim(national_ids=("12345678-2",)), (Agreement.NATIONAL_ID,)),
        (Claim(birth_dates=(date(1984, 3, 12),)), (Agreement.BIRTH_DATE,)),
        (Claim(other_dates=(date(1984, 3, 12),)), (Agreement.BIRTH_DATE,)),
        (Claim(birth_dates=(date(1985, 1, 1),), other_dates=(date(1984, 3, 12),)), ()),
        (Claim(national_ids=("000000018",)), ()),
    ],
)
def test_ids_and_dates_agree_when_equal(claim: Claim, traits: tuple[Agreement, ...]) -> None:
    assert agrees(claim, DANA) == traits


@pytest.mark.parametrize("filler", ["000000000", "123456789", "0", "", "11111"])
def test_filler_in_place_of_an_id_proves_nothing(filler: str) -> None:
    assert agrees(Claim(national_ids=(filler,)), Person(4, "A", "B", None, filler)) == ()


def test_passport_number_agrees() -> None:
    guest = Person(4, "A", "B", None, "AB1234567")
    assert agrees(Claim(national_ids=("ab 1234567",)), guest) == (Agreement.NATIONAL_ID,)


@pytest.mark.parametrize(
    ("claim", "traits"),
    [
        (Claim(), ()),
        (Claim(names=("Moshe Cohen",)), ()),
        (Claim(national_ids=("000000018",)), (Agreement.NATIONAL_ID,)),
        (Claim(national_ids=("000000018", "123456782")), (Agreement.NATIONAL_ID,)),
        (Claim(national_ids=("123456789",)), ()),
        (Claim(national_ids=("AB1234567",)), ()),
        (Claim(birth_dates=(date(1985, 1, 1),)), (Agreement.BIRTH_DATE,)),
        (Claim(birth_dates=(date(1984, 3, 12), date(1985, 1, 1))), (Agreement.BIRTH_DATE,)),
        (Claim(other_dates=(date(1985, 1, 1),)), ()),
    ],
)
def test_another_id_or_birth_date_contradicts(claim: Claim, traits: tuple[Agreement, ...]) -> None:
    assert contradicts(claim, DANA) == traits


def test_nothing_contradicts_a_person_of_whom_only_the_name_is_known() -> None:
    claim = Claim(national_ids=("000000018",), birth_dates=(date(1985, 1, 1),))
    assert contradicts(claim, Person(4, "A", "B", None, "")) == ()


@pytest.mark.parametrize(
    ("claim", "answer"),
    [
        (Claim(national_ids=("123456782",)), Known(1, (Agreement.NATIONAL_ID,))),
        (
            Claim(names=("Dana Levi",), birth_dates=(date(1984, 3, 12),)),
            Known(1, (Agreement.BIRTH_DATE, Agreement.NAME)),
        ),
        (Claim(names=("Dana Levi",)), Nobody((Doubt.NAME_ONLY,), (1, 3))),
        (Claim(birth_dates=(date(1984, 3, 12),)), Nobody((Doubt.BIRTH_DATE_ONLY,), (1,))),
        (Claim(names=("Noa Bar",)), Nobody((Doubt.NOT_FOUND,), ())),
        (Claim(names=("  ",)), Nobody((Doubt.NOTHING_SAID,), ())),
        (
            Claim(national_ids=("123456782",), birth_dates=(date(1985, 1, 1),)),
            Nobody((Doubt.CONTRADICTION,), (1,)),
        ),
        (Claim(national_ids=("123456782", "000000018")), Nobody((Doubt.CONTRADICTION,), (1, 3))),
    ],
)
def test_who_is_answers_one_person_or_says_why_not(claim: Claim, answer: Known | Nobody) -> None:
    assert who_is(claim, [DANA, ANNA, NAMESAKE]) == answer


def test_two_records_with_one_id_are_several() -> None:
    double = Person(9, "D.", "Levi", None, "123456782")
    assert who_is(Claim(national_ids=("123456782",)), [DANA, double]) == Nobody((Doubt.SEVERAL,), (1, 9))


def test_same_person_listed_twice_is_one_person() -> None:
    assert who_is(Claim(national_ids=("123456782",)), [DANA, DANA]) == Known(1, (Agreement.NATIONAL_ID,))


def test_no_people_means_nobody() -> None:
    assert who_is(Claim(national_ids=("123456782",)), []) == Nobody((Doubt.NOT_FOUND,), ())
