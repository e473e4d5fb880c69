"""The service card as the patient writes it herself, on her own page."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from patients.actions import CardAnswers, lock_patient, refuse_unless_active, save_card
from patients.models import AddressKind, Patient, PatientContact, Relation, ServiceCard


def own_phones(patient: Patient) -> QuerySet[PatientContact]:
    """Her own numbers; where the family may be called is the family's to say."""
    phones = patient.contacts.filter(relation=Relation.SELF, contact_point__kind=AddressKind.PHONE)
    return phones.select_related("contact_point")


@transaction.atomic
def save_own_card(
    patient: Patient, answers: CardAnswers, may_call: Collection[int], *, now: datetime
) -> ServiceCard:
    """As save_card, and which of her numbers may be rung (`may_call`: keys): "never at work" is hers to say.

    A voice message is allowed, or not, at her own numbers alone; at a relative's the desk asks the relative.
    """
    lock_patient(patient.pk)
    refuse_unless_active(patient.pk)
    phones = PatientContact.objects.filter(pk__in=own_phones(patient).values("pk"))
    phones.exclude(pk__in=may_call).update(may_be_called=False, may_leave_voicemail=False)
    phones.filter(pk__in=may_call).update(may_be_called=True)
    if answers.may_leave_voicemail is not None:
        phones.filter(may_be_called=True).update(may_leave_voicemail=answers.may_leave_voicemail)
    return save_card(patient, replace(answers, may_leave_voicemail=None), now=now, by=None)
