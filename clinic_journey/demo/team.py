"""What the demo's patients and colleagues have thanked for."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User

from outreach.praise import note_extra, thank
from patients.models import Clinic, Patient

DAY = timedelta(days=1)
THANKS = (
    (
        "Rina",
        {"en": "Rina waited with me until my daughter came.", "he": "רינה חיכתה איתי עד שהבת שלי הגיעה."},
    ),
    ("", {"en": "You called just when I had asked. Thank you.", "he": "התקשרתם בדיוק כשביקשתי. תודה."}),
)


def thank_each_other(clinic: Clinic, staff: dict[str, User], *, now: datetime) -> None:
    patients = Patient.objects.filter(clinic=clinic).order_by("pk")[:2]
    for nth, (patient, (named, words)) in enumerate(zip(patients, THANKS, strict=True), start=1):
        thank(patient, words.get(patient.language, words["en"]), named, now=now - nth * 3 * DAY)
    rina, dan = staff["rina"], staff["dan"]
    note_extra(clinic, rina, "Saw a late result and told the doctor.", now=now - 2 * DAY, by=dan)
