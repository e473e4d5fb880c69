"""What mail providers tell about our mails: read by django-anymail, which knows the form of each of them."""

import json
from collections.abc import Mapping
from datetime import datetime
from importlib import import_module
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from outreach.channels.base import Trouble
from outreach.channels.inbound import Receipted, Said, Stage

STAGES = {
    "queued": Stage.TAKEN,
    "sent": Stage.TAKEN,
    "deferred": Stage.DELAYED,
    "delivered": Stage.DELIVERED,
    "opened": Stage.DELIVERED,
    "clicked": Stage.DELIVERED,
    "rejected": Stage.FAILED,
    "failed": Stage.FAILED,
    "bounced": Stage.FAILED,
}
STOPPED = {"complained", "unsubscribed"}  # said to the provider: it holds for everybody at that address
NO_SUCH_ADDRESS = {"bounced", "invalid"}
# As Brevo and Mandrill, Postmark, and MailerSend call it; in django-anymail's words it is a bounce like any other.
SOFT_BOUNCES = {"soft_bounce", "SoftBounce", "soft_bounced"}


def _view(**settings_of_its_own: Any) -> Any:
    """The provider's own view in django-anymail, for its signature and its form alone."""
    module = import_module(f"anymail.webhooks.{settings.EMAIL_PROVIDER}")
    wanted = settings.EMAIL_PROVIDER.replace("_", "") + "trackingwebhookview"
    return next(view for name, view in vars(module).items() if name.lower() == wanted)(**settings_of_its_own)


def genuine(request: HttpRequest, secret: str) -> bool:
    """Name and password in the request, and the provider's signature where it has one: none in what cannot be read."""
    if not settings.EMAIL_PROVIDER:
        return False
    try:
        _view(webhook_secret=[secret]).run_validators(request)
    except Exception:  # noqa: BLE001 - each provider's reader fails in its own way
        return False
    return True


def split(request: HttpRequest) -> list[tuple[str, str]]:
    pieces = []
    for event in _view().parse_events(request):
        kept = {
            "type": event.event_type,
            "message_id": event.message_id or "",
            "reference": (event.metadata or {}).get("reference", ""),
            "why": "soft_bounce" if _is_soft(event.esp_event) else event.reject_reason or "",
            "recipient": event.recipient or "",
        }
        # Not every provider names its events: the same about the same mail is the same.
        name = event.event_id or ":".join(kept[part] for part in ("message_id", "type", "recipient", "why"))
        pieces.append((name, json.dumps(kept)))
    return pieces


def _is_soft(told: Any) -> bool:
    """A full mailbox, or a server that was away for days: this mail has failed, and the address may be right."""
    levels = [told, told.get("data")] if isinstance(told, Mapping) else []
    words = (word for level in levels if isinstance(level, Mapping) for word in level.values())
    return any(isinstance(word, str) and word in SOFT_BOUNCES for word in words)


def read(kept: str, *, at: datetime) -> Receipted | Said | None:
    event = json.loads(kept)
    if event["type"] in STOPPED:
        return Said("email", "email", event["recipient"].casefold(), "", at=at, stopped=True)
    stage = STAGES.get(event["type"])
    if stage is None:
        return None
    gone = event["type"] == "bounced" and event["why"] in NO_SUCH_ADDRESS
    trouble = Trouble.NO_SUCH_ADDRESS if gone else Trouble.NOT_DELIVERED
    return Receipted(event["reference"], event["message_id"], stage, trouble, event["why"])
