"""The patient's own page: where am I, who has it, what happens by when. GET never acts; an answer is a POST.

The link alone shows what the message said that carried it: a first name, the visit with its answers, and by when
she hears from us. Where her case is, what she wrote and her card are shown once she has said who she is.
"""

from dataclasses import dataclass
from datetime import MAXYEAR, datetime, timedelta

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from appointments import waiting
from appointments.models import Appointment, AppointmentStatus
from clinic_journey.own_complaint import ShownComplaint, shown_complaints
from clinic_journey.patient_card import comes_in_words, how_reached
from clinic_journey.patient_door import Visitor, let_in, with_page
from clinic_journey.patient_way import HERS, Names, Way, ahead_of, others_of, ways_of, words_for
from clinic_journey.patient_who import asked_of, has_proved
from journeys.models import TOLD_AGAIN, Journey, OwnerRole, Step, StepKind, StepStatus, named
from outreach.answers import answer as record_answer
from outreach.choices import times_to_choose
from outreach.confidence import told_with
from outreach.content import may_name_visits
from outreach.matters import Matter, matters_of, stage_to_ask
from outreach.not_me import holder_says_no
from outreach.queries import visit_of
from patients.actions import RefusedError, StaleStateError
from patients.queries import coming_hours
from patients.windows import ALWAYS

ANSWERABLE = (StepKind.CONFIRM, StepKind.BOOK, StepKind.RECALL, StepKind.VISIT, StepKind.CALL)
CHOOSABLE = {StepKind.CONFIRM, StepKind.BOOK, StepKind.RECALL, StepKind.VISIT}
MEANINGS = {"confirm", "another_time", "cannot_come"}


