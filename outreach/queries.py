"""What planning, sending and screens read about contacts. Users get objects only through `*_visible_to`."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy

from appointments.models import Appointment, AppointmentStatus
from appointments.waiting_models import Offer
from journeys.models import Step, StepKind, StepStatus
from outreach.channels import BY_VOICE, PHONE, Trouble
from outreach.channels.inbound import DELAYED
from outreach.channels.phone import CallOutcome
from outreach.learned import Try
from outreach.links import url_for
from outreach.message_keys import about
from outreach.models import WAITED_FOR, Attempt, AttemptStatus, OutreachTask, Reply, TaskStatus
from outreach.offers import offers_of
from outreach.planning import Why
from outreach.rendering import CannotRender, Facts, Texts
from outreach.silence import ENOUGH
from patients.models import HoursKind, MaySay, Patient, Relation
from patients.queries import ClinicClock, User, lawful_hours, patient_hours
from patients.windows import Hours

LIVE_VISITS = (AppointmentStatus.PENDING, AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED)
UNFINISHED = (AttemptStatus.PLANNED, AttemptStatus.SENDING)
WENT_OUT = (AttemptStatus.SENT, AttemptStatus.DELIVERED)
CARRIED_OUT = (*WENT_OUT, AttemptStatus.FAILED, AttemptStatus.UNKNOWN)


def tasks_visible_to(user: User) -> QuerySet[OutreachTask]:
    return OutreachTask.objects.filter(clinic__memberships__user_id=user.pk).select_related(
        "patient", "step__template_step", "step__journey__template"
    )


def attempts_visible_to(user: User) -> QuerySet[Attempt]:
    return Attempt.objects.filter(clinic__memberships__user_id=user.pk).select_related(
        "patient__clinic",
        "contact_point",
        "claimed_by",
        "task__step__template_step",
        "task__step__journey__template",
    )


def calls_now(attempts: QuerySet[Attempt], *, now: datetime) -> QuerySet[Attempt]:
    """The desk's call list: planned calls whose window is open, and those somebody is making."""
    due = Q(status=AttemptStatus.PLANNED, send_at__lte=now, expires_at__gt=now)
    return _calls(attempts).filter(due | Q(status=AttemptStatus.SENDING)).order_by("send_at")


def calls_until(attempts: QuerySet[Attempt], *, now: datetime, until: datetime) -> QuerySet[Attempt]:
    """Those of now, and after them those whose window opens until then."""
    coming = Q(status=AttemptStatus.PLANNED, send_at__lte=until, expires_at__gt=now)
    return _calls(attempts).filter(coming | Q(status=AttemptStatus.SENDING)).order_by("send_at")


def _calls(attempts: QuerySet[Attempt]) -> QuerySet[Attempt]:
    return attempts.filter(channel=PHONE, task__status=TaskStatus.OPEN, task__step__status=StepStatus.ACTIVE)


def messages_to(patient: Patient) -> QuerySet[Attempt]:
    """What the patient's own phone shows, newest first."""
    return (
        patient.attempts.filter(status__in=WENT_OUT)
        .exclude(channel=PHONE)
        .select_related("task__step")
        .order_by("-sent_at")
    )


def visit_of(journey_id: int) -> Appointment | None:
    """The journey's next live visit: held, booked, or begun."""
    return visits_of([journey_id]).get(journey_id)


def visits_of(journey_ids: Iterable[int]) -> dict[int, Appointment]:
    """The next live visit of each journey, in one query."""
    ids = list(journey_ids)
    live = (
        Appointment.objects.filter(
            Q(step__journey__in=ids) | Q(awaits__journey__in=ids), status__in=LIVE_VISITS
        )
        .select_related("practitioner__clinic", "step", "awaits")
        .order_by("-start")
    )
    found: dict[int, Appointment] = {}
    for visit in live:
        step = visit.step or visit.awaits
        if step:
            found[step.journey_id] = visit
    return found


