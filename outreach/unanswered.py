"""How often a contact was tried in vain, kept on its task: so an index, and not a count, finds who is silent (S4)."""

from collections.abc import Iterable

from django.db.models import Case, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from outreach.models import Attempt, OutreachTask
from outreach.queries import CARRIED_OUT
from outreach.silence import BAD_ADDRESS, ENOUGH, NO_SILENCE


def tries_in_vain() -> QuerySet[Attempt]:
    """What was carried out and got no answer; what a channel did not take tried nothing."""
    return Attempt.objects.filter(status__in=CARRIED_OUT).exclude(outcome__in=NO_SILENCE)


def count_unanswered(task_ids: Iterable[int]) -> None:
    """Count anew, after the outcome of an attempt was written or taken back, under the lock of the journey.

    An address that does not work says enough at once, and counts so.
    """
    weight = Case(When(Q(outcome__in=BAD_ADDRESS), then=Value(ENOUGH)), default=Value(1))
    in_vain = tries_in_vain().filter(task=OuterRef("pk")).order_by().values("task")
    counted = Subquery(in_vain.annotate(n=Sum(weight)).values("n"), output_field=IntegerField())
    OutreachTask.objects.filter(pk__in=list(task_ids)).update(unanswered=Coalesce(counted, 0))
