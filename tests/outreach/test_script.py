"""What is said in a call about a visit: the times that are free, in the language of whoever is called."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from outreach.models import Attempt, MessageTemplate
from outreach.queries import script_for
from patients.models import Channel
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
TIMES = (NOW + timedelta(days=1, hours=1), NOW + timedelta(days=2, hours=7))


@pytest.fixture(autouse=True)
def _words() -> None:
    builders.messages_loaded()


def a_call(message_key: str = "next_step", **fields: Any) -> Attempt:
    task = builders.task(
        builders.step(builders.journey(builders.patient(**fields))), message_key=message_key, plan_from=None
    )
    return builders.attempt(task, channel=Channel.PHONE)


@pytest.mark.parametrize(
    ("language", "offered", "asked"),
    [
        (
            "en",
            "I can offer you Tuesday 10 March, 11:00 or Wednesday 11 March, 17:00. What suits you best?",
            "Which days and hours suit you?",
        ),
        (
            "he",
            "אפשר להציע יום שלישי 10 במרץ בשעה 11:00 או יום רביעי 11 במרץ בשעה 17:00. מה נוח יותר?",
            "באילו ימים ושעות נוח להגיע?",
        ),
        (
            "ru",
            "Есть свободное время: вторник, 10 марта, 11:00 или среда, 11 марта, 17:00. Что вам удобнее?",
            "В какие дни и часы вам удобно прийти?",
        ),
        (
            "ar",
            "يمكننا أن نقترح الثلاثاء 10 مارس، الساعة 11:00 أو الأربعاء 11 مارس، الساعة 17:00. ما الأنسب لك؟",
            "ما الأيام والساعات المناسبة لك؟",
        ),
    ],
)
def test_the_free_times_are_said_or_hers_are_asked_for(language: str, offered: str, asked: str) -> None:
    call = a_call(language=language)
    assert script_for(call, now=NOW, times=TIMES).words.splitlines()[2:-1] == [offered]
    assert script_for(call, now=NOW).words.splitlines()[2:-1] == [asked]


@pytest.mark.parametrize("times", [(), TIMES])
def test_a_call_about_something_else_offers_no_time(times: tuple[datetime, ...]) -> None:
    said = script_for(a_call("thank_you", language="en"), now=NOW, times=times).words
    assert len(said.splitlines()) == 3
    assert "suit" not in said


def test_whoever_calls_reads_it_in_her_own_language_too() -> None:
    call = a_call(language="ru")
    said = script_for(call, now=NOW, times=TIMES, reader="he")
    assert "Можно записаться на следующий визит." in said.words
    assert said.for_reader.splitlines()[1:3] == [
        "אפשר לקבוע את הביקור הבא.",
        "אפשר להציע יום שלישי 10 במרץ בשעה 11:00 או יום רביעי 11 במרץ בשעה 17:00. מה נוח יותר?",
    ]
    assert script_for(call, now=NOW, reader="ru").for_reader == ""


def test_nothing_is_called_a_translation_that_is_none() -> None:
    MessageTemplate.objects.filter(language="ar").delete()
    assert script_for(a_call(language="ru"), now=NOW, reader="ar").for_reader == ""


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            "Thank you for answering. Perhaps we tried at the wrong time. When is better, or shall we write?",
        ),
        ("he", "תודה על המענה. אולי פנינו בשעה לא מתאימה. מתי נוח יותר, ואולי עדיף לכתוב?"),
        (
            "ru",
            "Спасибо, что ответили. Может быть, мы выбрали не тот час. Когда вам удобнее, или лучше написать?",
        ),
        ("ar", "شكرًا على الرد. ربما تواصلنا معك في وقت غير مناسب. متى يكون أنسب، أم نكتب لك؟"),
    ],
)
def test_who_answers_after_a_silence_is_asked_when_it_suits(language: str, words: str) -> None:
    call = a_call(language=language)
    for tries in (0, 1, 2):
        call.task.unanswered = tries
        assert (words == script_for(call, now=NOW).words.splitlines()[1]) == (tries > 1)
