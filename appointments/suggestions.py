"""Which few times to name on the phone or the page, and with whom; `offers` has the full choice of the desk."""

from datetime import datetime, timedelta

from appointments.models import Practitioner
from appointments.queries import find_times
from journeys.models import Journey
from patients.models import Patient
from patients.queries import opening_hours, patient_hours

NAMED = 4
AHEAD = timedelta(days=45)
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
    only_agreed: bool = False,
) -> list[datetime]:
    """Free times at hours the patient agreed to; others fill up the list unless `only_agreed`."""
    before = after + AHEAD
    agreed = (patient_hours(patient, getattr(patient, "card", None)), opening_hours(doctor.clinic, now=now))
    times = find_times(doctor, minutes, after=after, before=before, within=agreed, limit=NAMED)
    if len(times) < NAMED and not only_agreed:
        others = find_times(doctor, minutes, after=after, before=before, limit=NAMED)
        times += [start for start in others if start not in times][: NAMED - len(times)]
    return times
