"""How each provider's callbacks are recognised and read; one entry a provider."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from outreach.channels import mail_receipts, telegram, twilio, voice, whatsapp
from outreach.channels.inbound import Inbound


@dataclass(frozen=True)
class Hook:
    """`split` names the pieces of a verified request, `read` says what one of them means."""

    channels: tuple[str, ...]
    secret: str  # the setting; empty there means that the address is shut
    is_signed: Callable[[HttpRequest, str], bool]
    split: Callable[[HttpRequest], list[tuple[str, str]]]
    read: Callable[..., Inbound | None]

    def is_on(self) -> bool:
        return bool(getattr(settings, self.secret))

    def is_genuine(self, request: HttpRequest) -> bool:
        """By today's secret, or by one that is being replaced."""
        secrets = [getattr(settings, self.secret), *settings.WEBHOOK_SECRETS_OLD]
        return any(self.is_signed(request, secret) for secret in secrets if secret)

    def read_at(self, kept: str, at: datetime) -> Inbound | None:
        return self.read(kept, at=at)


def _by_twilio(request: HttpRequest, secret: str) -> bool:
    """Over the address that Twilio called, which is ours as the world sees it, and the raw fields."""
    from twilio.request_validator import RequestValidator  # noqa: PLC0415 - slow import

    signature = request.headers.get("X-Twilio-Signature", "")
    url = settings.PUBLIC_URL + request.get_full_path()
    return bool(signature) and RequestValidator(secret).validate(url, twilio.fields(request.body), signature)


def _by_meta(request: HttpRequest, secret: str) -> bool:
    return whatsapp.genuine(request.body, request.headers.get("X-Hub-Signature-256", ""), secret)


def _by_telegram(request: HttpRequest, secret: str) -> bool:
    return constant_time_compare(request.headers.get("X-Telegram-Bot-Api-Secret-Token", ""), secret)


HOOKS = {
    "twilio": Hook(("sms",), "TWILIO_AUTH_TOKEN", _by_twilio, twilio.split, twilio.read),
    "voice": Hook(("voice",), "TWILIO_AUTH_TOKEN", _by_twilio, voice.split, voice.read),
    "whatsapp": Hook(("whatsapp",), "WHATSAPP_APP_SECRET", _by_meta, whatsapp.split, whatsapp.read),
    "telegram": Hook(("telegram",), "TELEGRAM_WEBHOOK_SECRET", _by_telegram, telegram.split, telegram.read),
    "email": Hook(
        ("email",), "EMAIL_WEBHOOK_SECRET", mail_receipts.genuine, mail_receipts.split, mail_receipts.read
    ),
}
