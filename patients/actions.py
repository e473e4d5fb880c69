"""Every write about patients: register, card, consent, addresses, merge; and the hours of a new clinic."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import phonenumbers
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from patients.country import ONE_DAY, closes_before, eves_among, profile_of
from patients.identity import fold_name, normalise_national_id
from patients.models import (
    GUARDIANS,
    AddressKind,
    AddressStatus,
    CardSource,
    Channel,
    Clinic,
    ClinicHours,
    ClosedDay,
    ComingWindow,
    Consent,
    ConsentStatus,
    ContactPoint,
    ContactWindow,
    HoursKind,
    MaySay,
    Patient,
    PatientContact,
    PatientStatus,
    Purpose,
    Relation,
    ServiceCard,
)
from patients.queries import first_phone
from patients.told import same_addresses


class RefusedError(Exception):
    """A request that cannot be done, with words for the screen that say what to do instead."""


class StaleStateError(RefusedError):
    """Somebody was first: the row has left the state this action may leave."""


@dataclass(frozen=True)
class NewPatient:
    given_name: str
    family_name: str = ""
    birth_date: date | None = None
    national_id: str = ""
    language: str = "he"
    gender: str = ""
    phone: str = ""
    email: str = ""


def normal_phone(text: str, *, region: str = settings.PHONENUMBER_DEFAULT_REGION) -> str:
    """E.164, or a refusal that says what is wrong; only numbers that can be dialled are stored."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise RefusedError(
            _("%(number)s is not a phone number we can call. Check the digits.") % {"number": text}
        )
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def lock_patient(patient_id: int) -> Patient:
    """One writer a patient at a time for what several rows say together. Inside atomic()."""
    return Patient.objects.select_for_update(no_key=True).get(pk=patient_id)


def lock_patients(*patient_ids: int) -> None:
    """Several at once, in one order for everybody: so nobody waits in a ring. Inside atomic()."""
    rows = Patient.objects.select_for_update(no_key=True).filter(pk__in=patient_ids)
    list(rows.order_by("pk").values_list("pk", flat=True))


def refuse_unless_active(patient_id: int) -> None:
    """Nobody is booked, kept a time or written to whose record is closed. The database is asked, not an object."""
    closed = Patient.objects.exclude(status=PatientStatus.ACTIVE).filter(pk=patient_id).first()
    if closed:
        raise RefusedError(
            _("The record of %(name)s is closed: %(status)s.")
            % {"name": closed.full_name, "status": closed.get_status_display()}
        )


def search_key(patient: Patient, addresses: Sequence[str] = ()) -> str:
    """Folded name, ID and addresses in one text; a local number is found with or without its country code."""
    digits = [address[-9:] if address.startswith("+") else address for address in addresses]
    words = [fold_name(patient.full_name), patient.national_id, *addresses, *digits]
    return " ".join(word for word in words if word)[:400]


@transaction.atomic
def register_patient(clinic: Clinic, who: NewPatient, *, now: datetime) -> Patient:
    """Make the record with its addresses and an empty-handed card (a default, marked as not told)."""
    national_id = normalise_national_id(who.national_id) if who.national_id else ""
    refuse_known(clinic, national_id)
    refuse_unborn(clinic, who.birth_date, now=now)
    addresses = []
    if who.phone:
        addresses.append((AddressKind.PHONE, normal_phone(who.phone, region=clinic.country)))
    if who.email:
        addresses.append((AddressKind.EMAIL, who.email.strip().casefold()))
    patient = Patient(
        clinic=clinic,
        given_name=who.given_name.strip(),
        family_name=who.family_name.strip(),
        birth_date=who.birth_date,
        national_id=national_id,
        language=who.language,
        gender=who.gender,
        since_on=now.date(),
    )
    patient.search_key = search_key(patient, [value for _kind, value in addresses])
    _insert(patient)
    points = [
        ContactPoint.objects.get_or_create(clinic=clinic, kind=kind, value=value)[0]
        for kind, value in addresses
    ]
    PatientContact.objects.bulk_create(
        PatientContact(patient=patient, contact_point=point, rank=rank)
        for rank, point in enumerate(points, start=1)
    )
    void_hers_alone(points, patient)
    channel = Channel.SMS if who.phone else Channel.EMAIL
    ServiceCard.objects.create(patient=patient, channel=channel)
    return patient


