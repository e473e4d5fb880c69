"""A safe start: until a clinic opens the gate, its messages leave for a list of addresses alone.

So do those of a channel whose provider the country's rules ask somebody to answer for first.
"""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _, gettext_lazy

from outreach.because import Because
from outreach.channels import leaves_this_machine, leaving
from outreach.provider_models import AllowedAddress, Gate
from outreach.provider_terms import Providers, unanswered
from patients.actions import RefusedError
from patients.addresses import normal_address
from patients.models import AddressKind, Clinic, ContactPoint

BARRED = {
    Because.GATE: gettext_lazy(
        "Safe start: only listed addresses get messages. A manager adds this one under Channels."
    ),
    Because.PROVIDER_UNKNOWN: gettext_lazy(
        "Only listed addresses get messages here until an administrator answers for the provider, under Channels."
    ),
}


class Gates:
    """The gates of some clinics, read once for a batch."""

    def __init__(self, clinics: Iterable[Clinic]) -> None:
        clinics = list(clinics)
        self._providers = Providers(clinics)
        # Nothing is to be read where nothing can leave.
        ids = {clinic.pk for clinic in clinics} if leaving() else set()
        self._open = set(
            Gate.objects.filter(clinic__in=ids, opened_at__isnull=False).values_list("clinic_id", flat=True)
        )
        shut = ids - self._open | set(self._providers.asked)
        listed = AllowedAddress.objects.filter(clinic__in=shut) if shut else AllowedAddress.objects.none()
        self._allowed = set(listed.values_list("clinic_id", "kind", "value"))

    def bar(self, point: ContactPoint, channel: str) -> Because | None:
        """What only this machine shows reaches nobody, and needs no gate."""
        is_listed = (point.clinic_id, point.kind, point.value) in self._allowed
        if is_listed or not leaves_this_machine(channel):
            return None
        if point.clinic_id not in self._open:
            return Because.GATE
        is_answered = self._providers.is_answered(point.clinic_id, channel)
        return None if is_answered else Because.PROVIDER_UNKNOWN


def is_open(clinic: Clinic) -> bool:
    return Gate.objects.filter(clinic=clinic, opened_at__isnull=False).exists()


def lets_out_still(channel: str, clinics: Iterable[Clinic]) -> dict[Because, Q]:
    """The same of attempts on one channel, as conditions of the statement that begins the calls."""
    if not leaves_this_machine(channel):
        return {}
    opened = Gate.objects.filter(clinic=OuterRef("clinic"), opened_at__isnull=False)
    listed = AllowedAddress.objects.filter(
        clinic=OuterRef("clinic"), kind=OuterRef("kind"), value=OuterRef("value")
    )
    allowed = ContactPoint.objects.filter(pk=OuterRef("contact_point")).filter(Exists(listed))
    holds = {Because.GATE: Q(Exists(opened)) | Q(Exists(allowed))}
    if lacking := unanswered(channel, clinics):
        holds[Because.PROVIDER_UNKNOWN] = ~lacking | Q(Exists(allowed))
    return holds


@transaction.atomic
def open_gate(clinic: Clinic, *, now: datetime, by: User) -> None:
    Gate.objects.update_or_create(clinic=clinic, defaults={"opened_at": now, "changed_by": by})


@transaction.atomic
def shut_gate(clinic: Clinic, *, by: User) -> None:
    """Nothing more leaves from this moment; what is planned is stopped at the door and planned anew."""
    Gate.objects.update_or_create(clinic=clinic, defaults={"opened_at": None, "changed_by": by})


def allow(clinic: Clinic, kind: str, text: str) -> AllowedAddress:
    value = _chat(text) if kind == AddressKind.TELEGRAM else normal_address(clinic, kind, text)
    found, _made = AllowedAddress.objects.get_or_create(clinic=clinic, kind=kind, value=value)
    return found


def _chat(text: str) -> str:
    """The number of a Telegram chat, as it stands on the page of whoever linked it."""
    if not text.strip().isdecimal():
        raise RefusedError(_("Telegram knows a chat by its number: link your own phone first, then copy it."))
    return text.strip()


def disallow(clinic: Clinic, allowed_id: int) -> None:
    AllowedAddress.objects.filter(clinic=clinic, pk=allowed_id).delete()
