"""What a page of the calendar or of the waiting list shows, by version: it asks again whether that still holds."""

from dataclasses import dataclass
from datetime import date

from appointments.models import KEPT, Appointment, AppointmentStatus
from appointments.queries import visits_between
from appointments.waiting_models import LIVE_ENTRIES, Offer, Opening, OpeningStatus, WaitlistEntry
from patients.models import Clinic
from patients.polling import version_of

LISTED = 50  # of those who wait, longest waiting first; further pages tell of the first


@dataclass(frozen=True)
class Days:
    """The days from `first` until before `last`, of one doctor or of all."""

    first: date
    last: date
    doctor: int | None = None

    def __str__(self) -> str:
        return f"{self.first}.{self.last}.{self.doctor or ''}"

    @classmethod
    def named(cls, text: str) -> "Days | None":
        try:
            first, last, doctor = text.split(".")
            return cls(date.fromisoformat(first), date.fromisoformat(last), int(doctor) if doctor else None)
        except ValueError:
            return None


def version_of_days(days: Days, clinic: Clinic) -> str:
    """By all that is drawn of a visit. A time kept for minutes is told at the free times themselves."""
    visits = visits_between(
        Appointment.objects.all(), clinic, days.first, days.last, doctor=days.doctor
    ).exclude(status=AppointmentStatus.PENDING, request_key__startswith=KEPT)
    drawn = ("pk", "practitioner_id", "start", "end", "status", "confirmed_at", "title")
    return version_of(list(visits.values_list(*drawn)))


def version_of_waiting(clinic: Clinic) -> str:
    entries = WaitlistEntry.objects.filter(clinic=clinic, status__in=LIVE_ENTRIES).order_by("since_at", "pk")
    openings = Opening.objects.filter(clinic=clinic, status=OpeningStatus.OPEN, wave__gt=0).order_by("pk")
    offers = Offer.objects.filter(opening__in=openings.order_by().values("pk")).order_by("pk")
    return version_of(
        [
            list(entries.values_list("pk", "status")[:LISTED]),
            list(openings.values_list("pk", "wave")),
            list(offers.values_list("pk", "status")),
        ]
    )
