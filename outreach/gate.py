"""A safe start: until a clinic opens the gate, its messages leave for a list of addresses alone."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from outreach.channels import leaves_this_machine, leaving
from outreach.provider_models import AllowedAddress, Gate
from patients.actions import RefusedError
from patients.addresses import normal_address
from patients.models import AddressKind, Clinic, ContactPoint


class Gates:
    """The gates of some clinics, read once for a batch."""

    def __init__(self, clinic_ids: Iterable[int]) -> None:
        ids = set(clinic_ids) if leaving() else set()  # nothing to be read where nothing can leave
        self._open = set(
            Gate.objects.filter(clinic__in=ids, opened_at__isnull=False).values_list("clinic_id", flat=True)
        )
        shut = ids - self._open
        listed = AllowedAddress.objects.filter(clinic__in=shut) if shut else AllowedAddress.objects.none()
        self._allowed = set(listed.values_list("clinic_id", "kind", "value"))

    def lets_out(self, point: ContactPoint, channel: str) -> bool:
        """What only this machine shows reaches nobody, and needs no gate."""
        if point.clinic_id in self._open or not leaves_this_machine(channel):
            return True
        return (point.clinic_id, point.kind, point.value) in self._allowed


def is_open(clinic: Clinic) -> bool:
    return Gate.objects.filter(clinic=clinic, opened_at__isnull=False).exists()


def lets_out_still(channel: str) -> Q:
    """The same of attempts on one channel, as a condition of the statement that begins the calls."""
    if not leaves_this_machine(channel):
        return Q()
    opened = Gate.objects.filter(clinic=OuterRef("clinic"), opened_at__isnull=False)
    listed = AllowedAddress.objects.filter(
        clinic=OuterRef("clinic"), kind=OuterRef("kind"), value=OuterRef("value")
    )
    allowed = ContactPoint.objects.filter(pk=OuterRef("contact_point")).filter(Exists(listed))
    return Q(Exists(opened)) | Q(Exists(allowed))


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
