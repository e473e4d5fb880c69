"""Words that say "you have reached somebody else", and those that only look like it."""

import pytest

from outreach.wrong_person import says_not_me


@pytest.mark.parametrize(
    "words",
    [
        "Wrong number",
        "wrong number!!",
        "Sorry, you have the wrong number",
        "Hi, I think you've got the wrong person. Please stop",
        "It’s not me",
        "טעות במספר",
        "שלום, טעיתם במספר",
        "זה לא אני",
        "סליחה, טעות",
        "Вы ошиблись номером",
        "Здравствуйте, это не тот номер",
        "это не я",
        "الرقم غلط",
        "عذراً، هذا رقم خاطئ",
        "لستُ أنا",
    ],
)
def test_it_is_known_in_four_languages(words: str) -> None:
    assert says_not_me(words)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "no",
        "It was not me who called, it was my wife",
        "Это не я звонила, а муж",
        "זה לא אני קבעתי, זו אמא שלי",
        "sorry",
        "STOP",
        "I was given a room with the wrong number on its door and waited there for an hour, then somebody came",
    ],
)
def test_what_only_looks_like_it_is_read_by_a_person(words: str) -> None:
    assert not says_not_me(words)
