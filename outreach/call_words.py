"""Whether somebody's words ask for a call, and when: "call me at six", "after five", "tomorrow morning".

Four languages, one list; only words that are all known are acted upon, as whatever else was said is a person's to
read. A wish for a message instead ("can't talk, write me on WhatsApp after five") promises no call: where it names the
channel and the hour, it says how she wants to be written to. The time is looked for inside the clinic's own day, since
six in the evening is meant where nobody works at six in the morning.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from outreach.stop_words import plain
from patients.windows import DAY, Hours, Interval, day_intervals, starts_at

LONGEST = 14  # words: a longer text is a letter
HALF_A_DAY, A_WEEK = 12, 7
ONE_HOUR = timedelta(hours=1)
CLOCK = re.compile(
    r"(?<![\d.:])(\d{1,2})(?:([:.])(\d{2})(?![\d.:]*\d))?\s*(?:([ap])\.?\s?m\b\.?)?", re.IGNORECASE
)
PREFIXED = re.compile(r"^[בלהв]-?(?=\d)")  # "ב-6": the Hebrew letter before a number


class Part(StrEnum):
    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


HOURS_OF = {
    Part.MORNING: (time(6), time(12)),
    Part.AFTERNOON: (time(12), time(17)),
    Part.EVENING: (time(17), time.max),
}


def _words(listed: str) -> frozenset[str]:
    return frozenset(plain(word) for word in listed.split(","))


CALL = _words(
    "call, ring, phone, callback,"
    "להתקשר, תתקשרו, תתקשר, תתקשרי, התקשרו, התקשר, התקשרי, שתתקשרו, תתקשרו, לצלצל, תצלצלו, צלצלו,"
    "позвоните, перезвоните, позвонить, перезвонить, звоните, наберите, позвони, перезвони,"
    "اتصل, اتصلوا, اتصلي, الاتصال, تتصلوا, تتصل, كلموني, اتصال"
)
WRITE_BY = {  # the channels by the names that they have in the product
    "whatsapp": _words(
        "whatsapp, וואטסאפ, בוואטסאפ, לוואטסאפ, ווטסאפ, בווטסאפ, לווטסאפ, ווצאפ, בווצאפ,"
        "ватсап, вотсап, вацап, ватсапе, вотсапе, واتساب, الواتساب, واتس, الواتس"
    ),
    "sms": _words("sms, סמס, בסמס, смс"),
    "telegram": _words("telegram, טלגרם, בטלגרם, телеграм, телеграме, تيليجرام, تلغرام"),
}
WRITE = frozenset().union(*WRITE_BY.values()) | _words(
    "write, text, message, viber,"
    "לכתוב, תכתבו, תכתבי, תכתוב, כתבו, כתבי, הודעה, בהודעה,"
    "напишите, пишите, написать, напиши, сообщение, сообщением,"
    "اكتبوا, اكتبي, اكتب, راسلوني, راسلني, الكتابة, رسالة"
)
# "In 5" is some while, of minutes or of hours, and not five o'clock.
FROM_NOW = _words("in, within, בעוד, עוד, תוך, через, خلال")
# These say a while where its unit follows; "после 5 часов" is after five o'clock.
MAY_SAY_A_WHILE = FROM_NOW | _words("after, אחרי, بعد")
BY_THE_MINUTE = _words("minute, minutes, min, דקה, דקות, минуту, минуты, минут, мин, دقيقة, دقائق")
BY_THE_HOUR = _words("hour, hours, שעה, שעות, час, часа, часов, ساعة, ساعات")
LONGER = _words(
    "day, days, week, weeks, month, months, יום, ימים, שבוע, שבועות, חודש, חודשים,"
    "день, дня, дней, неделю, недели, недель, месяц, месяца, месяцев, يوم, أيام, أسبوع, أسابيع, شهر, أشهر"
)
ONE_BY_ITSELF = _words("שעה, час, ساعة, דקה, минуту, دقيقة")  # said without a number it is one
AMBIGUOUS_AFTER = _words("بعد")  # with a bare figure it is after that hour, or after so long
AFTER = _words("after, אחרי, после, بعد")
FILLERS = _words(
    "please, pls, me, you, can, could, will, would, thanks, thank, hi, hello, back, to, in, the, at, on, is, for,"
    " good, o, clock, oclock, i, am, free, yes, ok, better, around, just, best, time, it, a,"
    "אפשר, אלי, אליי, לי, בבקשה, תודה, שלום, היי, הי, בשעה, שעה, השעה, ב, את, אתם, נא, כן, טוב, נוח, מתאים, רק,"
    "אני, פנוי, פנויה, יום, ביום,"
    "мне, пожалуйста, можно, спасибо, здравствуйте, добрый, день, в, часов, часа, да, удобно, лучше,"
    "прошу, вы, меня, около,"
    "بي, لي, بنا, من, فضلكم, فضلك, الساعة, في, لو, سمحت, سمحتم, شكرا, مرحبا, نعم, ممكن, على, الرجاء, يمكنكم, أن, يوم"
)
# Any of these may turn the sense round, so a person reads the words.
TURNS = _words("not, dont, don, no, never, stop, אל, לא, בלי, не, нет, لا, لن, ليس")
DAYS = {
    0: _words("today, tonight, היום, сегодня, اليوم, الليلة"),
    1: _words("tomorrow, מחר, завтра, غدا, بكرة, بكرا"),
}
WEEKDAYS = (  # Monday is 0
    _words("monday, שני, понедельник, الاثنين"),
    _words("tuesday, שלישי, вторник, الثلاثاء"),
    _words("wednesday, רביעי, среду, среда, الأربعاء"),
    _words("thursday, חמישי, четверг, الخميس"),
    _words("friday, שישי, пятницу, пятница, الجمعة"),
    _words("saturday, שבת, субботу, суббота, السبت"),
    _words("sunday, ראשון, воскресенье, الأحد"),
)
PARTS = {
    Part.MORNING: _words("morning, בבוקר, בוקר, утром, утра, утро, صباحا, الصباح, صباح"),
    Part.AFTERNOON: _words("noon, afternoon, בצהריים, צהריים, בצהרים, днем, дня, ظهرا, الظهر, العصر, عصرا"),
    Part.EVENING: _words("evening, tonight, בערב, ערב, вечером, вечера, вечер, مساء, المساء"),
}
# Said together they are one thing: "after noon" is no hour after something.
TOGETHER = {
    plain(said): f" {plain(one)} "
    for said, one in {
        "אחרי הצהריים": "צהריים",
        "אחר הצהריים": "צהריים",
        'אחה"צ': "צהריים",
        "после обеда": "днем",
        "بعد الظهر": "العصر",
        "half an hour": "30 minutes",
        "an hour": "1 hour",
        "חצי שעה": "30 דקות",
        "שעתיים": "2 שעות",
        "полчаса": "30 минут",
        "نصف ساعة": "30 دقائق",
        "ساعتين": "2 ساعات",
    }.items()
}
# Why a call does not suit; said of now, it turns round nothing of what is asked beside it.
CANNOT_TALK = _words(
    "i can't talk, can't talk, i cant talk, cant talk, cannot talk, can not talk, not able to talk, can't speak,"
    "לא יכול לדבר, לא יכולה לדבר, לא יכולים לדבר, לא נוח לדבר, לא נוח לי לדבר, אי אפשר לדבר,"
    "не могу говорить, не могу разговаривать, неудобно говорить, не удобно говорить,"
    "لا أستطيع الكلام, لا أستطيع التحدث, لا أقدر أتكلم, لا يمكنني الكلام, لا يمكنني التحدث"
)
NOW = _words("right now, now, עכשיו, כרגע, сейчас, الآن")
LONGEST_FIRST = "|".join(re.escape(phrase) for phrase in sorted(CANNOT_TALK, key=len, reverse=True))
# Of any other time than now it is the time at which a call does not suit, so a person reads it.
CANNOT_TALK_NOW = re.compile(rf" (?:{LONGEST_FIRST}) (?:{'|'.join(sorted(NOW))})(?= )")
POLITE = "|".join(sorted(_words("please, בבקשה, נא, אפשר, пожалуйста, الرجاء, ممكن")))
# "Can't talk, write": nothing stands between the two that could be a time.
CANNOT_TALK_BUT_WRITE = re.compile(
    rf"^ (?:{LONGEST_FIRST})(?=(?: (?:{POLITE}))* (?:{'|'.join(sorted(WRITE))}) )"
)
CANNOT_TALK_THEN = re.compile(rf" (?:{LONGEST_FIRST})(?= )")
NUMBERS = {
    word: hour
    for hour, listed in {
        1: "one, באחת, אחת, час, الواحدة",
        2: "two, בשתיים, שתיים, два, двух, الثانية",
        3: "three, בשלוש, שלוש, три, трех, الثالثة",
        4: "four, בארבע, ארבע, четыре, четырех, الرابعة",
        5: "five, בחמש, חמש, пять, пяти, الخامسة",
        6: "six, בשש, שש, шесть, шести, السادسة",
        7: "seven, בשבע, שבע, семь, семи, السابعة",
        8: "eight, בשמונה, שמונה, восемь, восьми, الثامنة",
        9: "nine, בתשע, תשע, девять, девяти, التاسعة",
        10: "ten, בעשר, עשר, десять, десяти, العاشرة",
        11: "eleven, одиннадцать, одиннадцати",
        12: "twelve, двенадцать, двенадцати",
    }.items()
    for word in _words(listed)
}


@dataclass(frozen=True)
class Wish:
    """What was asked, as far as it is understood. `all_known`: there was nothing else in the words."""

    hour: int | None = None
    minute: int = 0
    half: str = ""  # "a" or "p" where it was said, as in 6 pm
    is_after: bool = False
    part: Part | None = None
    day: int | None = None  # 0 today, 1 tomorrow
    weekday: int | None = None
    minutes: int | None = None  # so long from when it was said
    in_writing: bool = False  # asked is a message, not a call
    channel: str = ""  # on which one, where exactly one was named
    all_known: bool = True


@dataclass(frozen=True)
class Moment:
    """By when to call; `is_sure` where the words leave nothing open."""

    by: datetime
    is_sure: bool


def wish_in(text: str, *, invited: bool = False) -> Wish | None:
    """What a text asks; None where it asks for no call. `invited`: we asked for a good hour, so that alone is one."""
    said, wish = _clock_in(text)
    whole = f" {plain(said)} "
    whole, of_now = CANNOT_TALK_NOW.subn("", whole)
    whole, not_then = CANNOT_TALK_THEN.subn("", CANNOT_TALK_BUT_WRITE.sub("", whole))
    for together, one in TOGETHER.items():
        whole = whole.replace(f" {together} ", one)
    words = whole.split()
    calls, writes = bool(CALL & set(words)), bool(WRITE & set(words))
    all_known = wish.all_known and not (calls and writes) and not not_then
    wish = replace(wish, in_writing=writes and not calls, all_known=all_known, channel=_channel_in(words))
    if wish.in_writing and of_now:
        wish = replace(wish, day=0)  # how it suits today is not how it suits every day
    if not (calls or writes or invited) or TURNS & set(words) or len(words) > LONGEST:
        return None
    wish, words = _without_a_while(wish, words)
    for word in words:
        wish = _with_word(wish, PREFIXED.sub("", word))
    if not (calls or writes) and not (wish.all_known and _says_when(wish)):
        return None
    return wish


def _channel_in(words: list[str]) -> str:
    named = [channel for channel, names in WRITE_BY.items() if names & set(words)]
    return named[0] if len(named) == 1 else ""


def _says_when(wish: Wish) -> bool:
    return wish.hour is not None or wish.part is not None


def _clock_in(text: str) -> tuple[str, Wish]:
    """The first time that is written in figures, as 18:00 or 6 pm, and the text without it."""
    for found in CLOCK.finditer(text):
        hour, minute, half = int(found[1]), int(found[3] or 0), (found[4] or "").lower()
        fits = 1 <= hour <= HALF_A_DAY if half else hour < 2 * HALF_A_DAY
        if (found[3] or half) and fits and minute < 60:  # noqa: PLR2004 - minutes
            may_be_a_date = found[2] == "." and 1 <= minute <= HALF_A_DAY
            rest = f"{text[: found.start()]} {text[found.end() :]}"
            return rest, Wish(hour, minute, half=half, all_known=not may_be_a_date)
    return text, Wish()


def _without_a_while(wish: Wish, words: list[str]) -> tuple[Wish, list[str]]:
    """What is said of some while from now, as "in half an hour", and the other words."""
    for n, word in enumerate(words):
        if word not in MAY_SAY_A_WHILE:
            continue
        number, unit = _number_and_unit(words[n + 1 : n + 3])
        end = n + 1 + (number is not None) + bool(unit)
        rest = [*words[:n], *words[end:]]
        if unit in BY_THE_MINUTE | BY_THE_HOUR:
            each = 60 if unit in BY_THE_HOUR else 1
            return replace(wish, minutes=each * (1 if number is None else number), all_known=False), rest
        if unit or (number is not None and word in FROM_NOW):
            return replace(wish, all_known=False), rest
        if number is not None and word in AMBIGUOUS_AFTER and words[n + 1] not in NUMBERS:
            return replace(wish, all_known=False), words
    return wish, words


def _number_and_unit(words: list[str]) -> tuple[int | None, str]:
    """How many of what, as far as these words say it."""
    first, second = [*words, "", ""][:2]
    if first in ONE_BY_ITSELF and _hour_in(second) is None:
        return None, first
    number = _hour_in(first)
    is_unit = number is not None and second in BY_THE_MINUTE | BY_THE_HOUR | LONGER
    return number, second if is_unit else ""


def _with_word(wish: Wish, word: str) -> Wish:
    if word in DAYS[0] | DAYS[1]:
        wish = replace(wish, day=0 if word in DAYS[0] else 1)
    if (weekday := next((n for n, words in enumerate(WEEKDAYS) if word in words), None)) is not None:
        return replace(wish, weekday=weekday)
    if part := next((part for part, words in PARTS.items() if word in words), None):
        return replace(wish, part=part)
    hour = _hour_in(word)
    if hour is not None and hour < 2 * HALF_A_DAY and wish.hour is None:
        return replace(wish, hour=hour)
    if word in AFTER:
        return replace(wish, is_after=True)
    known = word in CALL or word in WRITE or word in FILLERS or word in DAYS[0] | DAYS[1]
    return wish if known else replace(wish, all_known=False)


def _hour_in(word: str) -> int | None:
    return NUMBERS.get(word, int(word) if word.isdecimal() and len(word) <= 2 else None)  # noqa: PLR2004 - figures


def moment_of(wish: Wish, opening: Hours, *, now: datetime) -> Moment | None:
    """By when to call or to write, inside the clinic's day; None where nothing that was said can be met."""
    if wish.minutes is not None:
        return _so_long_after(now, wish.minutes, opening)
    today = now.astimezone(ZoneInfo(opening.zone)).date()
    for day, is_meant in _days_meant(wish, today):
        found = list(dict.fromkeys(_times_on(wish, today + DAY * day, opening, now=now)))
        if found:
            return Moment(
                found[0], is_sure=len(found) == 1 and is_meant and wish.all_known and not wish.in_writing
            )
    return None


