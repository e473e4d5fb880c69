"""What patients of the demo have written this morning, each in her own language; and one number nobody knows."""

from datetime import datetime, timedelta

from clinic_journey.demo.mail import panoramic_png
from outreach.channels.inbound import Brought, Enclosed, Said
from outreach.enclosed import fetch_files, source_id_of
from outreach.enclosed_models import ReplyFile
from outreach.models import Attempt
from outreach.replies import receive_reply
from patients.models import AddressKind, Channel, Clinic
from referrals.arrivals import Arrival, match_documents, receive
from referrals.models import Referral, Source
from referrals.queries import waiting

QUESTIONS = {
    "he": ("אפשר לאכול לפני הטיפול?", "איפה אפשר לחנות ליד המרפאה?", "כמה זמן יימשך הביקור?"),
    "ru": ("Можно ли поесть перед визитом?", "Где у вас можно припарковаться?"),
    "ar": ("هل يمكنني الأكل قبل الزيارة؟", "كم تستغرق الزيارة؟"),
}
CALL_AT = {
    "he": "תתקשרו אליי בשש בבקשה",
    "ru": "Позвоните мне в шесть, пожалуйста",
    "ar": "اتصلوا بي الساعة السادسة من فضلكم",
}
BROUGHT = {
    "he": "קיבלתי את הצילום ביד, הנה הוא",
    "ru": "Снимок мне отдали на руки, вот он",
    "ar": "أعطوني الصورة بيدي، ها هي",
}
STRANGER, HER_WORDS = "+972509990011", "שלום, דיברנו אתמול. מה השעה של התור?"


def write_to_the_clinic(clinic: Clinic, *, now: datetime) -> None:
    """Answers to messages that went out by SMS: questions for the inbox, and one wish to be called."""
    told = Attempt.objects.filter(clinic=clinic, channel=Channel.SMS, sent_at__isnull=False)
    last = {attempt.patient_id: attempt for attempt in told.select_related("patient", "contact_point")}
    open_questions = {language: list(words) for language, words in QUESTIONS.items()}
    minutes, asks_to_be_called = 110, True
    for attempt in sorted(last.values(), key=lambda each: each.pk):
        language = attempt.patient.language
        words = open_questions.get(language)
        if not words:
            continue
        text = CALL_AT[language] if asks_to_be_called else words.pop(0)
        asks_to_be_called, minutes = False, minutes - 10
        said = Said(
            Channel.SMS,
            AddressKind.PHONE,
            str(attempt.contact_point.value),
            text,
            now - timedelta(minutes=minutes),
            to=str(clinic.phone),
        )
        receive_reply(said, now=said.at)
    _bring_an_image(clinic, at=now - timedelta(minutes=75))
    at = now - timedelta(minutes=4)
    receive_reply(Said(Channel.SMS, AddressKind.PHONE, STRANGER, HER_WORDS, at, to=str(clinic.phone)), now=at)


def _bring_an_image(clinic: Clinic, *, at: datetime) -> None:
    """By WhatsApp, of a patient whose result the clinic waits for: the desk says that this is it."""
    waited_for = waiting(Referral.objects.filter(clinic=clinic)).values("patient")
    told = Attempt.objects.filter(channel=Channel.WHATSAPP, sent_at__isnull=False, patient__in=waited_for)
    attempt = told.filter(patient__language__in=BROUGHT).order_by("pk").first()
    if attempt is None:
        return
    address, picture = str(attempt.contact_point.value), Enclosed(Brought.PICTURE, reference="demo")
    said = Said(
        Channel.WHATSAPP,
        AddressKind.WHATSAPP,
        address,
        BROUGHT[attempt.patient.language],
        at,
        brought=picture.kind,
        files=(picture,),
    )
    receive_reply(said, now=at)
    file = ReplyFile.objects.get(provider_reference=picture.reference)
    receive(Arrival(clinic, Source.MESSAGE, source_id_of(file), panoramic_png(), sender=address), now=at)
    fetch_files(now=at)
    match_documents(now=at)
