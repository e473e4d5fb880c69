"""Each invariant of house.md 10 about patients, broken on purpose past all Python checks."""

from collections.abc import Callable
from datetime import date, time
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from patients.models import (
    AddressKind,
    Channel,
    Clinic,
    ClinicHours,
    ClosedDay,
    ComingWindow,
    Consent,
    ConsentStatus,
    ContactPoint,
    ContactWindow,
    Membership,
    Patient,
    PatientContact,
    Purpose,
    ServiceCard,
)
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


def refused(write: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        write()


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (Clinic, "language"),
        (Patient, "status"),
        (Patient, "language"),
        (Patient, "gender"),
        (ContactPoint, "kind"),
        (ContactPoint, "status"),
        (PatientContact, "relation"),
        (PatientContact, "place"),
        (PatientContact, "may_say"),
        (ServiceCard, "channel"),
        (ClinicHours, "kind"),
    ],
)
def test_choices_are_checked_by_the_database(model: Any, field: str) -> None:
    builders.patient()
    refused(lambda: model.objects.update(**{field: "x"}))


def test_membership_is_one_role_per_clinic() -> None:
    clinic = builders.clinic()
    user = builders.user(at=clinic)
    refused(lambda: Membership.objects.create(user=user, clinic=clinic, role="doctor"))
    refused(lambda: Membership.objects.update(role="visitor"))


def test_closed_day_is_once_per_clinic() -> None:
    clinic = builders.clinic()
    ClosedDay.objects.create(clinic=clinic, on=date(2026, 4, 1), name="Eve")
    refused(lambda: ClosedDay.objects.create(clinic=clinic, on=date(2026, 4, 1), name="Again"))


def test_hours_start_before_they_end() -> None:
    clinic = builders.clinic()
    refused(
        lambda: ClinicHours.objects.create(clinic=clinic, kind="open", weekday=5, start=time(9), end=time(9))
    )
    refused(
        lambda: ClinicHours.objects.create(clinic=clinic, kind="open", weekday=7, start=time(9), end=time(10))
    )


def test_coming_window_starts_before_it_ends_and_once_a_day() -> None:
    card = builders.patient().card
    refused(lambda: ComingWindow.objects.create(card=card, weekday=0, start=time(20), end=time(9)))
    refused(lambda: ComingWindow.objects.create(card=card, weekday=7, start=time(9), end=time(20)))
    ComingWindow.objects.create(card=card, weekday=0, start=time(9), end=time(12))
    refused(lambda: ComingWindow.objects.create(card=card, weekday=0, start=time(9), end=time(20)))


def test_contact_window_starts_before_it_ends() -> None:
    card = builders.patient().card
    refused(lambda: ContactWindow.objects.create(card=card, weekday=0, start=time(20), end=time(9)))
    refused(lambda: ContactWindow.objects.create(card=card, weekday=7, start=time(9), end=time(20)))


def test_national_id_is_once_per_clinic_but_free_in_another() -> None:
    first = builders.patient(national_id="123456782")
    builders.patient(national_id="123456782")  # another clinic
    other = builders.patient(first.clinic, phone="054-765-4321")
    refused(lambda: Patient.objects.filter(pk=other.pk).update(national_id="123456782"))


def test_merged_record_names_the_other() -> None:
    patient = builders.patient()
    refused(lambda: Patient.objects.filter(pk=patient.pk).update(status="merged"))
    other = builders.patient(patient.clinic, phone="054-765-4321")
    refused(lambda: Patient.objects.filter(pk=patient.pk).update(merged_into=other))


def test_address_is_one_row_per_clinic_and_one_tie_per_patient() -> None:
    patient = builders.patient()
    point = ContactPoint.objects.get()
    refused(
        lambda: ContactPoint.objects.create(clinic=patient.clinic, kind=AddressKind.PHONE, value=point.value)
    )
    refused(lambda: PatientContact.objects.create(patient=patient, contact_point=point))
    refused(lambda: PatientContact.objects.update(rank=0))


def test_one_consent_is_current_per_purpose_and_channel() -> None:
    patient = builders.patient()
    point = ContactPoint.objects.get()

    def grant(**fields: object) -> Consent:
        given = {
            "channel": Channel.SMS,
            "purpose": Purpose.SERVICE,
            "status": ConsentStatus.GRANTED,
            **fields,
        }
        return Consent.objects.create(patient=patient, contact_point=point, at=NOW, how="desk", **given)

    grant(superseded_at=NOW)
    grant()
    grant(purpose=Purpose.MARKETING)
    refused(grant)
    refused(lambda: Consent.objects.update(purpose="gossip"))


def test_no_voice_message_where_nobody_may_call() -> None:
    builders.patient()
    PatientContact.objects.update(may_leave_voicemail=True)
    refused(lambda: PatientContact.objects.update(may_be_called=False))
    PatientContact.objects.update(may_be_called=False, may_leave_voicemail=False)
    refused(lambda: PatientContact.objects.update(may_leave_voicemail=True))


def test_a_confirmed_address_says_when() -> None:
    builders.patient()
    rina = builders.user()
    refused(lambda: PatientContact.objects.update(confirmed_to=rina))
    PatientContact.objects.update(confirmed_to=rina, confirmed_at=NOW)


def test_what_a_card_was_told_says_when_and_half_a_card_is_one() -> None:
    builders.patient()
    refused(lambda: ServiceCard.objects.update(days_told=True))
    refused(lambda: ServiceCard.objects.update(hours_told=True))
    assert ServiceCard.objects.update(channel="", told_at=NOW, days_told=True) == 1