def written_from(wish: Wish, opening: Hours) -> time | None:
    """From which hour on she wants messages, whatever the day; None where that is not beyond doubt."""
    is_of_one_day = wish.day is not None or wish.weekday is not None
    if not (wish.in_writing and wish.all_known and wish.is_after and wish.hour is not None) or is_of_one_day:
        return None
    meant = [time(hour, wish.minute) for hour in _hours_meant(wish)]
    open_then = [at for at in meant if any(each.start <= at < each.end for each in opening.windows)]
    is_one = len(open_then) == 1 and (wish.half or wish.part or open_then[0].hour >= HALF_A_DAY)
    return open_then[0] if is_one else None


def _so_long_after(now: datetime, minutes: int, opening: Hours) -> Moment | None:
    """A person looks at it: what was said an hour ago may be over, and it is soon."""
    by = now + timedelta(minutes=minutes)
    on = by.astimezone(ZoneInfo(opening.zone)).date()
    is_open = minutes > 0 and any(each.start <= by <= each.end for each in day_intervals(opening, on))
    return Moment(by, is_sure=False) if is_open else None


def _days_meant(wish: Wish, today: date) -> list[tuple[int, bool]]:
    """How many days ahead, and whether that is beyond doubt; on a Monday, "Monday" may be that of next week."""
    if wish.weekday is not None:
        ahead = (wish.weekday - today.weekday()) % A_WEEK
        is_one = wish.day is None or wish.day == ahead
        return [(ahead, ahead > 0 and is_one)] if ahead else [(0, False), (A_WEEK, False)]
    return [(wish.day, True)] if wish.day is not None else [(0, True), (1, False)]