def facts_for(
    tasks: Iterable[OutreachTask],
    visits: Mapping[int, Appointment],
    offers: Mapping[int, Offer],
    *,
    now: datetime,
) -> dict[int, Facts]:
    """What the message of each task may name, in two queries beside the `visits` of their journeys and their `offers`;
    needs step.journey, step.about and patient loaded.
    """
    listed = list(tasks)
    journeys = {task.step.journey_id for task in listed}
    reviews = Step.objects.filter(journey__in=journeys, kind=StepKind.REVIEW, status=StepStatus.ACTIVE)
    latest_first = reviews.order_by("-due_at").values_list("journey_id", "due_at")
    answers_due = {journey_id: due_at for journey_id, due_at in latest_first if due_at and due_at > now}
    promised = Step.objects.filter(
        journey__in=journeys, kind=StepKind.PROMISE, status=StepStatus.ACTIVE, due_at__gt=now
    )
    for journey_id, due_at in promised.order_by("-due_at").values_list("journey_id", "due_at"):
        if due_at:
            answers_due.setdefault(journey_id, due_at)
    return {
        task.pk: _facts_of_offer(task, offers[task.step_id])
        if task.step_id in offers
        else facts_of(task, visits.get(task.step.journey_id), answers_due.get(task.step.journey_id), now=now)
        for task in listed
    }


def _facts_of_offer(task: OutreachTask, offer: Offer) -> Facts:
    """The time that became free, not the one she has; `until`: when somebody else may be asked instead."""
    return Facts(
        name=task.patient.given_name,
        link=url_for(task.step.journey),
        variant=task.patient.gender,
        date=offer.start,
        until=offer.answer_by,
    )


def facts_of(
    task: OutreachTask, visit: Appointment | None, answer_due: datetime | None, *, now: datetime
) -> Facts:
    """`by`: when the patient hears from us. `until`: when we need an answer, or what we promised before."""
    step = task.step.about if task.step.is_told_again and task.step.about else task.step
    facts = Facts(
        name=task.patient.given_name,
        link=url_for(task.step.journey),
        variant=task.patient.gender,
        who=step.owner.first_name if step.owner else "",
        date=visit.start if visit and visit.start > now else None,
    )
    if step.about:  # a promise made anew: its own time, and the one that was broken
        return replace(facts, by=_coming(step.due_at, now=now), until=step.about.due_at)
    held_until = visit.hold_until if visit and visit.status == AppointmentStatus.PENDING else None
    return replace(
        facts,
        by=_coming(answer_due, now=now) or _coming(step.due_at, now=now),
        until=_coming(held_until or step.due_at, now=now),
    )


def _coming(at: datetime | None, *, now: datetime) -> datetime | None:
    """A time that has passed cannot be promised."""
    return at if at and at > now else None


@dataclass(frozen=True)
class Script:
    """What to say on the phone, in the patient's language and, where that is another one, in the caller's."""

    words: str = ""  # empty where no text fits what is true now
    for_reader: str = ""


def script_for(
    attempt: Attempt, *, now: datetime, times: tuple[datetime, ...] = (), reader: str = ""
) -> Script:
    """`times`: what is free for the visit that is to be booked. `reader`: the language of whoever calls."""
    task, patient = attempt.task, attempt.patient
    keys = _said_in(attempt, "offer_times" if times else "ask_times")
    texts = Texts(keys, [patient.clinic_id])
    visits, offers = visits_of([task.step.journey_id]), offers_of([task])
    facts = replace(facts_for([task], visits, offers, now=now)[task.pk], times=times)
    if attempt.tie and attempt.tie.relation != Relation.SELF:
        facts = replace(facts, variant="")  # somebody else is spoken to
    if attempt.claimed_by:
        facts = replace(facts, who=attempt.claimed_by.first_name)

    def said(language: str) -> tuple[str, str]:
        """The words, and the language that there are words in."""
        try:
            parts = [texts.render(key, attempt.channel, language, facts, patient.clinic) for key in keys]
        except CannotRender:
            return "", language
        return "\n".join(part.body for part in parts), parts[0].language

    words, language = said(patient.language)
    read = said(reader) if words and reader and reader != language else ("", "")
    return Script(words, read[0] if read[1] == reader else "")


def _said_in(attempt: Attempt, about_times: str) -> tuple[str, ...]:
    """The parts of a call, in their order."""
    if attempt.tie and attempt.tie.may_say == MaySay.CALL_BACK:
        return ("ask_to_call_back",)
    key, silent = attempt.task.message_key, attempt.task.unanswered >= ENOUGH
    opening = ["call_opening", "after_silence"] if silent else ["call_opening"]
    return (*opening, key, *([about_times] if about(key).books else []), "call_closing")


def hours_for(patient: Patient, channel: str, clock: ClinicClock) -> tuple[Hours, ...]:
    """All that must be open for a contact: the patient's windows, the clinic's hours for this kind, the law's."""
    kind = HoursKind.CALL if channel in BY_VOICE else HoursKind.MESSAGE
    card = getattr(patient, "card", None)
    return patient_hours(patient, card), clock.hours(patient.clinic_id, kind), lawful_hours(patient, kind)


