"""The patient's own link: it names one journey, cannot be guessed, and can be revoked.

It is as short as that allows, for each letter of an SMS is paid for: the journey's number, and 128 bits nobody guesses.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.http import base36_to_int, int_to_base36

from journeys.models import Journey

SALT = "outreach.links"
SIGNATURE_BYTES = 16
SIGNATURE_LENGTH = 22  # of 16 bytes in base64url, without padding
TOKEN_LENGTH = 6 + SIGNATURE_LENGTH  # at most, up to the two thousand millionth journey
OLD_LENGTH = 2 * SIGNATURE_LENGTH  # of the first links, which named their journey by 16 bytes, too
READABLE_AFTER_END = timedelta(days=30)


def token_for(journey: Journey) -> str:
    return int_to_base36(journey.pk) + _signature(journey, settings.SECRET_KEY)


def path_for(journey: Journey) -> str:
    return f"/p/{token_for(journey)}/"


def url_for(journey: Journey) -> str:
    return f"{settings.PUBLIC_URL}{path_for(journey)}"


def journey_for(token: str, *, now: datetime) -> Journey | None:
    """The journey that the token opens; None for one that is forged, revoked, or long over."""
    named = _named(token)
    if named is None:
        return None
    journey = Journey.objects.select_related("clinic", "patient", "template").filter(**named).first()
    if journey is None or journey.patient is None:
        return None
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    genuine = [constant_time_compare(token[-SIGNATURE_LENGTH:], _signature(journey, key)) for key in keys]
    if not any(genuine):
        return None
    return journey if is_readable(journey, now=now) else None


def made_for(token: str) -> Journey | None:
    """The journey whose link the token is or once was, however long ago; None for one that we never made."""
    named = _named(token)
    journey = Journey.objects.filter(**named, patient__isnull=False).first() if named else None
    if journey is None:
        return None
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    said = token[-SIGNATURE_LENGTH:]
    return next(
        (
            journey
            for version in range(journey.link_version, 0, -1)
            for key in keys
            if constant_time_compare(said, _signed(journey, version, key))
        ),
        None,
    )


def is_readable(journey: Journey, *, now: datetime) -> bool:
    return journey.ended_at is None or now <= journey.ended_at + READABLE_AFTER_END


def _signature(journey: Journey, key: str) -> str:
    """The first 128 bits of an HMAC; raising `link_version` makes every older link void."""
    return _signed(journey, journey.link_version, key)


def _signed(journey: Journey, version: int, key: str) -> str:
    signed = f"{journey.public_id.hex}.{version}"
    return _text(salted_hmac(SALT, signed, secret=key, algorithm="sha256").digest()[:SIGNATURE_BYTES])


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def _named(token: str) -> dict[str, int | UUID] | None:
    """By what the journey is found, or None where the token names none."""
    name = token[:-SIGNATURE_LENGTH]
    try:
        if len(token) == OLD_LENGTH:
            return {"public_id": UUID(bytes=urlsafe_b64decode(f"{name}==".encode("ascii")))}
        return {"pk": base36_to_int(name)}
    except ValueError:  # no number, not base64, or not ASCII
        return None