def refuse_known(clinic: Clinic, national_id: str, *, but: Patient | None = None) -> None:
    same = Patient.objects.filter(clinic=clinic, national_id=national_id)
    if national_id and same.exclude(pk=but.pk if but else 0).exists():
        raise RefusedError(
            _("A patient with this ID is registered already. Search by the ID to open the record.")
        )


def refuse_unborn(clinic: Clinic, born: date | None, *, now: datetime) -> None:
    """No constraint can hold this, since none knows what day it is: whoever writes a date of birth asks here."""
    if born is not None and born > now.astimezone(ZoneInfo(clinic.time_zone)).date():
        raise RefusedError(
            _("The date of birth is in the future. Check the year, or leave it empty for now.")
        )


def _insert(patient: Patient) -> None:
    """Of two desks that register one ID at the same moment, the database refuses the second."""
    try:
        with transaction.atomic():
            patient.save(force_insert=True)
    except IntegrityError:
        refuse_known(patient.clinic, patient.national_id)
        raise


def add_address(
    patient: Patient, kind: str, value: str, *, rank: int = 1, relation: str = Relation.SELF
) -> PatientContact:
    """Tie an address to a patient; the address itself may already serve others of the family."""
    point, _made = ContactPoint.objects.get_or_create(clinic_id=patient.clinic_id, kind=kind, value=value)
    tie, is_tied = PatientContact.objects.get_or_create(
        patient=patient, contact_point=point, defaults={"rank": rank, "relation": relation}
    )
    if is_tied:
        void_hers_alone([point], patient)
    return tie


@transaction.atomic
def void_hers_alone(points: Sequence[ContactPoint], patient: Patient) -> None:
    """This patient is on these addresses, too, from now on or otherwise than before: whoever else has said of one of
    them that it is hers alone is asked anew.

    The addresses stay locked: a desk that notes such a word at this moment sees this patient there, or comes first.
    """
    there = lock_addresses(points)
    alone = PatientContact.objects.filter(contact_point__in=there, hers_alone_at__isnull=False)
    alone.exclude(patient=patient).update(hers_alone_at=None)


def lock_addresses(points: Sequence[ContactPoint]) -> list[int]:
    """These and the same numbers as another kind of address, in one order for everybody. Inside atomic()."""
    rows = same_addresses(points).select_for_update(no_key=True).order_by("pk")
    return list(rows.values_list("pk", flat=True))


@dataclass(frozen=True)
class Coming:
    """When she said that she can come, as (weekday, from, to); none means any hour, or not told yet."""

    windows: tuple[tuple[int, time, time], ...] = ()
    is_told: bool = True


@dataclass(frozen=True)
class CardAnswers:
    """What the patient said: a channel, and windows as (weekday, from, to); none means any hour.

    `days_told` and `hours_told` off: she was not asked yet, so the card counts as half.
    """

    channel: str
    windows: tuple[tuple[int, time, time], ...] = ()
    language: str = ""
    may_leave_voicemail: bool | None = False  # None: not asked, so it stays as it was at each number
    may_tell: str = ""
    days_told: bool = True
    hours_told: bool = True
    words: str | None = None  # what she adds herself; None: not asked, so it stays as it was
    coming: Coming | None = None  # None: not asked, so it stays as it was


@transaction.atomic
def save_card(patient: Patient, answers: CardAnswers, *, now: datetime, by: User | None) -> ServiceCard:
    """Write the card as told by the patient, at the desk (`by`) or on the patient's own page (`by` empty)."""
    said = {
        "channel": answers.channel,
        "may_tell": answers.may_tell,
        "days_told": answers.days_told,
        "hours_told": answers.hours_told,
        "told_at": now,
        "told_to": by,
        "source": CardSource.DESK if by else CardSource.PATIENT,
    }
    if answers.words is not None:
        said["words"] = answers.words
    card, _made = ServiceCard.objects.update_or_create(patient=patient, defaults=said)
    card.windows.all().delete()
    ContactWindow.objects.bulk_create(
        ContactWindow(card=card, weekday=weekday, start=start, end=end)
        for weekday, start, end in answers.windows
    )
    if answers.coming is not None:
        _write_coming(card, answers.coming, now=now)
    # The card speaks of the number that is called first; others have their own.
    phone = first_phone(patient, now=now)
    if phone and answers.may_leave_voicemail is not None:
        PatientContact.objects.filter(pk=phone.pk, may_be_called=True).update(
            may_leave_voicemail=answers.may_leave_voicemail
        )
    if answers.language and answers.language != patient.language:
        patient.language = answers.language
        patient.save(update_fields=["language"])
    return card


