"""Which open referral a document answers: exactly one, or none and why. Never by a name alone or by guess."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from patients.identity import Agreement, Doubt, Known, Nobody, Person, contradicts, who_is
from referrals.intake.base import Parsed, find_codes

MatchedBy = Literal["code", "identifier", "name_and_birth_date"]


class Reason(StrEnum):
    """Why no referral was chosen. The first six are the doubts of patients.identity under the same names."""

    NOTHING_SAID = "nothing_said"
    NOT_FOUND = "not_found"
    CONTRADICTION = "contradiction"
    SEVERAL = "several"
    NAME_ONLY = "name_only"
    BIRTH_DATE_ONLY = "birth_date_only"
    UNKNOWN_CODE = "unknown_code"
    SEVERAL_CODES = "several_codes"


@dataclass(frozen=True)
class OpenReferral:
    key: int
    code: str
    person: Person


@dataclass(frozen=True)
class Match:
    referral_key: int
    by: MatchedBy


@dataclass(frozen=True)
class Unmatched:
    """`candidates` are keys of referrals for a person to choose from, the likeliest first."""

    reasons: tuple[Reason, ...]
    candidates: tuple[int, ...]


def match(parsed: Parsed, referrals: Sequence[OpenReferral]) -> Match | Unmatched:
    """Decide by code, unless the document states another person; else by whom it proves to be about."""
    answer = who_is(parsed.claim, [referral.person for referral in referrals])
    coded = [referral for referral in referrals if set(find_codes(referral.code)) & set(parsed.codes)]
    if coded:
        return _by_code(coded, parsed, answer, referrals)
    if parsed.codes:
        # The code of a referral that is closed or not ours; another referral of that person is no answer.
        return Unmatched((Reason.UNKNOWN_CODE, *_reasons(answer)), _candidates(answer, referrals))
    if isinstance(answer, Nobody):
        return Unmatched(_reasons(answer), _candidates(answer, referrals))
    candidates = _candidates(answer, referrals)
    if len(candidates) > 1:
        return Unmatched((Reason.SEVERAL,), candidates)
    return Match(candidates[0], "identifier" if Agreement.NATIONAL_ID in answer.by else "name_and_birth_date")


def _by_code(
    coded: Sequence[OpenReferral], parsed: Parsed, answer: Known | Nobody, referrals: Sequence[OpenReferral]
) -> Match | Unmatched:
    """One code decides, unless an institute answered an old mail: its code, with another patient's images."""
    keys = sorted({referral.key for referral in coded})
    candidates = tuple(dict.fromkeys([*keys, *_candidates(answer, referrals)]))
    people = {referral.person for referral in coded}
    if _proves_others(answer, people) or any(contradicts(parsed.claim, person) for person in people):
        return Unmatched((Reason.CONTRADICTION,), candidates)
    if len(keys) > 1:
        return Unmatched((Reason.SEVERAL_CODES,), candidates)
    return Match(keys[0], "code")


def _proves_others(answer: Known | Nobody, people: Iterable[Person]) -> bool:
    if isinstance(answer, Known):
        proved: tuple[int, ...] = (answer.person_key,)
    else:
        proved = answer.candidates if Doubt.SEVERAL in answer.reasons else ()
    return bool(proved) and not {person.key for person in people} & set(proved)


def _reasons(answer: Known | Nobody) -> tuple[Reason, ...]:
    return tuple(Reason(doubt) for doubt in answer.reasons) if isinstance(answer, Nobody) else ()


def _candidates(answer: Known | Nobody, referrals: Iterable[OpenReferral]) -> tuple[int, ...]:
    """The referrals of the people in question, in their order, each person's oldest first."""
    people = (answer.person_key,) if isinstance(answer, Known) else answer.candidates
    keys: dict[int, set[int]] = {person: set() for person in people}
    for referral in referrals:
        if referral.person.key in keys:
            keys[referral.person.key].add(referral.key)
    return tuple(key for person in people for key in sorted(keys[person]))
