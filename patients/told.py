"""Who is told of a patient's matters: she herself, or whoever answers for a child. By age, as her country has it.

From one birthday on an adolescent hears of herself where she has an address of her own; from one on, which may be
earlier, a matter can be kept from her parents; at her majority they are told nothing more.
"""

from collections.abc import Iterable
from datetime import date

from patients.country import profile_of
from patients.models import GUARDIANS, AddressStatus, Patient, PatientContact, Relation


def told_among(
    patient: Patient, ties: Iterable[PatientContact], *, on: date, in_confidence: bool = False
) -> list[PatientContact]:
    """Whom a message or a call may reach. What is kept from the parents reaches her alone, or nobody."""
    listed = list(ties)
    own = [tie for tie in listed if tie.relation == Relation.SELF]
    if in_confidence:
        return own
    if not patient.is_minor(on=on):
        return [tie for tie in listed if tie.relation != Relation.PARENT]
    guardians = [tie for tie in listed if tie.relation in GUARDIANS]
    works = [tie for tie in own if tie.suspended_at is None and tie.contact_point.status != AddressStatus.BAD]
    first = works if hears_for_herself(patient, on=on) else []
    return first or guardians or listed


def hears_for_herself(patient: Patient, *, on: date) -> bool:
    """An adolescent whose own address counts; one that does not work is none."""
    return not is_younger(patient, profile_of(patient.clinic.country).own_word_age, on=on)


def may_keep_from_parents(patient: Patient, *, on: date) -> bool:
    """A child old enough that a matter can be hers alone. Of an adult nothing has to be kept."""
    from_age = profile_of(patient.clinic.country).confidential_age
    return patient.is_minor(on=on) and not is_younger(patient, from_age, on=on)


def is_younger(patient: Patient, age: int, *, on: date) -> bool:
    """Whether she has not had that birthday yet; who has not told us hers is taken for grown up."""
    now = patient.age(on=on)
    return now is not None and now < age


def lacks_guardian(patient: Patient, *, on: date) -> bool:
    """A child for whom nobody grown up can be reached, and who is not told herself yet."""
    if not patient.is_minor(on=on):
        return False
    surely = patient.contacts.filter(suspended_at__isnull=True)
    working = surely.exclude(contact_point__status=AddressStatus.BAD)
    who = [*GUARDIANS, *([Relation.SELF] if hears_for_herself(patient, on=on) else [])]
    return not working.filter(relation__in=who).exists()
