"""Referral codes, and whom a text is about: found however they are written, invented never."""

from datetime import date

import pytest
from hypothesis import given, strategies as st

from patients.identity import Claim, national_id_is_valid
from referrals.intake.base import find_codes
from referrals.intake.claims import claim_from

CODE = ("R-7K3M9QXY",)
BORN = date(1984, 3, 12)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("R-7K3M9QXY", CODE),
        ("re: r-7k3m9qxy.", CODE),
        ("R7K3M9QXY", CODE),
        ("results+r7k3m9qxy@alon.example", CODE),
        ("results+rabcdefgh@alon.example", ("R-ABCDEFGH",)),
        ("הפניה ל-R-7K3M9QXY", CODE),
        ("הפניהR-7K3M9QXY", CODE),
        ("R\u20117K3M9QXY", CODE),
        ("R\u20137k3m9qxy", CODE),
        ("R-\u200e7K3M9QXY", CODE),
        ("scan_R-7K3M9QXY_2.pdf", CODE),
        ("R-7K3M9QXY and r7k3m9qxy", CODE),
        ("R-7K3M9QXY, R-22222222", ("R-7K3M9QXY", "R-22222222")),
        ("your reference, with REFERENCE", ()),
        ("R-7K3M9QX", ()),
        ("R-7K3M9QXYZ", ()),
        ("MR-7K3M9QXY", ()),
        ("R-7K3M9QX0", ()),
        ("R-7K3M9QXI", ()),
        ("R-7K3M9QX\u017f", ()),
        ("", ()),
    ],
)
def test_codes_are_found_however_they_are_written(text: str, codes: tuple[str, ...]) -> None:
    assert find_codes(text) == codes


@given(st.text(alphabet="23456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=8, max_size=8), st.text())
def test_code_with_its_hyphen_is_found_in_any_text(body: str, around: str) -> None:
    assert f"R-{body}" in find_codes(f"{around} r-{body.lower()} {around}")


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("Patient: Dana Levi", Claim(("Dana Levi",))),
        ("Patient's name - Dana Levi; room 4", Claim(("Dana Levi",))),
        ("First name: Dana\nLast name: Levi", Claim(("Dana Levi",))),
        ("First name: Dana\nLast name: Levi\nLast name: Cohen", Claim()),
        ("שם הנבדקת: דנה לוי", Claim(("דנה לוי",))),
        ("שם פרטי: דנה\nשם משפחה: לוי", Claim(("דנה לוי",))),
        ("Пациентка:\nИванова Анна", Claim(("Иванова Анна",))),
        ("ФИО: Иванова Анна", Claim(("Иванова Анна",))),
        ("المريض: محمد علي", Claim(("محمد علي",))),
        ("The patient was calm.", Claim()),
        ("Doctor name: Dana Levi", Claim()),
        ("DOB 12/03/1984", Claim(birth_dates=(BORN,))),
        ("Date of birth (dd/mm/yyyy): 12.03.1984", Claim(birth_dates=(BORN,))),
        ("Date of birth\n1984-03-12", Claim(birth_dates=(BORN,))),
        ("ת.ל.12.3.1984", Claim(birth_dates=(BORN,))),
        ("תאריך לידה: \u200f12/03/1984\u200f", Claim(birth_dates=(BORN,))),
        ("12.03.1984 г.р.", Claim(birth_dates=(BORN,))),
        ("تاريخ الميلاد: ١٢/٠٣/١٩٨٤", Claim(birth_dates=(BORN,))),
        ("12.03.1984", Claim(other_dates=(BORN,))),
        ("Date of birth unknown, seen 12.03.1984", Claim(other_dates=(BORN,))),
        ("31.02.1984, 12/13/1984, 12.03/1984, 1.12.03.1984, 12.03.84, 12.03.1784", Claim()),
        ("ID 123456782", Claim(national_ids=("123456782",))),
        ("I.D. No. 12345678-2", Claim(national_ids=("123456782",))),
        ("ת.ז.123456782", Claim(national_ids=("123456782",))),
        ("ת״ז: 1 2345678 2", Claim(national_ids=("123456782",))),
        ("מספר זהות 10000016", Claim(national_ids=("010000016",))),
        ("т.з. 123456782", Claim(national_ids=("123456782",))),
        ("رقم الهوية: ١٢٣٤٥٦٧٨٢", Claim(national_ids=("123456782",))),
        ("Levi 123456782", Claim(national_ids=("123456782",))),
        ("ID 123456782, our file 000000018", Claim(national_ids=("123456782",))),
        ("ID 123456789", Claim()),
        ("ID 1234567820", Claim()),
        ("Patient ID: 10009", Claim()),
        ("tel 123456782", Claim()),
        ("טל' 123456782", Claim()),
        ("ח.פ. 123456782", Claim()),
        ("https://imaging.example/123456782", Claim()),
        ("12-123456782", Claim()),
    ],
)
def test_claim_is_read_conservatively(text: str, claim: Claim) -> None:
    assert claim_from(text) == claim


@given(st.text(alphabet=st.characters() | st.sampled_from("0123456789 .-:\nIDתזדר")))
def test_every_id_read_from_any_text_is_a_valid_one(text: str) -> None:
    assert all(map(national_id_is_valid, claim_from(text, subjects=[text]).national_ids))
