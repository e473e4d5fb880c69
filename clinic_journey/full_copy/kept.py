"""The copy that a parent may have: without the journeys that are kept from the parents, and all that leads to them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from django.db.models import ForeignKey, Model, Q

from journeys.models import Journey
from outreach.models import Reply
from patients.models import AuditEvent
from referrals.models import IncomingDocument, Source


class Told:
    """Goes through the tables in the order of the copy, in which a row comes after those that it names."""

    def __init__(self, *, for_parents: bool) -> None:
        self._for_parents = for_parents
        self._left_out: dict[type[Model], set[int]] = defaultdict(set)

    def among(self, rows: Iterable[Model]) -> Iterator[Model]:
        for row in rows:
            if self._for_parents and self._is_kept(row):
                self._left_out[type(row)].add(row.pk)
            else:
                yield row

    def _is_kept(self, row: Model) -> bool:
        if isinstance(row, Journey):
            return row.is_confidential
        if isinstance(row, AuditEvent):
            return True  # it names rows of any journey, and does not say of which
        if isinstance(row, Reply) and not (row.step_id or row.matter_id or row.attempt_id):
            return True  # her own words, of which nobody knows what they are about
        if isinstance(row, IncomingDocument) and row.source == Source.MESSAGE and _came_with_kept_words(row):
            return True
        return any(
            getattr(row, field.attname) in self._left_out.get(field.related_model, ())
            for field in row._meta.concrete_fields
            if isinstance(field, ForeignKey)
        )


def _came_with_kept_words(document: IncomingDocument) -> bool:
    """As the reply is itself, which stands further on in the copy."""
    about = ("step__journey", "matter__journey", "attempt__task__step__journey")
    kept, said = Q(), Q()
    for journey in about:
        kept |= Q(**{f"{journey}__is_confidential": True})
        said |= Q(**{f"{journey}__isnull": False})
    words = Reply.objects.filter(files__document=document)
    return words.filter(kept | ~said).exists()
