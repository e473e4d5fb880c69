"""“Call me at six”: what is understood of it in four languages, and by when it is kept."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies

from outreach.call_words import Moment, moment_of, wish_in, written_from
from patients.windows import Hours, WeeklyWindow
from tests.conftest import NOW

ZONE = "Asia/Jerusalem"
# Sunday to Thursday from 8 to 20, and Friday until one: 10 o'clock on a Monday is NOW.
OPENING = Hours.of(
    ZONE,
    [*(WeeklyWindow(day, time(8), time(20)) for day in (6, 0, 1, 2, 3)), WeeklyWindow(4, time(8), time(13))],
    {},
)
SIX = datetime(2026, 3, 9, 16, 0, tzinfo=UTC)  # 18:00 in Jerusalem
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def moment(text: str, *, now: datetime = NOW, invited: bool = False) -> Moment | None:
    wish = wish_in(text, invited=invited)
    return moment_of(wish, OPENING, now=now) if wish else None


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("Call me at six", SIX),
        ("Please call me back at 6 pm", SIX),
        ("please call at 18:00", SIX),
        ("can you ring me at 6:30 p.m.?", SIX + HOUR / 2),
        ("call me after five", SIX),
        ("Call me in the evening, please", SIX + 2 * HOUR),
        ("call me tonight", SIX + 2 * HOUR),
        ("call me tomorrow morning", datetime(2026, 3, 10, 10, 0, tzinfo=UTC)),
        ("call tomorrow at 11", datetime(2026, 3, 10, 9, 0, tzinfo=UTC)),
        ("call me today at 3", SIX - 3 * HOUR),
        ("call me on Sunday at six", SIX + 6 * DAY),
        ("תתקשרו ביום רביעי בשש", SIX + 2 * DAY),
        ("позвоните в среду в шесть", SIX + 2 * DAY),
        ("اتصلوا بي يوم الأربعاء الساعة السادسة", SIX + 2 * DAY),
        ("אפשר להתקשר אליי בשש?", SIX),
        ("תתקשרו אליי ב-6", SIX),
        ("נא להתקשר ב 18:00", SIX),
        ("להתקשר אחרי חמש בבקשה", SIX),
        ("תתקשרו בערב", SIX + 2 * HOUR),
        ("תתקשרו אחר הצהריים", SIX - HOUR),
        ("תתקשרו מחר בבוקר", datetime(2026, 3, 10, 10, 0, tzinfo=UTC)),
        ("Позвоните мне в шесть", SIX),
        ("Перезвоните, пожалуйста, в 18.00", SIX),
        ("позвоните после пяти", SIX),
        ("Позвоните вечером", SIX + 2 * HOUR),
        ("позвоните завтра утром", datetime(2026, 3, 10, 10, 0, tzinfo=UTC)),
        ("позвоните после обеда", SIX - HOUR),
        ("اتصلوا بي الساعة السادسة", SIX),
        ("اتصلوا بي في الساعة 18:00 من فضلكم", SIX),
        ("اتصلوا بي بعد الخامسة", SIX),
        ("اتصلوا مساء", SIX + 2 * HOUR),
        ("اتصلوا بي غدا صباحا", datetime(2026, 3, 10, 10, 0, tzinfo=UTC)),
    ],
)
def test_a_time_for_a_call_is_understood_in_four_languages(text: str, by: datetime) -> None:
    assert moment(text) == Moment(by, is_sure=True)


@pytest.mark.parametrize(
    ("text", "by"),
    [
        ("Call me at six, and is it normal that it hurts?", SIX),
        ("call me at 18:00, my number is 0501234567", SIX),
        (
            "call me tomorrow at 8",
            datetime(2026, 3, 10, 6, 0, tzinfo=UTC),
        ),  # eight in the morning, or at night
        ("call me at nine", datetime(2026, 3, 10, 7, 0, tzinfo=UTC)),  # nine has passed: tomorrow, perhaps
        ("call me on 12.03", datetime(2026, 3, 9, 10, 3, tzinfo=UTC)),  # or a day in March
        ("call me on Monday at six", SIX),  # today, or in a week
        ("call me at seven on Tuesday or Thursday", SIX + 3 * DAY + HOUR),
    ],
)
def test_what_leaves_something_open_is_a_suggestion_for_a_person(text: str, by: datetime) -> None:
    assert moment(text) == Moment(by, is_sure=False)


@pytest.mark.parametrize(
    "text",
    [
        "Can't talk tomorrow morning, please call",
        "לא יכולה לדבר מחר בבוקר, תתקשרו",
        "Позвоните, не могу говорить в 5",
        "Please call, can't talk after 5",
        "لا أستطيع الكلام غدا صباحا، اتصلوا بي",
    ],
)
def test_a_time_at_which_she_cannot_talk_is_never_promised(text: str) -> None:
    found = moment(text)
    assert found
    assert not found.is_sure


def test_where_we_asked_for_a_good_hour_one_that_does_not_suit_is_none() -> None:
    assert moment("can't talk at 6", invited=True) is None


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("call me in five minutes", 5),
        ("please ring me in half an hour", 30),
        ("call me back in an hour", 60),
        ("call me after 2 hours", 120),
        ("תתקשרו בעוד 5 דקות", 5),
        ("תתקשרו עוד חצי שעה", 30),
        ("להתקשר בעוד שעה", 60),
        ("תתקשרו בעוד שעתיים בבקשה", 120),
        ("позвоните через 5 минут", 5),
        ("перезвоните через полчаса", 30),
        ("позвоните через час", 60),
        ("позвоните мне через 2 часа", 120),
        ("اتصلوا بعد 5 دقائق", 5),
        ("اتصلوا بي بعد نصف ساعة", 30),
        ("اتصلوا بعد ساعة", 60),
        ("اتصلوا بي بعد ساعتين", 120),
    ],
)
def test_a_while_is_counted_from_when_it_was_said(text: str, minutes: int) -> None:
    assert moment(text) == Moment(NOW + timedelta(minutes=minutes), is_sure=False)


@pytest.mark.parametrize(
    "text",
    [
        "call me after 5",
        "תתקשרו אחרי 5",
        "תתקשרו אחרי השעה 5",
        "позвоните после 5",
        "позвоните после 5 часов",
        "اتصلوا بعد الساعة 5",
        "اتصلوا بعد الخامسة",
        "Can't talk now, call me after 5",
        "לא יכולה לדבר עכשיו, תתקשרו אחרי 5",
        "Не могу говорить сейчас, позвоните после 5",
        "لا أستطيع الكلام الآن، اتصلوا بعد الساعة 5",
    ],
)
def test_after_an_hour_of_the_clock_leaves_nothing_open(text: str) -> None:
    assert moment(text) == Moment(SIX, is_sure=True)


def test_after_five_may_be_after_so_long_in_arabic_and_a_person_reads_it() -> None:
    for text in ("اتصلوا بعد 5", "اتصلوا بعد ٥"):
        assert moment(text) == Moment(SIX, is_sure=False)


@pytest.mark.parametrize("invited", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "can't talk, write me on WhatsApp after 5",
        "I can’t talk right now. Text me after 5 please",
        "לא יכולה לדבר, תכתבו לי בוואטסאפ אחרי 5",
        "לא יכול לדבר כרגע, אפשר הודעה אחרי 5?",
        "не могу говорить, напишите в вотсап после 5",
        "Неудобно говорить сейчас, пишите в WhatsApp после пяти",
        "لا أستطيع الكلام، اكتبوا لي على واتساب بعد 5",
        "لا يمكنني التحدث الآن، رسالة بعد الخامسة من فضلكم",
    ],
)
def test_a_wish_for_a_message_is_told_with_its_time_and_promises_no_call(text: str, invited: bool) -> None:
    wish = wish_in(text, invited=invited)
    assert wish
    assert wish.in_writing
    assert moment(text, invited=invited) == Moment(SIX, is_sure=False)


FIVE = time(17)


@pytest.mark.parametrize(
    ("text", "channel"),
    [
        ("can't talk, write me on WhatsApp after 5", "whatsapp"),
        ("I can't talk. Please write on telegram after 5 pm", "telegram"),
        ("sms after five please", "sms"),
        ("לא יכולה לדבר, תכתבו לי בוואטסאפ אחרי 5", "whatsapp"),
        ("לא יכול לדבר, נא לכתוב בוואטסאפ אחרי 17:00", "whatsapp"),
        ("не могу говорить, напишите в вотсап после 5", "whatsapp"),
        ("неудобно говорить, пожалуйста, пишите в телеграм после пяти", "telegram"),
        ("لا أستطيع الكلام، اكتبوا لي على واتساب بعد الخامسة", "whatsapp"),
    ],
)
def test_how_she_wants_to_be_written_to_is_sure_where_it_names_channel_and_hour(
    text: str, channel: str
) -> None:
    wish = wish_in(text)
    assert wish
    assert (wish.channel, written_from(wish, OPENING)) == (channel, FIVE)


@pytest.mark.parametrize(
    "text",
    [
        "can't talk after 5, write me on WhatsApp",  # the hour may be the one that does not suit
        "can't talk now, write me on WhatsApp after 5",  # today's, not every day's
        "write me on WhatsApp tomorrow after 5",
        "write me on WhatsApp on Sunday after 5",
        "write me on WhatsApp at 5",
        "write me on WhatsApp",
        "write me on WhatsApp after 8",  # eight in the morning, or at night
        "write me on WhatsApp after 9",
        "write me on WhatsApp after 5, it hurts",
        "call or write me on WhatsApp after 5",
        "اكتبوا لي على واتساب بعد 5",  # after five, or after so long
        "call me after 5",
    ],
)
def test_what_leaves_open_how_to_write_is_read_by_a_person(text: str) -> None:
    wish = wish_in(text)
    assert wish
    assert written_from(wish, OPENING) is None


@pytest.mark.parametrize("text", ["write me after 5", "text me on WhatsApp or sms after 5"])
def test_no_channel_or_two_are_no_channel(text: str) -> None:
    wish = wish_in(text)
    assert wish
    assert wish.channel == ""


@pytest.mark.parametrize(
    "text", ["do not write to me after 5", "אל תכתבו אחרי 5", "не пишите после 5", "لا ترسلوا رسالة بعد 5"]
)
def test_that_nobody_should_write_is_no_wish_for_a_message(text: str) -> None:
    assert wish_in(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "at six",
        "See you at six",
        "please call me",
        "do not call me at six",
        "Don't call at six",
        "אל תתקשרו בשש",
        "не звоните в шесть",
        "لا تتصلوا الساعة السادسة",
        "call me at 23:00",
        "позвоните в субботу в шесть",  # nobody is there
        "call me at 99:99",
        "call me in 5",
        "תתקשרו בעוד 5",
        "תתקשרו עוד 5",
        "позвоните через 5",
        "اتصلوا بي خلال 5",
        "call me after 5 days",
        "תתקשרו בעוד 5 ימים",
        "позвоните через 2 недели",
        "اتصلوا بعد 5 أيام",
        "call me in 12 hours",  # nobody is there
        "call me in 0 minutes",
        "call me at six " + "please " * 20,
    ],
)
def test_what_asks_for_no_call_or_for_one_that_nobody_can_make_is_none(text: str) -> None:
    assert moment(text) is None


@pytest.mark.parametrize("text", ["at six", "18:00", "6 pm", "בשש", "в шесть", "in the evening, please"])
def test_where_we_asked_for_a_good_hour_the_hour_alone_is_enough(text: str) -> None:
    found = moment(text, invited=True)
    assert found
    assert found.is_sure
    assert moment(text) is None


@pytest.mark.parametrize(
    "text", ["yes", "thank you", "I am 6 months pregnant", "tomorrow", "no, at six", "in 5"]
)
def test_not_every_answer_to_that_is_an_hour(text: str) -> None:
    assert moment(text, invited=True) is None


def test_a_clinic_without_hours_promises_nothing_by_itself() -> None:
    wish = wish_in("call me at six")
    assert wish
    assert moment_of(wish, Hours.of(ZONE, [], {}), now=NOW) is None


SAID = (
    "call me in 5 hours דקות بعد write at six Sunday שני 6 18:00 pm after evening morning tomorrow today"
    " 7.30 позвоните в пять מחר בשש تتصلوا"
)
words = strategies.lists(strategies.sampled_from(SAID.split()), max_size=8).map(" ".join)


@given(
    strategies.one_of(words, strategies.text(max_size=40)),
    strategies.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001 - made aware below
    strategies.booleans(),
)
def test_whatever_is_written_a_call_is_promised_only_ahead_and_while_somebody_is_there(
    text: str, at: datetime, invited: bool
) -> None:
    now = at.replace(tzinfo=UTC)
    found = moment(text, now=now, invited=invited)
    if found is None:
        return
    assert now < found.by <= now + 8 * DAY
    local = found.by.astimezone(ZoneInfo(ZONE))
    windows = OPENING.by_weekday[local.weekday()]
    assert any(window.start <= local.time() <= window.end for window in windows)
