"""What each measure reads: the cases that may have got their verdict in a span, in a bounded number of statements."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from appointments.models import Appointment, AppointmentStatus
from clinic_journey.reports.standards_verdict import Case
from inquiries.models import Inquiry
from journeys.ledgers import promises_since
from journeys.models import TOLD_AGAIN, EventKind, JourneyStatus, Step, StepEvent, StepKind, StepStatus
from outreach.contact_models import PersonalContact
from outreach.conversations import WROTE
from outreach.models import WAITED_FOR, Attempt, OutreachTask, TaskStatus
from outreach.planning import Reason
from outreach.queries import CARRIED_OUT, WENT_OUT
from outreach.silence import Past, tried
from patients.models import CARD_LASTS, Channel, Clinic, ContactWindow, Patient
from patients.queries import patient_hours, weekend_of
from patients.windows import Hours
from referrals.models import Referral, ReferralStatus, Result

LOOKBACK = timedelta(days=45)  # longer than any limit lasts: what began before has its verdict long since
Contact = TypeVar("Contact", Attempt, PersonalContact)
Rows = Iterable[tuple[Any, ...]]  # columns; that an instant is there was filtered by
NOT_REACHED = "could_not_reach"
NOT_NEEDED = "not_needed"
RESULT_ARRIVED = "result_arrived"  # the message that tells it
ENOUGH_WAYS = 3  # different ones, before a silence may mean something
AT_ONCE = timedelta(minutes=10)  # of one talk: what is answered later was owed


@dataclass(frozen=True)
class Span:
    """Verdicts from `since` on and before `until`, as they are at `now`."""

    since: datetime
    until: datetime
    now: datetime

    @property
    def began(self) -> datetime:
        return self.since - LOOKBACK


def _cancelled_at() -> Subquery:
    events = StepEvent.objects.filter(step=OuterRef("pk"), kind=EventKind.CANCELLED)
    return Subquery(events.order_by("at").values("at")[:1])


def _sent_at(**about: Any) -> Subquery:
    """When the first message left, or somebody was spoken to."""
    sent = Attempt.objects.filter(status__in=WENT_OUT, sent_at__isnull=False, **about)
    return Subquery(sent.order_by("sent_at").values("sent_at")[:1])


def _first(*instants: datetime | None) -> datetime | None:
    return min((each for each in instants if each is not None), default=None)


def _each(rows: Rows) -> list[Case]:
    """Columns in the order of a case."""
    return [Case(*row) for row in rows]


def _measured(clinic: Clinic, span: Span, kind: StepKind) -> QuerySet[Step]:
    """Steps of a kind that may get their verdict in the span; one that ended in vain gets it when its time is over."""
    return Step.objects.filter(
        Q(completed_at__isnull=True) | Q(completed_at__gte=span.since) | Q(outcome=NOT_REACHED),
        clinic=clinic,
        kind=kind,
        opened_at__gte=span.began,
        opened_at__lt=span.until,
    )


def _told(steps: QuerySet[Step]) -> list[Case]:
    """Done when a message left or a person ended the step, having reached the patient."""
    rows: Rows = steps.annotate(
        sent=_sent_at(task__step=OuterRef("pk")), cancelled=_cancelled_at()
    ).values_list("pk", "journey__patient", "opened_at", "completed_at", "outcome", "sent", "cancelled")
    found = []
    for pk, patient, opened, completed, outcome, sent, cancelled in rows:
        done = _first(sent, completed if outcome not in (NOT_REACHED, NOT_NEEDED) else None)
        withdrawn = cancelled or (completed if outcome == NOT_NEEDED else None)
        found.append(Case(pk, patient, opened, done, withdrawn))
    return found


def told_arrived(clinic: Clinic, span: Span) -> list[Case]:
    """The first who is told: for the other of two parents the clock of a promise is enough."""
    arrived = _measured(clinic, span, StepKind.TELL).filter(message_key=RESULT_ARRIVED)
    return _told(arrived.exclude(TOLD_AGAIN))


def thanked(clinic: Clinic, span: Span) -> list[Case]:
    return _told(_measured(clinic, span, StepKind.THANK))


def decided(clinic: Clinic, span: Span) -> list[Case]:
    rows = _measured(clinic, span, StepKind.REVIEW).annotate(cancelled=_cancelled_at())
    return _each(rows.values_list("pk", "journey__patient", "opened_at", "completed_at", "cancelled"))


def reached(clinic: Clinic, span: Span) -> list[Case]:
    """Anything that reached her in the journey after the decision, or a step that ended with her."""
    journey = OuterRef("referral__journey")
    sent = _sent_at(task__step__journey=journey, sent_at__gte=OuterRef("decided_at"))
    ended = Step.objects.filter(
        journey=journey,
        kind__in=[StepKind.TELL, StepKind.CONFIRM, StepKind.BOOK, StepKind.CALL],
        opened_at__gte=OuterRef("decided_at"),
        status=StepStatus.COMPLETED,
    ).exclude(outcome=NOT_REACHED)
    results = (
        Result.objects.filter(referral__clinic=clinic, decided_at__gte=span.began, decided_at__lt=span.until)
        .annotate(sent=sent, ended=Subquery(ended.order_by("completed_at").values("completed_at")[:1]))
        .select_related("referral__patient__clinic", "referral__patient__card", "referral__journey")
        .prefetch_related("referral__patient__card__windows")
        .defer("note", "referral__question")
    )
    return [_reached(result) for result in results]


def _reached(result: Result) -> Case:
    patient, journey = result.referral.patient, result.referral.journey
    over = journey.ended_at if journey.status == JourneyStatus.CANCELLED else None
    known = vars(result)
    assert result.decided_at is not None  # noqa: S101 - it was filtered by
    done, hers = _first(known["sent"], known["ended"]), _agreed_hours(patient)
    return Case(result.pk, patient.pk, result.decided_at, done, over, hours=hers)


def _agreed_hours(patient: Patient) -> Hours | None:
    card = getattr(patient, "card", None)
    return patient_hours(patient, card) if card and card.told_at and card.windows.all() else None


def leaves_with_date(clinic: Clinic, span: Span) -> list[Case]:
    """A visit held or booked in the journey from the referral on."""
    visits = Appointment.objects.filter(
        Q(awaits__journey=OuterRef("journey")) | Q(step__journey=OuterRef("journey")),
        made_at__gte=OuterRef("made_at"),
    )
    referrals = Referral.objects.filter(clinic=clinic, made_at__gte=span.began, made_at__lt=span.until)
    rows = (
        referrals.exclude(status=ReferralStatus.ENTERED_IN_ERROR)
        .annotate(held=Subquery(visits.order_by("made_at").values("made_at")[:1]))
        .values_list("pk", "patient", "made_at", "held")
    )
    return _each(rows)


def card(clinic: Clinic, span: Span) -> list[Case]:
    """A card asked for after the visit counts as well, as in the figures of the desk (card_rates)."""
    visits = Appointment.objects.filter(
        clinic=clinic,
        practitioner__clinic=clinic,  # so that the calendar's index is used
        status__in=[AppointmentStatus.ARRIVED, AppointmentStatus.FULFILLED],
        start__gte=span.since,
        start__lt=span.until,
    )
    told = [f"patient__card__{name}" for name in ("channel", "days_told", "hours_told", "told_at")]
    found = []
    for pk, patient, start, channel, days, hours, told_at in visits.values_list(
        "pk", "patient", "start", *told
    ):
        is_known = bool(channel and days and hours and told_at and told_at > start - CARD_LASTS)
        found.append(Case(pk, patient, start, start if is_known else None, due_at=start))
    return found


def _contacts(clinic: Clinic, span: Span) -> QuerySet[Attempt]:
    return Attempt.objects.filter(
        clinic=clinic, called_at__gte=span.since, called_at__lt=span.until, status__in=CARRIED_OUT
    ).exclude(task__message_key__in=WAITED_FOR)


def kept_window(clinic: Clinic, span: Span) -> list[Case]:
    """Of people and of the machine alike (N7), and of calls that no step asked for, to hear how somebody is; of hours
    that the patient had told us before the contact.
    """
    contacts = _who_told_hours(_contacts(clinic, span)).defer("body", "subject", "error")
    rung = PersonalContact.objects.filter(
        clinic=clinic, called_at__gte=span.since, called_at__lt=span.until, at__gte=span.since
    )
    return [
        *(_in_her_hours(each, by_person=each.claimed_by_id is not None) for each in contacts),
        *(_in_her_hours(each, by_person=True) for each in _who_told_hours(rung)),
    ]


def _who_told_hours(contacts: QuerySet[Contact]) -> QuerySet[Contact]:
    told_hours = ContactWindow.objects.filter(card__patient=OuterRef("patient"))
    return (
        contacts.filter(Exists(told_hours), patient__card__told_at__lte=F("called_at"))
        .select_related("patient__clinic", "patient__card")
        .prefetch_related("patient__card__windows")
    )


def _in_her_hours(contact: Attempt | PersonalContact, *, by_person: bool) -> Case:
    at, hours = contact.called_at, patient_hours(contact.patient, contact.patient.card)
    assert at is not None  # noqa: S101 - it was filtered by
    done = at if _is_inside(at, hours) else None
    return Case(contact.pk, contact.patient_id, at, done, due_at=at, by_person=by_person)


def _is_inside(at: datetime, hours: Hours) -> bool:
    """As patients.windows.is_open says it, for thousands; the hour that a clock repeats counts as its first."""
    local = at.astimezone(ZoneInfo(hours.zone))
    clock = local.time()
    return any(window.start <= clock < window.end for window in hours.by_weekday[local.weekday()])


def own_language(clinic: Clinic, span: Span) -> list[Case]:
    rows = _contacts(clinic, span).exclude(channel=Channel.PHONE).exclude(language="")
    values: Rows = rows.filter(sent_at__isnull=False).values_list(
        "pk", "patient", "called_at", "language", "patient__language"
    )
    found = []
    for pk, patient, at, spoken, hers in values:
        found.append(Case(pk, patient, at, at if spoken == hers else None, due_at=at))
    return found


def promise_kept(clinic: Clinic, span: Span) -> list[Case]:
    """At the time it was given for; one that was kept before counts when it was kept."""
    promises = promises_since(clinic, span.since).filter(opened_at__lt=span.until)
    rows = promises.annotate(cancelled=_cancelled_at()).values_list(
        "pk", "journey__patient", "opened_at", "completed_at", "cancelled", "due_at"
    )
    return _each(rows)


def message_answered(clinic: Clinic, span: Span) -> list[Case]:
    """What a patient wrote and a person has to answer, from her words to the answer."""
    calls = Step.objects.filter(clinic=clinic, kind=StepKind.CALL, opened_at__lt=span.until)
    asked = calls.filter(Exists(WROTE))
    waiting = asked.filter(status=StepStatus.ACTIVE, opened_at__gte=span.began)
    ended = asked.filter(status=StepStatus.COMPLETED, completed_at__gte=span.since)
    columns = ("pk", "journey__patient", "opened_at", "completed_at")
    return [*_each(waiting.values_list(*columns)), *_each(ended.values_list(*columns))]


def apology_first(clinic: Clinic, span: Span) -> list[Case]:
    """Due when the patient has to ask; with no chase and no apology it stays open."""
    chased = StepEvent.objects.filter(
        step__journey=OuterRef("journey"),
        kind=EventKind.CHASED,
        clinic=clinic,
        at__gte=OuterRef("opened_at"),
    )
    promises = Step.objects.filter(
        clinic=clinic,
        kind=StepKind.PROMISE,
        message_key="apology",
        due_at__gte=span.began,
        opened_at__gte=span.began,
        opened_at__lt=span.until,
    ).annotate(
        sent=_sent_at(task__step=OuterRef("pk")),
        chased=Subquery(chased.order_by("at").values("at")[:1]),
        cancelled=_cancelled_at(),
    )
    rows = promises.values_list("pk", "journey__patient", "opened_at", "sent", "cancelled", "chased")
    return _each(rows)


def not_on_a_guess(clinic: Clinic, span: Span) -> list[Case]:
    """Contacts that the machine gave up, with how many different ways it had tried."""
    tasks = OutreachTask.objects.filter(
        clinic=clinic,
        status=TaskStatus.GIVEN_UP,
        outcome=Reason.ATTEMPTS_USED.value,
        deadline_at__gte=span.began,
        ended_at__gte=span.since,
        ended_at__lt=span.until,
    ).select_related("patient__clinic")
    listed = {task.pk: task for task in tasks}
    past: dict[int, list[Past]] = {}
    made: Rows = Attempt.objects.filter(task__in=tasks.values("pk"), called_at__isnull=False).values_list(
        "task", "channel", "contact_point", "called_at", "outcome"
    )
    for row in made:
        past.setdefault(row[0], []).append(Past(*row[1:]))
    weekend, found = weekend_of(clinic), []
    for pk, task in listed.items():
        at = task.ended_at
        assert at is not None  # noqa: S101 - it was filtered by
        ways = set(tried(past.get(pk, []), zone=task.patient.zone, weekend=weekend))
        done = at if len(ways) >= ENOUGH_WAYS else None
        found.append(Case(pk, task.patient_id, at, done, due_at=at))
    return found


def _questions(clinic: Clinic, span: Span) -> QuerySet[Inquiry]:
    return Inquiry.objects.filter(clinic=clinic, asked_at__gte=span.began, asked_at__lt=span.until)


def answered_first(clinic: Clinic, span: Span) -> list[Case]:
    rows = _questions(clinic, span).values_list("pk", "patient", "asked_at", "answered_at")
    return _each(rows)


def answered_later(clinic: Clinic, span: Span) -> list[Case]:
    """Those that were not answered in the same talk: the answer was promised."""
    owed = Q(answered_at__isnull=True) | Q(answered_at__gt=F("asked_at") + AT_ONCE)
    rows = _questions(clinic, span).filter(owed, step__isnull=False)
    return _each(rows.values_list("pk", "patient", "asked_at", "answered_at"))
