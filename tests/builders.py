"""Plain functions that make one object each, with the least that the test did not say."""

from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.core.management import call_command
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from appointments.models import (
    TAKES_TIME,
    Appointment,
    AppointmentStatus,
    Location,
    Practitioner,
    Schedule,
    Slot,
    SlotUse,
    VisitType,
)
from appointments.waiting_models import Offer, Opening, WaitlistEntry
from clinic_journey.models import Handover, Improvement
from inquiries.models import Inquiry, Offering
from inquiries.sent_models import SentAnswer
from journeys.models import Journey, JourneyStatus, OwnerRole, Step, StepKind, StepStatus
from outreach.channels import by_machine
from outreach.complaint_models import Complaint
from outreach.dispatch import Clock
from outreach.door import Parcel
from outreach.enclosed import source_id_of
from outreach.enclosed_models import ReplyFile
from outreach.models import Attempt, OutreachTask, Reply
from outreach.praise_models import Praise
from outreach.provider_models import Gate, ProviderTerms
from outreach.senders import Turn, Turns
from outreach.tour import Tour
from outreach.unanswered import count_unanswered
from patients.actions import (
    Coming,
    NewPatient,
    add_address,
    register_patient,
    save_coming,
    set_default_hours,
)
from patients.models import AddressKind, Channel, Clinic, Membership, Patient, PatientContact, Role
from referrals.arrivals import Arrival, match_documents, receive
from referrals.models import IncomingDocument, Referral, Source
from tests.conftest import NOW

_numbers = count(1)


def clinic(**fields: Any) -> Clinic:
    n = next(_numbers)
    given = {
        "name": f"Alon Clinic {n}",
        "slug": f"alon-{n}",
        "sender_name": "Alon Clinic",
        "phone": "+97235550142",
        "intake_address": f"results{n}@alon.example",
    }
    made = Clinic.objects.create(**{**given, **fields})
    set_default_hours(made)
    return made


def user(role: str = Role.RECEPTIONIST, *, at: Clinic | None = None, **fields: Any) -> User:
    n = next(_numbers)
    made = User.objects.create_user(username=f"user{n}", password="x", **{"first_name": "Rina", **fields})
    if at is not None:
        Membership.objects.create(user=made, clinic=at, role=role)
    return made


def patient(at: Clinic | None = None, *, now: datetime = NOW, **fields: Any) -> Patient:
    given = {
        "given_name": "Dana",
        "family_name": "Levi",
        "birth_date": date(1991, 5, 4),
        "phone": "050-234-5678",
    }
    return register_patient(at or clinic(), NewPatient(**{**given, **fields}), now=now)


def comes(who: Patient, *windows: tuple[int, time, time], now: datetime = NOW) -> Patient:
    """She said when she can come; without windows, at any time. The record as it is read anew."""
    save_coming(who, Coming(windows), now=now)
    return Patient.objects.select_related("clinic").get(pk=who.pk)


def on_whatsapp(who: Patient, value: str = "972502345678") -> PatientContact:
    """The identity that she named for it, after her phone."""
    return add_address(who, AddressKind.WHATSAPP, value, rank=2)


def journey(for_patient: Patient | None = None, *, now: datetime = NOW, **fields: Any) -> Journey:
    who = for_patient or patient()
    return Journey.objects.create(clinic=who.clinic, patient=who, opened_at=now, **fields)


def step(of: Journey | None = None, *, now: datetime = NOW, **fields: Any) -> Step:
    where = of or journey(now=now)
    given = {
        "kind": StepKind.BOOK,
        "status": StepStatus.ACTIVE,
        "owner_role": OwnerRole.RECEPTIONIST,
        "opened_at": now,
        "due_at": now + timedelta(hours=4),
    }
    return Step.objects.create(clinic=where.clinic, journey=where, **{**given, **fields})


def at(hour: int, minute: int = 0) -> time:
    return time(hour, minute)


