"""The lines of a conversation: what we sent, with what became of it in words, and what came back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.utils.functional import Promise
from django.utils.timezone import localtime

from clinic_journey.enclosed_files import WITH_FILES, EnclosedFile, enclosed_in
from clinic_journey.history_words import said_by_patient
from journeys.models import StepStatus
from outreach.channels import PHONE
from outreach.decision_models import Decision, DecisionKind
from outreach.followup import REPLANNED
from outreach.message_keys import about
from outreach.models import ANSWER, Attempt, AttemptStatus, Reply
from outreach.queries import outcome_words, trouble_words
from outreach.rendering import CannotRender, Facts, Texts
from outreach.trace import cancelled_words, decided_words
from patients.models import Channel, Patient

SHOWN = 50  # of each side, the newest
CHANNELS = dict(Channel.choices)
MAY_BE_IN_TROUBLE = {AttemptStatus.FAILED, AttemptStatus.SENT}
QUICK = ("quick_suits", "quick_call_by", "quick_call_us", "quick_done")


@dataclass(frozen=True)
class Line:
    at: datetime
    words: str
    language: str
    channel: str  # in words; empty where she pressed on her own page
    is_ours: bool
    receipt: str = ""  # what became of ours
    is_trouble: bool = False
    is_call: bool = False
    waits: bool = False  # nobody has answered these words of hers
    is_made: bool = True  # False for what is only planned, or was stopped before it left
    title: str | Promise = ""  # what it is, where it has no words yet
    files: tuple[EnclosedFile, ...] = ()  # that came with these words
    step: UUID | None = None  # whose trace says why it went out, or did not


def replies_of(patient: Patient) -> list[Reply]:
    """What she wrote or said, with who answers it, the newest first."""
    said = Reply.objects.filter(patient=patient, clinic=patient.clinic_id)
    said = said.select_related("matter__owner", "matter__template_step").prefetch_related(WITH_FILES)
    return list(said.order_by("-at", "-pk")[:SHOWN])


def theirs(reply: Reply, language: str) -> Line:
    matter = reply.matter
    return Line(
        reply.at,
        said_by_patient(reply),
        language,
        str(CHANNELS.get(reply.channel, "")),
        is_ours=False,
        waits=matter is not None and matter.status == StepStatus.ACTIVE,
        files=enclosed_in(reply),
    )


def ours_to(patient: Patient) -> Iterable[Line]:
    """What reached her, what is planned, and what was stopped, by which rule; an answer of ours whatever became of it.

    What only gave way to another plan is left out, as that one stands there.
    """
    made = Attempt.objects.filter(patient=patient, clinic=patient.clinic_id)
    by_a_rule = Exists(Decision.objects.filter(attempt=OuterRef("pk"), kind=DecisionKind.STOPPED))
    stopped = Q(status=AttemptStatus.CANCELLED) & (~Q(outcome=REPLANNED) | by_a_rule)
    shown = made.filter(
        Q(called_at__isnull=False)
        | Q(task__message_key=ANSWER)
        | Q(status__in=[AttemptStatus.PLANNED, AttemptStatus.SENDING])
        | stopped
    )
    shown = shown.select_related("task__step").prefetch_related("decisions").defer("why", "error")
    return [_ours(attempt) for attempt in shown.order_by("-send_at", "-pk")[:SHOWN]]


def _ours(attempt: Attempt) -> Line:
    is_answer = attempt.task.message_key == ANSWER
    is_made = is_answer or attempt.called_at is not None
    never_left = {AttemptStatus.FAILED, AttemptStatus.UNKNOWN} | (
        {AttemptStatus.CANCELLED} if is_answer else set()
    )
    return Line(
        attempt.sent_at or attempt.called_at or (None if is_made else attempt.ended_at) or attempt.send_at,
        attempt.body if attempt.channel != PHONE else "",
        attempt.language,
        str(CHANNELS[attempt.channel]),
        is_ours=True,
        is_call=attempt.channel == PHONE,
        receipt=_became(attempt, is_made=is_made),
        is_trouble=attempt.status in never_left,
        is_made=is_made,
        title="" if attempt.body else about(attempt.task.message_key).title,
        step=attempt.task.step.public_id,
    )


def _became(attempt: Attempt, *, is_made: bool) -> str:
    if is_made:
        trouble = trouble_words(attempt) if attempt.status in MAY_BE_IN_TROUBLE else ""
        return " ".join([outcome_words(attempt), *([trouble] if trouble else [])])
    said = str(attempt.get_status_display())
    why = decided_words(attempt)
    if attempt.status == AttemptStatus.CANCELLED:
        said, why = str(DecisionKind.STOPPED.label), why or cancelled_words(attempt)
    return f"{said}: {why}" if why else said


@dataclass(frozen=True)
class Quick:
    """Words that are ready, in the patient's language; `call_by`: the time that they promise, as a form has it."""

    key: str
    words: str
    call_by: str = ""


def quick_answers(patient: Patient, call_by: datetime | None, *, now: datetime) -> list[Quick]:
    """Those that are true now: nothing is promised by a time that has passed, or by none."""
    due_at = call_by if call_by and call_by > now else None
    facts = Facts(patient.given_name, "", variant=patient.gender, by=due_at)
    texts = Texts(QUICK, [patient.clinic_id])
    found = []
    for key in QUICK:
        try:
            words = texts.render(key, "", patient.language, facts, patient.clinic).body
        except CannotRender:
            continue
        promised = due_at if key == "quick_call_by" and due_at else None
        found.append(Quick(key, words, f"{localtime(promised):%Y-%m-%dT%H:%M}" if promised else ""))
    return found
