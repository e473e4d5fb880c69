"""Believable names and numbers for the demo clinic."""

import random
from dataclasses import dataclass
from datetime import date

import phonenumbers

NAMES = {
    "he": (
        "דנה נועה תמר שירה מיכל רונית אורית יעל הדר עדי יוסי משה אבי דוד איתן עומר גיל רועי ניר אלון",
        "לוי כהן מזרחי פרץ ביטון אברהם פרידמן שפירא דהן אזולאי חדד גבאי קליין ברק שלום",
    ),
    "ru": (
        "Ольга Наталья Елена Светлана Анна Марина Юлия Ирина Татьяна Галина",
        "Кузнецова Иванова Соколова Морозова Новикова Орлова Белкина Гринберг Каплан Шварц",
    ),
    "ar": (
        "أمل محمد فاطمة أحمد ليلى يوسف مريم خالد هبة سامر رنا عمر نور كريم",
        "خوري حداد منصور نجار حسن سليمان عيسى زعبي خطيب عودة جبارين شاهين",
    ),
    "en": (
        "Emma Daniel Sarah Noah Hannah Adam Leah Jacob Rachel Simon Naomi Samuel",
        "Miller Green Harris Cooper Bennett Walsh Morgan Foster Reed Hayes Lane Price",
    ),
}
SHARES = ["he"] * 10 + ["ru"] * 4 + ["ar"] * 4 + ["en"] * 2
AREAS = ("50", "52", "53", "54", "58")


@dataclass(frozen=True)
class Person:
    given_name: str
    family_name: str
    language: str
    phone: str
    birth_date: date
    email: str


def people(count: int, *, today: date, seed: int = 7) -> list[Person]:
    """`count` people with distinct, dialable numbers; the same ones for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - believable, not secret
    made: dict[str, Person] = {}
    while len(made) < count:
        language = chance.choice(SHARES)
        given, family = NAMES[language]
        phone = f"+972{chance.choice(AREAS)}{chance.randrange(2_000_000, 9_999_999)}"
        if not phonenumbers.is_valid_number(phonenumbers.parse(phone)):
            continue
        born = date(today.year - chance.randrange(19, 84), chance.randrange(1, 13), chance.randrange(1, 28))
        email = f"patient{len(made) + 1}@mail.example" if chance.random() < 0.4 else ""  # noqa: PLR2004 - a share
        made[phone] = Person(
            chance.choice(given.split()), chance.choice(family.split()), language, phone, born, email
        )
    return list(made.values())
