"""Which column fills which field, guessed from its name in any of our languages."""

from collections.abc import Sequence

from django.utils.translation import gettext_lazy as _

from clinic_journey.importing.models import DateOrder, ImportKind
from clinic_journey.importing.values import date_parts
from patients.identity import fold_name

_WHO = {
    "external_id": _("Patient's number in the other program"),
    "national_id": _("ID number"),
    "given_name": _("First name"),
    "family_name": _("Family name"),
    "full_name": _("Whole name, first name first"),
    "full_name_reversed": _("Whole name, family name first"),
    "phone": _("Phone"),
}
FIELDS = {
    ImportKind.PATIENTS: {
        **_WHO,
        "relation": _("Whose phone it is"),
        "phone_2": _("Second phone"),
        "relation_2": _("Whose the second phone is"),
        "phone_3": _("Third phone"),
        "email": _("E-mail"),
        "email_2": _("Second e-mail"),
        "birth_date": _("Date of birth"),
        "language": _("Speaks"),
        "gender": _("Address as (woman / man)"),
    },
    ImportKind.APPOINTMENTS: {
        **_WHO,
        "birth_date": _("Date of birth"),
        "doctor": _("Doctor"),
        "start": _("Date and time of the visit"),
        "on": _("Date of the visit"),
        "at": _("Time of the visit"),
        "minutes": _("Length in minutes"),
        "title": _("What for"),
    },
}
# The likeliest name first; folded like names (no case, no niqqud, no punctuation) before they are compared.
_NAMES = {
    "national_id": "id number|national id|identity number|id no|teudat zehut|תעודת זהות|ת.ז|ת.ז.|תז|מספר זהות|"
    "מס זהות|удостоверение|номер удостоверения|теудат зеут|номер паспорта|паспорт|passport|"
    "رقم الهوية|هوية|رقم هوية|id",
    "external_id": "patient number|patient no|patient id|external id|file number|chart number|chart|card number|"
    "record number|מספר מטופל|מס מטופל|מספר לקוח|מספר תיק|מס תיק|קוד מטופל|номер пациента|номер карты|"
    "код пациента|карта|رقم المريض|رقم الملف|رقم|no|number|מספר|номер",
    "given_name": "first name|given name|forename|firstname|שם פרטי|имя|имя пациента|الاسم الاول|الاسم الشخصي|"
    "اسم شخصي",
    "family_name": "family name|last name|surname|lastname|שם משפחה|משפחה|фамилия|اسم العائلة|العائلة|اللقب",
    "full_name_reversed": "фио|ф.и.о.|фамилия имя|фамилия имя отчество|last name first name|שם משפחה ופרטי|"
    "שם משפחה ושם פרטי",
    "full_name": "full name|patient name|name|patient|שם מלא|שם המטופל|שם מטופל|שם לקוח|מטופל|שם|имя фамилия|"
    "пациент|الاسم الكامل|اسم المريض|المريض|الاسم",
    # Before the first phone, whose names these contain.
    "phone_2": "phone 2|phone2|mobile 2|second phone|other phone|additional phone|home phone|phone at home|טלפון 2|"
    "נייד 2|טלפון נוסף|נייד נוסף|טלפון בבית|טלפון שני|телефон 2|второй телефон|доп телефон|дополнительный телефон|"
    "домашний телефон|هاتف 2|هاتف اخر|هاتف ثان|هاتف المنزل|هاتف البيت",
    "phone_3": "phone 3|phone3|mobile 3|third phone|work phone|טלפון 3|טלפון בעבודה|телефон 3|рабочий телефон|هاتف 3|"
    "هاتف العمل",
    "relation_2": "relation 2|relation of phone 2|whose phone 2|קרבה 2|של מי טלפון 2|чей телефон 2|кем приходится 2|"
    "صلة 2|القرابة 2",
    "relation": "relation|relationship|whose phone|phone of|phone belongs to|קרבה|של מי הטלפון|чей телефон|"
    "кем приходится|родство|القرابة|صلة القرابة|صلة",
    "email_2": "e-mail 2|email 2|second e-mail|second email|other email|דואל 2|אימייל 2|דואל נוסף|почта 2|"
    "вторая почта|بريد 2",
    "phone": "mobile|mobile phone|cell phone|cell|phone number|phone|telephone|tel|נייד|טלפון נייד|טלפון סלולרי|"
    "סלולרי|פלאפון|מספר טלפון|טלפון|טל|мобильный|мобильный телефон|сотовый|номер телефона|телефон|тел|"
    "الهاتف المحمول|المحمول|الجوال|رقم الجوال|رقم الهاتف|هاتف|الهاتف|تلفون",
    "email": "e-mail|email|e mail|mail|email address|דואל|דוא״ל|אימייל|מייל|דואר אלקטרוני|эл почта|почта|"
    "электронная почта|емейл|имейл|البريد الالكتروني|بريد الكتروني|ايميل|البريد",
    "birth_date": "date of birth|birth date|birthdate|birthday|dob|born|תאריך לידה|ת.לידה|ת. לידה|לידה|"
    "дата рождения|д.р.|день рождения|год рождения|родился|تاريخ الميلاد|تاريخ الولادة|الميلاد",
    "language": "language|speaks|preferred language|שפה|שפת אם|язык|язык общения|اللغة|لغة",
    "gender": "gender|sex|מין|מגדר|пол|الجنس|جنس",
    "doctor": "doctor|practitioner|provider|dentist|physician|therapist|with|רופא|רופאה|שם הרופא|מטפל|מטפלת|врач|"
    "доктор|специалист|الطبيب|طبيب|اسم الطبيب|الدكتور",
    "start": "start|starts at|start time|date and time|datetime|appointment time|מועד|תאריך ושעה|מועד התור|"
    "дата и время|начало|время приема|التاريخ والوقت|الموعد|موعد|بداية",
    "on": "date|appointment date|visit date|day|תאריך|תאריך התור|תאריך תור|יום|дата|дата приема|дата визита|التاريخ|"
    "تاريخ|تاريخ الموعد|اليوم",
    "at": "time|hour|from|שעה|שעת התחלה|משעה|время|час|الساعة|الوقت|ساعة",
    "minutes": "minutes|duration|length|duration minutes|minutes long|דקות|משך|אורך|משך בדקות|минут|минуты|"
    "длительность|продолжительность|دقائق|المدة|مدة|دقيقة",
    "title": "title|what for|treatment|reason|type|subject|service|description|טיפול|סוג טיפול|סיבה|נושא|תיאור|"
    "прием|услуга|причина|лечение|описание|العلاج|السبب|نوع|الخدمة",
}  # fmt: skip
NAMES = {field: [fold_name(name) for name in text.split("|")] for field, text in _NAMES.items()}