@require_safe
@with_page
def page(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    return render(request, "patient_page/page.html", context_of(visitor, request))


@require_POST
@with_page
def answer(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """One of the few things a patient can say of her visit; repeated presses change nothing further."""
    meaning = request.POST.get("meaning", "")
    step = answerable_step(visitor.journey)
    if meaning not in MEANINGS or step is None:
        return visitor.back()
    start = chosen_start(request.POST.get("start", ""))
    try:
        refuse_if_moved(visitor.journey, request.POST.get("seen", ""))
        record_answer(step, meaning, now=visitor.now, channel="page", start=start)
    except RefusedError as refusal:
        # Whoever was second with a time sees at once which are still free.
        more = {"refusal": str(refusal), "asked_for_time": start is not None}
        return render(request, "patient_page/page.html", context_of(visitor, request) | more, status=409)
    return visitor.back(meaning)


@require_POST
@with_page
def identify(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """She says who she is, and sees the rest. A wrong answer leaves her all that the link shows, and a trace."""
    if has_proved(request, visitor):
        answer = visitor.back()
        let_in(answer, visitor.journey, is_known=True)
        return answer
    context = context_of(visitor, request) | {"is_wrong": True}
    return render(request, "patient_page/page.html", context, status=422)


@require_POST
@with_page
def not_me(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Whoever holds the link is somebody else: the link is void from here, and a person checks where it went."""
    holder_says_no(visitor.journey, visitor.patient, now=visitor.now)
    return render(request, "patient_page/not_me.html", {"clinic": visitor.journey.clinic})


def refuse_if_moved(journey: Journey, seen: str) -> None:
    """What she says of a visit is of the time that stood on her screen, never of one it was moved to since."""
    visit, start = visit_of(journey.pk), chosen_start(seen)
    if visit and start and visit.start != start:
        raise StaleStateError(_("Your visit was moved meanwhile. This is the time that holds now."))


def chosen_start(text: str) -> datetime | None:
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        return None
    return start if start.tzinfo and 1 < start.year < MAXYEAR else None


def answerable_step(journey: Journey) -> Step | None:
    """The step that waits for the patient's word; any open step takes a question."""
    open_now = list(journey.steps.filter(status=StepStatus.ACTIVE).select_related("template_step"))
    ranked = sorted(
        open_now, key=lambda step: ANSWERABLE.index(StepKind(step.kind)) if step.kind in ANSWERABLE else 99
    )
    return ranked[0] if ranked else journey.steps.order_by("-pk").first()


def context_of(visitor: Visitor, request: HttpRequest) -> dict[str, object]:
    journey, now = visitor.journey, visitor.now
    names = Names(journey.clinic_id)
    # The link alone says no more of a visit than the message that carried it (docs/decisions/028).
    tells = visitor.is_known or may_name_visits(journey.clinic)
    visit = visit_of(journey.pk) if tells else None
    step = answerable_step(journey) if tells else None
    is_held = visit is not None and visit.status == AppointmentStatus.PENDING
    can_choose = step is not None and step.status == StepStatus.ACTIVE and step.kind in CHOOSABLE
    times = times_to_choose(journey, visit, now=now) if can_choose or is_held else []
    (way,) = ways_of([journey], names, now=now)
    open_here = journey.is_confidential
    matters = [
        each
        for each in matters_of(visitor.patient, now=now)
        if open_here or not each.step.journey.is_confidential
    ]
    word = word_for(visitor, way, matters, names)
    return {
        "journey": journey,
        "word": word,
        # Where the headline is about a visit, or about nothing, the promise has its own sentence.
        "says_promise": bool(
            word.promised_by and not word.is_late and not is_held and (journey.ended_at or visit or times)
        ),
        "visit": visit,
        "to_confirm": bool(visit and visit.confirmed_at is None and visit.status == AppointmentStatus.BOOKED),
        "is_held": is_held,
        "times": times,
        "hours_told": bool(times) and coming_hours(visitor.patient).windows != ALWAYS,
        "few_times": "",  # all of them; a refused offer names a few
        "said": request.GET.get("said", ""),
        "asked_for_time": "times" in request.GET,
        "offer": waiting.offer_to_answer(journey, now=now) if tells else None,
        "waits": waiting.live_entry_in(journey, visit) if tells else None,
        "can_wait": can_wait(step, visit, now),
        "matters": [ShownMatter.of(matter, names, now=now) for matter in matters],
        "asked_about": _stage_asked_about(visitor),
        "complaints": _complaints_shown(visitor, names),
        **visitor.frame(),
        **(known_part(visitor, way, names) if visitor.is_known else asked_of(visitor)),
    }


def _stage_asked_about(visitor: Visitor) -> Appointment | None:
    """The link alone speaks of visits of its own journey (docs/decisions/028)."""
    visit = stage_to_ask(visitor.patient, shown=visitor.journey, now=visitor.now)
    is_here = visit is not None and visit.step is not None and visit.step.journey_id == visitor.journey.pk
    return visit if visitor.is_known or (is_here and may_name_visits(visitor.journey.clinic)) else None


def _complaints_shown(visitor: Visitor, names: Names) -> list[ShownComplaint]:
    """That she complained at all is told to her, and to the link that her complaint has."""
    found = shown_complaints(visitor, names)
    own = visitor.journey.pk
    return [each for each in found if visitor.is_known or each.complaint.journey_id == own]


def known_part(visitor: Visitor, way: Way, names: Names) -> dict[str, object]:
    """What is shown to her alone."""
    journey, now = visitor.journey, visitor.now
    others = ways_of(others_of(visitor.patient, journey), names, now=now)
    stages = [*way.stages, *(ahead_of(journey, names, now=now) if not journey.ended_at else [])]
    return {
        "is_known": True,
        "stages": stages,
        "others": [other for other in others if other.stages],
        "promises": [Promised.of(step, names, now=now) for step in promises_to(visitor)],
        "reached": how_reached(visitor.patient, now=visitor.now),
        "comes": comes_in_words(visitor.patient),
    }


@dataclass(frozen=True)
class ShownMatter:
    """What she asked or told us, as the page shows it back."""

    matter: Matter
    who: str
    is_late: bool

    @property
    def words(self) -> str:
        """Her own; where she only pressed a button, what it says."""
        pressed = {
            "another_time": _("Another time"),
            "cannot_come": _("I cannot come"),
            "worried": _("I am worried"),
            "going_badly": _("Not well"),
        }
        return self.matter.words or pressed.get(self.matter.meaning, "")

    @classmethod
    def of(cls, matter: Matter, names: Names, *, now: datetime) -> "ShownMatter":
        return cls(matter, names.of(matter.step), matter.is_late(now))


@dataclass(frozen=True)
class Promised:
    """What we promised: as it was said to her, else the step of hers that it is about."""

    words: str
    by: datetime | None
    who: str
    is_late: bool

    @classmethod
    def of(cls, step: Step, names: Names, *, now: datetime) -> "Promised":
        words = named(step.names) or step.title or (words_for(step.about) if step.about else _("An answer"))
        return cls(words, step.due_at, names.of(step), bool(step.due_at and step.due_at <= now))


@dataclass(frozen=True)
class Word:
    """Whether we are late with our word to her, by when she has it, and from whom."""

    is_late: bool
    by: datetime | None
    promised_by: datetime | None
    who: str


def word_for(visitor: Visitor, way: Way, matters: list[Matter], names: Names) -> Word:
    now = visitor.now
    promise = next(iter(promises_to(visitor)), None)
    is_broken = bool(promise and promise.due_at and promise.due_at <= now)
    late = [matter.step for matter in matters if matter.is_late(now)]
    step = next_word(visitor.journey, promise, now)
    holder = step or (promise if is_broken else None) or next(iter(late), None)
    return Word(
        is_late=is_broken or way.late is not None or bool(late),
        by=step.due_at if step else None,
        promised_by=promise.due_at if promise and not is_broken else None,
        who=names.of(holder) if holder else (way.late.who if way.late else ""),
    )


def can_wait(step: Step | None, visit: Appointment | None, now: datetime) -> bool:
    """A booked visit of another day may become sooner; a step that asks for a first date may wait for one."""
    if visit:
        return visit.status == AppointmentStatus.BOOKED and visit.start > now + timedelta(days=1)
    return (
        step is not None
        and step.status == StepStatus.ACTIVE
        and step.kind in {StepKind.BOOK, StepKind.RECALL}
    )


def promises_to(visitor: Visitor) -> list[Step]:
    """What was promised on the phone holds on each of her pages, also on that of a journey that has ended."""
    hers = Step.objects.filter(told_with(visitor.journey, "journey__"), journey__patient=visitor.patient)
    promises = hers.filter(kind=StepKind.PROMISE, status=StepStatus.ACTIVE)
    return list(promises.select_related("owner", "about__owner", "about__template_step").order_by("due_at"))


def next_word(journey: Journey, promise: Step | None, now: datetime) -> Step | None:
    """What of ours she hears next: what was promised, else the nearest of our deadlines."""
    if promise and promise.due_at and promise.due_at > now:
        return promise
    hers = Q(kind__in=[*HERS, StepKind.AWAIT_PATIENT]) | Q(owner_role=OwnerRole.PATIENT)
    ours = journey.steps.filter(status=StepStatus.ACTIVE, due_at__gt=now).exclude(hers | TOLD_AGAIN)
    return ours.select_related("owner", "about__owner").order_by("due_at").first()
