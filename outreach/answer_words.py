"""Short answers whose meaning is beyond doubt, in the four languages. Only a whole message counts.

"No" is not among them: it may be about the day, the visit or us, so a person reads it.
"""

from outreach.stop_words import plain

CONFIRM, ANOTHER_TIME, THANKS = "confirm", "another_time", "thanks"

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
