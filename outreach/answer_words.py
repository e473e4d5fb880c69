"""Short answers whose meaning is beyond doubt, in the four languages. Only a whole message counts.

"No" alone is an answer only to the question whether she comes; whoever hears it knows what was asked.
"""

from outreach.stop_words import plain

CONFIRM, ANOTHER_TIME, CANNOT_COME, THANKS = "confirm", "another_time", "cannot_come", "thanks"

MEANINGS = {
    CONFIRM: (
        "yes, ok, okay, confirm, confirmed, i will come, i'll come, yes i will come,"
        "כן, מאשר, מאשרת, מאשרים, אגיע, בסדר, כן אגיע, מאשר הגעה, מאשרת הגעה,"
        "да, подтверждаю, приду, буду, да приду, да буду, хорошо, ок,"
        "نعم, أؤكد, سآتي, نعم سآتي, موافق, موافقة, أكيد"
    ),
    ANOTHER_TIME: (
        "another time, other time, reschedule, i need another time,"
        "מועד אחר, זמן אחר, אפשר מועד אחר, לשנות מועד,"
        "другое время, можно другое время, перенести, перенесите,"
        "وقت آخر, موعد آخر, أريد موعدا آخر, تغيير الموعد"
    ),
    CANNOT_COME: (
        "no, no i can't, no i cannot, i can't come, i cant come, can't come, cant come, cannot come, i cannot come,"
        "i can not come, no i can't come, i won't come, i will not come, i'm not coming, i am not coming,"
        "i can't make it, can't make it, i cannot make it,"
        "לא, לא אגיע, לא נגיע, לא אבוא, לא מגיע, לא מגיעה, לא אוכל להגיע, לא אוכל לבוא, לא נוכל להגיע,"
        "לא יכול להגיע, לא יכולה להגיע, לא יכולים להגיע, לא יכול לבוא, לא יכולה לבוא, אני לא יכול להגיע,"
        "אני לא יכולה להגיע, אני לא אגיע, לא לא אגיע, לא אוכל,"
        "нет, не приду, я не приду, нет не приду, не смогу, не смогу прийти, я не смогу прийти, нет не смогу,"
        "не могу прийти, я не могу прийти, мы не придем, не получится прийти,"
        "لا, لن آتي, لا لن آتي, لن أحضر, لا أستطيع الحضور, لا أستطيع المجيء, لا يمكنني الحضور, لن أتمكن من الحضور"
    ),
    THANKS: (
        "thanks, thank you, thank you very much, many thanks, thx,"
        "תודה, תודה רבה, רב תודות,"
        "спасибо, большое спасибо, спасибо большое, благодарю,"
        "شكرا, شكرا جزيلا, شكرا لكم"
    ),
}
MEANING_OF = {
    plain(words): meaning for meaning, listed in MEANINGS.items() for words in listed.split(",") if words
}


def meaning_of(text: str) -> str:
    """Empty where a person has to read it."""
    return MEANING_OF.get(plain(text), "")
