"""Celery shells of the referrals app."""

from celery import shared_task
from django.utils import timezone

from referrals import arrivals, mailbox


@shared_task
def fetch_mail() -> int:
    return mailbox.fetch(now=timezone.now())


@shared_task
def match_documents() -> int:
    return arrivals.match_documents(now=timezone.now())
