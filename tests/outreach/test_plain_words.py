import pytest
from hypothesis import given, strategies

from outreach.lexicon import Rule, lexicon
from outreach.management.commands.load_messages import SHIPPED, read_folder
from outreach.plain_words import findings, reading_score
from outreach.wording import Draft, Remark, parts_of, remarks

LANGUAGES = ("en", "he", "ru", "ar")


def rules(text: str, language: str, **how: bool) -> set[Rule]:
    return {finding.rule for finding in findings(text, language, **how)}


def test_every_shipped_text_keeps_every_rule_also_those_that_only_advise() -> None:
    drafts, faults = read_folder(SHIPPED)
    assert faults == []
    remarked = {draft: [str(remark) for remark in remarks(draft)] for draft in drafts}
    assert {draft: found for draft, found in remarked.items() if found} == {}


def test_every_shipped_text_is_there_in_every_language() -> None:
    drafts, _faults = read_folder(SHIPPED)
    by_language = [
        {(draft.key, draft.channel) for draft in drafts if draft.language == language and not draft.variant}
        for language in LANGUAGES
    ]
    assert all(texts == by_language[0] for texts in by_language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_has_words_in_every_language(language: str) -> None:
    said = {entry.rule for entry in lexicon(language).entries}
    elsewhere = {Rule.READING, Rule.GENDERED, Rule.PAST, Rule.DASH, Rule.ADDRESS}
    assert set(Rule) - elsewhere <= said
    assert all(entry.instead for entry in lexicon(language).entries)


@pytest.mark.parametrize(
    ("language", "text", "rule"),
    [
        ("en", "Please utilise this page", Rule.JARGON),
        ("en", "You must confirm", Rule.BLAME),
        ("en", "Your X-ray has arrived", Rule.CLINICAL),
        ("en", "The price is 80", Rule.PRICE),
        ("en", "A special offer for you", Rule.PROMOTION),
        ("en", "Dear valued patient", Rule.INSINCERE),
        ("en", "Please do not reply", Rule.NO_REPLY),
        ("en", "We expect you on Tue 14:30", Rule.WEEKDAY),
        ("he", "הננו לעדכן", Rule.JARGON),
        ("he", "לא הגעת לתור", Rule.BLAME),
        ("he", "הַטִּיפּוּל הבא", Rule.CLINICAL),  # with vowel points, and the article written together
        ("he", "במבצע החודש", Rule.PROMOTION),
        ("he", "התקשרי אלינו", Rule.GENDERED),
        ("he", "יכול/ה לבחור", Rule.GENDERED),
        ("he", "בשעות 8:00-19:00", Rule.DASH),
        ("he", "בימים א-ה", Rule.DASH),
        ("he", "ביום ג׳", Rule.WEEKDAY),
        ("ru", "Уведомляем вас", Rule.JARGON),
        ("ru", "Вы должны прийти", Rule.BLAME),
        ("ru", "Результаты анализов у врача", Rule.CLINICAL),
        ("ru", "Скидка на всё", Rule.PROMOTION),
        ("ru", "Напиши, если тебе удобно", Rule.ADDRESS),
        ("ru", "Вы не пришли на визит", Rule.PAST),
        ("ru", "Недавно записались вы", Rule.PAST),
        ("ru", "Ждём вас в пт", Rule.WEEKDAY),
        ("ar", "يجب التأكيد", Rule.BLAME),
        ("ar", "وصلت نتائج الفحص والأشعة", Rule.CLINICAL),
        ("ar", "خصم خاص", Rule.PROMOTION),
        ("ar", "اتصلي بنا", Rule.GENDERED),
        ("ar", "من 8:00-19:00", Rule.DASH),
    ],
)
def test_a_broken_rule_is_found_with_what_to_write_instead(language: str, text: str, rule: Rule) -> None:
    found = [finding for finding in findings(text, language) if finding.rule == rule]
    assert found
    assert all(finding.is_refused and finding.found and finding.instead for finding in found)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Mustard, painter, grandchildren"),
        ("en", "{discount} {must}"),  # what a placeholder is called is nobody's reading
        ("he", "אפשר להתקשר 050-555-0142"),
        ("he", "כאשר נוח, ב-16:55"),
        ("ru", "Если вы или ваши близкие за рулём"),
        ("ru", "Мы обещали вам новости и опоздали"),
        ("ar", "لن نتأخر"),
    ],
)
def test_what_only_looks_like_a_fault_is_let_through(language: str, text: str) -> None:
    assert findings(text, language) == []


