"""A clinic of about 200 patients with journeys in every state, its times relative to now."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinic_journey.demo.clinic import (
    make_clinic,
    make_doctors,
    make_patients,
    make_staff,
    message_at_any_hour,
)
from clinic_journey.demo.offered import make_offerings
from clinic_journey.demo.reported import make_reports
from clinic_journey.demo.story import Story
from clinic_journey.demo.team import thank_each_other
from clinic_journey.demo.waiting import put_on_waiting_list
from clinic_journey.demo.written import write_to_the_clinic
from clinic_journey.reports.summaries import catch_up
from patients.models import Clinic

PATIENTS = 200


class Command(BaseCommand):
    help = "Load the demo clinic into an empty database. Only with DEMO=1."

    def handle(self, *_args: Any, **_options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("This fills the database with invented people; run it with DEMO=1 only.")
        if Clinic.objects.exists():
            raise CommandError("There is a clinic already. The demo needs an empty database of its own.")
        now = timezone.now()
        clinic = make_clinic(now=now)
        staff = make_staff(clinic)
        doctors = make_doctors(clinic, staff, now=now)
        make_offerings(clinic, now=now)
        patients = make_patients(clinic, staff["rina"], PATIENTS, now=now)
        story = Story(clinic, doctors, staff["rina"], now=now)
        story.plan(patients)
        story.play()
        message_at_any_hour(clinic)
        put_on_waiting_list(clinic, staff["rina"], now=now)
        write_to_the_clinic(clinic, now=now)
        make_reports(clinic, staff["rina"], staff["dan"], now=now)
        thank_each_other(clinic, staff, now=now)
        catch_up(clinic, now=now)  # the reports do not wait for their first hour
        self.stdout.write(f"{clinic.name}: {len(patients)} patients, {len(doctors)} doctors")
