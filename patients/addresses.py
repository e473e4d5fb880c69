"""Every write about how a person is reached: ties to addresses, what may be done there, and which of them work."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from patients.actions import (
    RefusedError,
    StaleStateError,
    add_address,
    lock_addresses,
    lock_patient,
    mark_address,
    normal_phone,
    record_consent,
    search_key,
    void_hers_alone,
)
from patients.models import (
    GUARDIANS,
    AddressKind,
    AddressStatus,
    Clinic,
    Consent,
    ConsentStatus,
    ContactPoint,
    MaySay,
    Patient,
    PatientContact,
    Place,
    Relation,
)
from patients.told import REACHES, others_on


@dataclass(frozen=True)
class TieAnswers:
    """Whose the address is, when it is tried, and what may be done and said there."""

    relation: str = Relation.SELF
    rank: int = 0  # 0: after all others
    place: str = Place.UNKNOWN
    may_be_called: bool = True
    may_leave_voicemail: bool = False
    may_say: str = MaySay.EVERYTHING
    other_parent: bool = False


def normal_address(clinic: Clinic, kind: str, text: str) -> str:
    """As it is stored: E.164 by the rules of the clinic's country, or an e-mail in small letters.

    A WhatsApp identity is typed as the number the patient names for it, and kept without the plus, as they do.
    """
    if kind == AddressKind.PHONE:
        return normal_phone(text, region=clinic.country)
    if kind == AddressKind.WHATSAPP:
        return normal_phone(text, region=clinic.country).lstrip("+")
    if kind == AddressKind.TELEGRAM:
        raise RefusedError(_("Telegram is linked from the patient’s own phone: give her the link."))
    return text.strip().casefold()


@transaction.atomic
def add_tie(patient: Patient, kind: str, text: str, answers: TieAnswers) -> PatientContact:
    """Another way to reach the patient. A number once found bad is tried again, for she has just said it."""
    value = normal_address(patient.clinic, kind, text)
    lock_patient(patient.pk)
    if patient.contacts.filter(contact_point__kind=kind, contact_point__value=value).exists():
        raise RefusedError(_("This address is on the list already."))
    last = patient.contacts.aggregate(last=Max("rank"))["last"] or 0
    tie = add_address(patient, kind, value)
    ContactPoint.objects.filter(pk=tie.contact_point_id, status=AddressStatus.BAD).update(
        status=AddressStatus.UNVERIFIED, status_at=None
    )
    _write(tie, replace(answers, rank=answers.rank or last + 1))
    find_by_addresses(patient)
    return tie


@transaction.atomic
def change_tie(tie: PatientContact, answers: TieAnswers) -> None:
    """Where nothing may be said any more, nobody is reached: another address has to be there."""
    if answers.may_say == MaySay.NOTHING:
        _refuse_if_last(lock_patient(tie.patient_id), tie)
    _write(tie, replace(answers, rank=answers.rank or tie.rank))


def _write(tie: PatientContact, answers: TieAnswers) -> None:
    """Where nobody may call, no voice message can be left either; what is somebody else's is not hers alone, and
    nobody but a parent or guardian is the other one.

    Whoever writes both locks the address before the tie, as `confirm_alone` does: else two desks wait for each other.
    """
    said = asdict(replace(answers, may_leave_voicemail=answers.may_leave_voicemail and answers.may_be_called))
    if answers.relation != Relation.SELF:
        said["hers_alone_at"] = None
    if answers.relation not in GUARDIANS:
        said["other_parent"] = False
    if answers.relation != tie.relation:
        void_hers_alone([tie.contact_point], tie.patient)
    if not PatientContact.objects.filter(pk=tie.pk).update(**said):
        raise StaleStateError(_("This address was removed meanwhile."))


@transaction.atomic
def remove_tie(tie: PatientContact) -> None:
    """Take an address off the list; the address itself stays for the family and the history.

    The last one that works stays: a person nobody can reach is lost. Two desks that remove the last two at
    once wait for each other, and the second is refused.
    """
    patient = lock_patient(tie.patient_id)
    _refuse_if_last(patient, tie)
    if not PatientContact.objects.filter(pk=tie.pk).delete()[0]:
        raise StaleStateError(_("This address was removed meanwhile."))
    find_by_addresses(patient)


def _refuse_if_last(patient: Patient, tie: PatientContact) -> None:
    works = patient.contacts.filter(REACHES)
    if works.filter(pk=tie.pk).exists() and works.count() == 1:
        raise RefusedError(
            _("This is the only address at which we reach %(name)s. Add another one first.")
            % {"name": patient.full_name}
        )


@transaction.atomic
def confirm_tie(tie: PatientContact, *, now: datetime, by: User | None) -> None:
    """She held our message in her hand: the address works, and it is hers."""
    mark_address(tie.contact_point, AddressStatus.WORKING, now=now)
    confirmed = PatientContact.objects.filter(pk=tie.pk).update(confirmed_at=now, confirmed_to=by)
    if not confirmed:
        raise StaleStateError(_("This address was removed meanwhile."))


@transaction.atomic
def correct_tie(tie: PatientContact, text: str, *, now: datetime) -> PatientContact:
    """Nothing was received, and the digits read aloud were others: they take the place of the old ones.

    The old address is kept as bad, so that nobody types it again. One that others are reached at works for
    them; it only leaves this patient's list.
    """
    old = tie.contact_point
    patient = lock_patient(tie.patient_id)
    if normal_address(patient.clinic, old.kind, text) == old.value:
        raise RefusedError(_("These are the same digits. Read them aloud once more, one by one."))
    answers = TieAnswers(**{name: getattr(tie, name) for name in asdict(TieAnswers())})
    new = add_tie(patient, old.kind, text, answers)
    if PatientContact.objects.filter(contact_point=old).exclude(patient=patient).exists():
        PatientContact.objects.filter(pk=tie.pk).delete()
        find_by_addresses(patient)
    else:
        mark_address(old, AddressStatus.BAD, now=now)
        PatientContact.objects.filter(pk=tie.pk).update(
            rank=tie.rank + 1, confirmed_at=None, confirmed_to=None
        )
    return new


def suspend_ties(patient: Patient, points: Sequence[ContactPoint], *, now: datetime) -> int:
    """Whoever is reached there says that it is not this patient. The others who share it are reached as before."""
    ties = PatientContact.objects.filter(patient=patient, contact_point__in=points)
    return ties.filter(suspended_at__isnull=True).update(suspended_at=now, hers_alone_at=None)


@transaction.atomic
def confirm_alone(tie: PatientContact, seen: Collection[str], *, now: datetime) -> None:
    """She was asked: others are on this address, too, and yet nobody but her reads or answers there.

    `seen`: those whom the desk knew of when it asked, as `known_as` calls them; she said it of nobody else.
    """
    lock_addresses([tie.contact_point])
    new = [other for other in others_on([tie])[tie.pk] if known_as(other) not in seen]
    if new:
        raise StaleStateError(
            _("Not noted, for meanwhile there is somebody else: %(names)s. Ask the patient anew.")
            % {"names": ", ".join(f"{each.patient} ({each.get_relation_display()})" for each in new)}
        )
    own = PatientContact.objects.filter(pk=tie.pk, relation=Relation.SELF)
    if not own.update(hers_alone_at=now):
        raise StaleStateError(_("This address was removed meanwhile, or is not the patient's own."))


def known_as(other: PatientContact) -> str:
    """Who is on an address and as whom, for a page that carries what it showed."""
    return f"{other.pk}-{other.relation}"


def trust_tie(tie: PatientContact) -> None:
    """A person has checked it, and it is hers."""
    if not PatientContact.objects.filter(pk=tie.pk, suspended_at__isnull=False).update(suspended_at=None):
        raise StaleStateError(_("This was checked or removed by somebody else meanwhile."))


def find_by_addresses(patient: Patient) -> None:
    """The search finds a patient by every address on the list, and by no other."""
    values = list(patient.contacts.values_list("contact_point__value", flat=True))
    Patient.objects.filter(pk=patient.pk).update(search_key=search_key(patient, values))


def allow_again(refusal: Consent, words: str, *, now: datetime, by: User) -> Consent:
    """The patient takes back that we must not write here; `words` are hers, and the ledger keeps them."""
    if not words.strip():
        raise RefusedError(_("Write what the patient said, in her words."))
    with transaction.atomic():
        lock_patient(refusal.patient_id)
        if not Consent.objects.filter(pk=refusal.pk, superseded_at__isnull=True).exists():
            raise StaleStateError(_("What the patient allows was changed meanwhile."))
        how = {"purpose": refusal.purpose, "words": words.strip(), "by": by}
        return record_consent(
            refusal.patient, refusal.contact_point, refusal.channel, ConsentStatus.GRANTED, now=now, **how
        )
