"""Writes of the first run: the clinic with its first administrator, its hours, its doctors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.text import slugify

from appointments.cells import renew
from appointments.models import Location, Practitioner, Schedule
from clinic_journey.reports.standards_actions import load_standards
from patients.actions import load_closed_days, set_default_hours
from patients.models import Clinic, ClinicHours, HoursKind, Membership, Role

AHEAD = timedelta(days=60)
Stretches = Sequence[tuple[time, time]]


@transaction.atomic
def open_clinic(given: Mapping[str, Any], *, rest_from_friday: bool, now: datetime, by: User) -> Clinic:
    """A clinic with the usual hours of its week and the holidays of its country; who opens it administers it."""
    clinic = Clinic(slug=_free_slug(given["name"]), sender_name=given["name"][:60], **given)
    clinic.save(force_insert=True)
    Membership.objects.create(user=by, clinic=clinic, role=Role.ADMIN)
    set_default_hours(clinic, rest_from_friday=rest_from_friday)
    load_closed_days(clinic, [now.year, now.year + 1])
    load_standards([clinic])
    return clinic


def _free_slug(name: str) -> str:
    base = slugify(name)[:40] or "clinic"
    taken = set(Clinic.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    numbered = (f"{base}-{number}" for number in range(2, len(taken) + 3))
    return base if base not in taken else next(slug for slug in numbered if slug not in taken)


@transaction.atomic
def change_clinic(clinic: Clinic, given: Mapping[str, Any], *, now: datetime) -> None:
    """What was typed again in the first step; hours that were set already stay."""
    other_country = clinic.country != given["country"]
    for name, value in given.items():
        setattr(clinic, name, value)
    clinic.save(update_fields=list(given))
    if other_country:
        clinic.closed_days.filter(on__gte=now.date(), is_open=False).delete()
        load_closed_days(clinic, [now.year, now.year + 1])


def set_content(clinic: Clinic, given: Mapping[str, Any]) -> None:
    """What messages may name from now on, and how they name the clinic."""
    Clinic.objects.filter(pk=clinic.pk).update(**given)


@transaction.atomic
def set_hours(clinic: Clinic, kind: HoursKind, week: Mapping[int, Stretches]) -> None:
    clinic.hours.filter(kind=kind).delete()
    ClinicHours.objects.bulk_create(
        ClinicHours(clinic=clinic, kind=kind, weekday=weekday, start=start, end=end)
        for weekday, stretches in week.items()
        for start, end in stretches
    )


@dataclass(frozen=True)
class NewDoctor:
    name: str
    weekdays: Sequence[int]
    stretches: Stretches


@transaction.atomic
def add_doctor(clinic: Clinic, new: NewDoctor, *, now: datetime) -> Practitioner:
    """A doctor with weekly hours and a room, and the first weeks of a calendar to book in at once."""
    doctor = Practitioner.objects.create(clinic=clinic, name=new.name)
    room, _made = Location.objects.get_or_create(clinic=clinic, name=new.name[:80])
    today = now.astimezone(ZoneInfo(clinic.time_zone)).date()
    Schedule.objects.bulk_create(
        Schedule(practitioner=doctor, location=room, weekday=weekday, start=start, end=end, valid_from=today)
        for weekday in new.weekdays
        for start, end in new.stretches
    )
    renew(doctor, today, today + AHEAD)
    return doctor
