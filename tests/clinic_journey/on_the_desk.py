"""Results on a doctor's desk, and the browser that opens them."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.test import Client

from appointments.models import AppointmentStatus
from journeys import actions
from journeys.actions import NewJourney
from journeys.models import Step, StepKind
from patients.models import Clinic, Patient
from referrals.models import Result
from tests import builders
from tests.conftest import NOW

DAY = timedelta(days=1)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def arrived(clinic: Clinic, doctor: User | None = None, *, held: bool = True, **patient: Any) -> Result:
    """A result on the doctor's desk, with the visit that was held for it."""
    n = Patient.objects.count()
    who = builders.patient(clinic, **{"phone": f"050-234-{5000 + n}", "language": "he", **patient})
    new = NewJourney("imaging_treatment", title="Tooth 36", doctor=doctor)
    journey = actions.start_journey(who, new, now=NOW)
    waiting = journey.steps.get(kind=StepKind.AWAIT_RESULT)
    actions.complete_step(waiting, "received", now=NOW)
    review = journey.steps.get(kind=StepKind.REVIEW)
    requester = builders.practitioner(clinic, user=doctor) if n == 0 else builders.practitioner(clinic)
    referral = builders.referral(who, journey=journey, step=waiting, requester=requester, status="completed")
    if held:
        start = NOW + 3 * DAY
        builders.appointment(
            who,
            practitioner=requester,
            start=start,
            status=AppointmentStatus.PENDING,
            awaits=review,
            hold_until=start - DAY,
        )
    return next_version(referral, review)


def next_version(referral: Any, review: Step) -> Result:
    version = referral.results.count() + 1
    document = builders.document(referral.clinic)
    document.files.create(
        position=0,
        name="36.png",
        content_type="image/png",
        size=len(PNG),
        content=ContentFile(PNG, name="a.png"),
    )
    made: Result = referral.results.create(
        document=document, source_id=f"s{version}", version=version, received_at=NOW, review=review
    )
    return made


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
