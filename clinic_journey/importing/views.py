"""Import: the list with the upload, then for each file its columns, its check, its progress, what came of it."""

from datetime import timedelta
from itertools import islice
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from clinic_journey.importing import actions, queries, rejected
from clinic_journey.importing.forms import ColumnsForm, UploadForm
from clinic_journey.importing.models import AT_WORK, MAY_MAP, Import, ImportKind, ImportStatus, RowState
from clinic_journey.importing.reading import Layout, rows
from clinic_journey.importing.workbook import sheets
from patients import audit
from patients.access import Here, for_staff
from patients.actions import RefusedError
from patients.models import MANAGERS

LISTED = 50
SAMPLES = 3


def _import(here: Here, import_id: UUID) -> Import:
    visible = queries.imports_visible_to(here.user).filter(clinic=here.clinic)
    return get_object_or_404(visible, public_id=import_id)


@require_http_methods(["GET", "POST"])
@for_staff(*MANAGERS)
def imports(request: HttpRequest, here: Here) -> HttpResponse:
    """Earlier imports, and the upload of the next one."""
    given = request.POST or None
    form = UploadForm(given, request.FILES or None, initial={"kind": ImportKind.PATIENTS})
    if request.method == "POST" and form.is_valid():
        try:
            run = actions.upload(here.clinic, form.upload(), now=here.now, by=here.user)
        except RefusedError as refusal:
            form.add_error("file", str(refusal))
        else:
            return redirect("import", run.public_id)
    earlier = queries.imports_visible_to(here.user).filter(clinic=here.clinic)[:LISTED]
    status = 422 if request.method == "POST" else 200
    return render(
        request, "importing/imports.html", {"form": form, "imports": earlier, "step": 1}, status=status
    )


@require_GET
@for_staff(*MANAGERS)
def one_import(request: HttpRequest, here: Here, import_id: UUID) -> HttpResponse:
    """Wherever this import stands: the page of that step."""
    run = _import(here, import_id)
    if run.status == ImportStatus.MAPPING:
        return _columns_page(request, run, ColumnsForm(run))
    if run.status == ImportStatus.CHECKED:
        return _check_page(request, run, here)
    is_working = run.status in AT_WORK
    context: dict[str, object] = {
        "run": run,
        "is_working": is_working,
        "step": 3 if run.status in {ImportStatus.READING, ImportStatus.CHECKING} else 4,
    }
    context |= _progress(run, here) if is_working else _outcome(run)
    return render(request, "importing/progress.html", context)


def _progress(run: Import, here: Here) -> dict[str, object]:
    progress = queries.progress(run, now=here.now)
    left = progress.left if progress else None
    return {"progress": progress, "minutes_left": -(-left // timedelta(minutes=1)) if left else None}


def _outcome(run: Import) -> dict[str, object]:
    counts = queries.counts(run)
    outcome = [(state.label, counts.by_state[state]) for state in RowState if state in counts.by_state]
    noted, differing = queries.noted(run), queries.differing(run)
    audit.shows(rows=len({row.pk for row in (*noted, *(each.row for each in differing))}))
    return {"counts": counts, "outcome": outcome, "noted": noted, "differing": differing}


@require_http_methods(["GET", "POST"])
@for_staff(*MANAGERS)
def columns(request: HttpRequest, here: Here, import_id: UUID) -> HttpResponse:
    """What each column fills; can be chosen anew until something is written."""
    run = _import(here, import_id)
    if run.status not in MAY_MAP:
        return redirect("import", run.public_id)
    if request.method == "GET":
        return _columns_page(request, run, ColumnsForm(run))
    if request.POST.get("sheet") and request.POST["sheet"] != run.sheet:
        return _other_sheet(request, run, request.POST["sheet"])
    form = ColumnsForm(run, request.POST)
    if form.is_valid():
        try:
            actions.choose_columns(run, form.chosen(), form.cleaned_data["date_order"], now=here.now)
        except RefusedError as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("import", run.public_id)
    return _columns_page(request, run, form, status=422)


def _other_sheet(request: HttpRequest, run: Import, sheet: str) -> HttpResponse:
    try:
        actions.choose_sheet(run, sheet)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return redirect("import", run.public_id)


def _columns_page(request: HttpRequest, run: Import, form: ColumnsForm, *, status: int = 200) -> HttpResponse:
    """Beside each column what stands in it, so that it is recognised."""
    with run.opened() as file:
        found = rows(file, Layout(run.encoding, run.delimiter, run.sheet))
        below = (cells for number, cells in found if number > run.header_row)
        sample = list(islice(below, SAMPLES))
        names = () if run.encoding else sheets(file)
    shown = [
        (field, [cells[number] for cells in sample if number < len(cells) and cells[number]])
        for number, field in enumerate(form.columns)
    ]
    audit.shows(rows=len(sample))
    context = {"run": run, "form": form, "shown": shown, "sheets": names, "step": 2}
    return render(request, "importing/columns.html", context, status=status)


def _check_page(request: HttpRequest, run: Import, here: Here) -> HttpResponse:
    preview = queries.preview(run, now=here.now)
    audit.shows(rows=len(preview))
    context = {
        "run": run,
        "groups": queries.problem_groups(run),
        "counts": queries.counts(run),
        "preview": preview,
        "step": 3,
    }
    return render(request, "importing/check.html", context)


@require_POST
@for_staff(*MANAGERS)
def decide(request: HttpRequest, here: Here, import_id: UUID) -> HttpResponse:
    """Keep what was decided about the problems; with `start`, begin to write."""
    run = _import(here, import_id)
    try:
        actions.decide(run, request.POST.getlist("left_empty"))
        if "start" in request.POST:
            actions.start(run, now=here.now)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return redirect("import", run.public_id)


@require_POST
@for_staff(*MANAGERS)
def undo(request: HttpRequest, here: Here, import_id: UUID) -> HttpResponse:
    run = _import(here, import_id)
    try:
        actions.undo(run, now=here.now)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
    return redirect("import", run.public_id)


@require_POST
@for_staff(*MANAGERS)
def throw_away(request: HttpRequest, here: Here, import_id: UUID) -> HttpResponse:
    run = _import(here, import_id)
    try:
        actions.throw_away(run)
    except RefusedError as refusal:
        messages.error(request, str(refusal))
        return redirect("import", run.public_id)
    messages.success(request, _("Removed, with the file."))
    return redirect("imports")


@require_GET
@for_staff(*MANAGERS)
def rejected_rows(_request: HttpRequest, here: Here, import_id: UUID) -> StreamingHttpResponse:
    """The rows left out with their reasons, as a table to repair and upload again."""
    run = _import(here, import_id)
    audit.shows(rows=queries.refused_rows(run).count())
    answer = StreamingHttpResponse(rejected.lines(run), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="left-out.csv"'
    return answer