def guess_columns(kind: str, header: Sequence[str]) -> list[str]:
    """For each column the field it fills, each field once: exact names first, then names that contain one."""
    wanted = [field for field in NAMES if field in FIELDS[ImportKind(kind)]]
    folded = [fold_name(name) for name in header]
    columns = [""] * len(header)
    for whole in (True, False):
        for field in wanted:
            if field in columns:
                continue
            at = next(
                (n for n, name in enumerate(folded) if not columns[n] and _is(name, field, whole)), None
            )
            if at is not None:
                columns[at] = field
    if "start" in columns and "on" in columns and "at" not in columns:
        columns[columns.index("start")] = "at"  # one column says the day, so the other says the hour
    return columns


def _is(name: str, field: str, whole: bool) -> bool:  # noqa: FBT001 - of this module alone
    if whole:
        return name in NAMES[field]
    return any(len(known) > 2 and f" {known} " in f" {name} " for known in NAMES[field])  # noqa: PLR2004


def guess_date_order(columns: Sequence[str], sample: Sequence[Sequence[str]]) -> DateOrder:
    """Month first only if some date has no other reading; day first is what our clinics write."""
    for cells in sample:
        for field, text in zip(columns, cells, strict=False):
            if field in {"birth_date", "start", "on"}:
                parts = date_parts(text)
                if parts and parts[1] > 12 >= parts[0]:  # noqa: PLR2004 - months
                    return DateOrder.MONTH_FIRST
    return DateOrder.DAY_FIRST


def missing_columns(kind: str, columns: Sequence[str]) -> list[str]:
    """What has to be chosen before the rows can be checked, in words; empty if all is there."""
    chosen = set(columns)
    missing = []
    names = {"given_name", "full_name", "full_name_reversed"}
    if kind == ImportKind.PATIENTS and not chosen & names:
        missing.append(_("Choose the column with the first name, or with the whole name."))
    if kind == ImportKind.APPOINTMENTS:
        if not chosen & {"external_id", "national_id"} and not ("phone" in chosen and chosen & names):
            missing.append(
                _("Choose what tells who the patient is: a number, an ID, or a phone together with a name.")
            )
        if "doctor" not in chosen:
            missing.append(_("Choose the column with the doctor."))
        if "start" not in chosen and not {"on", "at"} <= chosen:
            missing.append(_("Choose the column with date and time, or the two columns that hold them."))
    return [str(text) for text in missing]
