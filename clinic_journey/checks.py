"""System checks: the settings that would hurt patients are refused at start, with the cure."""

import re
from collections.abc import Sequence
from zoneinfo import available_timezones

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning as CheckWarning, register
from django.db import connections

from clinic_journey.audit import triggers
from outreach.channels import PHONE, TRANSPORTS, missing_keys
from outreach.dispatch import LEASE
from patients.country import FOLDER, ProfileError, read_profile


@register(Tags.database)
def sqlite_takes_the_write_lock_first(**_kwargs: object) -> list[CheckMessage]:
    """SQLite without IMMEDIATE lets workers die with "database is locked" (house.md 9)."""
    found: list[CheckMessage] = []
    for alias, database in settings.DATABASES.items():
        if database["ENGINE"] != "django.db.backends.sqlite3":
            continue
        if database.get("OPTIONS", {}).get("transaction_mode") != "IMMEDIATE":
            found.append(
                Error(
                    f"Database {alias!r} is SQLite without transaction_mode=IMMEDIATE.",
                    hint="Set OPTIONS['transaction_mode'] = 'IMMEDIATE', or use PostgreSQL (DATABASE_URL).",
                    id="clinic_journey.E001",
                )
            )
        if database.get("ATOMIC_REQUESTS"):
            found.append(
                Error(
                    "ATOMIC_REQUESTS on SQLite makes every page take the write lock.",
                    hint="Remove ATOMIC_REQUESTS; actions open their own transactions.",
                    id="clinic_journey.E002",
                )
            )
    return found


@register()
def time_zones_are_known(**_kwargs: object) -> list[CheckMessage]:
    if settings.TIME_ZONE != "UTC" or not settings.USE_TZ:
        return [
            Error(
                "Instants must be stored in UTC.",
                hint="Keep USE_TZ=True and TIME_ZONE='UTC'; each clinic has its own zone.",
                id="clinic_journey.E003",
            )
        ]
    if "Asia/Jerusalem" not in available_timezones():
        return [
            Error(
                "No time zone data found.", hint="pip install -r requirements.txt", id="clinic_journey.E004"
            )
        ]
    return []


@register()
def channels_reach_somebody(**_kwargs: object) -> list[CheckMessage]:
    """A message "sent" to the console reaches nobody: fine in a demo, to be known anywhere else."""
    if settings.DEMO:
        return []
    silent = [name for name, transport in settings.CHANNEL_TRANSPORTS.items() if transport == "console"]
    if not silent:
        return []
    return [
        CheckWarning(
            f"Messages by {', '.join(silent)} are only shown on this machine, not delivered.",
            hint="Set the keys of a provider (docs/operations.md), or CHANNEL_SMS=off to plan calls instead.",
            id="clinic_journey.W001",
        )
    ]


@register()
def country_rules_can_be_read(**_kwargs: object) -> list[CheckMessage]:
    """A file with a mistake is found at start, not at the first patient of that country."""
    found: list[CheckMessage] = []
    for path in sorted(FOLDER.glob("*.toml")):
        try:
            read_profile(path)
        except ProfileError as error:
            found.append(
                Error(str(error), hint=f"Mend {path.name} in patients/profiles.", id="clinic_journey.E007")
            )
    return found


def channels_have_all_their_keys(**_kwargs: object) -> list[CheckMessage]:
    """A channel with some of its keys was meant to work: it is off, and this is why."""
    found: list[CheckMessage] = []
    for channel, name in settings.CHANNEL_TRANSPORTS.items():
        transport = TRANSPORTS.get(name)
        if transport is None and name not in {PHONE, "off"}:
            known = ", ".join([*TRANSPORTS, "off"])
            words = f"CHANNEL_{channel.upper()} is {name!r}; it must be one of {known}."
            found.append(Error(words, id="clinic_journey.E008"))
        missing = missing_keys(transport) if transport else []
        if missing:
            words = f"{channel} is off: {', '.join(missing)} is not set."
            hint = f"Set it in the environment, or CHANNEL_{channel.upper()}=off to plan calls instead."
            found.append(CheckWarning(words, hint=hint, id="clinic_journey.W002"))
    return found


@register()
def providers_answer_within_the_lease(**_kwargs: object) -> list[CheckMessage]:
    """A worker that still waits when its lease is over would be taken for dead."""
    if 0 < settings.CHANNEL_TIMEOUT <= LEASE.total_seconds() / 3:
        return []
    return [
        Error(
            f"CHANNEL_TIMEOUT is {settings.CHANNEL_TIMEOUT:g} seconds.",
            hint=f"It must be more than 0 and at most {LEASE.total_seconds() / 3:g}.",
            id="clinic_journey.E009",
        )
    ]


@register()
def a_part_costs_an_amount(**_kwargs: object) -> list[CheckMessage]:
    amount = settings.SMS_PART_COSTS.partition(" ")[0]
    if not amount or re.fullmatch(r"\d+(\.\d+)?", amount):
        return []
    words = f"SMS_PART_COSTS is {settings.SMS_PART_COSTS!r}; write an amount and its currency: 0.12 ILS."
    return [Error(words, id="clinic_journey.E010")]


@register(Tags.security, deploy=True)
def signing_key_is_own(**_kwargs: object) -> list[CheckMessage]:
    """Patients' links are signed with SECRET_KEY; several web processes need the same one."""
    if len(settings.SECRET_KEY) >= 50:  # noqa: PLR2004 - Django's own floor for the key
        return []
    return [
        Error(
            "SECRET_KEY is shorter than 50 characters.",
            hint="python -c 'import secrets; print(secrets.token_urlsafe(50))'",
            id="clinic_journey.E005",
        )
    ]


@register(Tags.database)
def changes_leave_a_trace(databases: Sequence[str] | None = None, **_kwargs: object) -> list[CheckMessage]:
    """A table without its triggers is changed without a word in the audit trail."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if triggers.expected(connection).keys() - triggers.present(connection):
            found.append(
                Error(
                    f"Database {alias!r} lacks triggers of the audit trail, or has outdated ones.",
                    hint="python manage.py migrate",
                    id="clinic_journey.E006",
                )
            )
    return found