@transaction.atomic
def save_coming(patient: Patient, said: Coming, *, now: datetime) -> None:
    """Write down when she can come, as she said it while a visit was booked; the rest of the card stays."""
    lock_patient(patient.pk)
    refuse_unless_active(patient.pk)
    card, _made = ServiceCard.objects.get_or_create(patient=patient)
    _write_coming(card, said, now=now)


def _write_coming(card: ServiceCard, said: Coming, *, now: datetime) -> None:
    card.coming_told_at = now if said.is_told else None
    card.save(update_fields=["coming_told_at"])
    card.coming_windows.all().delete()
    ComingWindow.objects.bulk_create(
        ComingWindow(card=card, weekday=weekday, start=start, end=end) for weekday, start, end in said.windows
    )


@transaction.atomic
def record_consent(
    patient: Patient, point: ContactPoint, channel: str, status: str, *, now: datetime, **how: Any
) -> Consent:
    """Append to the ledger; `how` takes `purpose`, `words` and `by`. The row before is superseded.

    One writer a patient at a time: two at once would both find the same row current, and the second would
    break the constraint instead of superseding the first.
    """
    lock_patient(patient.pk)
    purpose = how.get("purpose", Purpose.SERVICE)
    current = Consent.objects.filter(
        patient=patient, contact_point=point, channel=channel, purpose=purpose, superseded_at__isnull=True
    )
    current.update(superseded_at=now)
    return Consent.objects.create(
        patient=patient,
        contact_point=point,
        channel=channel,
        purpose=purpose,
        status=status,
        at=now,
        by=how.get("by"),
        how=how.get("words", "")[:200],
    )


def withdraw_consent(
    patient: Patient, point: ContactPoint, channel: str, *, now: datetime, words: str, by: User | None = None
) -> Consent:
    """Nothing more about her care; still less the news and offers that she had asked for there."""
    current = patient.consents.filter(contact_point=point, channel=channel, superseded_at__isnull=True)
    withdrawn: dict[str, Any] = {"status": ConsentStatus.WITHDRAWN, "now": now, "words": words, "by": by}
    if current.filter(purpose=Purpose.MARKETING, status=ConsentStatus.GRANTED).exists():
        record_consent(patient, point, channel, purpose=Purpose.MARKETING, **withdrawn)
    return record_consent(patient, point, channel, **withdrawn)


def mark_address(point: ContactPoint, status: AddressStatus, *, now: datetime) -> None:
    ContactPoint.objects.filter(pk=point.pk).update(status=status, status_at=now)


@transaction.atomic
def merge_patients(duplicate: Patient, into: Patient) -> None:
    """Retire a duplicate record; only one without open work, so nothing is moved by guess."""
    if duplicate.clinic_id != into.clinic_id or duplicate.pk == into.pk:
        raise RefusedError(_("Only two different records of one clinic can be merged."))
    lock_patients(duplicate.pk, into.pk)
    refuse_unless_active(into.pk)
    if duplicate.journeys.filter(ended_at__isnull=True).exists():
        raise RefusedError(_("The record to retire still has an open journey. End it first."))
    moved = Patient.objects.filter(pk=duplicate.pk, status=PatientStatus.ACTIVE).update(
        status=PatientStatus.MERGED, merged_into=into
    )
    if not moved:
        raise StaleStateError(_("This record was merged or closed meanwhile."))
    Patient.objects.filter(merged_into=duplicate).update(merged_into=into)  # one step leads to who it is now
    _keep_refusals(duplicate, into)
    _keep_doubts(duplicate, into)


