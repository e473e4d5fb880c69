"""Every rule that can move a contact, keep it from an address, or stop it at the door: codes that are kept. Pure.

The words for screens are in trace_words.py. A code is written where the decision is made and never worked out
again, since by the time somebody asks, the card, the gate and the hours may be others.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from patients.windows import DAY, Hours, is_open, starts_at

LOOKED_AT = 14  # days between the moment asked for and the one planned; rules repeat every week


class Because(StrEnum):
    # The hour
    WINDOW = "window"
    CLINIC_HOURS = "clinic_hours"
    REST_DAY = "rest_day"
    REST_EVE = "rest_eve"
    LAW_HOURS = "law_hours"
    # How often
    SPACING = "spacing"
    DAY_CAP = "day_cap"
    WEEK_CAP = "week_cap"
    # The address and the channel
    CHANNEL_OFF = "channel_off"
    SENDER_RESTS = "sender_rests"
    SENDER_DOWN = "sender_down"
    GATE = "gate"
    CONSENT = "consent"
    STOP = "stop"
    MAYBE_STOP = "maybe_stop"
    BAD_ADDRESS = "bad_address"
    NOT_HERS = "not_hers"
    REFUSED_HERE = "refused_here"
    NOT_CALLED = "not_called"
    CALL_BACK_ONLY = "call_back_only"
    NOTHING_SAID = "nothing_said"
    TOLD_ALREADY = "told_already"
    SOMEBODY_ELSE = "somebody_else"
    NO_LONGER_TOLD = "no_longer_told"
    IN_CONFIDENCE = "in_confidence"
    NOT_HERS_ALONE = "not_hers_alone"
    ADDRESS_REMOVED = "address_removed"
    CALLS_ONLY = "calls_only"
    NOT_READ_OUT = "not_read_out"
    NO_AUTOMATED_CALLS = "no_automated_calls"
    NOT_AGREED_TO_CALLS = "not_agreed_to_calls"
    NOT_ANSWERED_FOR = "not_answered_for"
    PROVIDER_UNKNOWN = "provider_unknown"
    OFFERS_OFF = "offers_off"
    OFFERS_NOT_WANTED = "offers_not_wanted"
    # What it is about
    TOO_LATE = "too_late"
    NOT_MADE = "not_made"
    ON_HOLD = "on_hold"
    STEP_ENDED = "step_ended"
    DECIDED_ANEW = "decided_anew"
    VISIT_GONE = "visit_gone"
    OFFER_OVER = "offer_over"
    RECORD_CLOSED = "record_closed"
    NO_WORDS = "words_do_not_fit"  # apart from the code of handing over
    BY_HAND = "by_hand"


@dataclass(frozen=True)
class Passed:
    """One way that was not taken, and the rule that kept us from it."""

    channel: str
    contact_point: int
    because: Because


HOURS_IN_ORDER = (Because.WINDOW, Because.CLINIC_HOURS, Because.LAW_HOURS)


def shut_by(hours: Sequence[Hours], at: datetime) -> Iterator[Because]:
    """Which of the patient's, the clinic's and the law's hours are shut at this moment, in that order."""
    if is_open(at, *hours):
        return
    for rule, each in zip(HOURS_IN_ORDER, hours, strict=False):
        if not is_open(at, each):
            yield _rest(each, at) if rule == Because.CLINIC_HOURS else rule


def _rest(clinic: Hours, at: datetime) -> Because:
    """A day or an eve of rest is told apart from a late hour."""
    local = at.astimezone(ZoneInfo(clinic.zone))
    shuts = clinic.shut_from.get(local.date(), time.max)
    if shuts == time.min or not clinic.by_weekday[local.weekday()]:
        return Because.REST_DAY
    return Because.REST_EVE if local.time() >= shuts else Because.CLINIC_HOURS


def moved_by(
    hours: Sequence[Hours], full: Mapping[date, Because], zone: str, *, asked: datetime, planned: datetime
) -> tuple[Because, ...]:
    """The rules that moved a contact from the moment it was asked for to the one it has, in their order."""
    if planned <= asked:
        return ()
    found = set(shut_by(hours, asked))
    here = ZoneInfo(zone)
    first, last = asked.astimezone(here), planned.astimezone(here)
    for n in range(min((last.date() - first.date()).days, LOOKED_AT)):
        on = first.date() + DAY * n
        found |= {full[on]} if on in full else set()
        if n:
            found |= set(shut_by(hours, starts_at(zone, on, last.time().replace(fold=0))))
    return in_order(found)


def in_order(rules: Collection[Because]) -> tuple[Because, ...]:
    return tuple(rule for rule in Because if rule in rules)
