"""A manager's morning by e-mail: at her hour of the clinic's day, in her language, once a day at most.

The row that says so is written before the mail goes: after a crash in between none goes that day, and her page
has it all the same. Only where the mail certainly did not leave is the row taken back, and the next tick tries.
"""

import logging
import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clinic_journey.reports.digest import day_words, lines_of, works_on
from clinic_journey.reports.digest_models import Digest, DigestSent
from clinic_journey.reports.local_days import local_day
from outreach.channels import ChannelError, Message, by_machine
from patients.models import MANAGERS, Channel, Clinic, Membership
from patients.queries import opening_hours

LATE = timedelta(hours=3)  # after her hour: later than that it is no morning any more
logger = logging.getLogger(__name__)


@transaction.atomic
def set_digest(user: User, clinic: Clinic, *, hour: int, language: str, is_on: bool) -> None:
    wanted = {"hour": hour, "language": language, "is_on": is_on}
    Digest.objects.update_or_create(user=user, clinic=clinic, defaults=wanted)


def send_digests(*, now: datetime) -> int:
    """Those whose hour has come; how many left."""
    transport = by_machine().get(Channel.EMAIL)
    if transport is None:
        return 0
    wanted = Digest.objects.filter(is_on=True, user__is_active=True).exclude(user__email="")
    return sum(_send(each, now=now) for each in wanted.select_related("user", "clinic").order_by("pk"))


def _send(digest: Digest, *, now: datetime) -> bool:
    """One that fails says so in the log and keeps no other waiting."""
    if not _is_due(digest, now=now):
        return False
    claim = _claimed(digest, now=now)
    if claim is None:
        return False
    try:
        by_machine()[Channel.EMAIL].send(message_for(digest, now=now))
    except ChannelError as error:
        logger.warning("The digest of user %s did not leave: %s.", digest.user_id, error.trouble.value)
        if error.permanent:
            DigestSent.objects.filter(pk=claim.pk).update(trouble=error.trouble.value)
        else:
            claim.delete()
        return False
    except Exception:
        logger.exception("Whether the digest of user %s left is not known.", digest.user_id)
        return False
    return bool(DigestSent.objects.filter(pk=claim.pk).update(sent_at=now))


def _is_due(digest: Digest, *, now: datetime) -> bool:
    """Her hour has come on a day on which the clinic works, and she still leads it."""
    clinic = digest.clinic
    local = now.astimezone(ZoneInfo(clinic.time_zone))
    at = local.replace(hour=digest.hour, minute=0, second=0, microsecond=0)
    if not at <= local < at + LATE:
        return False
    leads = Membership.objects.filter(user=digest.user, clinic=clinic, role__in=MANAGERS).exists()
    return leads and works_on(opening_hours(clinic, now=now), local.date())


def _claimed(digest: Digest, *, now: datetime) -> DigestSent | None:
    """None where this day's has been taken already, by whatever process."""
    on = local_day(now, digest.clinic.time_zone)
    mine = {"user": digest.user, "clinic": digest.clinic, "on": on}
    if DigestSent.objects.filter(**mine).exists():
        return None
    try:
        with transaction.atomic():
            return DigestSent.objects.create(**mine, claimed_at=now)
    except IntegrityError:
        return None


def message_for(digest: Digest, *, now: datetime) -> Message:
    """Counts and addresses; no patient is named in a mail."""
    clinic, user = digest.clinic, digest.user
    with translation.override(digest.language), timezone.override(clinic.time_zone):
        said = [
            f"– {line.words}\n  {settings.PUBLIC_URL}{line.address}" for line in lines_of(clinic, now=now)
        ]
        names = {"name": user.first_name or user.get_username(), "clinic": clinic.name}
        parts = [
            _("Good morning, %(name)s.") % names,
            *(said or [_("Nothing waits for you at %(clinic)s this morning.") % names]),
            _("All of it: %(link)s") % {"link": f"{settings.PUBLIC_URL}/reports/digest/"},
        ]
        subject = _("%(clinic)s, %(day)s") % {**names, "day": day_words(clinic, now=now)}
    return Message(
        reference=str(uuid.uuid4()),
        to=user.email,
        sender=clinic.sender_name,
        reply_to=clinic.email,
        language=digest.language,
        subject=subject,
        body="\n\n".join(parts),
    )
