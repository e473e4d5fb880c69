"""How to stop our messages, said in each one of which the country asks that: profile data, never a clinic's to drop."""

import re
from dataclasses import dataclass

from django.conf import settings

from outreach.channels import TRANSPORTS, leaves_this_machine
from outreach.models import STOPPED
from patients.country import profile_of
from patients.models import Channel, Clinic, Language

LEFT_TO_RIGHT = "\u200e"  # shows nothing; behind an Arabic letter a number's parts would change places
MAILBOX = "voice_mailbox"  # whoever answers a machine's call hears of key 9 instead
# The one word that every provider obeys by itself; ours in other languages are heard, too (stop_words.py).
BY_REPLY = {
    "en": "Reply STOP to opt out.",
    "he": "להסרה אפשר להשיב STOP.",
    "ru": "Чтобы отписаться, ответьте STOP.",
    "ar": "لإيقاف الرسائل يمكن الرد STOP.",
}
# What leaves under a name cannot be answered: the law asks to say so and to give another way.
BY_CALL = {
    "en": "Replies do not reach us here. For no more messages, call {phone}.",
    "he": "תשובות לכאן לא מגיעות אלינו. כדי לא לקבל עוד הודעות אפשר להתקשר: {phone}.",
    "ru": "Ответы сюда не доходят. Чтобы больше не получать сообщений, позвоните: {phone}.",
    "ar": "الردود هنا لا تصل إلينا. لعدم تلقي رسائل أخرى يمكن الاتصال: {phone}.",
}
SPOKEN = {
    "en": "For no more calls like this one, call {phone}.",
    "he": "כדי לא לקבל עוד שיחות כאלה אפשר להתקשר: {phone}.",
    "ru": "Чтобы больше не получать таких звонков, позвоните: {phone}.",
    "ar": "لعدم تلقي مكالمات كهذه يمكن الاتصال: {phone}.",
}
_SAID = re.compile(r"\bSTOP\b")


@dataclass(frozen=True)
class Notice:
    """What is said after some words; empty where the clinic's country asks nothing of such a message."""

    words: str = ""
    names_a_word: bool = False

    def after(self, body: str) -> str:
        """Never twice: a clinic's own words may say it already."""
        is_said = self.words in body or (self.names_a_word and _SAID.search(body))
        return body if is_said else f"{body}\n{self.words}"


def notice_of(clinic: Clinic, *, key: str, channel: str, purpose: str, language: str) -> Notice:
    asked = profile_of(clinic.country).opt_out_notice.get(purpose, frozenset())
    if channel not in asked or key == STOPPED or (channel == Channel.VOICE and key != MAILBOX):
        return Notice()
    notices = _notices(channel)
    words = notices.get(language, notices[Language.ENGLISH.value])
    return Notice(words.format(phone=phone_of(clinic, language)), names_a_word=notices is BY_REPLY)


def phone_of(clinic: Clinic, language: str) -> str:
    """The clinic's number as it is read in that language; empty where it has told none."""
    phone = clinic.phone.as_national if clinic.phone else ""
    return f"{LEFT_TO_RIGHT}{phone}" if phone and language == Language.ARABIC else phone


def _notices(channel: str) -> dict[str, str]:
    if channel == Channel.VOICE:
        return SPOKEN
    transport = TRANSPORTS.get(settings.CHANNEL_TRANSPORTS.get(channel, ""))
    is_deaf = transport is not None and leaves_this_machine(channel) and not transport.abilities.two_way
    return BY_CALL if is_deaf else BY_REPLY
