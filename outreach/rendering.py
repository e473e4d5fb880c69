"""Message templates plus what is true about one step, as text in the patient's language."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from functools import lru_cache
from itertools import product
from math import ceil
from string import Formatter
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import translation
from django.utils.dateformat import format as format_date

from outreach.content import VISIT_TIME, VISIT_UNSAID, withheld, worded_without
from outreach.models import MessageTemplate
from outreach.opt_out import notice_of, phone_of
from patients.models import Channel, Clinic, Language

PLACEHOLDERS = frozenset(
    {"name", "clinic", "by", "date", "until", "link", "phone", "who", "channel", "hour", "times"}
)
INSTANTS = frozenset({"by", "date", "until"})

# Day, full month, 24 hours; the weekday comes from here, for the screens' own catalogues may name it differently.
DATE_FORMATS = {"en": "j F, H:i", "he": "j בF בשעה H:i", "ru": ", j E, H:i", "ar": "j F، الساعة H:i"}
WEEKDAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "he": ("יום שני", "יום שלישי", "יום רביעי", "יום חמישי", "יום שישי", "יום שבת", "יום ראשון"),
    "ru": ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"),
    "ar": ("الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت", "الأحد"),
}
# "By" and "until" ask for the genitive in Russian.
BY_WEEKDAY = WEEKDAYS | {
    "ru": ("понедельника", "вторника", "среды", "четверга", "пятницы", "субботы", "воскресенья")
}

# Between the two times that are offered.
OR = {"en": " or ", "he": " או ", "ru": " или ", "ar": " أو "}

# Who speaks when no person is named; stands inside a sentence.
RECEPTION = {"en": "the reception", "he": "הקבלה", "ru": "регистратура", "ar": "الاستقبال"}


class CannotRender(Exception):
    """There are no words for this message, or they would name something that is not so.

    `code` is what is kept of it, e.g. "no_text" or "nothing_to_name date".
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Facts:
    """What a message may name. An instant that is None does not exist, so a text that needs it is not sent."""

    name: str
    link: str
    variant: str = ""  # the grammatical form of the reader, where it is known
    who: str = ""  # the person at the clinic; empty: the reception
    by: datetime | None = None
    date: datetime | None = None
    until: datetime | None = None
    channel: str = ""  # how she wants to be written to, and from which hour on
    hour: time | None = None
    times: tuple[datetime, ...] = ()  # free for the visit; a call names them


@dataclass(frozen=True)
class Rendered:
    language: str
    subject: str
    body: str
    approved_as: str = ""
    values: tuple[str, ...] = ()  # what fills the places of the approved words, in their order


@lru_cache(maxsize=2048)
def placeholders_in(text: str) -> frozenset[str]:
    """The names between braces; ValueError where the braces are broken or hold more than a name."""
    names = set()
    for _literal, name, spec, conversion in Formatter().parse(text):
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise ValueError(f"“{{{name}}}” must be one plain name in braces")
        names.add(name)
    return frozenset(names)


def unknown_placeholders(text: str) -> frozenset[str]:
    return placeholders_in(text) - PLACEHOLDERS


class Texts:
    """The templates of some messages, read in one query and kept for one tick or one request."""

    def __init__(self, keys: Iterable[str], clinics: Iterable[int]) -> None:
        """What is shipped, and the own words of these clinics."""
        whose = Q(clinic__isnull=True) | Q(clinic__in=set(clinics))
        rows = MessageTemplate.objects.filter(whose, key__in={*keys, VISIT_UNSAID})
        self._phones: dict[tuple[int, str], str] = {}
        self._rows = {(row.key, row.channel, row.language, row.clinic_id, row.variant): row for row in rows}

    def best(
        self, key: str, channel: str, languages: Iterable[str], *, clinic: int, variant: str = ""
    ) -> MessageTemplate | None:
        """The patient's language before another; the channel's own words, then the clinic's, then her form."""
        for language in languages:
            for words_of, owner, form in product(_words_for(channel), (clinic, None), (variant, "")):
                if row := self._rows.get((key, words_of, language, owner, form)):
                    return row
        return None

    def render(self, key: str, channel: str, language: str, facts: Facts, clinic: Clinic) -> Rendered:
        languages = (language, clinic.language, Language.ENGLISH.value)
        hidden = withheld(clinic, channel)
        template = self.best(key, channel, languages, clinic=clinic.pk, variant=facts.variant)
        if template is not None and hidden & VISIT_TIME and names_a_visit(template):
            template = self._instead(channel, languages, clinic.pk)
        if template is None:
            raise CannotRender("no_text")
        template = worded_without(template, hidden)
        read_by = (clinic.pk, template.language)
        if read_by not in self._phones:
            self._phones[read_by] = phone_of(clinic, template.language)
        values = _words(facts, clinic, template.language, phone=self._phones[read_by], hidden=hidden)
        body = _filled(template.body, values).strip()
        is_approved = template.approved_as and channel == Channel.WHATSAPP
        if not is_approved:  # approved words are these and no others
            body = notice_of(
                clinic,
                key=key,
                channel=channel,
                purpose=template.purpose,
                language=template.language,
            ).after(body)
        return Rendered(
            template.language,
            _filled(template.subject, values).strip(),
            body,
            template.approved_as,
            tuple(values[name] for name in _in_order(template.body)) if template.approved_as else (),
        )

    def _instead(self, channel: str, languages: Iterable[str], clinic: int) -> MessageTemplate | None:
        """What is written where a visit's day may not be named; read out it would leave nothing to answer."""
        return (
            None if channel == Channel.VOICE else self.best(VISIT_UNSAID, channel, languages, clinic=clinic)
        )


