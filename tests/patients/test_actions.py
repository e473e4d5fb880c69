from datetime import UTC, date, datetime, time, timedelta

import pytest

from patients.actions import (
    CardAnswers,
    NewPatient,
    RefusedError,
    load_closed_days,
    merge_patients,
    register_patient,
    save_card,
    withdraw_consent,
)
from patients.models import Channel, ClosedDay, Consent, ConsentStatus, ContactPoint, Patient, PatientStatus
from patients.queries import patients_visible_to, search_patients
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


def test_register_stores_numbers_as_e164_and_a_card_that_is_not_told() -> None:
    patient = builders.patient(phone="050-234-5678", email="Dana@Example.com ")
    assert sorted(ContactPoint.objects.values_list("value", flat=True)) == [
        "+972502345678",
        "dana@example.com",
    ]
    assert (patient.card.channel, patient.card.told_at) == (Channel.SMS, None)


def test_register_reads_a_number_as_people_of_the_clinics_country_write_it() -> None:
    patient = builders.patient(builders.clinic(country="GB"), phone="07400 123456")
    assert patient.contacts.get().contact_point.value == "+447400123456"


def test_register_refuses_a_number_nobody_can_call_and_makes_nothing() -> None:
    clinic = builders.clinic()
    with pytest.raises(RefusedError, match="050-1"):
        register_patient(clinic, NewPatient("Dana", phone="050-1"), now=NOW)
    assert not Patient.objects.exists()


def test_register_refuses_an_id_that_is_known() -> None:
    first = builders.patient(national_id="123456782")
    with pytest.raises(RefusedError, match="registered already"):
        register_patient(first.clinic, NewPatient("Dana", national_id="12345678-2"), now=NOW)


def test_register_refuses_who_is_not_born_yet_on_the_clinics_own_day_and_makes_nothing() -> None:
    clinic = builders.clinic()
    evening = datetime(2026, 3, 9, 21, 30, tzinfo=UTC)  # still the 9th in Jerusalem
    with pytest.raises(RefusedError, match="in the future"):
        register_patient(clinic, NewPatient("Dana", birth_date=date(2026, 3, 10)), now=evening)
    assert not Patient.objects.exists()
    born_today = NewPatient("Dana", birth_date=date(2026, 3, 10))
    assert register_patient(clinic, born_today, now=evening + timedelta(hours=1)).pk


def test_family_shares_one_address() -> None:
    mother = builders.patient()
    builders.patient(mother.clinic, given_name="Noa")
    assert ContactPoint.objects.count() == 1


@pytest.mark.parametrize(
    "text",
    [
        "леви",
        "ДАНА Леви",
        "леви дана",
        "ев ан",
        "0502345678",
        "502345678",
        "+972502345678",
        "050-234-5678",
        "(050) 234 56 78",
        "+972 50-234",
        "2345",
        "٠٥٠-٢٣٤",
    ],
)
def test_search_finds_by_any_part_of_a_name_or_number(text: str) -> None:
    patient = builders.patient(given_name="Дана", family_name="Леви")
    builders.patient(patient.clinic, given_name="Noa", family_name="Bar", phone="054-765-4321")
    found = search_patients(patients_visible_to(builders.user(at=patient.clinic)), text)
    assert list(found) == [patient]


def test_patients_of_another_clinic_are_not_visible() -> None:
    patient = builders.patient()
    assert list(patients_visible_to(builders.user(at=builders.clinic()))) == []
    assert list(patients_visible_to(builders.user(at=patient.clinic))) == [patient]


def test_card_told_by_the_patient_replaces_the_one_before() -> None:
    patient = builders.patient()
    user = builders.user()
    save_card(
        patient, CardAnswers("phone", ((0, time(9), time(12)), (1, time(9), time(12)))), now=NOW, by=user
    )
    evening = CardAnswers("sms", ((6, time(16), time(20)),), language="ru", may_leave_voicemail=True)
    card = save_card(patient, evening, now=NOW, by=user)
    assert [(w.weekday, w.start) for w in card.windows.all()] == [(6, time(16))]
    patient.refresh_from_db()
    assert (patient.language, card.told_at, patient.contacts.get().may_leave_voicemail) == ("ru", NOW, True)


def test_withdrawal_supersedes_and_keeps_the_history() -> None:
    patient = builders.patient()
    point = ContactPoint.objects.get()
    withdraw_consent(patient, point, Channel.SMS, now=NOW, words="STOP")
    withdraw_consent(patient, point, Channel.SMS, now=NOW, words="stop again")
    current = Consent.objects.filter(superseded_at__isnull=True)
    assert [(row.status, row.how) for row in current] == [(ConsentStatus.WITHDRAWN, "stop again")]
    assert Consent.objects.count() == 2


def test_merge_retires_a_record_without_open_journeys() -> None:
    patient = builders.patient()
    duplicate = builders.patient(patient.clinic, phone="054-765-4321")
    builders.journey(duplicate)
    with pytest.raises(RefusedError, match="open journey"):
        merge_patients(duplicate, patient)
    duplicate.journeys.all().delete()
    merge_patients(duplicate, patient)
    duplicate.refresh_from_db()
    assert (duplicate.status, duplicate.merged_into) == (PatientStatus.MERGED, patient)
    with pytest.raises(RefusedError, match="meanwhile"):
        merge_patients(duplicate, patient)


def test_holidays_come_with_their_eves_and_leave_the_clinics_own_days_alone() -> None:
    clinic = builders.clinic()
    ClosedDay.objects.create(clinic=clinic, on=date(2026, 4, 2), name="Open after all", is_open=True)
    added = load_closed_days(clinic, [2026])
    passover_eve = ClosedDay.objects.get(clinic=clinic, on=date(2026, 4, 1))
    assert passover_eve.closes_at == time(13)
    assert ClosedDay.objects.get(clinic=clinic, on=date(2026, 4, 2)).is_open
    assert added == ClosedDay.objects.filter(clinic=clinic).count() - 1
    assert load_closed_days(clinic, [2026]) == 0
