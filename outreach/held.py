"""What waits until a person has looked: all that would go where words may have meant STOP that nobody has read yet,
and what a decision told us to say while the doctor looks at it once more.
"""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from journeys.models import OwnerRole, Step, StepKind, StepStatus
from outreach.because import Because
from outreach.channels import PHONE
from outreach.models import WAITED_FOR, OutreachTask, Reply
from patients.actions import RefusedError
from patients.models import Purpose
from referrals.actions import FOLLOWS_A_DECISION

MAYBE_STOP = "maybe_stop"  # the meaning of such words, until a person has settled what they are
WAITING = (StepStatus.ACTIVE, StepStatus.ON_HOLD)
LOOK_AGAIN = timedelta(minutes=10)  # whether somebody has looked
REVIEWS = Step.objects.filter(journey=OuterRef("journey"), kind=StepKind.REVIEW)
DECIDED = REVIEWS.filter(status=StepStatus.COMPLETED, completed_at__lte=OuterRef("opened_at"))
LOOKED_AT_AGAIN = REVIEWS.filter(status__in=WAITING, opened_at__gt=OuterRef("opened_at"))
IN_DOUBT = Step.objects.filter(
    Exists(DECIDED), Exists(LOOKED_AT_AGAIN), kind__in=FOLLOWS_A_DECISION
)  # opened by a decision, and something that corrects it has come since
UNREAD = Reply.objects.filter(meaning=MAYBE_STOP, matter__status__in=WAITING)


def is_in_doubt(step: Step) -> bool:
    """Of a person's own step, whether what it is about is. Her own question is answered, and the doctor knows best."""
    told = step.about if step.about and step.template_step_id is None else step
    is_a_question = told.kind == StepKind.CALL and told.template_step_id is None
    if is_a_question or step.owner_role == OwnerRole.DOCTOR or told.kind not in FOLLOWS_A_DECISION:
        return False
    return IN_DOUBT.filter(pk=told.pk).exists()


def refuse_in_doubt(step: Step) -> None:
    """What follows from a decision that may change is told by nobody."""
    if is_in_doubt(step):
        raise RefusedError(
            _("Something new has come, and the doctor looks at it once more. Nothing is told until then.")
        )


class Held:
    """Of some tasks, read once for a batch."""

    def __init__(self, tasks: Iterable[OutreachTask]) -> None:
        listed = list(tasks)
        patients, steps = {task.patient_id for task in listed}, {task.step_id for task in listed}
        self._in_doubt = set(IN_DOUBT.filter(pk__in=steps).values_list("pk", flat=True))
        self._unread = set(UNREAD.filter(patient__in=patients).values_list("patient", "contact_point"))

    def bar(self, task: OutreachTask, point_id: int, channel: str) -> Because | None:
        """People read what was written before they call; what she waits for, and safety, STOP itself would not stop."""
        if task.step_id in self._in_doubt and task.message_key not in WAITED_FOR:
            return Because.DECIDED_ANEW
        if channel == PHONE or task.message_key in WAITED_FOR or task.purpose == Purpose.SAFETY:
            return None
        return Because.MAYBE_STOP if (task.patient_id, point_id) in self._unread else None


def is_held_no_more() -> dict[Because, Q]:
    """The same as conditions of the statement that begins calls; no person's call is begun by it."""
    task = OutreachTask.objects.filter(pk=OuterRef("task"))
    goes_anyway = Q(Exists(task.filter(Q(message_key__in=WAITED_FOR) | Q(purpose=Purpose.SAFETY))))
    unread = UNREAD.filter(patient=OuterRef("patient"), contact_point=OuterRef("contact_point"))
    in_doubt = IN_DOUBT.filter(outreach_tasks=OuterRef("task"))
    return {
        Because.DECIDED_ANEW: ~Q(Exists(in_doubt)) | Q(Exists(task.filter(message_key__in=WAITED_FOR))),
        Because.MAYBE_STOP: ~Q(Exists(unread)) | goes_anyway,
    }
