"""What a clinic has to answer for before it is used: a channel of which its country asks that, and news and offers."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from outreach.because import Because
from outreach.models import OutreachTask
from outreach.provider_models import OFFERS, Attestation
from patients.actions import RefusedError
from patients.country import profile_of
from patients.models import Clinic, Consent, ConsentStatus, Purpose

WANTED = Consent.objects.filter(
    purpose=Purpose.MARKETING, status=ConsentStatus.GRANTED, superseded_at__isnull=True
)


def to_answer_for(clinic: Clinic) -> list[str]:
    """Of which channels the clinic's country asks it; offers are off everywhere until the clinic wants them."""
    return [*sorted(profile_of(clinic.country).channels_to_attest), OFFERS]


class Attested:
    """Of the clinics of some tasks, read once for a batch; nothing is read where nothing has to be answered for."""

    def __init__(self, tasks: Iterable[OutreachTask]) -> None:
        tasks = list(tasks)
        clinics = {task.clinic_id: task.patient.clinic for task in tasks}
        offers = [task for task in tasks if task.purpose == Purpose.MARKETING]
        asked = [pk for pk, clinic in clinics.items() if profile_of(clinic.country).channels_to_attest]
        asked += [task.clinic_id for task in offers]
        given = Attestation.objects.filter(clinic__in=asked) if asked else Attestation.objects.none()
        wanted = WANTED.filter(patient__in=[task.patient_id for task in offers]) if offers else WANTED.none()
        self._given = set(given.values_list("clinic_id", "what"))
        self._wanted = set(wanted.values_list("patient_id", "contact_point_id", "channel"))

    def bar(self, task: OutreachTask, point_id: int, channel: str) -> Because | None:
        clinic = task.patient.clinic
        if (
            channel in profile_of(clinic.country).channels_to_attest
            and (clinic.pk, channel) not in self._given
        ):
            return Because.NOT_ANSWERED_FOR
        if task.purpose != Purpose.MARKETING:
            return None
        if (clinic.pk, OFFERS) not in self._given:
            return Because.OFFERS_OFF
        is_wanted = (task.patient_id, point_id, channel) in self._wanted
        return None if is_wanted else Because.OFFERS_NOT_WANTED


def answered_for_still(channel: str, clinics: Iterable[Clinic]) -> dict[Because, Q]:
    """The same as conditions of the statement that begins calls to patients of these clinics."""
    given = Attestation.objects.filter(clinic=OuterRef("clinic"))
    asked = [each.pk for each in clinics if channel in profile_of(each.country).channels_to_attest]
    is_offer = Q(Exists(OutreachTask.objects.filter(pk=OuterRef("task"), purpose=Purpose.MARKETING)))
    here = {"patient": OuterRef("patient"), "contact_point": OuterRef("contact_point"), "channel": channel}
    holds = {
        Because.OFFERS_OFF: ~is_offer | Q(Exists(given.filter(what=OFFERS))),
        Because.OFFERS_NOT_WANTED: ~is_offer | Q(Exists(WANTED.filter(**here))),
    }
    if asked:
        answered = Q(Exists(given.filter(what=channel)))
        holds[Because.NOT_ANSWERED_FOR] = ~Q(clinic__in=asked) | answered
    return holds


def may_use(clinic: Clinic, channel: str) -> bool:
    """Whether this clinic may write on this channel at all."""
    is_asked = channel in profile_of(clinic.country).channels_to_attest
    return not is_asked or Attestation.objects.filter(clinic=clinic, what=channel).exists()


@transaction.atomic
def answer_for(clinic: Clinic, what: str, *, now: datetime, by: User) -> Attestation:
    if what not in to_answer_for(clinic):
        raise RefusedError(_("Nothing has to be answered for here."))
    found, _made = Attestation.objects.get_or_create(clinic=clinic, what=what, defaults={"at": now, "by": by})
    return found


def take_back(clinic: Clinic, what: str) -> None:
    """Nothing more leaves that way from this moment; what is planned is stopped at the door and planned anew."""
    Attestation.objects.filter(clinic=clinic, what=what).delete()
