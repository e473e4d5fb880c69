"""Results for the doctor: one key a decision, all that follows from it shown before and done at once."""

from collections.abc import Callable
from datetime import MAXYEAR, datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clinic_journey import desk
from clinic_journey.desk import Press
from clinic_journey.models import DeskAction
from clinic_journey.outcomes import ASKED_AGAIN, OF_THE_DOCTOR, words_of
from clinic_journey.results_item import DECIDES, follows_of, item_of, other_times_of, visit_of
from clinic_journey.results_list import (
    SHOWN,
    arrived_since,
    expected_rows,
    lists_of,
    read_mark,
    result_rows,
    results_here,
    tallies,
)
from clinic_journey.undo import contacted_since, contacted_words, undo
from journeys.clinic_time import due_within
from patients import audit
from patients.access import Here, for_staff
from patients.actions import RefusedError
from patients.models import Patient
from patients.presses import pressed
from patients.queries import doctors_of, named_by, patients_of, search_patients
from referrals import actions, chasing, passing, queries
from referrals.forms import RejectForm
from referrals.models import Decision, IncomingDocument, Referral, Result, ReviewPass
from referrals.words import in_words

OFFERED = 9  # one for each digit


@require_GET
@for_staff()
def results(request: HttpRequest, here: Here) -> HttpResponse:
    """To decide, expected, not matched, closed today: one list at a time, one item beside it."""
    shown = request.GET.get("list", "decide")
    return _screen(request, here, shown=shown, item=request.GET.get("item"))


def _screen(
    request: HttpRequest, here: Here, *, shown: str, item: str | None, note: str = "", status: int = 200
) -> HttpResponse:
    lists = lists_of(here)
    if shown not in lists:
        raise Http404
    found = list(lists[shown][:SHOWN])
    selected = next((row for row in found if str(row.public_id) == item), None)
    if selected is None and item is None and found:
        selected = found[0]
    elif selected is None and item and (selected := named_by(lists[shown], item)):
        found.append(selected)  # it stands below what is shown of a long list
    rows: list[Any] = found
    if shown != "unmatched":
        rows = expected_rows(found, here) if shown == "expected" else result_rows(found, here)
    text = request.GET.get("q", "").strip()
    meant = _meant(selected, lists["expected"], text, here) if isinstance(selected, IncomingDocument) else []
    audit.shows(*_patients_of(selected, meant), rows=len(found))
    last = desk.last_decision_of(here)
    told_at = contacted_since(last) if last else None
    with_follows = "follows" in request.GET or note != ""
    context: dict[str, object] = {
        "last": last,
        "last_words": words_of(last.what) if last else "",
        "told": contacted_words(told_at) if told_at else "",
        "shown": shown,
        "rows": rows,
        "selected": selected,
        "row": next((row for row, known in zip(rows, found, strict=True) if known == selected), None),
        **tallies(here, lists, **{shown: len(found)}),
        "with_follows": with_follows,
        "now": here.now,
        "note": note,
    }
    if isinstance(selected, IncomingDocument):
        context |= _puzzle(selected) | {"candidates": meant, "q": text}
    elif isinstance(selected, Result):
        context |= item_of(selected, here, with_follows=with_follows)
    elif selected is not None:
        context["looks"] = _looks(here)
    return render(request, "referrals/results.html", context, status=status)


def _meant(document: IncomingDocument, expected: QuerySet[Referral], text: str, here: Here) -> list[Referral]:
    """Whose a document may be: as the matcher left it, or what we wait for from patients found by name or number."""
    if not text:
        return queries.candidates_of(document)
    people = search_patients(patients_of(here.clinic), text).order_by()
    return list(expected.filter(patient__in=people.values("pk"))[:OFFERED])


def _patients_of(
    selected: Result | Referral | IncomingDocument | None, meant: list[Referral]
) -> list[Patient]:
    """Whose details stand beside the list; of a document that nobody could match, all who may be meant."""
    if isinstance(selected, IncomingDocument):
        return [referral.patient for referral in meant]
    referral = selected.referral if isinstance(selected, Result) else selected
    return [referral.patient] if referral else []


def _puzzle(document: IncomingDocument) -> dict[str, object]:
    """What is known about a document nobody could match for certain."""
    return {
        "reject_form": RejectForm(),
        "reasons": [in_words(code) for code in document.reasons],
        "files": [(file, in_words(file.problem) if file.problem else "") for file in document.files.all()],
    }


def _result(here: Here, result_id: UUID) -> Result:
    """The role counts in its own clinic, and so does the result."""
    return get_object_or_404(results_here(here), public_id=result_id)


@require_GET
@for_staff(*DECIDES)
def other_times(request: HttpRequest, here: Here, result_id: UUID) -> HttpResponse:
    """The times for another length, without leaving what was typed."""
    result = _result(here, result_id)
    minutes = _minutes(request.GET.get("minutes", ""))
    found = other_times_of(result, visit_of(result), here, minutes)
    return render(request, "referrals/_times.html", found)


@require_GET
@for_staff(*DECIDES)
def follows(request: HttpRequest, here: Here, result_id: UUID) -> HttpResponse:
    """What each decision would set going; the page fetches it after itself."""
    result = _result(here, result_id)
    if result.decision or result.review is None:
        return HttpResponse(status=204)
    return render(request, "referrals/_follows.html", follows_of(result, here))


def _minutes(text: str) -> int:
    return int(text) if text in {str(length) for length in range(5, 181, 5)} else 0


def _other_time(request: HttpRequest) -> actions.OtherTime | None:
    try:
        start = datetime.fromisoformat(request.POST.get("start", ""))
    except ValueError:
        return None
    if start.tzinfo is None or not 1 < start.year < MAXYEAR:
        return None
    return actions.OtherTime(start, _minutes(request.POST.get("minutes", "")))


