"""The calendar in other shapes: a week to drag visits in, with the list that says the same, and a day on paper."""

from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.db.models import Max, Min
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from appointments import actions
from appointments.day import LOOKS
from appointments.forms import YEARS
from appointments.models import Appointment, AppointmentStatus
from appointments.queries import (
    MOVABLE,
    appointments_visible_to,
    day_on_paper,
    phones_for,
    practitioners_visible_to,
    visits_between,
)
from appointments.rooms import room_names_of
from appointments.shown import Days, version_of_days
from appointments.views import Save, asked_of, found_visit, refuse_unless_seen, save_of, seen_of, words_of
from appointments.visits import spoken
from patients import audit
from patients.access import Here, for_staff
from patients.actions import RefusedError
from patients.models import Clinic, HoursKind
from patients.queries import first_weekday_of

LONGEST_FEED = timedelta(days=42)
WEEK = timedelta(days=7)
TWO_LINES = timedelta(minutes=20)  # the picture has room for a second line from this length on


class RangeForm(forms.Form):
    """What the picture asks for as it is turned; days of the clinic, the last one not included."""

    start = forms.CharField(max_length=40)
    end = forms.CharField(max_length=40)
    doctor = forms.IntegerField(required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        for name in ("start", "end"):
            try:
                given[name] = date.fromisoformat(given.get(name, "")[:10])
            except ValueError as error:
                raise forms.ValidationError("no date") from error
        in_reach = given["start"].year in YEARS and given["end"].year in YEARS
        if not in_reach or not timedelta(0) < given["end"] - given["start"] <= LONGEST_FEED:
            raise forms.ValidationError("no such range")
        return given


def first_day(clinic: Clinic) -> int:
    """The day on which the clinic's week begins; Sunday is 0, as the picture counts."""
    return (first_weekday_of(clinic) + 1) % 7


def week_of(on: date, clinic: Clinic) -> date:
    """The first day of the clinic's week."""
    return on - timedelta(days=(on.isoweekday() - first_day(clinic)) % 7)


def hours_drawn(clinic: Clinic) -> tuple[str, str]:
    """From and to which whole hour the clinic is open on any day; the picture grows with a visit outside."""
    open_hours = clinic.hours.filter(kind=HoursKind.OPEN).aggregate(first=Min("start"), last=Max("end"))
    first, last = open_hours["first"] or time(8), open_hours["last"] or time(20)
    return f"{first.hour:02}:00", f"{last.hour + bool(last.minute):02}:00"


@require_GET
@for_staff()
def calendar_week(request: HttpRequest, here: Here) -> HttpResponse:
    """A week as a list that works everywhere; with a script also as a picture in which visits are dragged."""
    asked = asked_of(request)
    today = timezone.localtime(here.now).date()
    first = week_of(asked["on"] or today, here.clinic)
    doctors = list(practitioners_visible_to(here.user).filter(clinic=here.clinic))
    if asked["doctor"] and asked["doctor"] not in {doctor.pk for doctor in doctors}:
        raise Http404
    of_clinic = appointments_visible_to(here.user)
    shown = Days(first, first + WEEK, asked["doctor"])
    version = version_of_days(shown, here.clinic)  # before what it is of is read
    visits = list(visits_between(of_clinic, here.clinic, first, first + WEEK, doctor=asked["doctor"]))
    audit.shows(rows=len(visits))
    opens, closes = hours_drawn(here.clinic)
    by_day = groupby(visits, key=lambda visit: timezone.localtime(visit.start).date())
    context = {
        "first": first,
        "shown": shown,
        "version": version,
        "last": first + WEEK - timedelta(days=1),
        "before": first - WEEK,
        "after": first + WEEK,
        "today": today,
        "doctors": doctors,
        "asked": asked,
        "days": [
            (on, [(visit, seen_of(visit), visit.status in MOVABLE) for visit in each]) for on, each in by_day
        ],
        "first_day": first_day(here.clinic),
        "opens": opens,
        "closes": closes,
        "cell_minutes": here.clinic.cell_minutes,
    }
    return render(request, "appointments/week.html", context)


@require_GET
@for_staff()
def calendar_feed(request: HttpRequest, here: Here) -> JsonResponse:
    """The visits of the clinic in a range of days, for the picture; on the clinic's clock, without a zone."""
    form = RangeForm(request.GET)
    if not form.is_valid():
        raise Http404
    asked = form.cleaned_data
    of_clinic = appointments_visible_to(here.user)
    visits = list(
        visits_between(of_clinic, here.clinic, asked["start"], asked["end"], doctor=asked["doctor"])
    )
    audit.shows(rows=len(visits))
    return JsonResponse([_drawn(visit) for visit in visits], safe=False)


def _drawn(visit: Appointment) -> dict[str, Any]:
    status = AppointmentStatus(visit.status)
    is_plain = status == AppointmentStatus.BOOKED
    words = "" if is_plain else str(status.label).lower()
    who = visit.patient.full_name
    if visit.is_being_booked:
        who = visit.made_by.first_name if visit.made_by else ""
        words = _("being booked")
    return {
        "id": str(visit.public_id),
        "start": _on_the_clock(visit.start),
        "end": _on_the_clock(visit.end),
        "title": " · ".join(part for part in (who, words, visit.practitioner.name) if part),  # pointed at
        "classNames": [
            f"week-{LOOKS[status]}",
            *(["week-short"] if visit.end - visit.start < TWO_LINES else []),
        ],
        "editable": visit.status in MOVABLE and not visit.is_being_booked,
        "extendedProps": {
            "who": who,
            "doctor": visit.practitioner.name,
            "words": words,
            "seen": seen_of(visit),
            "url": reverse("appointment", args=[visit.public_id]),
            "drop": reverse("appointment_drop", args=[visit.public_id]),
        },
    }


def _on_the_clock(at: datetime) -> str:
    return timezone.localtime(at).replace(tzinfo=None).isoformat(timespec="minutes")


@require_POST
@for_staff()
def appointment_drop(request: HttpRequest, here: Here, appointment_id: UUID, save: Save) -> HttpResponse:
    """A visit was dragged to another time of its doctor. Refused, it stands where it stood, with the reason."""
    visit = found_visit(here, appointment_id)
    try:
        wanted = datetime.fromisoformat(request.POST.get("start", ""))
    except ValueError:
        wanted = None
    if wanted is None or wanted.year not in YEARS:
        raise Http404
    start = wanted.replace(tzinfo=ZoneInfo(visit.practitioner.clinic.time_zone))
    try:
        refuse_unless_seen(request, visit)
        save_of(
            visit, "moved", lambda: actions.move(visit, start=start, now=here.now, by=here.user), save, here
        )
    except RefusedError as refusal:
        messages.error(request, words_of(refusal))
    else:
        words = _("Moved to %(time)s. Tell the patient, and repeat the date aloud.")
        messages.success(request, words % {"time": spoken(visit.start, visit.practitioner)})
    doctor = f"&doctor={visit.practitioner_id}" if request.POST.get("doctor") else ""
    return redirect(f"{reverse('calendar_week')}?on={wanted.date()}{doctor}")


@require_GET
@for_staff()
def calendar_print(request: HttpRequest, here: Here) -> HttpResponse:
    """The visits of a day, a list for each doctor; one page without a script, made for paper."""
    on = asked_of(request)["on"] or timezone.localtime(here.now).date()
    visits = list(day_on_paper(appointments_visible_to(here.user), here.clinic, on))
    audit.shows(rows=len(visits))
    rooms = room_names_of(visits, here.clinic)
    by_doctor = groupby(visits, key=lambda visit: visit.practitioner)
    context = {
        "on": on,
        "before": on - timedelta(days=1),
        "after": on + timedelta(days=1),
        "doctors": [
            (
                doctor,
                [(visit, rooms.get(visit.pk, ""), phones_for(visit, now=here.now)) for visit in each],
            )
            for doctor, each in by_doctor
        ],
        "now": here.now,
    }
    return render(request, "appointments/print.html", context)
