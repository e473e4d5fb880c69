"""Who is told of a patient's matters: she herself, or whoever answers for a child. By age, as her country has it.

From one birthday on an adolescent hears of herself where she has an address of her own; from one on, which may be
earlier, a matter can be kept from her parents; at her majority they are told nothing more.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Prefetch, Q, QuerySet, Value
from django.db.models.functions import Concat, Substr

from patients.country import ONE_DAY, CountryProfile, profile_of
from patients.models import (
    GUARDIANS,
    AddressKind,
    AddressStatus,
    Clinic,
    ContactPoint,
    MaySay,
    Patient,
    PatientContact,
    PatientStatus,
    Relation,
)

# An address at which somebody is reached: not one that does not work, is in doubt, or where nothing may be said.
REACHES = (
    Q(suspended_at__isnull=True) & ~Q(may_say=MaySay.NOTHING) & ~Q(contact_point__status=AddressStatus.BAD)
)
# Whoever is on an address as its owner, or answers there for a child: then it may be the family's phone. That it is a
# parent's is believed under a record that was merged, too.
ANSWERING = PatientContact.objects.filter(relation__in=[Relation.SELF, *GUARDIANS]).exclude(
    patient__status=PatientStatus.MERGED, relation=Relation.SELF
)
SHARING = ANSWERING.filter(contact_point=OuterRef("contact_point")).exclude(patient=OuterRef("patient"))
# The same number as another kind of address: a WhatsApp identity is the number without its plus, but what Telegram
# numbers are its chats. A parent of hers who is on the list with that number counts, too.
NUMBERS = (AddressKind.PHONE, AddressKind.WHATSAPP)
NUMBER = OuterRef("contact_point__value")
SAME_NUMBER = ANSWERING.filter(
    contact_point__clinic=OuterRef("contact_point__clinic"),
    contact_point__kind__in=NUMBERS,
    contact_point__value__in=[Concat(Value("+"), NUMBER), Substr(NUMBER, 2)],
).exclude(patient=OuterRef("patient"), relation=Relation.SELF)
IS_SHARED = Q(Exists(SHARING)) | (Q(contact_point__kind__in=NUMBERS) & Q(Exists(SAME_NUMBER)))
# Her own address, and surely nobody else's: no other is on it, or she has said that it is hers alone.
SURELY_HERS = Q(relation=Relation.SELF) & (Q(hers_alone_at__isnull=False) | ~IS_SHARED)


def with_sharing(ties: QuerySet[PatientContact]) -> QuerySet[PatientContact]:
    """Addresses as `is_surely_hers` asks for them, where there are several."""
    return ties.annotate(is_shared=ExpressionWrapper(IS_SHARED, BooleanField()))


TIES_READ = "ties_read"
READ_WITH_SHARING = with_sharing(PatientContact.objects.select_related("contact_point"))


def ties_at(contacts: str) -> "Prefetch[str, QuerySet[PatientContact], str]":
    """The addresses of many patients, read once for `ties_of`; `contacts`: the way to them."""
    return Prefetch(contacts, READ_WITH_SHARING.all(), to_attr=TIES_READ)


def ties_of(patient: Patient) -> list[PatientContact]:
    """A patient's addresses as `told_among` wants them: as `ties_at` read them, or as they are now."""
    read: list[PatientContact] | None = getattr(patient, TIES_READ, None)
    return list(READ_WITH_SHARING.filter(patient=patient)) if read is None else read


def is_surely_hers(tie: PatientContact) -> bool:
    """The same as SURELY_HERS of one that was read; where it was read without `with_sharing`, the database is asked."""
    if tie.relation != Relation.SELF or tie.hers_alone_at:
        return tie.relation == Relation.SELF
    is_shared = getattr(tie, "is_shared", None)
    if is_shared is None:
        return PatientContact.objects.filter(SURELY_HERS, pk=tie.pk).exists()
    return not is_shared


def perhaps_not_hers_alone(ties: Iterable[PatientContact]) -> list[PatientContact]:
    """Of her own addresses, those that others are on: what is kept from the parents goes there only once she has said
    that nobody else reads or answers there. Read the ties `with_sharing`.
    """
    return [tie for tie in ties if tie.relation == Relation.SELF and not is_surely_hers(tie)]


