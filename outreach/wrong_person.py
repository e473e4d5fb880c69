"""Whether somebody's words say that they are not the patient: the number or the person is wrong. Four languages. Pure.

Where it is said in a few words, it acts at once: to write once more to a stranger costs more than a look at the desk.
"""

from outreach.stop_words import plain

# Also inside a short sentence.
PHRASES = (
    "wrong number, wrong person, not my number, not the right person, nobody by that name, no one by that name,"
    "no such person,"
    "טעות במספר, טעיתם במספר, טעית במספר, מספר לא נכון, המספר לא נכון, מספר שגוי, זה לא המספר שלי,"
    "זה לא המספר שלה, זה לא המספר שלו, לא האדם הנכון, האדם הלא נכון, אדם לא נכון,"
    "ошиблись номером, не тот номер, неправильный номер, неверный номер, не мой номер, не тому человеку,"
    "не тот человек, не туда попали, нет такого человека,"
    "الرقم خطأ, رقم خطأ, الرقم غلط, رقم غلط, رقم خاطئ, الرقم غير صحيح, ليس رقمي, مش رقمي, الشخص الخطأ,"
    "شخص خطأ, لست الشخص المطلوب"
)
# Alone they mean it; inside a sentence they are everyday words that say something else.
ALONE = (
    "not me, it's not me, its not me, this is not me, this isn't me, that's not me, wrong address, wrong email,"
    "לא אני, זה לא אני, זאת לא אני, זו לא אני, טעות, זו טעות, זאת טעות, יש לכם טעות, יש לך טעות, טעיתם,"
    "не я, это не я, ошибка, вы ошиблись, не тот адрес,"
    "ليس أنا, لست أنا, هذا ليس أنا, هذه ليست أنا, مش أنا, مو أنا, عنوان خطأ"
)
COURTESY = frozenset(
    """
    hi hello sorry please thanks
    שלום היי סליחה בבקשה תודה
    здравствуйте добрый день привет извините простите спасибо
    مرحبا السلام عليكم عذرا آسف آسفة شكرا
    """.split()  # noqa: SIM905 - a list to be read
)
SHORT = 15  # words; what stands in a longer letter is read by a person

_PHRASES = tuple(plain(phrase) for phrase in PHRASES.split(","))
_ALONE = frozenset(plain(words) for words in ALONE.split(","))
_COURTESY = frozenset(plain(word) for word in COURTESY)


def says_not_me(text: str) -> bool:
    words = plain(text).split()
    if len(words) > SHORT:
        return False
    bare = " ".join(word for word in words if word not in _COURTESY)
    whole = f" {' '.join(words)} "
    return bare in _ALONE or any(f" {phrase} " in whole for phrase in _PHRASES)