def practitioner(at: Clinic | None = None, **fields: Any) -> Practitioner:
    where = at or clinic()
    return Practitioner.objects.create(clinic=where, **{"name": "Dr Cohen", **fields})


def referral(for_patient: Patient | None = None, *, now: datetime = NOW, **fields: Any) -> Referral:
    """A referral that waits, in a journey of its own without a template."""
    who = for_patient or patient()
    waiting = step(journey(who, now=now), kind=StepKind.AWAIT_RESULT, owner_role=OwnerRole.PARTNER)
    given = {
        "clinic": who.clinic,
        "patient": who,
        "journey": waiting.journey,
        "step": waiting,
        "requester": fields.get("requester") or practitioner(who.clinic),
        "code": "R-" + f"{next(_numbers):08}".translate(str.maketrans("01", "XY")),
        "service": "Panoramic image",
        "expected_at": now + timedelta(days=3),
        "made_at": now,
    }
    return Referral.objects.create(**{**given, **fields})


def document(at: Clinic | None = None, *, now: datetime = NOW, **fields: Any) -> IncomingDocument:
    """A mail that was received and not looked at yet; its bytes are not there."""
    given = {
        "clinic": at or clinic(),
        "source": Source.EMAIL,
        "source_id": f"mail-{next(_numbers)}",
        "raw": "incoming/missing.eml",
        "received_at": now,
        "match_from": now,
    }
    return IncomingDocument.objects.create(**{**given, **fields})


def location(at: Clinic | None = None, **fields: Any) -> Location:
    return Location.objects.create(clinic=at or clinic(), **{"name": f"Room {next(_numbers)}", **fields})


def visit_type(at: Clinic | None = None, **fields: Any) -> VisitType:
    given = {"names": {"en": "Check-up"}, "minutes": 30}
    return VisitType.objects.create(clinic=at or clinic(), **{**given, **fields})


def schedule(of: Practitioner, **fields: Any) -> Schedule:
    """Mondays from 9 to 12, from the week of NOW on."""
    given = {"weekday": 0, "start": time(9), "end": time(12), "valid_from": NOW.date()}
    where = fields.pop("location", None) or location(of.clinic)
    return Schedule.objects.create(practitioner=of, location=where, **{**given, **fields})


