"""Exactly one open referral or none: what decides, what does not, and what a person is offered."""

import random
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, strategies as st

from patients.identity import Claim, Doubt, Person, contradicts
from referrals.intake.base import Parsed
from referrals.matching import Match, OpenReferral, Reason, Unmatched, match

BORN, OTHER_DAY = date(1984, 3, 12), date(1991, 1, 2)
DANA = Person(1, "Dana", "Levi", BORN, "123456782")
NAMESAKE = Person(2, "Dana", "Levi", OTHER_DAY, "000000018")
MOSHE = Person(3, "Moshe", "Cohen", BORN, "")
FATIMA = Person(4, "Fatima", "Haddad", OTHER_DAY, "010000016")

PANO = OpenReferral(10, "R-7K3M9QXY", DANA)
NAMESAKES = OpenReferral(20, "R-22222222", NAMESAKE)
MOSHES = OpenReferral(30, "R-33333333", MOSHE)
FATIMA_PANO, FATIMA_CT = OpenReferral(40, "R-44444444", FATIMA), OpenReferral(41, "R-55555555", FATIMA)
OPEN = [PANO, NAMESAKES, MOSHES, FATIMA_PANO, FATIMA_CT]


def document(*codes: str, claim: Claim | None = None) -> Parsed:
    return Parsed("id", "", (), "", "", codes, claim or Claim(), (), ())


def unmatched(*reasons: Reason, candidates: tuple[int, ...] = ()) -> Unmatched:
    return Unmatched(reasons, candidates)


@pytest.mark.parametrize(
    ("parsed", "answer"),
    [
        # By code.
        (document("R-7K3M9QXY"), Match(10, "code")),
        (document("R-55555555"), Match(41, "code")),
        (document("R-7K3M9QXY", claim=Claim(("Noa Bar",))), Match(10, "code")),
        (document("R-7K3M9QXY", claim=Claim(other_dates=(OTHER_DAY,))), Match(10, "code")),
        (document("R-7K3M9QXY", claim=Claim(("Dana Levi",), (BORN,), ("123456782",))), Match(10, "code")),
        (document("R-99999999", "R-7K3M9QXY"), Match(10, "code")),
        (
            document("R-7K3M9QXY", claim=Claim(national_ids=("123456790",))),
            unmatched(Reason.CONTRADICTION, candidates=(10,)),
        ),
        (
            document("R-7K3M9QXY", claim=Claim(national_ids=("000000018",))),
            unmatched(Reason.CONTRADICTION, candidates=(10, 20)),
        ),
        (
            document("R-7K3M9QXY", claim=Claim(birth_dates=(OTHER_DAY,))),
            unmatched(Reason.CONTRADICTION, candidates=(10, 20, 40, 41)),
        ),
        # The old code with the next patient's images: nothing contradicts Dana, but it proves to be Moshe's.
        (
            document("R-7K3M9QXY", claim=Claim(("Moshe Cohen",), other_dates=(BORN,))),
            unmatched(Reason.CONTRADICTION, candidates=(10, 30)),
        ),
        (document("R-44444444", "R-55555555"), unmatched(Reason.SEVERAL_CODES, candidates=(40, 41))),
        (document("R-99999999"), unmatched(Reason.UNKNOWN_CODE, Reason.NOTHING_SAID)),
        (
            document("R-99999999", claim=Claim(national_ids=("123456782",))),
            unmatched(Reason.UNKNOWN_CODE, candidates=(10,)),
        ),
        # By national ID.
        (document(claim=Claim(national_ids=("12345678-2",))), Match(10, "identifier")),
        (document(claim=Claim(("Dana Levi",), (BORN,), ("123456782",))), Match(10, "identifier")),
        (
            document(claim=Claim(national_ids=("010000016",))),
            unmatched(Reason.SEVERAL, candidates=(40, 41)),
        ),
        (document("R-55555555", claim=Claim(national_ids=("010000016",))), Match(41, "code")),
        (
            document(claim=Claim(birth_dates=(OTHER_DAY,), national_ids=("123456782",))),
            unmatched(Reason.CONTRADICTION, candidates=(10, 20, 40, 41)),
        ),
        (document(claim=Claim(national_ids=("123456790",))), unmatched(Reason.NOT_FOUND)),
        # By name and birth date.
        (document(claim=Claim(("Levi Dana",), (BORN,))), Match(10, "name_and_birth_date")),
        (document(claim=Claim(("Cohen, Moshe",), other_dates=(BORN,))), Match(30, "name_and_birth_date")),
        (
            document(claim=Claim(("Fatima Haddad",), (OTHER_DAY,))),
            unmatched(Reason.SEVERAL, candidates=(40, 41)),
        ),
        # Never by either alone.
        (document(claim=Claim(("Dana Levi",))), unmatched(Reason.NAME_ONLY, candidates=(10, 20))),
        (document(claim=Claim(("Moshe Cohen",))), unmatched(Reason.NAME_ONLY, candidates=(30,))),
        (
            document(claim=Claim(birth_dates=(BORN,))),
            unmatched(Reason.BIRTH_DATE_ONLY, candidates=(10, 30)),
        ),
        (document(claim=Claim(("Noa Bar",))), unmatched(Reason.NOT_FOUND)),
        (document(), unmatched(Reason.NOTHING_SAID)),
    ],
)
def test_document_matches_one_open_referral_or_says_why_not(
    parsed: Parsed, answer: Match | Unmatched
) -> None:
    assert match(parsed, OPEN) == answer


