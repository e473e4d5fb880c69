"""Each channel with the stand-in that plays its provider: what can go wrong there, and what it tells later."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.conf import LazySettings
from django.test import Client

from journeys.models import Journey, StepKind
from outreach.models import Attempt, MessageTemplate
from patients.actions import add_address
from patients.models import AddressKind, Clinic
from tests import builders
from tests.conftest import NOW
from tests.standins import mailgun, meta, telegram, twilio
from tests.standins.server import Answer, StandIn, Trick, served
from tests.standins.smtp import Mails, mail_served

TRIES = timedelta(hours=3)
Tells = Callable[[Any, dict[str, Any]], Iterator[tuple[str, Callable[[], int]]]]
# Whatever the provider's own words are.
LINE = {
    "none": Trick(takes=True),
    "dropped before": Trick(hangs_up=True),
    "dropped after": Trick(hangs_up=True, takes=True),
    "slow": Trick(is_slow=True),
    "slow, taken": Trick(is_slow=True, takes=True),
}
HTTP = {
    **LINE,
    "500": Trick(answer=Answer(500, {"message": "…"})),
    "502, taken": Trick(answer=Answer(502, b"Bad Gateway"), takes=True),
}


@dataclass(frozen=True)
class Provider:
    channel: str
    transport: str
    stand_in: type[StandIn]
    faults: dict[str, Trick]
    keys: dict[str, str]  # as the environment gives them
    kind: str = AddressKind.PHONE
    value: str = "+97250{:07}"
    receipts: Tells | None = None
    message_key: str = "next_step"
    urls: Callable[[Any], dict[str, str]] = field(default=lambda _stand_in: {})

    def served(self) -> AbstractContextManager[Any]:
        made = self.stand_in()
        return mail_served(made) if isinstance(made, Mails) else served(made)

    def environment(self, stand_in: Any) -> dict[str, str]:
        unpaced = {f"{self.channel.upper()}_PER_SECOND": "0"}
        return {**self.keys, **self.urls(stand_in), **unpaced}

    def points(self, settings: LazySettings, environment: dict[str, str]) -> None:
        """This process sends through it, and through nothing else."""
        settings.CHANNEL_TRANSPORTS = {"phone": "phone", self.channel: self.transport}
        for name, value in environment.items():
            setattr(settings, name, value if not name.endswith("_PER_SECOND") else 0)
        if self.transport == "anymail":
            settings.EMAIL_BACKEND = "anymail.backends.mailgun.EmailBackend"
            settings.ANYMAIL = {
                **json.loads(environment["ANYMAIL"]),
                "WEBHOOK_SECRET": [mailgun.BASIC],
                "REQUESTS_TIMEOUT": 0.5,
            }
        if "EMAIL_URL" in environment:
            there = urlsplit(environment["EMAIL_URL"])
            settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
            settings.EMAIL_HOST, settings.EMAIL_PORT = there.hostname, there.port
            settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
            settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False

    def attempt(self, clinic: Clinic, n: int) -> Attempt:
        who = builders.patient(clinic, phone=f"+97250{n:07}")
        if self.kind != AddressKind.PHONE:
            add_address(who, self.kind, self.value.format(n), rank=2)
        point = who.contacts.get(contact_point__kind=self.kind).contact_point
        journey = builders.journey(who)
        kind = StepKind.TELL if self.message_key == "next_step" else StepKind.CONFIRM
        task = builders.task(builders.step(journey, kind=kind), plan_from=None, message_key=self.message_key)
        if kind == StepKind.CONFIRM:
            visit_of(journey, n)
        return builders.attempt(task, channel=self.channel, contact_point=point, expires_at=NOW + TRIES)


def visit_of(journey: Journey, n: int) -> None:
    start = NOW + timedelta(days=1, minutes=30 * n)
    visit = builders.step(journey, kind=StepKind.VISIT, due_at=start + timedelta(hours=1))
    builders.appointment(journey.patient, step=visit, start=start)


def by_twilio(url: str, fields: dict[str, str]) -> int:
    return int(twilio.post(url, fields).status_code)


def by_meta(sent: dict[str, Any]) -> int:
    return Client().post("/hooks/whatsapp/", **sent).status_code


def of_sms(_stand_in: Any, taken: dict[str, Any]) -> Iterator[tuple[str, Callable[[], int]]]:
    for status in ("queued", "sent", "delivered"):
        fields = {"MessageSid": taken["sid"], "MessageStatus": status}
        yield status, partial(by_twilio, taken["status_callback"], fields)


def of_whatsapp(stand_in: Any, taken: dict[str, Any]) -> Iterator[tuple[str, Callable[[], int]]]:
    wamid = f"wamid.{stand_in.taken.index(taken) + 1}"
    for status in ("sent", "delivered", "read"):
        told = meta.status(wamid, status, taken["biz_opaque_callback_data"])
        sent = meta.callback(meta.event(statuses=[told]))
        yield status, partial(by_meta, sent)


def of_voice(_stand_in: Any, taken: dict[str, Any]) -> Iterator[tuple[str, Callable[[], int]]]:
    for status in ("ringing", "in-progress", "completed"):
        yield status, partial(twilio.Line(taken).ends, status, AnsweredBy="human")


def of_mailgun(stand_in: Any, taken: dict[str, Any]) -> Iterator[tuple[str, Callable[[], int]]]:
    number = stand_in.taken.index(taken) + 1
    for status in ("accepted", "delivered", "opened"):
        told = mailgun.event(
            status,
            f"{number}@{mailgun.DOMAIN}",
            once=f"{number}-{status}",
            recipient=taken["to"],
            **{"user-variables": {"reference": taken["v:reference"]}},
        )
        yield status, partial(by_mailgun, told)


def by_mailgun(told: dict[str, Any]) -> int:
    return Client().post("/hooks/email/", **told).status_code


def with_mailgun(stand_in: Any) -> dict[str, str]:
    account = {
        "MAILGUN_API_KEY": mailgun.KEY,
        "MAILGUN_API_URL": f"{stand_in.url}/v3",
        "MAILGUN_WEBHOOK_SIGNING_KEY": mailgun.SIGNING_KEY,
    }
    return {"ANYMAIL": json.dumps(account)}


TWILIO = {"TWILIO_ACCOUNT_SID": twilio.SID, "TWILIO_AUTH_TOKEN": twilio.TOKEN, "TWILIO_FROM": "+97235550142"}
OF_TWILIO = {
    **HTTP,
    "503": twilio.refuses(503, 20503),
    "429": twilio.refuses(429, 20429, Retry_After="1"),
    "refused": twilio.refuses(400, 21614),
}
PROVIDERS = (
    Provider(
        "sms",
        "twilio",
        twilio.Twilio,
        OF_TWILIO,
        TWILIO,
        receipts=of_sms,
        urls=lambda stand_in: {"TWILIO_API_URL": stand_in.url},
    ),
    Provider(
        "voice",
        "voice",
        twilio.Twilio,
        {**OF_TWILIO, "refused": twilio.refuses(400, 21211)},
        {**TWILIO, "TWILIO_VOICE_FROM": "+97235550143"},
        receipts=of_voice,
        message_key="held_visit",
        urls=lambda stand_in: {"TWILIO_API_URL": stand_in.url},
    ),
    Provider(
        "whatsapp",
        "whatsapp",
        meta.Meta,
        {
            **HTTP,
            "503": meta.refuses(503, 131016),
            "429": meta.refuses(429, 130429, Retry_After="1"),
            "refused": meta.refuses(400, 131026),
        },
        {
            "WHATSAPP_PHONE_ID": meta.PHONE_ID,
            "WHATSAPP_TOKEN": meta.TOKEN,
            "WHATSAPP_APP_SECRET": meta.APP_SECRET,
            "WHATSAPP_VERIFY_TOKEN": meta.VERIFY,
        },
        kind=AddressKind.WHATSAPP,
        value="97250{:07}",
        receipts=of_whatsapp,
        urls=lambda stand_in: {"WHATSAPP_API_URL": f"{stand_in.url}/v23.0"},
    ),
    Provider(
        "telegram",
        "telegram",
        telegram.Telegram,
        {
            **HTTP,
            "503": telegram.refuses(503, "Service Unavailable"),
            "429": telegram.refuses(429, "Too Many Requests: retry after 1", retry_after=1),
            "refused": telegram.refuses(400, "Bad Request: chat not found"),
        },
        {
            "TELEGRAM_BOT_TOKEN": telegram.BOT,
            "TELEGRAM_BOT_NAME": telegram.NAME,
            "TELEGRAM_WEBHOOK_SECRET": telegram.SECRET,
        },
        kind=AddressKind.TELEGRAM,
        value="777{:07}",
        urls=lambda stand_in: {"TELEGRAM_API_URL": stand_in.url},
    ),
    Provider(
        "email",
        "email",
        Mails,
        {
            **LINE,
            "421": Trick(answer=Answer(421, b"")),
            "451": Trick(answer=Answer(451, b"")),
            "554": Trick(answer=Answer(554, b"")),
            "refused": Trick(answer=Answer(550, b"")),
        },
        {},
        kind=AddressKind.EMAIL,
        value="dana{}@example.com",
        urls=lambda stand_in: {"EMAIL_URL": f"smtp://{stand_in.host}:{stand_in.port}"},
    ),
    Provider(
        "email",
        "anymail",
        mailgun.Mailgun,
        {
            **HTTP,
            "503": mailgun.refuses(503),
            "429": mailgun.refuses(429, Retry_After="1"),
            "refused": mailgun.refuses(400),
        },
        {
            "EMAIL_PROVIDER": "mailgun",
            "EMAIL_WEBHOOK_SECRET": mailgun.BASIC,
            "DEFAULT_FROM_EMAIL": f"clinic@{mailgun.DOMAIN}",
        },
        kind=AddressKind.EMAIL,
        value="dana{}@example.com",
        receipts=of_mailgun,
        urls=with_mailgun,
    ),
)


@contextmanager
def in_service(provider: Provider, settings: LazySettings, ledger: Any) -> Iterator[Any]:
    """Its stand-in runs, writes to the ledger, and this process sends through it."""
    builders.messages_loaded()
    MessageTemplate.objects.filter(key="next_step").update(approved_as="next_step_1")
    with provider.served() as stand_in:
        ledger.touch()
        stand_in.ledger = ledger
        provider.points(settings, provider.environment(stand_in))
        settings.CHANNEL_TIMEOUT = settings.EMAIL_TIMEOUT = 0.5
        yield stand_in
