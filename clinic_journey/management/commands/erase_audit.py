"""The one door out of the audit trail: what is older than the clinic must keep, one clinic at a time."""

from argparse import ArgumentParser
from datetime import UTC, date, datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from patients import audit
from patients.models import AuditAction, AuditEvent, By, Clinic

KEPT_DAYS = 2 * 365  # standards.md: 24 months at the least


class Command(BaseCommand):
    help = "Remove a clinic's audit events from before a day; how many is itself written down."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("before", type=date.fromisoformat, help="the first day to keep, as 2024-01-31")
        parser.add_argument("--clinic", required=True, help="slug")

    def handle(self, *_args: Any, **options: Any) -> None:
        now, before = timezone.now(), options["before"]
        clinic = Clinic.objects.filter(slug=options["clinic"]).first()
        if clinic is None:
            raise CommandError(f"No clinic has the slug {options['clinic']!r}.")
        if (now.date() - before).days < KEPT_DAYS:
            raise CommandError(f"Keep at least {KEPT_DAYS} days; choose an earlier day.")
        old = AuditEvent.objects.filter(clinic=clinic, at__lt=datetime.combine(before, time(), UTC))
        with transaction.atomic():
            with audit.open_door():
                removed, _by_model = old.delete()
            said = {"what": "audit", "rows": removed, "asked": f"before {before}"}
            audit.record(AuditEvent(at=now, clinic=clinic, by=By.SYSTEM, action=AuditAction.DELETE, **said))
        self.stdout.write(f"{removed} events removed.")
