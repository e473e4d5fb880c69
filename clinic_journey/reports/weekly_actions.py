"""Last week to whoever manages a clinic, by e-mail with the page as PDF, once each."""

import logging
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clinic_journey.language import text_direction
from clinic_journey.reports.stages import WEEK
from clinic_journey.reports.stages_models import SummaryClock, WeeklyReport
from clinic_journey.reports.weekly import Week, week_at
from clinic_journey.reports.weekly_pdf import page_of
from outreach.channels import by_machine
from patients.access import Here
from patients.models import MANAGERS, Channel, Membership
from patients.windows import starts_at

logger = logging.getLogger(__name__)
FROM_HOUR = time(7)  # on the Monday after


def send_due(now: datetime) -> int:
    """From Monday morning on, by each clinic's clock, once the week has been counted to its end.

    One that fails says so in the log and keeps no other waiting.
    """
    if Channel.EMAIL not in by_machine():
        return 0
    sent = 0
    for here, monday in _due(now):
        try:
            sent += _send_once(here, monday)
        except Exception:
            logger.exception("The weekly report of user %s could not be made.", here.user.pk)
    return sent


def _due(now: datetime) -> Iterator[tuple[Here, date]]:
    """Whoever manages a clinic and has an address, with the week that is over there and counted."""
    people = Membership.objects.filter(role__in=MANAGERS, user__is_active=True)
    counted = dict(SummaryClock.objects.values_list("clinic", "counted_at"))
    for each in people.exclude(user__email="").select_related("clinic", "user").order_by("clinic", "pk"):
        zone = each.clinic.time_zone
        today = now.astimezone(ZoneInfo(zone)).date()
        monday = today - timedelta(days=today.weekday())
        counted_at = counted.get(each.clinic_id)
        is_whole = counted_at is not None and counted_at >= starts_at(zone, monday, time.min)
        if is_whole and now >= starts_at(zone, monday, FROM_HOUR):
            yield Here(each.user, each.clinic, each.role, now), monday - WEEK


def _send_once(here: Here, monday: date) -> int:
    """The row is there before the mail leaves: whatever happens then, nobody gets it twice.

    Only where the mail server could not be reached at all is the row taken back, and the next tick tries.
    """
    if WeeklyReport.objects.filter(clinic=here.clinic, user=here.user, week=monday).exists():
        return 0
    with translation.override(here.clinic.language), timezone.override(here.clinic.time_zone):
        told = week_at(here, monday)
        if not told.stories:
            return 0
        mail = mail_of(told, here.user.email)
    row = WeeklyReport(clinic=here.clinic, user=here.user, week=monday, begun_at=here.now)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # another worker was first
        return 0
    return _sent(row, mail, now=here.now)


def _sent(row: WeeklyReport, mail: EmailMultiAlternatives, *, now: datetime) -> int:
    connection = get_connection()
    try:
        connection.open()
    except Exception:
        logger.exception("The mail server could not be reached; the next tick tries again.")
        row.delete()
        return 0
    try:
        mail.connection = connection
        mail.send()
    except Exception as error:
        logger.exception("Whether the weekly report %s left is not known.", row.pk)
        WeeklyReport.objects.filter(pk=row.pk).update(error=type(error).__name__)
        return 0
    finally:
        connection.close()
    return WeeklyReport.objects.filter(pk=row.pk, error="").update(sent_at=now)


def mail_of(told: Week, address: str) -> EmailMultiAlternatives:
    language = translation.get_language()
    context = {"week": told, "language": language, "text_direction": text_direction(language or "en")}
    subject = _("Where patients got stuck: %(week)s") % {"week": told.title}
    mail = EmailMultiAlternatives(subject, plain(told), to=[address])
    mail.attach_alternative(render_to_string("reports/week_mail.html", context), "text/html")
    mail.attach(
        f"week-{told.monday}.pdf",
        page_of(told_rows(told), told.title, told.clinic.name, told.cut),
        "application/pdf",
    )
    return mail


def told_rows(told: Week) -> list[tuple[str, list[list[str]]]]:
    """Each journey with its sentence and the rows of its table, as words."""
    return [(f"{each.name}. {each.sentence}", [each.headings, *each.rows]) for each in told.stories]


def plain(told: Week) -> str:
    parts = [f"{told.clinic.name}: {told.title}"]
    for name, rows in told_rows(told):
        parts += ["", name, *(" | ".join(row) for row in rows)]
    return "\n".join([*parts, "", told.cut] if told.cut else parts)
