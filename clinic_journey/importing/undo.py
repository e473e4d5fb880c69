"""Takes back what a row wrote, as long as nobody was contacted and nothing was added to it since."""

from datetime import date

from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db.models import Model, ProtectedError, RestrictedError
from django.utils.translation import gettext as _

from appointments.models import Appointment, AppointmentStatus
from clinic_journey.importing.models import ImportRow, KnownAs, RowState
from clinic_journey.importing.register import as_stored, as_text
from journeys.models import Journey, StepEvent
from outreach.models import Attempt, AttemptStatus
from patients.actions import RefusedError, search_key
from patients.models import ContactPoint, Patient, PatientContact

NOT_CONTACTED = (AttemptStatus.PLANNED, AttemptStatus.CANCELLED)
OURS = {"ServiceCard", "PatientContact", "KnownAs"}  # what an import itself makes of a patient


def take_back(row: ImportRow) -> None:
    """The row says afterwards that it is undone, or that it stays and why."""
    try:
        with transaction.atomic():
            if row.appointment_id:
                _take_back_visit(row.appointment_id)
                row.appointment = None
            elif row.patient_id and row.state == "made":
                _take_back_patient(row)
                row.patient = None
            elif row.patient_id:
                _empty_again(row)
    except RefusedError as refusal:
        row.state, row.note = RowState.KEPT, str(refusal)[:400]
    except (OperationalError, InterfaceError):
        raise
    except (DatabaseError, ProtectedError, RestrictedError):
        row.state, row.note = RowState.KEPT, _("Other records have been tied to it since.")
    else:
        row.state = RowState.TAKEN_BACK


def _take_back_visit(appointment_id: int) -> None:
    visit = Appointment.objects.select_for_update(of=("self",)).get(pk=appointment_id)
    contacted = Attempt.objects.filter(patient=visit.patient_id, send_at__gte=visit.made_at).exclude(
        status__in=NOT_CONTACTED
    )
    if contacted.exists():
        raise RefusedError(_("The patient has been contacted since."))
    if visit.status != AppointmentStatus.BOOKED or visit.events.count() > 1 or visit.confirmed_at:
        raise RefusedError(_("The visit was changed since it was imported. Cancel it in the calendar."))
    journey = visit.step.journey if visit.step else None
    if _others_of(visit, {"SlotUse", "AppointmentEvent"}) or (journey and not _only_of(journey, visit)):
        raise RefusedError(_("The visit is part of a journey by now. Cancel it in the calendar."))
    visit.delete()
    if journey:
        journey.delete()


def _only_of(journey: Journey, visit: Appointment) -> bool:
    """Whether it is the short journey that the visit was given as it was imported, and nobody has touched it."""
    if journey.opened_at != visit.made_at or _others_of(journey, {"Step"}):
        return False
    later = StepEvent.objects.filter(step__journey=journey, at__gt=visit.made_at)
    return not later.exists() and not any(
        _others_of(step, {"StepEvent", "OutreachTask", "Appointment"}) for step in journey.steps.all()
    )


def _take_back_patient(row: ImportRow) -> None:
    patient = Patient.objects.select_for_update(of=("self",)).get(pk=row.patient_id or 0)
    if Attempt.objects.filter(patient=patient).exclude(status__in=NOT_CONTACTED).exists():
        raise RefusedError(_("The patient has been contacted since."))
    if patient.appointments.exists():
        raise RefusedError(_("The patient has a visit. Undo the import of visits first, or cancel it."))
    if _others_of(patient, OURS):
        raise RefusedError(_("A journey, a referral or something else has been added since."))
    if as_stored(patient) != row.wrote.get("fields"):
        raise RefusedError(_("The patient's details were changed since."))
    ties = set(patient.contacts.values_list("pk", flat=True))
    if ties - set(row.wrote.get("ties", [])):
        raise RefusedError(_("An address was added since."))
    card = patient.card
    if card.told_at or card.coming_told_at or card.windows.exists() or card.coming_windows.exists():
        raise RefusedError(_("The patient has told us how and when to call."))
    points = list(patient.contacts.values_list("contact_point", flat=True))
    patient.delete()
    _drop_addresses(points)


def _others_of(one: Model, ours: set[str]) -> bool:
    """Whether anything points at it beside what an import makes: also what future apps may tie to it."""
    for relation in one._meta.related_objects:
        model = relation.related_model
        if model.__name__ in ours or not relation.field.concrete or model is ImportRow:
            continue
        manager = model._base_manager  # noqa: SLF001 - whatever the model calls its own
        if manager.filter(**{relation.field.name: one}).exists():
            return True
    return False


def _empty_again(row: ImportRow) -> None:
    """Fields that were filled in become empty again where they still hold what the import wrote."""
    patient = Patient.objects.select_for_update(of=("self",)).get(pk=row.patient_id or 0)
    changed = []
    for name, value in row.wrote.get("fields", {}).items():
        if as_text(getattr(patient, name)) != value:
            changed.append(name)
            continue
        setattr(patient, name, None if isinstance(getattr(patient, name), date) else "")
    ties = PatientContact.objects.filter(pk__in=row.wrote.get("ties", []), patient=patient)
    for tie in ties.select_related("contact_point"):
        used = Attempt.objects.filter(patient=patient, contact_point=tie.contact_point)
        if used.exists() or patient.consents.filter(contact_point=tie.contact_point).exists():
            changed.append(tie.contact_point.value)
            continue
        tie.delete()
        _drop_addresses([tie.contact_point_id])
    values = list(patient.contacts.values_list("contact_point__value", flat=True))
    patient.search_key = search_key(patient, values)
    patient.save(update_fields=[*row.wrote.get("fields", {}), "search_key"])
    KnownAs.objects.filter(run=row.run_id, patient=patient).delete()
    if changed:
        row.note = _("Left as it is, since it was changed or used meanwhile: %(fields)s") % {
            "fields": ", ".join(changed)
        }


def _drop_addresses(point_ids: list[int]) -> None:
    """Addresses that served nobody else."""
    for point in ContactPoint.objects.filter(pk__in=point_ids, ties__isnull=True):
        if not _others_of(point, {"PatientContact"}):
            point.delete()