def test_code_on_the_referral_may_be_written_in_any_form() -> None:
    assert match(document("R-7K3M9QXY"), [replace(PANO, code="r7k3m9qxy")]) == Match(10, "code")


def test_nothing_open_means_not_found() -> None:
    parsed = document(claim=Claim(national_ids=("123456782",)))
    assert match(parsed, []) == unmatched(Reason.NOT_FOUND)


def test_two_records_of_one_person_are_for_a_human() -> None:
    double = OpenReferral(11, "R-66666666", Person(9, "D.", "Levi", None, "123456782"))
    parsed = document(claim=Claim(national_ids=("123456782",)))
    assert match(parsed, [PANO, double]) == unmatched(Reason.SEVERAL, candidates=(10, 11))


def test_code_of_one_person_with_the_proved_identity_of_two_others_is_a_contradiction() -> None:
    double = OpenReferral(11, "R-66666666", Person(9, "D.", "Levi", None, "123456782"))
    parsed = document("R-33333333", claim=Claim(national_ids=("123456782",)))
    assert match(parsed, [PANO, double, MOSHES]) == unmatched(Reason.CONTRADICTION, candidates=(30, 10, 11))


def test_every_doubt_about_a_person_is_a_reason() -> None:
    assert {str(doubt) for doubt in Doubt} <= {str(reason) for reason in Reason}


# A few names, dates, IDs and codes, so that chance meetings are the rule.
DAYS, IDS = st.sampled_from([BORN, OTHER_DAY]), st.sampled_from(["123456782", "000000018", "010000016"])
CODES = st.sampled_from([f"R-{digit * 8}" for digit in "23456"])
NAMES = st.sampled_from(["Dana Levi", "Levi Moshe", "Dana Cohen", "Moshe Cohen and Dana Levi"])


PEOPLE = st.builds(
    Person,
    st.just(0),
    st.sampled_from(["Dana", "Moshe"]),
    st.sampled_from(["Levi", "Cohen"]),
    st.none() | DAYS,
    st.just("") | IDS,
)
CLAIMS = st.builds(
    Claim,
    st.lists(NAMES, max_size=2).map(tuple),
    st.lists(DAYS, max_size=2).map(tuple),
    st.lists(IDS, max_size=2).map(tuple),
    st.lists(DAYS, max_size=2).map(tuple),
)
DOCUMENTS = st.builds(
    lambda codes, claim: document(*codes, claim=claim), st.lists(CODES, max_size=2, unique=True), CLAIMS
)


@st.composite
def referral_lists(draw: st.DrawFn) -> list[OpenReferral]:
    people = [
        replace(person, key=key) for key, person in enumerate(draw(st.lists(PEOPLE, min_size=1, max_size=4)))
    ]
    codes = draw(st.lists(CODES, unique=True))
    return [
        OpenReferral(key, code, draw(st.sampled_from(people))) for key, code in enumerate(codes, start=100)
    ]


@given(DOCUMENTS, referral_lists())
def test_matched_person_never_contradicts_and_always_is_proved(
    parsed: Parsed, referrals: list[OpenReferral]
) -> None:
    answer = match(parsed, referrals)
    if isinstance(answer, Unmatched):
        assert answer.reasons
        assert len(set(answer.candidates)) == len(answer.candidates)
        assert set(answer.candidates) <= {referral.key for referral in referrals}
        return
    (chosen,) = (referral for referral in referrals if referral.key == answer.referral_key)
    assert contradicts(parsed.claim, chosen.person) == ()
    proof = {
        "code": chosen.code in parsed.codes,
        "identifier": chosen.person.national_id in parsed.claim.national_ids,
        "name_and_birth_date": chosen.person.birth_date in parsed.claim.birth_dates + parsed.claim.other_dates
        and bool(parsed.claim.names),
    }
    assert proof[answer.by]
    # Without its code, another open referral of the same person would have been as good.
    same = [referral for referral in referrals if referral.person == chosen.person]
    assert answer.by == "code" or same == [chosen]


@given(DOCUMENTS, referral_lists(), st.randoms(use_true_random=False))
def test_answer_does_not_depend_on_the_order_of_the_referrals(
    parsed: Parsed, referrals: list[OpenReferral], chance: random.Random
) -> None:
    shuffled = list(referrals)
    chance.shuffle(shuffled)
    assert match(parsed, shuffled) == match(parsed, referrals)


@given(st.lists(NAMES).map(tuple), referral_lists())
def test_name_alone_never_matches(names: tuple[str, ...], referrals: list[OpenReferral]) -> None:
    assert isinstance(match(document(claim=Claim(names)), referrals), Unmatched)
