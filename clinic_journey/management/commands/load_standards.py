"""Give every clinic the service standards that come with this version; how strict they are stays the clinic's."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clinic_journey.reports.standards_actions import load_standards
from clinic_journey.reports.standards_file import SHIPPED, StandardsError, read_standards
from patients.models import Clinic


class Command(BaseCommand):
    help = "Load the service standards: all of them or, when any is faulty, none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=SHIPPED)

    def handle(self, *_args: Any, file: Path, **_options: Any) -> None:
        try:
            specs = read_standards(file)
        except StandardsError as error:
            message = f"Nothing was loaded. Mend these and run it again:\n{error}"
            raise CommandError(message) from error
        made = load_standards(Clinic.objects.order_by("pk"), specs)
        self.stdout.write(f"{len(specs)} service standards; {made} new ones in the clinics")
