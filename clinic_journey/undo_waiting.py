"""What an undo means for those who wait for a time: what the save freed is not offered, and places are kept."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from appointments.models import Appointment
from appointments.waiting_models import (
    Offer,
    OfferStatus,
    Opening,
    OpeningStatus,
    WaitlistEntry,
    WaitStatus,
)
from clinic_journey.models import DeskAction
from patients.actions import StaleStateError


def take_back_freed_time(action: DeskAction, visits: Iterable[Appointment]) -> None:
    """The time of `visits` is theirs again: nobody is asked about it any more. Inside atomic().

    Refused where somebody has been asked since: a patient may be reading that offer. The tick makes its offers
    under the lock of the opening, so it comes wholly before or wholly after this.
    """
    for visit in visits:
        again = Opening.objects.filter(
            practitioner=visit.practitioner_id, start__lt=visit.end, end__gt=visit.start
        )
        openings = list(again.select_for_update(no_key=True).order_by("pk"))
        if Offer.objects.filter(opening__in=openings, made_at__gte=action.at).exists():
            raise StaleStateError(
                _("The time that became free has been offered to others since then; it cannot be undone.")
            )
        Opening.objects.filter(
            pk__in=[each.pk for each in openings], status=OpeningStatus.OPEN, freed_at__gte=action.at
        ).update(status=OpeningStatus.GONE, wave_from=None)


def refuse_if_an_offer_has_ended(action: DeskAction, steps: Iterable[str]) -> None:
    """A step that waits for an answer to an offer makes no sense once the offer is over."""
    if Offer.objects.filter(step__in=list(steps), ended_at__gte=action.at).exists():
        raise StaleStateError(_("The offer to this patient has ended since then; it cannot be undone."))


def let_ticks_settle_again(steps: Iterable[str]) -> None:
    """A step that is open again about an offer that is over: the tick ends it once more."""
    over = Offer.objects.filter(step__in=list(steps), is_settled=True).exclude(status=OfferStatus.OPEN)
    over.update(is_settled=False)


def give_back_places(action: DeskAction, *, steps: Iterable[str], visits: Iterable[str]) -> None:
    """Whoever lost her place on the list because of the save has it again, since when she waits."""
    said_yes = Offer.objects.filter(entry=OuterRef("pk"), status=OfferStatus.ACCEPTED)
    WaitlistEntry.objects.filter(
        ~Exists(said_yes),
        Q(step__in=list(steps), appointment__isnull=True) | Q(appointment__in=list(visits)),
        patient=action.patient_id,
        ended_at__gte=action.at,
        status__in=[WaitStatus.PLACED, WaitStatus.EXPIRED],
    ).update(status=WaitStatus.WAITING, ended_at=None)
