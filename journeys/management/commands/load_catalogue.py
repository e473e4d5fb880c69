"""Load the journey templates: all of them or, when any file is broken, none."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from journeys.catalogue_file import CatalogueError, TemplateSpec, read_folder
from journeys.models import (
    ContactWhen,
    JourneyTemplate,
    OwnerRole,
    StepEdge,
    StepKind,
    StepTemplate,
    TemplateStatus,
)

SHIPPED = Path(__file__).resolve().parents[2] / "catalogue"
ALLOWED = {"kinds": set(StepKind.values), "roles": set(OwnerRole.values), "contacts": set(ContactWhen.values)}


class Command(BaseCommand):
    help = "Load journey templates from TOML. A changed file is a new version; running journeys keep theirs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, default=SHIPPED)

    def handle(self, *_args: Any, folder: Path, **_options: Any) -> None:
        try:
            specs = read_folder(folder, ALLOWED)
        except CatalogueError as error:
            message = f"Nothing was loaded. Mend these and run it again:\n{error}"
            raise CommandError(message) from error
        if not specs:
            message = f"No *.toml files in {folder}."
            raise CommandError(message)
        with transaction.atomic():
            loaded = [spec.key for spec in specs if load_template(spec)]
        self.stdout.write(f"{len(specs)} journey templates; new or changed: {', '.join(loaded) or 'none'}")


def load_template(spec: TemplateSpec) -> bool:
    """Make the spec the active version; False when it already is."""
    versions = JourneyTemplate.objects.filter(key=spec.key)
    active = versions.filter(status=TemplateStatus.ACTIVE).first()
    if active and active.checksum == spec.checksum:
        return False
    latest = versions.order_by("-version").first()
    versions.filter(status=TemplateStatus.ACTIVE).update(status=TemplateStatus.RETIRED)
    template = JourneyTemplate.objects.create(
        key=spec.key,
        version=latest.version + 1 if latest else 1,
        names=dict(spec.names),
        follow_up=spec.follow_up,
        checksum=spec.checksum,
    )
    steps = StepTemplate.objects.bulk_create(
        StepTemplate(
            template=template,
            key=step.key,
            position=position,
            names=step.given["name"],
            patient_names=step.given.get("patient_name", step.given["name"]),
            kind=step.given["kind"],
            is_entry=bool(step.given.get("entry")),
            joins_all=step.given.get("joins") == "all",
            outcomes=step.outcomes(),
            owner_role=step.given["owner"],
            limit_amount=step.limit.amount,
            limit_unit=step.limit.unit,
            escalates_to=step.given.get("escalates_to", ""),
            contact_when=step.given.get("contact", ""),
            contact_lead_minutes=step.lead_minutes,
            message_key=step.given.get("message", ""),
            late_message_key=step.given.get("late_message", ""),
            needs_answer=bool(step.given.get("needs_answer")),
            told_outcome=step.given.get("told_outcome", ""),
            max_attempts=step.given.get("max_attempts", 4),
        )
        for position, step in enumerate(spec.steps)
    )
    by_key = {step.key: step for step in steps}
    StepEdge.objects.bulk_create(
        StepEdge(
            source=by_key[edge.source], target=by_key[edge.target], outcome=edge.outcome, effect=edge.effect
        )
        for edge in spec.edges
    )
    return True