def open_time(of: Practitioner, start: datetime, *, minutes: int = 60) -> list[Slot]:
    """Cells on the clinic's grid from `start` on; those there already are left as they are."""
    rule = of.schedules.first() or schedule(of)
    step = timedelta(minutes=of.clinic.cell_minutes)
    starts = [start + step * n for n in range(timedelta(minutes=minutes) // step)]
    Slot.objects.bulk_create(
        [Slot(schedule=rule, practitioner=of, start=begins, end=begins + step) for begins in starts],
        ignore_conflicts=True,
    )
    return list(Slot.objects.filter(practitioner=of, start__in=starts).order_by("start"))


def appointment(for_patient: Patient | None = None, *, minutes: int = 30, **fields: Any) -> Appointment:
    """A booked visit tomorrow; one in a status that takes time has its cells."""
    who = for_patient or patient()
    doctor = fields.get("practitioner") or practitioner(who.clinic)
    start = fields.get("start", NOW + timedelta(days=1))
    given = {
        "clinic": who.clinic,
        "patient": who,
        "practitioner": doctor,
        "start": start,
        "end": start + timedelta(minutes=minutes),
        "status": AppointmentStatus.BOOKED,
        "made_at": NOW,
    }
    made = Appointment.objects.create(**{**given, **fields})
    if made.status in TAKES_TIME:
        cells = open_time(doctor, start, minutes=minutes)
        SlotUse.objects.bulk_create([SlotUse(slot=cell, appointment=made) for cell in cells])
    return made


def waiting_entry(for_patient: Patient | None = None, *, now: datetime = NOW, **fields: Any) -> WaitlistEntry:
    """Who has a visit in two weeks and waits for a sooner day, with any doctor."""
    visit = fields.pop("appointment", None)
    if visit is None and "step" not in fields:
        booked = {"start": now + timedelta(days=14)} | fields.pop("visit", {})
        visit = appointment(for_patient, **booked)
    if visit and visit.step is None:
        visit.step = step(journey(visit.patient, now=now), kind=StepKind.VISIT, due_at=visit.end, now=now)
        visit.save(update_fields=["step"])
    about = fields.get("step") or visit.step
    given = {"minutes": 30, "since_at": now, "journey": about.journey, "patient": about.journey.patient}
    return WaitlistEntry.objects.create(clinic=about.clinic, appointment=visit, **{**given, **fields})


def opening(of: Practitioner, start: datetime, *, minutes: int = 30, **fields: Any) -> Opening:
    """A time that has just become free, with its cells."""
    open_time(of, start, minutes=minutes)
    given = {"freed_at": NOW, "wave_from": NOW, "end": start + timedelta(minutes=minutes)}
    return Opening.objects.create(clinic=of.clinic, practitioner=of, start=start, **{**given, **fields})


def offer(of: Opening, to: WaitlistEntry, **fields: Any) -> Offer:
    """An open offer, as a wave makes it."""
    about = step(
        to.journey, kind=StepKind.AWAIT_PATIENT, owner_role=OwnerRole.PATIENT, message_key="sooner_time"
    )
    WaitlistEntry.objects.filter(pk=to.pk).update(status="offered")
    given = {"start": of.start, "end": of.start + timedelta(minutes=to.minutes), "wave": 1, "made_at": NOW}
    given |= {"answer_by": NOW + timedelta(hours=8)}
    return Offer.objects.create(opening=of, entry=to, step=about, **{**given, **fields})


def offering(at: Clinic | None = None, *, stock: int | None = None, **fields: Any) -> Offering:
    """A vaccine for 80 shekels; with `stock`, that many in one batch that does not expire."""
    given = {"kind": "vaccine", "names": {"en": "Flu vaccine"}, "price": 80, "currency": "ILS"}
    made = Offering.objects.create(clinic=at or clinic(), **{**given, **fields})
    if stock is not None:
        made.batches.create(number="B1", quantity=stock, counted_at=NOW)
    return made


def inquiry(at: Clinic | None = None, **fields: Any) -> Inquiry:
    """Asked and answered a moment later."""
    given = {"asked": "flu vaccine", "asked_at": NOW, "answered_at": NOW, "said_words": "Yes, we have it."}
    return Inquiry.objects.create(clinic=at or clinic(), **{**given, **fields})


def sent_answer(to: Inquiry, **fields: Any) -> SentAnswer:
    """An answer in writing that has left."""
    nobodys = Journey.objects.create(clinic=to.clinic, status=JourneyStatus.UNIDENTIFIED, opened_at=NOW)
    ended: dict[str, Any] = {"status": StepStatus.COMPLETED, "completed_at": NOW, "outcome": "kept"}
    given = {"kind": "phone", "value": "+972547654320", "channel": "sms", "language": "en", "body": "Yes."}
    times = dict.fromkeys(("send_at", "expires_at", "called_at", "sent_at"), NOW)
    fields = {
        "step": step(nobodys, kind=StepKind.TELL, **ended),
        "status": "sent",
        **given,
        **times,
        **fields,
    }
    return SentAnswer.objects.create(inquiry=to, clinic=to.clinic, **fields)


def complaint(for_patient: Patient | None = None, **fields: Any) -> Complaint:
    """As it came, in a journey of its own without a template: its rows alone keep the order."""
    who = for_patient or patient()
    given = {"words": "I waited an hour and nobody said why.", "came_by": "desk", "came_at": NOW}
    return Complaint.objects.create(
        clinic=who.clinic, patient=who, journey=journey(who), **{**given, **fields}
    )


def praise(from_patient: Patient | None = None, **fields: Any) -> Praise:
    """Thanks that name nobody."""
    who = from_patient or patient()
    given = {"kind": "thanks", "words": "You were so kind.", "at": NOW, "patient": who}
    return Praise.objects.create(clinic=who.clinic, **{**given, **fields})


def handover(at: Clinic | None = None, **fields: Any) -> Handover:
    """A note that waits for the next shift."""
    where = at or clinic()
    by = fields.pop("by", None) or user(at=where)
    return Handover.objects.create(
        clinic=where, by=by, **{"words": "The lift is broken.", "made_at": NOW, **fields}
    )


def improvement(at: Clinic | None = None, **fields: Any) -> Improvement:
    where = at or clinic()
    given = {
        "template_key": "recall",
        "step_key": "recall",
        "words": "Call in the evening",
        "begun_on": NOW.date(),
    }
    owner = fields.pop("owner", None) or user(Role.DOCTOR, at=where)
    return Improvement.objects.create(clinic=where, owner=owner, **{**given, **fields})


def messages_loaded() -> None:
    call_command("load_messages", verbosity=0)


def task(of: Step | None = None, *, now: datetime = NOW, **fields: Any) -> OutreachTask:
    about = of or step(now=now)
    given = {
        "message_key": "next_step",
        "opened_at": now,
        "plan_from": now,
        "deadline_at": now + timedelta(days=1),
        "patient": about.journey.patient,
    }
    return OutreachTask.objects.create(clinic=about.clinic, step=about, **{**given, **fields})


def attempt(of: OutreachTask | None = None, *, now: datetime = NOW, **fields: Any) -> Attempt:
    """A message planned for now, to the patient's first address."""
    about = of or task(now=now, plan_from=None)
    given = {
        "channel": Channel.SMS,
        "send_at": now,
        "expires_at": now + timedelta(hours=2),
        "contact_point": about.patient.contacts.order_by("rank")[0].contact_point,
    }
    made = Attempt.objects.create(
        task=about, clinic=about.clinic, patient=about.patient, **{**given, **fields}
    )
    count_unanswered([about.pk])
    return made


def delivered(parcel: Parcel, turn: Turn, *, now: datetime = NOW) -> str:
    """What becomes of one message that a worker has claimed and looked at; empty where it was not ours any more."""
    clock = Clock(now, exact=False)
    with Tour(by_machine()[turn.channel], Turns(turn.channel, 0, clock=clock, until=now)) as tour:
        tour.carry([parcel], turn)
    return next((what for what, count in tour.counted.items() if count), "")


def enclosed(words: Reply, content: bytes | None = None, *, name: str = "", **fields: Any) -> ReplyFile:
    """A file that came with these words: with `content` it is here and was read, else it is still to be fetched."""
    usual = {"kind": "picture", "provider_reference": "A", "asked_at": NOW, "fetch_from": NOW}
    file = ReplyFile.objects.create(reply=words, position=words.files.count() + 1, **{**usual, **fields})
    if content is not None:
        arrival = Arrival(words.clinic, Source.MESSAGE, source_id_of(file), content, subject=name)
        file.document, file.fetch_from = receive(arrival, now=NOW), None
        file.save()
        match_documents(now=NOW)
        file.refresh_from_db()
    return file


def opened(where: Clinic) -> None:
    """The clinic has ended its safe start."""
    Gate.objects.update_or_create(clinic=where, defaults={"opened_at": NOW})


def provider_answered(where: Clinic, channel: str = Channel.SMS) -> None:
    """All that any country asks about who carries its messages."""
    answer = {"country": "RU", "basis": "A contract", "has_agreement": True}
    ProviderTerms.objects.create(clinic=where, channel=channel, at=NOW, **answer)


def api(of: User | None = None) -> APIClient:
    """A program that talks to the REST API with somebody's token, or with none."""
    client = APIClient()
    if of is not None:
        token, _made = Token.objects.get_or_create(user=of)
        client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")
    return client
