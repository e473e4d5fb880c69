"""Writes of what somebody undertakes about a gap: it begins on a day, and it ends."""

from dataclasses import dataclass
from datetime import date

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clinic_journey.reports.stages_models import Improvement
from patients.actions import RefusedError, StaleStateError
from patients.models import Clinic


@dataclass(frozen=True)
class Idea:
    """What is changed at a step of a journey, who sees to it, and since when."""

    template_key: str
    step_key: str
    words: str
    owner: User
    begun_on: date


@transaction.atomic
def begin(clinic: Clinic, idea: Idea) -> Improvement:
    try:
        with transaction.atomic():
            return Improvement.objects.create(clinic=clinic, **vars(idea))
    except IntegrityError as same:
        raise RefusedError(_("The same was noted before.")) from same


def end(idea: Improvement, on: date) -> None:
    """Whoever comes second changes nothing. One that never began ends on the day it was to begin."""
    still = Improvement.objects.filter(pk=idea.pk, ended_on__isnull=True)
    if not still.update(ended_on=max(on, idea.begun_on)):
        raise StaleStateError(_("It had ended already."))
