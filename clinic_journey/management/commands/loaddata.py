"""Django's own, with the audit trail's door open: what is brought along from another database has its trail with it."""

from typing import Any

from django.core.management.commands import loaddata
from django.utils import timezone

from patients import audit
from patients.models import AuditAction, AuditEvent, By


class Command(loaddata.Command):
    def handle(self, *fixture_labels: str, **options: Any) -> None:
        with audit.open_door():
            super().handle(*fixture_labels, **options)
        said = {"what": "loaddata", "asked": " ".join(fixture_labels)[-300:]}
        audit.record(AuditEvent(at=timezone.now(), by=By.SYSTEM, action=AuditAction.CREATE, **said))
