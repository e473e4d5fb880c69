"""What a visitor of the demo plays with: the patients' phones, and the institute's mail."""

from datetime import timedelta
from itertools import groupby

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from clinic_journey.demo.mail import drop_into_inbox, institute_mail
from outreach.models import Attempt
from outreach.queries import WENT_OUT
from patients.models import Channel
from referrals.models import Referral, ReferralStatus

RECENT = timedelta(days=3)
SHOWN = 60
DEMO_ZONE = "Asia/Jerusalem"


@require_GET
def phones(request: HttpRequest) -> HttpResponse:
    """Each patient's phone with the messages on it, the latest first; their links work."""
    sent = (
        Attempt.objects.filter(status__in=WENT_OUT, sent_at__gte=timezone.now() - RECENT)
        .exclude(channel=Channel.PHONE)
        .select_related("patient", "contact_point")
        .order_by("-sent_at")[:SHOWN]
    )
    latest: dict[int, int] = {}
    for position, attempt in enumerate(sent):
        latest.setdefault(attempt.patient_id, position)
    ordered = sorted(sent, key=lambda attempt: latest[attempt.patient_id])
    by_patient = [
        (patient, list(texts)) for patient, texts in groupby(ordered, key=lambda each: each.patient)
    ]
    waiting = (
        Referral.objects.filter(status=ReferralStatus.ACTIVE).select_related("patient").order_by("-made_at")
    )
    with timezone.override(DEMO_ZONE):
        return render(request, "demo/phones.html", {"phones": by_patient, "waiting": waiting[:8]})


@require_POST
def deliver(request: HttpRequest, code: str) -> HttpResponse:
    """Drop the institute's mail, as it would arrive, into the inbox folder; the next tick reads it."""
    referral = get_object_or_404(Referral.objects.select_related("clinic", "patient"), code=code)
    mail = institute_mail(
        to=referral.clinic.intake_address,
        code=referral.code,
        patient=referral.patient.full_name,
        now=timezone.now(),
    )
    drop_into_inbox(mail)
    words = _("The institute has mailed the images for %(name)s. Watch Results, and this phone.")
    messages.success(request, words % {"name": referral.patient.full_name})
    return redirect("demo")