def test_an_offer_may_sell_and_a_gendered_form_may_speak_to_her() -> None:
    assert rules("A discount: the price is 80", "en") == {Rule.PRICE, Rule.PROMOTION}
    assert rules("A discount: the price is 80", "en", is_offer=True) == set()
    assert rules("התקשרי אלינו", "he", is_neutral=False) == set()


OFFICIAL = {
    "en": "In accordance with the established regulations of our organisation we would like to bring to your "
    "attention that the appointment previously scheduled has been rearranged by our administration",
    "he": "בהתאם להנחיות המעודכנות שפורסמו במערכת המרפאה ולאור השינויים הארגוניים שנעשו לאחרונה "
    "בלוחות הזמנים נבקשכם להתייחס להודעתנו הקודמת ולהחזיר התייחסותכם המפורטת",
    "ru": "Настоящим сообщением администрация медицинской организации подтверждает предварительную "
    "регистрацию посещения специалиста соответствующего профиля согласованным расписанием",
    "ar": "بناء على التعليمات المعمول بها في مؤسستنا الطبية وبالإشارة إلى التغييرات الأخيرة "
    "التي أجريت على المواعيد المحددة مسبقا نرجو التكرم بمراجعة التفاصيل المذكورة",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_language_of_offices_is_hard_to_read_in_every_language(language: str) -> None:
    hard = [finding for finding in findings(OFFICIAL[language], language) if finding.rule == Rule.READING]
    assert len(hard) == 1
    assert not hard[0].is_refused


def test_the_measure_is_words_a_sentence_and_long_words_in_a_hundred() -> None:
    assert reading_score("We write to you. You write to us.", long_word=7) == 4
    assert reading_score("We write to everybody.", long_word=7) == 4 + 25
    assert reading_score("We write until 18:00 on Monday", long_word=7) == 5  # a clock is no end, and no word
    assert reading_score("", long_word=7) == 0


@given(strategies.text(), strategies.sampled_from(LANGUAGES))
def test_any_text_can_be_looked_at(text: str, language: str) -> None:
    assert all(finding.found for finding in findings(text, language))


def remarked(body: str, **fields: str) -> list[Remark]:
    given = {"key": "held_visit", "channel": "", "language": "en", "subject": "A time is kept"}
    return remarks(Draft(**{**given, **fields, "body": body}))


GOOD = "Hello {name}, {clinic} keeps {date} for you until {until}: {link}"


def test_a_good_text_has_no_remarks() -> None:
    assert remarked(GOOD) == []


@pytest.mark.parametrize(
    ("body", "fields", "about"),
    [
        (" ", {}, "Write the words."),
        (GOOD + " {", {}, "brace"),
        (GOOD + " {by}", {}, "{by}"),  # a visit that is kept has no time by which we write
        (GOOD + " {doctor}", {}, "{doctor}"),
        (GOOD.replace("{date}", "a time"), {}, "{date}"),
        (GOOD.replace("{clinic}", "we"), {}, "{clinic}"),
        (GOOD.replace("{link}", "soon"), {}, "{link}, {phone}"),
        (GOOD, {"subject": ""}, "title"),
        (GOOD, {"subject": "Discount"}, "discount"),
        ("Does it suit you?", {"channel": "phone"}, "{date}"),
    ],
)
def test_each_fault_of_a_text_is_named(body: str, fields: dict[str, str], about: str) -> None:
    (found,) = remarked(body, **fields)
    assert found.is_refused
    assert about in str(found)


def test_words_that_are_spoken_need_neither_link_nor_sender() -> None:
    assert remarked("We keep {date} for you. Does it suit you?", channel="phone", subject="") == []


def test_parts_are_counted_with_the_longest_values() -> None:
    draft = Draft("recall", "", "en", "{link}" + "x" * 115)
    assert (len(draft.body), parts_of(draft)) == (121, 1)
    assert parts_of(Draft("recall", "", "en", draft.body + "x")) == 2
