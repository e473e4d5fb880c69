"""Which few times to name on the phone or the page, and with whom; `offers` has the full choice of the desk."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from appointments.models import Practitioner
from appointments.offers import Wanted, offers_for
from journeys.models import Journey
from patients.models import Patient

NAMED = 4
FIRST_DAYS = timedelta(days=7)  # after the expected result: a next visit later than that is named last
VISIT_MINUTES = 30  # of a visit whose length nobody said


def doctor_for(journey: Journey) -> Practitioner | None:
    """The doctor who leads the journey; where nobody does, the clinic's first."""
    doctors = Practitioner.objects.filter(clinic_id=journey.clinic_id, is_active=True).order_by("pk")
    lead = doctors.filter(user_id=journey.doctor_id).first() if journey.doctor_id else None
    return lead or doctors.first()


def times_for(
    patient: Patient,
    doctor: Practitioner,
    *,
    after: datetime,
    now: datetime,
    minutes: int = VISIT_MINUTES,
    only_open: bool = False,
) -> list[datetime]:
    """A few free times on several days, those at hours the patient can come first; all while the clinic is open,
    where only these are asked for.

    Of those that suit, as of the others, all within a week of `after` come before the later ones.
    """
    on = after.astimezone(ZoneInfo(doctor.clinic.time_zone)).date()
    offers = offers_for(
        patient, Wanted(doctor, minutes, not_before=on, only_open=only_open), now=now, nearest=[]
    )
    found = [offer for offer in [*offers.suiting, *offers.others] if offer.start >= after]
    found.sort(key=lambda offer: (offers.hours_known and not offer.suits, offer.start > after + FIRST_DAYS))
    return [offer.start for offer in found[:NAMED]]  # else in the order above