def _times_on(wish: Wish, on: date, opening: Hours, *, now: datetime) -> Iterator[datetime]:
    stretches = day_intervals(opening, on)
    if wish.hour is None:
        if wish.part is not None:
            yield from _end_of_part(wish.part, on, stretches, opening.zone, now=now)
        return
    for hour in _hours_meant(wish):
        at = starts_at(opening.zone, on, time(hour, wish.minute))
        open_then = next((each for each in stretches if each.start <= at <= each.end), None)
        if open_then is None or at <= now or (wish.is_after and at >= open_then.end):
            continue
        yield min(at + ONE_HOUR, open_then.end) if wish.is_after else at


def _hours_meant(wish: Wish) -> list[int]:
    hour = wish.hour or 0
    if wish.half:
        return [hour % HALF_A_DAY + (HALF_A_DAY if wish.half == "p" else 0)]
    both = [hour, hour + HALF_A_DAY] if 0 < hour < HALF_A_DAY else [hour]
    if wish.part is None:
        return both
    start, end = HOURS_OF[wish.part]
    return [each for each in both if start <= time(each, wish.minute) < end]


def _end_of_part(
    part: Part, on: date, stretches: list[Interval], zone: str, *, now: datetime
) -> Iterator[datetime]:
    """By the end of that part of the day, as far as the clinic is open in it and it is still to come."""
    first, last = HOURS_OF[part]
    start = starts_at(zone, on, first)
    end = starts_at(zone, on + DAY, time.min) if last == time.max else starts_at(zone, on, last)
    open_then = [min(each.end, end) for each in stretches if each.start < end and each.end > start]
    yield from [at for at in open_then if at > now][-1:]