WHY_WORDS = {
    Why.ASKED: gettext_lazy("the channel the patient asked for"),
    Why.NEXT_CHANNEL: gettext_lazy("another channel has its turn"),
    Why.UNTRIED: gettext_lazy("a time not tried before"),
    Why.AGAIN: gettext_lazy("every reachable time was tried"),
    Why.PAST_DEADLINE: gettext_lazy("nothing is open before the deadline"),
    Why.SPACED: gettext_lazy("not too often"),
}
LEARNED_WORDS = gettext_lazy("answers mostly between %(from)s:00 and %(to)s:00: learned, not told")


TROUBLE_OF = {**{trouble.value: trouble for trouble in Trouble}, "bad_address": Trouble.NO_SUCH_ADDRESS}
del TROUBLE_OF[Trouble.NO_ANSWER.value]  # the outcome itself says so, of a person's call too

# True for as long as it stands: by plain SMTP nobody reports that a mail has arrived after all.
DELAYED_WORDS = gettext_lazy(
    "A mail server says that it comes late. We are told if it fails, but not always when it arrives."
)


def planned_words(attempt: Attempt, *, without: Iterable[Why] = ()) -> list[str]:
    """Why it was made in this way at this moment, as it was decided; a person's own reason last."""
    codes, _bar, reason = attempt.why.partition("|")
    known = [
        str(WHY_WORDS[Why(code)]) for code in codes.split() if code in WHY_WORDS and code not in set(without)
    ]
    if band := re.search(rf"\b{Why.LEARNED}:(\d+)-(\d+)", codes):
        known.append(LEARNED_WORDS % {"from": band[1], "to": band[2]})
    return [*known, *([reason] if reason else [])]


def trouble_words(attempt: Attempt) -> str:
    """Why the channel did not take it, or what keeps it on its way."""
    if attempt.outcome == DELAYED:
        return str(DELAYED_WORDS)
    return str(TROUBLE_OF[attempt.outcome].label) if attempt.outcome in TROUBLE_OF else ""


def why_words(attempt: Attempt) -> str:
    """Why this way and this moment, and what was in its way, for the reader."""
    return ", ".join(words for words in [*planned_words(attempt), trouble_words(attempt)] if words)


def outcome_words(attempt: Attempt) -> str:
    """How a contact ended, in the reader's language."""
    if attempt.outcome in CallOutcome.values:
        return str(CallOutcome(attempt.outcome).label)
    return str(attempt.get_status_display())


REACHED = {CallOutcome.SPOKEN, CallOutcome.BOOKED, CallOutcome.CONFIRMED, CallOutcome.CALL_AT}
REACHED |= {CallOutcome.PREFERS_MESSAGE, CallOutcome.DECLINED, CallOutcome.NEEDS_DOCTOR}
TEXTS = ("subject", "body", "error")  # long, and nothing is planned by them
LAST_TRIES = 60  # of the last contacts; older ones say little about her life now


def tries_of(patient: Patient) -> list[Try]:
    """What was tried with the patient and when she answered."""
    tried = patient.attempts.filter(called_at__isnull=False).exclude(task__message_key__in=WAITED_FOR)
    return tries_among(with_replies(tried).order_by("-send_at")[:LAST_TRIES])


def with_replies(attempts: QuerySet[Attempt]) -> QuerySet[Attempt]:
    first = Reply.objects.filter(attempt=OuterRef("pk")).order_by("at")
    return attempts.annotate(replied_at=Subquery(first.values("at")[:1])).defer(*TEXTS)


def tries_among(attempts: Iterable[Attempt]) -> list[Try]:
    """A call is answered by speaking, a message by a reply; needs `replied_at`, as with_replies() gives it.

    What rang elsewhere or never left was no try; nor was a call by machine, which is neither of the two.
    """
    found = []
    for attempt in attempts:
        if attempt.channel in BY_VOICE and attempt.channel != PHONE:
            continue
        if attempt.outcome == CallOutcome.WRONG_NUMBER or (
            attempt.channel != PHONE and attempt.sent_at is None
        ):
            continue
        replied_at: datetime | None = attempt.replied_at  # type: ignore[attr-defined]
        answered = attempt.outcome in REACHED if attempt.channel == PHONE else replied_at is not None
        if at := replied_at or attempt.called_at:
            found.append(Try(attempt.channel, at, answered))
    return found
