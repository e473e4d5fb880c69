"""An import from the command line: the stages of the screens, one after another, in the same words."""

from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone, translation

from clinic_journey.importing import actions, queries
from clinic_journey.importing.columns import missing_columns
from clinic_journey.importing.models import AT_WORK, Import, ImportKind, ImportStatus, RowState
from clinic_journey.importing.work import work
from patients.actions import RefusedError
from patients.models import Clinic

TURN = timedelta(days=1)


class Command(BaseCommand):
    help = "Check a CSV or XLSX file of patients or visits; with --write, import the rows that are right."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--clinic", required=True, help="the clinic's short name (slug)")
        parser.add_argument("--kind", choices=ImportKind.values, default=ImportKind.PATIENTS.value)
        parser.add_argument("--write", action="store_true", help="import the rows without a problem")
        parser.add_argument(
            "--leave-empty",
            nargs="*",
            default=[],
            metavar="PROBLEM",
            help="import such rows without the field",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        with translation.override("en"):
            try:
                self._import(options)
            except RefusedError as refusal:
                raise CommandError(str(refusal)) from refusal

    def _import(self, options: dict[str, Any]) -> None:
        clinic = Clinic.objects.filter(slug=options["clinic"]).first()
        if clinic is None:
            raise CommandError(f"There is no clinic {options['clinic']!r}.")
        try:
            with options["file"].open("rb") as file:
                size = options["file"].stat().st_size
                given = actions.Upload(options["kind"], options["file"].name, file, size)
                run = actions.upload(clinic, given, now=timezone.now(), by=None)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        self._map(run)
        self._work(run)
        self._say_problems(run)
        actions.decide(run, options["leave_empty"])
        if options["write"]:
            actions.start(run, now=timezone.now())
            self._work(run)
        self._say_counts(run)

    def _map(self, run: Import) -> None:
        for name, field in zip(run.header, run.columns, strict=True):
            self.stdout.write(f"  {name} → {field or '–'}")
        if missing := missing_columns(run.kind, run.columns):
            raise CommandError(" ".join(missing) + " Choose it in the browser, under Import.")
        actions.choose_columns(run, run.columns, run.date_order, now=timezone.now())

    def _work(self, run: Import) -> None:
        run.refresh_from_db()
        while run.status in AT_WORK:
            if not work(timezone.now, lasts=TURN, only=run):
                Event().wait(1)  # a worker of the server was quicker and is at it
            run.refresh_from_db()
        if run.status == ImportStatus.FAILED:
            raise CommandError(run.trouble)

    def _say_problems(self, run: Import) -> None:
        for group in queries.problem_groups(run):
            self.stdout.write(f"{group.words.title}: {group.count} ({group.code})")
            for one in group.examples:
                self.stdout.write(
                    f"  row {one.row}, {one.column}: found {one.found!r}, expected: {one.expected}"
                )

    def _say_counts(self, run: Import) -> None:
        counts = queries.counts(run)
        if run.status == ImportStatus.CHECKED:
            self.stdout.write(f"{counts.ready} of {counts.total} rows can be imported; --write imports them.")
            return
        for state, count in sorted(counts.by_state.items()):
            self.stdout.write(f"{RowState(state).label}: {count}")
