"""The names behind a number as a file; that somebody took them out is itself in the audit trail."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clinic_journey.audit.middleware import event_by, origin_of
from clinic_journey.reports.export import Cells, as_table
from clinic_journey.reports.stuck_asked import Asked
from clinic_journey.reports.stuck_names import LOST, WHO, Name, named, steps_on
from patients import audit
from patients.access import Here, for_staff
from patients.models import MANAGERS, AuditAction

MOST, ASKED = 10_000, 300


@require_POST
@for_staff(*MANAGERS)
def export_names(request: HttpRequest, here: Here) -> HttpResponse:
    asked, who = Asked.of(request.POST, here), request.POST.get("who", "open")
    who = who if who in WHO else "open"
    said = event_by(
        origin_of(request),
        now=here.now,
        what="stuck_names",
        action=AuditAction.EXPORT,
        asked=asked.query(asked.gap, who=who)[:ASKED],
    )
    said.clinic = here.clinic
    found = named(list(steps_on(asked, who).order_by("opened_at", "pk")[:MOST]), asked)
    said.rows = len(found)
    audit.record(said)
    rows = [*_cells(found, here.clinic.time_zone, is_lost=who == LOST)]
    name = f"names-{asked.key}-{here.now:%Y-%m-%d}"
    return as_table(rows, str(WHO[who]), name, request.POST.get("as", ""))


def _cells(found: list[Name], zone: str, *, is_lost: bool) -> Iterator[Cells]:
    """Of those who left also why, and what they said: the reader manages this clinic and reads their records."""
    why = (_("Why"), _("In the patient’s words")) if is_lost else ()
    yield (_("Patient"), _("Step"), _("Waits"), _("By when"), _("Whose"), _("Had to ask"), *why)
    for each in found:
        step, patient = each.step, each.step.journey.patient
        due = step.due_at.astimezone(ZoneInfo(zone)).isoformat(" ", "minutes") if step.due_at else ""
        owner = (step.owner.get_full_name() or step.owner.username) if step.owner else ""
        whose = owner or (step.get_owner_role_display() if step.owner_role else "")
        yield (
            patient.full_name if patient else "",
            step.name,
            each.wait,
            due,
            whose,
            each.chases,
            *((each.why, each.words) if is_lost else ()),
        )