def names_a_visit(row: MessageTemplate) -> bool:
    """Whether it cannot be said without the day of a visit."""
    try:
        return bool((placeholders_in(row.body) | placeholders_in(row.subject)) & VISIT_TIME)
    except ValueError:
        return False  # edited into something that is no text any more, which the filling finds


def _words_for(channel: str) -> tuple[str, ...]:
    """What is written serves every channel without its own words, but a link cannot be read out by a machine."""
    return (channel,) if channel == Channel.VOICE else (channel, "")


def filled(row: MessageTemplate, facts: Facts, clinic: Clinic) -> str:
    """One text with its placeholders filled; CannotRender where it is broken or names what does not exist."""
    hidden = withheld(clinic, row.channel)
    values = _words(facts, clinic, row.language, phone=phone_of(clinic, row.language), hidden=hidden)
    return _filled(worded_without(row, hidden).body, values).strip()


def _in_order(text: str) -> list[str]:
    """The places of a text in the order in which they first stand there, as an approved template numbers them."""
    names = (name for _literal, name, _spec, _conversion in Formatter().parse(text) if name)
    return list(dict.fromkeys(names))


def _filled(text: str, values: Mapping[str, str]) -> str:
    try:
        missing = placeholders_in(text) - set(values)
    except ValueError as error:
        raise CannotRender("no_text") from error  # edited into something that is no text any more
    if missing:
        raise CannotRender(f"nothing_to_name {' '.join(sorted(missing))}")
    return text.format_map(values)


def _words(
    facts: Facts, clinic: Clinic, language: str, *, phone: str, hidden: frozenset[str] = frozenset()
) -> dict[str, str]:
    words = {
        "name": facts.name,
        "clinic": clinic.sender_name or clinic.name,
        "link": facts.link,
        "phone": phone,
        "who": ("" if "who" in hidden else facts.who) or RECEPTION.get(language, RECEPTION["en"]),
        "channel": _channel_words(facts.channel, language),
        "hour": f"{facts.hour:%H:%M}" if facts.hour else "",
    }
    instants = {"by": facts.by, "until": facts.until, "date": facts.date}
    for name, at in instants.items():
        if at is not None:
            words[name] = date_words(at, clinic.time_zone, language, deadline=name != "date")
    offered = [date_words(at, clinic.time_zone, language) for at in facts.times]
    words["times"] = OR.get(language, OR["en"]).join(offered)
    return {name: text for name, text in words.items() if text}


def _channel_words(channel: str, language: str) -> str:
    if not channel:
        return ""
    with translation.override(language):
        return str(Channel(channel).label)


@lru_cache(maxsize=2048)
def date_words(at: datetime, zone: str, language: str, *, deadline: bool = False) -> str:
    """An instant as patients read it; `deadline` for the form that follows "by" and "until"."""
    local = at.astimezone(ZoneInfo(zone))
    known = language if language in DATE_FORMATS else Language.ENGLISH.value
    weekday = (BY_WEEKDAY if deadline else WEEKDAYS)[known][local.weekday()]
    with translation.override(known):
        rest = format_date(local, DATE_FORMATS[known])
    return weekday + rest if rest.startswith(",") else f"{weekday} {rest}"


GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)


def sms_parts(text: str) -> int:
    """How many SMS the text takes: 160 letters (153 each when joined) in Latin, 70 (67) in other alphabets."""
    alone, joined = (160, 153) if set(text) <= GSM else (70, 67)
    length = len(text.encode("utf-16-be")) // 2
    return 1 if length <= alone else ceil(length / joined)
