"""Count the weeks of the reports and the days of the numbers anew from what happened, for every clinic or for one."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from clinic_journey.reports.numbers_days import rebuild_numbers
from clinic_journey.reports.numbers_silent import count_silent
from clinic_journey.reports.summaries import rebuild
from patients.models import Clinic


class Command(BaseCommand):
    help = "Count the weeks of the reports and the days of the numbers anew from what happened."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--clinic", help="its short name; without it, every clinic")

    def handle(self, *args: Any, **options: Any) -> None:
        clinics = Clinic.objects.order_by("pk")
        if options["clinic"]:
            clinics = clinics.filter(slug=options["clinic"])
        for clinic in clinics:
            now = timezone.now()
            weeks, days = rebuild(clinic, now=now), rebuild_numbers(clinic, now=now, anew=True)
            silent = count_silent(clinic, now=now)
            self.stdout.write(
                f"{clinic.slug}: {weeks} weeks, {days} days of numbers, {silent} silent patients"
            )
