"""What is known of the person herself, put right: a name that was misheard, a date of birth that was missing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from patients.actions import lock_patient, refuse_known, refuse_unborn, refuse_unless_active
from patients.addresses import find_by_addresses
from patients.identity import normalise_national_id
from patients.models import Patient

DETAILS = ("given_name", "family_name", "birth_date", "national_id", "gender")


def correct_details(patient: Patient, changes: Mapping[str, Any], *, now: datetime) -> None:
    """Write what was changed, some of DETAILS, and nothing else, so two desks that correct two things both keep theirs.

    Everything that goes by age or name asks at its own moment. RefusedError where another patient has this ID, the
    date of birth is in the future, or the record is closed.
    """
    refuse_unborn(patient.clinic, changes.get("birth_date"), now=now)
    if "national_id" in changes:
        changes = {**changes, "national_id": normalise_national_id(changes["national_id"])}
        refuse_known(patient.clinic, changes["national_id"], but=patient)
    try:
        _write(patient, changes)
    except IntegrityError:  # of two desks at the same moment, the database refuses the second
        refuse_known(patient.clinic, changes.get("national_id", ""), but=patient)
        raise


@transaction.atomic
def _write(patient: Patient, changes: Mapping[str, Any]) -> None:
    held = lock_patient(patient.pk)
    refuse_unless_active(held.pk)
    for name, value in changes.items():
        setattr(held, name, value.strip() if isinstance(value, str) else value)
    held.save(update_fields=list(changes))
    find_by_addresses(held)
