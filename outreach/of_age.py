"""Who comes of age is asked how to be reached: her parents, who were told until then, are told nothing more."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from journeys import deadlines
from journeys.actions import AdHoc, add_to_each
from journeys.clinic_time import due_within
from journeys.models import OPEN_JOURNEYS, Journey, StepKind, Words, isolated
from outreach.confidence import end_links_sent
from outreach.contact_models import CameOfAge
from outreach.models import Attempt
from patients.models import GUARDIANS, Patient, PatientContact, PatientStatus, Relation
from patients.queries import ClinicClock
from patients.told import lacks_own_address, ties_at, ties_of, who_turned

ASKED_WITHIN = deadlines.Limit(5, deadlines.Unit.WORKING_DAYS)
A_YEAR = timedelta(days=365)  # who has been of age for longer, as when the records came to us, is not asked
AT_A_TIME = 500
PARENTS = PatientContact.objects.filter(
    patient=OuterRef("patient"), contact_point=OuterRef("contact_point"), relation=Relation.PARENT
)


def ask_who_came_of_age(*, now: datetime) -> int:
    """Once for each patient with a parent or guardian on the list. Returns how many; another worker may be first."""
    found = _newly_of_age(now=now)
    try:
        with transaction.atomic():
            CameOfAge.objects.bulk_create(CameOfAge(patient=patient, at=now) for patient in found)
            journeys = _locked_journeys(found)
            _end_links_of_parents(journeys)
            _ask(found, journeys, now=now)
    except IntegrityError:  # each is there once: the other one asks them
        return 0
    return len(found)


def _newly_of_age(*, now: datetime) -> list[Patient]:
    """By her own clock, for the birthday begins there."""
    turned = who_turned(attrgetter("age_of_majority"), within=A_YEAR, now=now)
    with_guardian = PatientContact.objects.filter(patient=OuterRef("pk"), relation__in=GUARDIANS)
    asked = CameOfAge.objects.filter(patient=OuterRef("pk"))
    found = Patient.objects.filter(turned, Exists(with_guardian), ~Exists(asked), status=PatientStatus.ACTIVE)
    some = found.select_related("clinic").prefetch_related(ties_at("contacts")).order_by("pk")
    return [
        patient
        for patient in some[:AT_A_TIME]
        if not patient.is_minor(on=now.astimezone(ZoneInfo(patient.zone)).date())
    ]


def _locked_journeys(patients: Sequence[Patient]) -> list[Journey]:
    """Ended ones, too: their links are readable for a while. What is kept from nobody comes first, then the newest."""
    rows = Journey.objects.select_for_update(no_key=True, of=("self",)).filter(patient__in=patients)
    locked = list(rows.select_related("clinic").order_by("pk"))
    return sorted(locked, key=lambda journey: (journey.is_confidential, -journey.opened_at.timestamp()))


def _end_links_of_parents(journeys: Sequence[Journey]) -> None:
    """A new one goes to an address of her own."""
    mine = Journey.objects.filter(pk__in=[journey.pk for journey in journeys])
    end_links_sent(Attempt.objects.filter(Exists(PARENTS)), mine)


def _ask(patients: Sequence[Patient], journeys: Sequence[Journey], *, now: datetime) -> None:
    """In what she is with us for; who is with us for nothing is asked when she comes again, and the record says so."""
    clock = ClinicClock({patient.clinic_id: patient.clinic for patient in patients}.values(), now=now)
    where: dict[int, Journey] = {}
    for journey in journeys:
        if journey.status in OPEN_JOURNEYS and journey.patient_id:
            where.setdefault(journey.patient_id, journey)
    asked = []
    for patient in patients:
        if patient.pk in where:
            due_at = due_within(ASKED_WITHIN, clock.hours(patient.clinic_id), now=now)
            asked.append((where[patient.pk], AdHoc(StepKind.CALL, _asked_of(patient, now=now), due_at)))
    add_to_each(asked, now=now)


def _asked_of(patient: Patient, *, now: datetime) -> Words:
    named = {"name": isolated(patient.full_name)}
    on = now.astimezone(ZoneInfo(patient.zone)).date()
    if lacks_own_address(patient, ties_of(patient), on=on):
        return lambda: (
            _(
                "%(name)s is of age now, and only parents are on the list, who are told nothing more: ask for the"
                " patient's own number or address"
            )
            % named
        )
    return lambda: (
        _("%(name)s is of age now: ask how we reach the patient. Parents are told nothing more") % named
    )
