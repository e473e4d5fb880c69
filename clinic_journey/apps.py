from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate


class ClinicJourneyConfig(AppConfig):
    """The project itself as an app: its system checks, its commands, and where the audit trail is tied in."""

    name = "clinic_journey"
    verbose_name = "Clinic Journey"

    def ready(self) -> None:
        from clinic_journey import checks, own_keys  # noqa: F401, PLC0415 - app ready
        from clinic_journey.audit import middleware  # noqa: PLC0415 - app ready
        from clinic_journey.lock import views  # noqa: PLC0415 - app ready

        # Django's own signals, of the framework's events; ours are rows (house.md 4).
        patients = apps.get_app_config("patients")
        connection_created.connect(know_who_acts)
        pre_migrate.connect(without_audit_triggers, sender=patients)
        post_migrate.connect(with_audit_triggers, sender=patients)
        user_logged_in.connect(middleware.logged_in)
        user_logged_in.connect(views.logged_in)
        user_logged_in.connect(own_keys.logged_in)
        user_logged_out.connect(middleware.logged_out)
        user_login_failed.connect(middleware.login_failed)


def know_who_acts(connection: BaseDatabaseWrapper, **_more: Any) -> None:
    from patients import audit  # noqa: PLC0415 - app ready

    audit.teach(connection)


def without_audit_triggers(using: str, plan: list[Any] | None = None, **_more: Any) -> None:
    from clinic_journey.audit import triggers  # noqa: PLC0415 - app ready

    if plan and connections[using].vendor == "sqlite":
        triggers.remove(connections[using])


def with_audit_triggers(using: str, **_more: Any) -> None:
    from clinic_journey.audit import triggers  # noqa: PLC0415 - app ready

    triggers.install(connections[using])