def same_addresses(points: Iterable[ContactPoint]) -> QuerySet[ContactPoint]:
    """These, and the same numbers as another kind of address. Of one clinic."""
    given = list(points)
    values = {value for each in given for value in (each.value, f"+{each.value}", each.value.lstrip("+"))}
    clinics = {each.clinic_id for each in given}
    # Every kind, named so that the unique index over clinic, kind and value finds them: else all of a clinic are read.
    return ContactPoint.objects.filter(clinic__in=clinics, kind__in=AddressKind.values, value__in=values)


def others_on(ties: Iterable[PatientContact]) -> dict[int, list[PatientContact]]:
    """By her own tie, whoever puts it in doubt that the address is hers alone; the same rule as IS_SHARED."""
    own = list(ties)
    there = same_addresses(tie.contact_point for tie in own)
    found = ANSWERING.filter(contact_point__in=there).select_related("contact_point", "patient")
    return {tie.pk: [each for each in found if _puts_in_doubt(each, tie)] for tie in own}


def _puts_in_doubt(other: PatientContact, own: PatientContact) -> bool:
    there, hers = other.contact_point, own.contact_point
    if there.pk == hers.pk:
        return other.patient_id != own.patient_id
    is_same = {there.kind, hers.kind} <= set(NUMBERS) and there.value.lstrip("+") == hers.value.lstrip("+")
    return is_same and (other.patient_id != own.patient_id or other.relation != Relation.SELF)


def told_among(
    patient: Patient, ties: Iterable[PatientContact], *, on: date, in_confidence: bool = False
) -> list[PatientContact]:
    """Whom a message or a call may reach. What is kept from the parents reaches her alone, or nobody.

    Read the ties `with_sharing`.
    """
    listed = [tie for tie in ties if may_be_told(patient, tie, on=on, in_confidence=in_confidence)]
    if in_confidence or not patient.is_minor(on=on):
        return listed
    own = [tie for tie in listed if tie.relation == Relation.SELF]
    guardians = [tie for tie in listed if tie.relation in GUARDIANS]
    works = [tie for tie in own if _reaches(tie)]
    first = works if hears_for_herself(patient, on=on) else []
    return first or guardians or listed


def _reaches(tie: PatientContact) -> bool:
    """As REACHES, of one that was read."""
    works = tie.contact_point.status != AddressStatus.BAD
    return works and tie.suspended_at is None and tie.may_say != MaySay.NOTHING


def may_be_told(patient: Patient, tie: PatientContact, *, on: date, in_confidence: bool = False) -> bool:
    """Whether anything of this may be said at an address, whoever chose it."""
    if tie.may_say == MaySay.NOTHING:
        return False
    if in_confidence:
        return is_surely_hers(tie)
    return tie.relation != Relation.PARENT or patient.is_minor(on=on)


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


def may_have_two_parents(patient: Patient, *, on: date) -> bool:
    """Whether somebody else is, or may be, told instead: a child, or who has a parent or guardian on the list."""
    return patient.is_minor(on=on) or patient.contacts.filter(relation__in=GUARDIANS).exists()


def lacks_guardian(patient: Patient, *, on: date) -> bool:
    """A child for whom nobody grown up can be reached, and who is not told herself yet."""
    if not patient.is_minor(on=on):
        return False
    who = [*GUARDIANS, *([Relation.SELF] if hears_for_herself(patient, on=on) else [])]
    return not patient.contacts.filter(REACHES, relation__in=who).exists()


def lacks_own_address(patient: Patient, ties: Iterable[PatientContact], *, on: date) -> bool:
    """Grown up, and reached through her parents alone, who are told nothing more."""
    listed = list(ties)
    if not listed or patient.is_minor(on=on):
        return False
    return not any(_reaches(tie) for tie in told_among(patient, listed, on=on))


def who_turned(*ages: Callable[[CountryProfile], int], within: timedelta, now: datetime) -> Q:
    """Patients who have had one of these birthdays of their country within that time, give or take a day: zones
    differ.
    """
    last, found = (now + ONE_DAY).date(), Q(pk__in=[])
    for country in Clinic.objects.values_list("country", flat=True).distinct():
        for years in {age(profile_of(country)) for age in ages}:
            born = {
                "birth_date__gt": _years_before(last - within, years),
                "birth_date__lte": _years_before(last, years),
            }
            found |= Q(clinic__country=country, **born)
    return found


def _years_before(day: date, years: int) -> date:
    """29 February is the 28th in a year without it."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)
