"""Every write about what a clinic offers and how much of it there is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from appointments.models import Practitioner
from inquiries.models import Offering, StockBatch, WalkInHours
from patients.actions import RefusedError
from patients.models import Clinic
from patients.written_hours import Stretch

LISTED = ("done_by", "walk_in")  # rows of their own


@dataclass(frozen=True)
class Offered:
    """What a clinic offers, as a program writes it; `price` empty: not told."""

    kind: str
    names: dict[str, str]
    other_words: str = ""
    price: Decimal | None = None
    currency: str = ""
    is_public: bool = False
    is_active: bool = True
    done_by: Sequence[Practitioner] = ()  # nobody: whoever did such a visit lately
    preparations: dict[str, str] | None = None  # None: as before
    walk_in: Mapping[int, Sequence[Stretch]] | None = None  # by weekday, Monday being 0; None: as before


@transaction.atomic
def offer(clinic: Clinic, offered: Offered, *, now: datetime) -> Offering:
    made = Offering.objects.create(clinic=clinic, looked_at=now, **_columns(offered))
    _say_who_does(made, offered)
    set_walk_in(made, offered.walk_in or {})
    return made


@transaction.atomic
def change_offering(offering: Offering, offered: Offered, *, now: datetime) -> None:
    Offering.objects.filter(pk=offering.pk).update(looked_at=now, **_columns(offered))
    _say_who_does(offering, offered)
    if offered.walk_in is not None:
        set_walk_in(offering, offered.walk_in)


@transaction.atomic
def set_walk_in(offering: Offering, week: Mapping[int, Sequence[Stretch]]) -> None:
    """When one may come without an appointment, the whole week anew."""
    offering.walk_in.all().delete()
    WalkInHours.objects.bulk_create(
        WalkInHours(offering=offering, weekday=weekday, start=start, end=end)
        for weekday, stretches in week.items()
        for start, end in stretches
    )


def still_so(offering: Offering, *, now: datetime) -> None:
    """Somebody has looked: what it costs is as it stands here."""
    Offering.objects.filter(pk=offering.pk).update(looked_at=now)


def _columns(offered: Offered) -> dict[str, Any]:
    columns = {name: value for name, value in vars(offered).items() if name not in LISTED}
    if columns["preparations"] is None:
        del columns["preparations"]
    return columns


def _say_who_does(offering: Offering, offered: Offered) -> None:
    if any(each.clinic_id != offering.clinic_id for each in offered.done_by):
        raise RefusedError(_("Somebody of another clinic does nothing here."))
    offering.done_by.set(offered.done_by)


def set_batch(
    offering: Offering, number: str, *, quantity: int, expires_on: date | None, now: datetime
) -> StockBatch:
    """The batch as it was counted now; the same number again is the same batch."""
    batch, _made = StockBatch.objects.update_or_create(
        offering=offering,
        number=number,
        defaults={"quantity": quantity, "expires_on": expires_on, "counted_at": now},
    )
    return batch
