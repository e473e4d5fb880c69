"""What the demo clinic offers: a vaccine that is there, one that has run out, a check-up, and goods."""

from datetime import datetime, time, timedelta
from decimal import Decimal

from appointments.models import Practitioner, VisitType
from inquiries.models import Currency, Offering, OfferingKind
from inquiries.on_offer import set_batch, set_walk_in
from patients.models import Clinic

DAY = timedelta(days=1)
FLU = {
    "en": "Flu vaccine",
    "he": "חיסון נגד שפעת",
    "ru": "Прививка от гриппа",
    "ar": "لقاح الإنفلونزا",
}
HEPATITIS = {
    "en": "Hepatitis A vaccine",
    "he": "חיסון נגד צהבת A",
    "ru": "Прививка от гепатита A",
    "ar": "لقاح التهاب الكبد A",
}
CHECK_UP = {"en": "Check-up", "he": "ביקורת", "ru": "Осмотр", "ar": "فحص"}
BRING_IMAGES = {
    "en": "bring earlier images, if there are any",
    "he": "להביא צילומים קודמים, אם יש",
    "ru": "возьмите прежние снимки, если есть",
    "ar": "يرجى إحضار صور سابقة إن وجدت",
}
NIGHT_GUARD = {"en": "Night guard", "he": "סד לילה", "ru": "Ночная капа", "ar": "واقي ليلي"}


def make_offerings(clinic: Clinic, *, now: datetime) -> None:
    """A few of each kind, counted this week; those with a time by who does them."""
    cohen, shaham = Practitioner.objects.filter(clinic=clinic).order_by("pk")
    usual = VisitType.objects.filter(clinic=clinic, minutes=20).first()
    shot = VisitType.objects.filter(clinic=clinic, minutes=30).first()
    flu = _offering(
        clinic, OfferingKind.VACCINE, FLU, "80", shot, "flu shot, influenza, שפעת, грипп, انفلونزا"
    )
    set_batch(flu, "FL-2201", quantity=9, expires_on=(now + 200 * DAY).date(), now=now - 2 * DAY)
    set_batch(flu, "FL-2188", quantity=3, expires_on=(now + 9 * DAY).date(), now=now - 2 * DAY)
    flu.done_by.set([shaham])
    set_walk_in(flu, {weekday: [(time(8), time(12))] for weekday in (6, 0, 1, 2, 3)})
    gone = _offering(clinic, OfferingKind.VACCINE, HEPATITIS, "150", shot, "jaundice, желтуха, יאונדיס")
    set_batch(gone, "HA-104", quantity=0, expires_on=(now + 90 * DAY).date(), now=now - DAY)
    gone.done_by.set([shaham])
    check_up = _offering(
        clinic, OfferingKind.SERVICE, CHECK_UP, "250", usual, "checkup, examination, בדיקה, проверка"
    )
    check_up.done_by.set([cohen, shaham])
    Offering.objects.filter(pk=check_up.pk).update(preparations=BRING_IMAGES)
    guard = _offering(
        clinic, OfferingKind.GOODS, NIGHT_GUARD, None, None, "splint, שיניים בלילה, скрип зубов"
    )
    set_batch(guard, "1", quantity=4, expires_on=None, now=now - 9 * DAY)
    Offering.objects.filter(clinic=clinic).exclude(pk=gone.pk).update(looked_at=now - 2 * DAY)


def _offering(
    clinic: Clinic,
    kind: OfferingKind,
    names: dict[str, str],
    price: str | None,
    visit_type: VisitType | None,
    other_words: str,
) -> Offering:
    return Offering.objects.create(
        clinic=clinic,
        kind=kind,
        names=names,
        other_words=other_words,
        price=Decimal(price) if price else None,
        currency=Currency.ILS if price else "",
        visit_type=visit_type,
        is_public=True,
    )
