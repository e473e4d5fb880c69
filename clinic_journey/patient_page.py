"""The patient's own page: where am I, who has it, what happens by when. GET never acts; an answer is a POST.

The link alone shows a first name, neutral step names and dates, nothing clinical (surfaces.md 4.7). Scanners
and previews fetch every link with GET, so only a pressed button counts as an answer (standards.md 5.3).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import MAXYEAR, datetime, timedelta
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from appointments import waiting
from appointments.models import Appointment, AppointmentStatus
from clinic_journey.language import NATIVE_NAMES
from journeys.models import Journey, Step, StepKind, StepStatus, named
from outreach.answers import answer as record_answer
from outreach.choices import times_to_choose
from outreach.links import journey_for, path_for
from outreach.queries import visit_of
from patients.actions import RefusedError
from patients.models import Patient

ANSWERABLE = (StepKind.CONFIRM, StepKind.BOOK, StepKind.RECALL, StepKind.VISIT, StepKind.CALL)
HIDDEN = (StepKind.AWAIT_PATIENT, StepKind.PROMISE, StepKind.IDENTIFY, StepKind.CALL, StepKind.THANK)
MEANINGS = {"confirm", "another_time", "cannot_come", "ask"}


@dataclass(frozen=True)
class Stage:
    """One line of the way: done at a time, going on now, or due by a time; a visit is at its time, not by it."""

    name: str
    state: str  # is-done, is-now, is-late
    at: datetime | None
    is_visit: bool = False


PageView = Callable[[HttpRequest, Journey, datetime], HttpResponse]


def with_link(view: PageView) -> Callable[[HttpRequest, str], HttpResponse]:
    """Open the journey of a link, in the patient's language and the clinic's time; bad links look alike."""

    @wraps(view)
    def opened(request: HttpRequest, token: str) -> HttpResponse:
        now = timezone.now()
        journey = journey_for(token, now=now)
        if journey is None or journey.patient is None:
            return private(render(request, "patient_page/gone.html", status=404))
        wanted = request.GET.get("lang", journey.patient.language)
        language = wanted if wanted in NATIVE_NAMES else journey.patient.language
        with translation.override(language), timezone.override(journey.clinic.time_zone):
            return private(view(request, journey, now))

    return opened


def private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    # Not "no-referrer": with it browsers send a null Origin, and every answer is refused.
    response["Referrer-Policy"] = "same-origin"
    return response


@require_safe
@with_link
def page(request: HttpRequest, journey: Journey, now: datetime) -> HttpResponse:
    return render(request, "patient_page/page.html", context_of(journey, request, now))


@require_POST
@with_link
def answer(request: HttpRequest, journey: Journey, now: datetime) -> HttpResponse:
    """One of the few things a patient can say; repeated presses change nothing further."""
    meaning = request.POST.get("meaning", "")
    body = request.POST.get("body", "").replace("\0", "").strip()[:1000]  # PostgreSQL keeps no NUL
    step = answerable_step(journey)
    if meaning not in MEANINGS or (meaning == "ask" and not body) or step is None:
        return redirect(path_for(journey))
    start = chosen_start(request.POST.get("start", ""))
    try:
        record_answer(step, meaning, now=now, channel="page", body=body, start=start)
    except RefusedError as refusal:
        context = context_of(journey, request, now) | {"refusal": str(refusal)}
        return render(request, "patient_page/page.html", context, status=409)
    return redirect(f"{path_for(journey)}?said={meaning}&lang={translation.get_language()}")


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


def context_of(journey: Journey, request: HttpRequest, now: datetime) -> dict[str, object]:
    patient = journey.patient
    assert patient is not None  # noqa: S101 - journey_for opens no other
    visit = visit_of(journey.pk)
    is_held = visit is not None and visit.status == AppointmentStatus.PENDING
    step = answerable_step(journey)
    stages = way_of(journey, now, visit=visit)
    late = next((stage for stage in stages if stage.state == "is-late"), None)
    promise = promise_to(patient)
    is_broken = bool(promise and promise.due_at and promise.due_at <= now)
    promised_by = promise.due_at if promise and not is_broken else None
    can_choose = step is not None and step.kind in {
        StepKind.CONFIRM,
        StepKind.BOOK,
        StepKind.RECALL,
        StepKind.VISIT,
    }
    times = times_to_choose(journey, visit, now=now) if can_choose or is_held else []
    return {
        "journey": journey,
        "patient": patient,
        "clinic": journey.clinic,
        "stages": stages,
        "late": late or is_broken,
        "promised_by": promised_by,
        # Where the headline is about a visit, or about nothing, the promise has its own sentence.
        "says_promise": bool(
            promised_by and not late and not is_held and (journey.ended_at or visit or times)
        ),
        "by": next_word(journey, promise, now),
        "visit": visit,
        "to_confirm": bool(visit and visit.confirmed_at is None and visit.status == AppointmentStatus.BOOKED),
        "is_held": is_held,
        "times": times,
        "few_times": "",  # all of them; a refused offer names a few
        "said": request.GET.get("said", ""),
        "asked_for_time": "times" in request.GET,
        "answer_path": f"{path_for(journey)}answer/?lang={translation.get_language()}",
        "offer": waiting.offer_to_answer(journey, now=now),
        "waits": waiting.live_entry_in(journey, visit),
        "can_wait": can_wait(step, visit, now),
        "waiting_path": path_for(journey),
        "languages": list(NATIVE_NAMES.items()),
        "language": translation.get_language(),
        "demo": settings.DEMO,
    }


def can_wait(step: Step | None, visit: Appointment | None, now: datetime) -> bool:
    """A booked visit of another day may become sooner; a step that asks for a first date may wait for one."""
    if visit:
        return visit.status == AppointmentStatus.BOOKED and visit.start > now + timedelta(days=1)
    return (
        step is not None
        and step.status == StepStatus.ACTIVE
        and step.kind in {StepKind.BOOK, StepKind.RECALL}
    )


def way_of(journey: Journey, now: datetime, *, visit: Appointment | None = None) -> list[Stage]:
    steps = (
        journey.steps.filter(
            status__in=[StepStatus.ACTIVE, StepStatus.COMPLETED], template_step__isnull=False
        )
        .exclude(kind__in=HIDDEN)
        .select_related("template_step")
    )
    done = sorted((s for s in steps if s.completed_at), key=lambda s: (s.completed_at, s.pk))
    waiting = sorted((s for s in steps if not s.completed_at), key=lambda s: (s.due_at or now, s.pk))
    stages = [Stage(words_for(step), "is-done", step.completed_at) for step in done]
    for step in waiting:
        ours = step.kind not in {StepKind.CONFIRM, StepKind.VISIT, StepKind.RECALL, StepKind.AWAIT_RESULT}
        late = ours and step.due_at is not None and step.due_at <= now
        if visit and visit.step_id == step.pk:
            stages.append(Stage(words_for(step), "is-now", visit.start, is_visit=True))
            continue
        stages.append(Stage(words_for(step), "is-late" if late else "is-now", step.due_at))
    return stages


def words_for(step: Step) -> str:
    return named(step.template_step.patient_names) if step.template_step else _("We are on it")


def promise_to(patient: Patient) -> Step | None:
    """What was promised on the phone holds on each of her pages, also on that of a journey that has ended."""
    promises = Step.objects.filter(journey__patient=patient, kind=StepKind.PROMISE, status=StepStatus.ACTIVE)
    return promises.order_by("due_at").first()


def next_word(journey: Journey, promise: Step | None, now: datetime) -> datetime | None:
    """By when she hears from us: what was promised, else the nearest deadline of ours."""
    if promise and promise.due_at and promise.due_at > now:
        return promise.due_at
    ours = journey.steps.filter(status=StepStatus.ACTIVE, due_at__gt=now).exclude(
        kind__in=[StepKind.CONFIRM, StepKind.VISIT, StepKind.RECALL, StepKind.AWAIT_PATIENT]
    )
    return ours.order_by("due_at").values_list("due_at", flat=True).first()
