"""Each try to reach somebody: by which channel, when on the patient's own clock, whether agreed, whether reached.

Where the patient's clock is not known, it is the clinic's, as in planning.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, When
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay, TruncTime

from clinic_journey.reports.local_days import Days
from clinic_journey.reports.numbers_events import Happened
from outreach.channels.phone import CallOutcome
from outreach.models import WAITED_FOR, Attempt, Reply
from outreach.queries import CARRIED_OUT, REACHED
from patients.models import Channel, Clinic, ContactWindow

# A written day says a channel by its place here, so a new one goes to the end. A machine's call is no try.
CHANNELS = (Channel.PHONE, Channel.SMS, Channel.WHATSAPP, Channel.EMAIL, Channel.TELEGRAM)
ROOM, HOURS = 10, 24  # channels that there is room for; hours of a day


class Kind(NamedTuple):
    """What tries are told apart by; in a written day it is one number."""

    weekday: int  # Monday is 0
    hour: int
    channel: str
    is_agreed: bool

    @property
    def value(self) -> int:
        place = CHANNELS.index(Channel(self.channel))
        return ((self.weekday * HOURS + self.hour) * ROOM + place) * 2 + self.is_agreed

    @classmethod
    def of(cls, value: int) -> "Kind":
        rest, is_agreed = divmod(value, 2)
        rest, place = divmod(rest, ROOM)
        return cls(*divmod(rest, HOURS), CHANNELS[place], bool(is_agreed))


def tried(clinic: Clinic, days: Days) -> Iterable[Happened]:
    """In one query for each time zone that patients are in."""
    tries = _tries(clinic, days)
    for named in tries.order_by().values_list("patient__time_zone", flat=True).distinct():
        theirs = _in_her_hours(tries.filter(patient__time_zone=named), ZoneInfo(named or clinic.time_zone))
        rows = theirs.values_list("called_at", "weekday", "hour", "channel", "agreed", "answered")
        for at, weekday, hour, channel, is_agreed, is_reached in rows:
            kind = Kind(weekday - 1, hour, channel, is_agreed)
            yield Happened(at, kind.value, part=int(is_reached))


def _tries(clinic: Clinic, days: Days) -> QuerySet[Any]:
    """Calls that were made and messages that left; what rang elsewhere was no try."""
    made = Attempt.objects.filter(
        clinic=clinic,
        called_at__gte=days.since,
        called_at__lt=days.until,
        status__in=CARRIED_OUT,
        channel__in=CHANNELS,
    )
    return (
        made.exclude(outcome=CallOutcome.WRONG_NUMBER)
        .exclude(~Q(channel=Channel.PHONE), sent_at__isnull=True)
        .exclude(task__message_key__in=WAITED_FOR)
    )


def _in_her_hours(tries: QuerySet[Any], zone: ZoneInfo) -> QuerySet[Any]:
    """When each was on that clock, whether in hours that the patient had told us before, and whether it reached."""
    answered = Case(
        When(channel=Channel.PHONE, then=Q(outcome__in=[*REACHED])),
        default=Exists(Reply.objects.filter(attempt=OuterRef("pk"))),
    )
    windows = ContactWindow.objects.filter(
        card__patient=OuterRef("patient"),
        card__told_at__lte=OuterRef("called_at"),
        weekday=OuterRef("weekday") - 1,
        start__lte=OuterRef("clock"),
        end__gt=OuterRef("clock"),
    )
    on_the_clock = tries.order_by().annotate(
        weekday=ExtractIsoWeekDay("called_at", tzinfo=zone),
        hour=ExtractHour("called_at", tzinfo=zone),
        clock=TruncTime("called_at", tzinfo=zone),
    )
    found: QuerySet[Any] = on_the_clock.annotate(agreed=Exists(windows), answered=answered)
    return found
