"""A clinic's own words in place of ours: read, saved, given up again. Ours are never changed by a clinic."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from outreach.models import MessageTemplate
from patients.models import Clinic, Gender, Purpose

NEUTRAL = Gender.UNKNOWN.value


@dataclass(frozen=True)
class Spot:
    """Which text of which message."""

    key: str
    channel: str
    language: str

    def rows(self, clinic: Clinic | None) -> QuerySet[MessageTemplate]:
        """All forms of it: what is shipped, or one clinic's own."""
        return MessageTemplate.objects.filter(
            clinic=clinic, key=self.key, channel=self.channel, language=self.language
        )


def texts_in(language: str, clinic: Clinic | None) -> dict[Spot, MessageTemplate]:
    """Every text in one language in its neutral form: what we ship, or a clinic's own."""
    rows = MessageTemplate.objects.filter(clinic=clinic, language=language, variant=NEUTRAL)
    return {Spot(row.key, row.channel, row.language): row for row in rows}


def purpose_of(key: str, clinic_id: int) -> str:
    """The class of a message, as open_tasks() reads it: that of its key, ours to say where we ship it."""
    return purpose_said_by(None, key) or purpose_said_by(clinic_id, key) or Purpose.SERVICE


def purpose_said_by(clinic_id: int | None, key: str) -> str:
    """By what we ship, or by a clinic's own texts; empty where there are none of this key."""
    found = MessageTemplate.objects.filter(clinic=clinic_id, key=key).order_by("purpose")
    return found.values_list("purpose", flat=True).first() or ""


@transaction.atomic
def save_own_words(clinic: Clinic, spot: Spot, *, subject: str, bodies: Mapping[str, str]) -> None:
    """One row a form; a form left empty is gone. The class of a message is ours to say: it comes from what we ship.

    What a provider has approved are these words and no others, so its name goes with them. The caller has looked at
    the words (wording.py).
    """
    purpose = spot.rows(None).get(variant=NEUTRAL).purpose
    known = [*spot.rows(None), *spot.rows(clinic)]
    approved = {_unbroken(row.body): row.approved_as for row in known if row.approved_as}
    for variant, body in bodies.items():
        own = spot.rows(clinic).filter(variant=variant)
        if not body:
            own.delete()
            continue
        MessageTemplate.objects.update_or_create(
            clinic=clinic,
            key=spot.key,
            channel=spot.channel,
            language=spot.language,
            variant=variant,
            defaults={
                "subject": subject,
                "body": body,
                "purpose": purpose,
                "approved_as": approved.get(_unbroken(body), ""),
            },
        )


def _unbroken(body: str) -> str:
    """The words alone: a browser breaks lines in its own way."""
    return " ".join(body.split())


@transaction.atomic
def give_up_own_words(clinic: Clinic, spot: Spot) -> None:
    spot.rows(clinic).delete()
