"""Automated calls through Twilio's own client: a short text is read out, and keys are the answer.

https://www.twilio.com/docs/voice/api/call-resource, /docs/voice/twiml (say, gather, hangup) and
/docs/voice/answering-machine-detection. When somebody answers, Twilio asks us what to say, and tells who answered:
a machine hears nothing, unless the patient has said that a voice message may be left; then only whom to call back.
"""

from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest

from outreach.channels import twilio
from outreach.channels.base import Abilities, ChannelError, Message, Receipt, Trouble, WhenUnclear
from outreach.channels.inbound import Receipted, Said, Stage

LOOKED_AT = 20  # of the calls to one number, the newest
RINGS = 25  # seconds; by then a person has answered or does not mean to
WAITS_FOR_KEY = 8  # seconds
LONGEST = 400  # letters: half a minute, which is as long as anybody listens to a machine

# The language of the text, as Twilio names it, with a voice that speaks it; another language is spoken in English.
VOICES = {
    "he": ("he-IL", "Google.he-IL-Standard-A"),
    "ru": ("ru-RU", "Polly.Tatyana"),
    "ar": ("arb", "Polly.Zeina"),
    "en": ("en-US", "Polly.Joanna"),
}
USUAL_VOICE = VOICES["en"]

# What each key says, in words that mean the same wherever else they are written to us.
KEYS = {"1": "confirm", "2": "another time", "9": "stop"}
A_PERSON = "human"
A_MACHINE_IS_DONE = ("machine_end_beep", "machine_end_silence", "machine_end_other")

# How a call ended, and what that is to us; None where it goes on. A call that was completed says who answered it.
ENDS: dict[str, tuple[Stage, Trouble]] = {
    "completed": (Stage.DELIVERED, Trouble.NOT_DELIVERED),
    "no-answer": (Stage.FAILED, Trouble.NO_ANSWER),
    "busy": (Stage.FAILED, Trouble.NO_ANSWER),
    "canceled": (Stage.FAILED, Trouble.NOT_DELIVERED),
    "failed": (
        Stage.FAILED,
        Trouble.UNFIT,
    ),  # "most likely" no such number, which is not enough to call it bad
}
TO_A_MACHINE = (Stage.FAILED, Trouble.NO_ANSWER)  # it heard nothing from us


class VoiceTransport:
    abilities = Abilities(WhenUnclear.LOOK_UP, longest=LONGEST)
    keys = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_VOICE_FROM")
    secrets: tuple[str, ...] = ("TWILIO_AUTH_TOKEN",)
    per_second = "VOICE_PER_SECOND"

    def send(self, message: Message) -> Receipt:
        if len(message.body) > self.abilities.longest:
            raise ChannelError(Trouble.UNFIT, "too long")
        values: dict[str, Any] = {"to": message.to, "from_": settings.TWILIO_VOICE_FROM, "timeout": RINGS}
        if message.is_test:
            values["twiml"] = only_said(message.body, message.language)
        else:
            after_the_beep = message.may_leave_voicemail
            values |= {
                "url": address("answered", message.reference, leaves_message=after_the_beep),
                "status_callback": address("", message.reference, leaves_message=after_the_beep),
                "machine_detection": "DetectMessageEnd" if after_the_beep else "Enable",
            }
        made = twilio.attempted(lambda api: api.calls.create(**values))
        return Receipt(made.sid)

    def look_up(self, message: Message, *, since: datetime) -> Receipt | None:
        """A call of ours to this number since then. None says nothing: it may only not be listed yet."""
        sender = settings.TWILIO_VOICE_FROM
        listed = twilio.attempted(lambda api: api.calls.list(to=message.to, from_=sender, limit=LOOKED_AT))
        for found in listed:
            if twilio.is_made_since(found, since):
                return Receipt(found.sid)
        return None


def address(act: str, reference: str, *, leaves_message: bool = False) -> str:
    """Where Twilio asks and tells; the reference and the patient's own word on voice messages stand in it."""
    query = {"ref": reference} | ({"message": "1"} if leaves_message else {})
    return f"{settings.PUBLIC_URL}/hooks/voice/{act + '/' if act else ''}?{urlencode(query)}"


def asked(text: str, menu: str, language: str, action: str) -> str:
    """The text and the keys, said twice at most; whoever presses nothing is left in peace."""
    from twilio.twiml.voice_response import Gather, VoiceResponse  # noqa: PLC0415 - slow import

    spoken, voice = VOICES.get(language, USUAL_VOICE)
    response = VoiceResponse()
    for words in (f"{text} {menu}", menu):
        gather = Gather(input="dtmf", num_digits=1, timeout=WAITS_FOR_KEY, action=action, method="POST")
        gather.say(words, language=spoken, voice=voice)
        response.append(gather)
    response.hangup()
    return str(response)


def only_said(text: str, language: str) -> str:
    from twilio.twiml.voice_response import VoiceResponse  # noqa: PLC0415 - slow import

    spoken, voice = VOICES.get(language, USUAL_VOICE)
    response = VoiceResponse()
    if text:
        response.say(text, language=spoken, voice=voice)
    response.hangup()
    return str(response)


def split(request: HttpRequest) -> list[tuple[str, str]]:
    """The pieces of one verified request: a key that was pressed, or how the call ended."""
    form = twilio.fields(request.body).dict()
    sid, pressed, status = (str(form.get(name, "")) for name in ("CallSid", "Digits", "CallStatus"))
    if not sid:
        return []
    ours = {name: request.GET.get(name, "") for name in ("ref", "message")}
    what = f"key:{pressed}" if pressed else status
    return [(f"{sid}:{what}", urlencode({**form, **ours}))]


def read(kept: str, *, at: datetime) -> Receipted | Said | None:
    form = dict(parse_qsl(kept, keep_blank_values=True))
    if pressed := form.get("Digits", ""):
        words = KEYS.get(pressed)
        if not words:
            return None
        return Said("voice", "phone", form.get("To", ""), words, at=at, reference=_ours(form.get("ref", "")))
    status = form.get("CallStatus", "")
    if status not in ENDS:
        return None
    stage, trouble = ENDS[status]
    if stage == Stage.DELIVERED and not _was_heard(form):
        stage, trouble = TO_A_MACHINE
    code = form.get("ErrorCode") or form.get("SipResponseCode") or status
    return Receipted(form.get("ref", ""), form.get("CallSid", ""), stage, trouble, code)


def _ours(reference: str) -> str:
    """The call that the key was pressed in; empty where what came with it is none of our ids."""
    try:
        return str(UUID(reference))
    except ValueError:
        return ""


def _was_heard(form: dict[str, str]) -> bool:
    answered_by = form.get("AnsweredBy", "")
    return is_a_person(answered_by) or (answered_by in A_MACHINE_IS_DONE and form.get("message") == "1")


def is_a_person(answered_by: str) -> bool:
    """Only what the provider is sure of: what may be a machine is treated as one."""
    return answered_by == A_PERSON
