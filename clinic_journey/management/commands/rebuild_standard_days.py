"""Count the days of every standard anew from what happened; each night does the same."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinic_journey.reports.standards_actions import COUNTED_ANEW, rebuild_days
from patients.models import Clinic


class Command(BaseCommand):
    help = "Count the last days of every service standard anew, of all clinics or of one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=COUNTED_ANEW, help="how many days before today")
        parser.add_argument("--clinic", help="slug; without it, all")

    def handle(self, *_args: Any, days: int, clinic: str | None, **_options: Any) -> None:
        if days < 1:
            raise CommandError("At least one day.")
        clinics = Clinic.objects.order_by("pk")
        chosen = clinics.filter(slug=clinic) if clinic else clinics
        if clinic and not chosen.exists():
            raise CommandError(f"No clinic has the slug {clinic!r}.")
        now = timezone.now()
        for each in chosen:
            self.stdout.write(f"{each.slug}: {rebuild_days(each, now=now, days=days)} days written")
