"""Setting a PIN, and trying a key at a locked screen."""

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import User
from django.db.models import F

from clinic_journey.lock.models import TRIES, Pin


def set_pin(user: User, digits: str) -> None:
    Pin.objects.update_or_create(user=user, defaults={"hash": make_password(digits), "failed": 0})


def has_pin(user: User) -> bool:
    return Pin.objects.filter(user=user).exclude(hash="").exists()


def fits(user: User, key: str) -> bool:
    """Whether this key opens for this user. The try is counted before it is looked at: many at once help nobody."""
    pin, _made = Pin.objects.get_or_create(user=user)
    if not Pin.objects.filter(pk=user.pk, failed__lt=TRIES).update(failed=F("failed") + 1):
        return False
    right = check_password(key, pin.hash) if pin.hash else user.check_password(key)
    if right:
        forgive(user)
    return right


def tries_left(user: User) -> int:
    failed = Pin.objects.filter(user=user).values_list("failed", flat=True).first() or 0
    return TRIES - failed


def forgive(user: User) -> None:
    """After a success, also of a login by password."""
    Pin.objects.filter(user=user).exclude(failed=0).update(failed=0)
