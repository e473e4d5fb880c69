"""Whether whoever opened a patient's link is the patient: one short question, and few tries (standards.md 5.3)."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce

from patients.models import TRIES, AddressKind, IdentityTries, Patient, PatientStatus, Relation

CLOSED_FOR = timedelta(days=1)
LAST_DIGITS = 4
YEAR = re.compile(r"\d{4}")


class Question(StrEnum):
    """What she is asked. Of whom we know neither, nothing more is shown than the message itself said."""

    YEAR = "year"
    PHONE = "phone"
    NONE = ""


def question_for(patient: Patient) -> Question:
    if patient.status != PatientStatus.ACTIVE:
        return Question.NONE
    if patient.birth_date:
        return Question.YEAR
    return Question.PHONE if _last_digits(patient) else Question.NONE


def closed_until(patient: Patient, *, now: datetime) -> datetime | None:
    """When the next answer counts, if none does now."""
    tries = IdentityTries.objects.filter(pk=patient.pk, failed=TRIES, first_at__gt=now - CLOSED_FOR).first()
    return tries.first_at + CLOSED_FOR if tries and tries.first_at else None


@transaction.atomic
def proves(
    patient: Patient, said: str, *, now: datetime, once_closed: Callable[[], object] | None = None
) -> bool:
    """Whether the answer is right. The try is counted before it is looked at: many at once help nobody.

    `once_closed` is done with the count that closes the door, so once, whoever answers at the same moment.
    """
    IdentityTries.objects.get_or_create(patient=patient)
    tries = IdentityTries.objects.filter(pk=patient.pk)
    tries.filter(first_at__lte=now - CLOSED_FOR).update(failed=0, first_at=None)
    counted = tries.filter(failed__lt=TRIES).update(
        failed=F("failed") + 1, first_at=Coalesce(F("first_at"), Value(now))
    )
    if not counted:
        return False
    if not _is_right(patient, said):
        if once_closed and tries.filter(failed=TRIES).exists():
            once_closed()
        return False
    tries.update(failed=0, first_at=None)
    return True


def _is_right(patient: Patient, said: str) -> bool:
    """Digits of any script. A year stands alone or in a date; several years are a guess."""
    match question_for(patient):
        case Question.YEAR:
            years = {int(found) for found in YEAR.findall(said)}
            return patient.birth_date is not None and years == {patient.birth_date.year}
        case Question.PHONE:
            digits = "".join(str(int(sign)) for sign in said if sign.isdecimal())
            return digits[-LAST_DIGITS:] in _last_digits(patient)
    return False


def _last_digits(patient: Patient) -> set[str]:
    phones = patient.contacts.filter(contact_point__kind=AddressKind.PHONE, relation=Relation.SELF)
    return {value[-LAST_DIGITS:] for value in phones.values_list("contact_point__value", flat=True)}