@require_POST
@for_staff(*DECIDES)
def decide(request: HttpRequest, here: Here, result_id: UUID) -> HttpResponse:
    """One key a decision; everything that follows from it happens at once."""
    result = _result(here, result_id)
    note = request.POST.get("note", "").replace("\0", "").strip()
    at = _other_time(request)
    decision = Decision.TREAT_OTHER if at else request.POST.get("decision", "")
    if decision not in Decision.values:
        raise Http404
    try:
        _saved(
            result,
            Press(decision, request.POST.get("request_key", "")[:40] or None),
            lambda: actions.record_review(result, decision, now=here.now, by=here.user, note=note, at=at),
            here,
        )
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return _screen(request, here, shown="decide", item=str(result.public_id), note=note, status=409)
    return redirect("results")


def _saved(result: Result, press: Press, act: Callable[[], object], here: Here) -> None:
    """Do it with its way back; a result without a review has nothing to decide, and is refused in words."""
    if result.review is None:
        act()
    else:
        desk.save_decision(result.review, press, act, here=here)


@require_POST
@for_staff(*DECIDES)
def undo_decision(request: HttpRequest, here: Here, action_id: int) -> HttpResponse:
    """The review is open again, the visit as it was, and what the patient has not been told yet is not told."""
    mine = DeskAction.objects.filter(user=here.user, clinic=here.clinic, what__in=OF_THE_DOCTOR)
    action = get_object_or_404(mine.select_related("step", "patient"), pk=action_id)
    result = action.step.results.order_by("-version").first()
    try:
        undo(action, now=here.now, by=here.user)
    except RefusedError as refusal:  # what was decided is not in the list any more
        messages.error(request, str(refusal))
        return redirect("results")
    messages.success(request, _("Undone. Everything is as it was."))
    return redirect(f"/results/?item={result.public_id}" if result else "/results/")


def _done(request: HttpRequest, act: Callable[[], object], words: str, back: str) -> HttpResponse:
    return pressed(request, act, words, redirect(back))


@require_POST
@for_staff(*DECIDES)
def pass_on(request: HttpRequest, here: Here, result_id: UUID) -> HttpResponse:
    result = _result(here, result_id)
    to = doctors_of(here.clinic).filter(username=request.POST.get("to", "")).first()
    back = f"/results/?item={result.public_id}"
    if result.review is None or to is None:
        messages.error(request, _("Choose a doctor of this clinic."))
        return redirect(back)
    review, because = result.review, request.POST.get("because", "")
    words = _("Passed to %(name)s. Until it is accepted it stays where it is, and the clock runs.")
    return _done(
        request,
        lambda: passing.pass_on(review, to=to, now=here.now, by=here.user, because=because),
        words % {"name": to.get_full_name()},
        back,
    )


@require_POST
@for_staff(*DECIDES)
def answer_pass(request: HttpRequest, here: Here, pass_id: UUID) -> HttpResponse:
    """Accept, or give back; only the colleague who was asked can."""
    asked = get_object_or_404(
        ReviewPass.objects.select_related("review"),
        public_id=pass_id,
        review__clinic=here.clinic,
        to=here.user,
    )
    accepts = request.POST.get("answer") == "accept"
    act = passing.accept if accepts else passing.give_back
    words = _("It is yours now.") if accepts else _("Given back. It stays with its owner.")
    return _done(request, lambda: act(asked, now=here.now, by=here.user), words, "/results/")


@require_POST
@for_staff(*DECIDES)
def ask_again(request: HttpRequest, here: Here, result_id: UUID) -> HttpResponse:
    """It cannot be read: reception asks the institute, and the patient gets a date."""
    result = _result(here, result_id)
    words = _(
        "Reception asks for it again, and the patient is told by when she hears. Your review rests until then."
    )
    act = partial(chasing.ask_again, result, now=here.now, by=here.user)
    return _done(request, lambda: _saved(result, Press(ASKED_AGAIN), act, here), words, "/results/")


def _looks(here: Here) -> list[datetime]:
    """When to look again: in one, two and three working days."""
    return [due_within(limit, here.opening, now=here.now) for limit in chasing.LOOK_AGAIN]


@require_POST
@for_staff()
def chase(request: HttpRequest, here: Here, referral_id: UUID) -> HttpResponse:
    """The institute was asked: what it said, and when we look again."""
    mine = queries.referrals_visible_to(here.user).filter(clinic=here.clinic)
    referral = get_object_or_404(mine, public_id=referral_id)
    nth = request.POST.get("look", "")
    back = f"/results/?list=expected&item={referral.public_id}"
    looks = _looks(here)
    if nth not in {str(n) for n in range(len(looks))}:
        messages.error(request, _("Choose when to look again."))
        return redirect(back)
    at, words = looks[int(nth)], request.POST.get("words", "").replace("\0", "")
    return _done(
        request,
        lambda: chasing.chase(referral, look_again_at=at, now=here.now, by=here.user, words=words),
        _("Noted. It comes back to the top when it is time to look."),
        back,
    )


@require_GET
@for_staff()
def fresh(request: HttpRequest, here: Here) -> HttpResponse:
    """Whether something has arrived since the page was made: a line to press, never a row that moves."""
    mark = read_mark(request.GET.get("since", ""))
    arrived = arrived_since(here, mark)
    if str(arrived) == request.GET.get("known", "0"):
        return HttpResponse(status=204)
    return render(request, "referrals/_fresh.html", {"arrived": arrived, "newest": mark})
