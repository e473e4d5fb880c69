"""The line with the way back after a save, on every page from which something is saved."""

from typing import Any

from django import template

from clinic_journey import desk
from clinic_journey.outcomes import words_of
from patients.access import place_of
from patients.models import Patient

register = template.Library()


@register.inclusion_tag("today/_saved.html", takes_context=True)
def last_save(context: dict[str, Any], patient: Patient | None = None) -> dict[str, object]:
    """The asker's newest save that can still be undone; on a page about one patient, only of that one."""
    request = context["request"]
    here = (
        place_of(request) if request.method == "GET" else None
    )  # after a refusal there is no page to go back to
    last = desk.last_action_of(here) if here else None
    if last is None or (patient and last.patient_id != patient.pk):
        return {}
    return {"last": last, "last_words": words_of(last.what), "back": request.get_full_path()}
