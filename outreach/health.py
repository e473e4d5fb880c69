"""How each channel stands, as a manager reads it. Reads only."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from django.conf import settings
from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from outreach.attested import may_use
from outreach.channels import (
    PHONE,
    TRANSPORTS,
    Abilities,
    Transport,
    Trouble,
    WhenUnclear,
    leaves_this_machine,
    leaving,
    missing_keys,
)
from outreach.gate import is_open
from outreach.models import Attempt, AttemptStatus
from outreach.provider_models import Sender
from outreach.provider_terms import missing_on
from outreach.queries import WENT_OUT
from outreach.rendering import sms_parts
from patients.country import AutomatedVoice, profile_of
from patients.models import Channel, Clinic

COUNTED = timedelta(days=7)
SHOWN = (AttemptStatus.DELIVERED, AttemptStatus.SENT, AttemptStatus.FAILED, AttemptStatus.UNKNOWN)


class State(StrEnum):
    BY_PEOPLE = "by_people"
    OFF = "off"
    NOT_ALLOWED = "not_allowed"
    NOT_ANSWERED_FOR = "not_answered_for"
    PROVIDER_UNKNOWN = "provider_unknown"
    NO_KEYS = "no_keys"
    ON_SCREEN = "on_screen"
    WORKS = "works"
    RESTS = "rests"
    DOWN = "down"


@dataclass(frozen=True)
class Health:
    channel: Channel
    state: State
    missing: list[str]  # names of keys, as they stand in the environment
    abilities: list[str]
    advice: str  # what follows for whoever words the messages
    counts: list[tuple[str, int]]  # of seven days, in words
    sender: Sender | None
    last_trouble: str
    waiting: int  # messages whose time has come and that have not left
    parts: int  # that were paid for in seven days; 0 where it is not paid by parts
    costs: str  # of these parts, where the price of one is set


def health_of(clinic: Clinic, *, now: datetime) -> list[Health]:
    """Every channel, whether it is on or not."""
    rows = Attempt.objects.filter(clinic=clinic, send_at__gt=now - COUNTED, send_at__lte=now)
    counted = rows.values_list("channel", "status").annotate(n=Count("pk"))
    made = Counter({(channel, status): n for channel, status, n in counted})
    senders = {sender.channel: sender for sender in Sender.objects.all()}
    sent = rows.filter(status__in=WENT_OUT)
    parts = {channel: _parts(sent, channel) for channel in Channel.values}
    return [
        _as_allowed(_health(Channel(channel), senders.get(channel), made, parts[channel], now=now), clinic)
        for channel in Channel.values
    ]


def _as_allowed(health: Health, clinic: Clinic) -> Health:
    """An account alone lets no machine call or write where the country's rules do not."""
    is_shut = profile_of(clinic.country).automated_voice == AutomatedVoice.OFF
    is_meant_to_work = health.state not in {State.OFF, State.NO_KEYS}
    if health.channel == Channel.VOICE and is_shut and is_meant_to_work:
        return replace(health, state=State.NOT_ALLOWED)
    if is_meant_to_work and not may_use(clinic, health.channel):
        return replace(health, state=State.NOT_ANSWERED_FOR)
    if is_meant_to_work and missing_on(clinic, health.channel):
        return replace(health, state=State.PROVIDER_UNKNOWN)
    return health


def _parts(sent: QuerySet[Attempt], channel: str) -> int:
    transport = TRANSPORTS.get(settings.CHANNEL_TRANSPORTS.get(channel, ""))
    if transport is None or not transport.abilities.counts_parts:
        return 0
    bodies = sent.filter(channel=channel).values_list("body", flat=True)
    return sum(sms_parts(body) for body in bodies.iterator())


def costs_of(parts: int) -> str:
    """In the currency of the setting; empty where nobody has said what a part costs."""
    amount, _space, currency = settings.SMS_PART_COSTS.partition(" ")
    return f"{parts * Decimal(amount):.2f} {currency}".strip() if parts and amount else ""


def _health(
    channel: Channel,
    sender: Sender | None,
    made: Counter[tuple[str, str]],
    parts: int,
    *,
    now: datetime,
) -> Health:
    transport = TRANSPORTS.get(settings.CHANNEL_TRANSPORTS.get(channel, ""))
    return Health(
        channel=channel,
        state=_state(channel, sender, now=now),
        missing=missing_keys(transport) if transport else [],
        abilities=_words(transport.abilities) if transport else [],
        advice=_advice(channel, transport),
        counts=[(str(status.label), made[channel, status]) for status in SHOWN if made[channel, status]],
        sender=sender,
        last_trouble=_trouble_words(sender),
        waiting=made[channel, AttemptStatus.PLANNED],
        parts=parts,
        costs=costs_of(parts),
    )


def _state(channel: Channel, sender: Sender | None, *, now: datetime) -> State:
    name = settings.CHANNEL_TRANSPORTS.get(channel, "off")
    if name == PHONE:
        return State.BY_PEOPLE
    if name not in TRANSPORTS:
        return State.OFF
    if missing_keys(TRANSPORTS[name]):
        return State.NO_KEYS
    if not leaves_this_machine(channel):
        return State.ON_SCREEN
    if sender and sender.down_since:
        return State.DOWN
    return State.RESTS if sender and sender.paused_until and sender.paused_until > now else State.WORKS


def _trouble_words(sender: Sender | None) -> str:
    """Our words for it and the provider's code; the first word of what is kept is ours."""
    if sender is None or not sender.last_trouble:
        return ""
    ours, _space, code = sender.last_trouble.partition(" ")
    words = str(Trouble(ours).label) if ours in Trouble.values else _("No clear answer.")
    return f"{words} ({code})" if code else words


def _advice(channel: Channel, transport: Transport | None) -> str:
    if transport is None or transport.abilities.two_way or not leaves_this_machine(channel):
        return ""
    return _(
        "Nobody can answer what comes from a name: no reply and no STOP arrives here, and whoever wants no more of it"
        " has to call. Give the link and the phone number in the words of your messages, and ask for no reply."
    )


def _words(abilities: Abilities) -> list[str]:
    unclear = {
        WhenUnclear.REPEAT: _("when in doubt a message is sent again, and never arrives twice"),
        WhenUnclear.LOOK_UP: _("when in doubt the provider is asked whether a message left"),
        WhenUnclear.ASK_A_PERSON: _("when in doubt whether a message left, a person decides"),
    }
    said = {
        _("answers come back here"): abilities.two_way,
        _("nobody can answer here"): not abilities.two_way,
        _("only to patients who have linked themselves"): not abilities.can_write_first,
        _("approved words only, unless the patient wrote within a day"): abilities.only_approved_words,
        _("paid by parts"): abilities.counts_parts,
        _("says whether a message was delivered"): abilities.tells_delivery,
        unclear[abilities.when_unclear]: True,
    }
    return [words for words, holds in said.items() if holds]


def is_held_back(clinic: Clinic) -> bool:
    """Whether messages would reach patients, were the gate not shut: what every screen has to say."""
    return bool(leaving()) and not is_open(clinic)