def _keep_doubts(duplicate: Patient, into: Patient) -> None:
    """Where somebody said under either record that it is not she, a person checks it first; where nothing may be said
    under either, nothing is. Two parents are told apart as before.
    """
    silent = duplicate.contacts.filter(may_say=MaySay.NOTHING).values("contact_point")
    into.contacts.filter(contact_point__in=silent).update(may_say=MaySay.NOTHING)
    if not into.contacts.filter(
        other_parent=True
    ).exists():  # else each record may call another one the other
        marked = duplicate.contacts.filter(other_parent=True).values("contact_point")
        into.contacts.filter(contact_point__in=marked, relation__in=GUARDIANS).update(other_parent=True)
    for tie in duplicate.contacts.filter(suspended_at__isnull=False):
        same = into.contacts.filter(contact_point=tie.contact_point_id, suspended_at__isnull=True)
        same.update(suspended_at=tie.suspended_at, hers_alone_at=None)


def _keep_refusals(duplicate: Patient, into: Patient) -> None:
    """Two records were one person: what she refused under either holds, unless she has allowed it since."""
    refused = duplicate.consents.filter(status=ConsentStatus.WITHDRAWN, superseded_at__isnull=True)
    for each in refused.select_related("contact_point", "by"):
        same = {"contact_point": each.contact_point, "channel": each.channel, "purpose": each.purpose}
        if not into.consents.filter(superseded_at__isnull=True, at__gte=each.at, **same).exists():
            how = {"purpose": each.purpose, "words": each.how, "by": each.by}
            record_consent(into, each.contact_point, each.channel, each.status, now=each.at, **how)


def load_closed_days(clinic: Clinic, years: Sequence[int]) -> int:
    """Public holidays of the clinic's country and their eves, as its profile has them.

    Days that exist already are left as the clinic changed them. Returns how many days were added.
    """
    profile = profile_of(clinic.country)
    kinds = profile.holidays or None
    asked: dict[str, Any] = {"years": [*years, max(years) + 1], "categories": kinds}
    names = holidays.country_holidays(clinic.country, **asked)
    in_english = holidays.country_holidays(clinic.country, **asked, language="en_US")
    days = {on: ClosedDay(clinic=clinic, on=on, name=name[:120]) for on, name in names.items()}
    for on in eves_among(profile, days, years):
        name = _("Eve of %(holiday)s") % {"holiday": names[on + ONE_DAY]}
        closes_at = closes_before(profile, in_english[on + ONE_DAY])
        days[on] = ClosedDay(clinic=clinic, on=on, name=name[:120], closes_at=closes_at)
    days = {on: day for on, day in days.items() if on.year in years}
    known = set(ClosedDay.objects.filter(clinic=clinic, on__in=days).values_list("on", flat=True))
    new = [day for on, day in days.items() if on not in known]
    ClosedDay.objects.bulk_create(new)
    return len(new)


SUNDAY_WEEK = (6, 0, 1, 2, 3)
MONDAY_WEEK = (0, 1, 2, 3, 4)


@transaction.atomic
def set_default_hours(clinic: Clinic, *, rest_from_friday: bool | None = None) -> None:
    """A new clinic: its week and quiet hours as in standards.md 4.1, until told otherwise."""
    rest_begins_friday = clinic.country == "IL" if rest_from_friday is None else rest_from_friday
    week = SUNDAY_WEEK if rest_begins_friday else MONDAY_WEEK
    half_day = 4 if rest_begins_friday else 5
    rows = [(HoursKind.OPEN, day, time(8), time(19)) for day in week]
    rows += [(HoursKind.MESSAGE, day, time(9), time(20)) for day in week]
    rows += [(HoursKind.CALL, day, time(9), time(19)) for day in week]
    rows += [(kind, half_day, time(9), time(13)) for kind in (HoursKind.MESSAGE, HoursKind.CALL)]
    rows.append((HoursKind.OPEN, half_day, time(8), time(13)))
    clinic.hours.all().delete()
    ClinicHours.objects.bulk_create(
        ClinicHours(clinic=clinic, kind=kind, weekday=day, start=start, end=end)
        for kind, day, start, end in rows
    )
