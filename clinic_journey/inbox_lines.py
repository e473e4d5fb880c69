"""The lines of a conversation: what we sent, with what became of it in words, and what came back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.timezone import localtime

from clinic_journey.history_words import said_by_patient
from journeys.models import StepStatus
from outreach.channels import PHONE
from outreach.models import ANSWER, Attempt, AttemptStatus, Reply
from outreach.queries import TROUBLE_OF, outcome_words
from outreach.rendering import CannotRender, Facts, Texts
from patients.models import Channel, Patient

SHOWN = 50  # of each side, the newest
CHANNELS = dict(Channel.choices)
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


def replies_of(patient: Patient) -> list[Reply]:
    """What she wrote or said, with who answers it, the newest first."""
    said = Reply.objects.filter(patient=patient, clinic=patient.clinic_id)
    return list(said.select_related("matter__owner", "matter__template_step").order_by("-at", "-pk")[:SHOWN])


def theirs(reply: Reply, language: str) -> Line:
    matter = reply.matter
    return Line(
        reply.at,
        said_by_patient(reply),
        language,
        str(CHANNELS.get(reply.channel, "")),
        is_ours=False,
        waits=matter is not None and matter.status == StepStatus.ACTIVE,
    )


def ours_to(patient: Patient) -> Iterable[Line]:
    """What reached or was to reach her; an answer of ours also while it leaves, and when it could not."""
    made = Attempt.objects.filter(patient=patient, clinic=patient.clinic_id)
    shown = made.filter(Q(called_at__isnull=False) | Q(task__message_key=ANSWER)).defer("why", "error")
    return [_ours(attempt) for attempt in shown.order_by("-send_at", "-pk")[:SHOWN]]


def _ours(attempt: Attempt) -> Line:
    trouble = TROUBLE_OF.get(attempt.outcome) if attempt.status == AttemptStatus.FAILED else None
    return Line(
        attempt.sent_at or attempt.called_at or attempt.send_at,
        attempt.body if attempt.channel != PHONE else "",
        attempt.language,
        str(CHANNELS[attempt.channel]),
        is_ours=True,
        is_call=attempt.channel == PHONE,
        receipt=" ".join([outcome_words(attempt), *([str(trouble.label)] if trouble else [])]),
        is_trouble=attempt.status in {AttemptStatus.FAILED, AttemptStatus.UNKNOWN, AttemptStatus.CANCELLED},
    )


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
