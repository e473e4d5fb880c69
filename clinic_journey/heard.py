"""What a patient has said lately: shown beside her row, and told while it is open."""

from datetime import datetime, timedelta
from typing import NamedTuple

from clinic_journey.enclosed_files import WITH_FILES, EnclosedFile, enclosed_in
from clinic_journey.history_words import said_by_patient
from outreach.models import Reply
from patients.access import Here

HEARD, HEARD_FOR = 3, timedelta(days=14)


class Heard(NamedTuple):
    """What the patient wrote, or pressed on her page."""

    pk: int
    at: datetime
    words: str
    files: tuple[EnclosedFile, ...] = ()


def heard_from(patient_id: int | None, here: Here, *, after: int = 0) -> list[Heard]:
    """The newest first; `after`: the newest that a page shows already."""
    if patient_id is None:
        return []
    recent = Reply.objects.filter(
        patient=patient_id, clinic=here.clinic, pk__gt=after, at__gt=here.now - HEARD_FOR
    )
    newest = recent.prefetch_related(WITH_FILES).order_by("-pk")[:HEARD]
    return [Heard(reply.pk, reply.at, said_by_patient(reply), enclosed_in(reply)) for reply in newest]
