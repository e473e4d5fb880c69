"""Words of which nobody can say whose they are: from an address that is nobody's, or one of several people. Never
guessed: a person finds out. So with words that nothing could be made of (incoming.py).
"""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from journeys.actions import AdHoc, open_unidentified
from journeys.clinic_time import soon
from journeys.models import Step, StepKind, StepStatus
from outreach.answers import READ_WITHIN
from outreach.channels.inbound import Said
from outreach.enclosed import enclose
from outreach.enclosed_models import ReplyFile
from outreach.models import Reply
from outreach.said import MEANINGS, asks_of, kept
from patients.models import Clinic, ContactPoint
from patients.templatetags.phones import phone

MOST_FILES, A_DAY = 10, timedelta(days=1)  # from an address that is no patient's


@transaction.atomic
def ask_who_it_is(said: Said, clinic: Clinic | None, *, now: datetime) -> str:
    """A step for the desk; what else comes from there meanwhile is with the same person. Returns what came of it.

    A number that stands in several clinics is a matter of one of these, and of none that has never heard of it.
    """
    where = clinic or _first_that_knows(said) or Clinic.objects.order_by("pk").first()
    if where is None:
        return "no_clinic"
    point, _made = ContactPoint.objects.select_for_update(no_key=True).get_or_create(
        clinic=where, kind=said.kind, value=said.value
    )
    matter = _asked_already(point) or _ask(said, point, where, now=now)
    reply = Reply.objects.create(
        clinic=where,
        contact_point=point,
        channel=said.channel,
        at=said.at,
        body=kept(said, where),
        meaning=MEANINGS.get(asks_of(said), ""),  # no more answers go there (strangers.py)
        step=matter,
        matter=matter,
    )
    enclose(reply, _with_few_files(said, point, now=now), now=now)
    return "unknown_writer"


def _with_few_files(said: Said, point: ContactPoint, *, now: datetime) -> Said:
    """Anybody may write, so nobody's files fill the disk: the words name those that are too many."""
    if point.ties.exists():
        return said
    lately = ReplyFile.objects.filter(reply__contact_point=point, asked_at__gt=now - A_DAY).count()
    return replace(said, files=said.files[: max(MOST_FILES - lately, 0)])


def _first_that_knows(said: Said) -> Clinic | None:
    """Where a patient has this address, else where whoever writes was answered in writing, or wrote, last."""
    known = ContactPoint.objects.filter(kind=said.kind, value=said.value).select_related("clinic")
    of_patients = known.filter(ties__isnull=False).order_by("clinic", "pk").first()
    found = of_patients or known.order_by("-pk").first()
    return found.clinic if found else None


def _asked_already(point: ContactPoint) -> Step | None:
    asked = Step.objects.filter(kind=StepKind.CALL, status=StepStatus.ACTIVE, journey__patient__isnull=True)
    return asked.filter(asked_in__contact_point=point).first()


def _ask(said: Said, point: ContactPoint, clinic: Clinic, *, now: datetime) -> Step:
    named = {"address": phone(said.value, clinic.country), "words": kept(said, clinic)}
    due_at = soon(clinic, READ_WITHIN, now=now)
    is_shared = point.ties.exists()

    def title() -> str:
        if is_shared:
            return _("Which patient is meant? From %(address)s: %(words)s") % named
        return _("Who wrote from %(address)s? %(words)s") % named

    return open_unidentified(clinic, AdHoc(StepKind.CALL, title, due_at), now=now)
