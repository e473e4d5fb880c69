"""Dates on the patient's page, in the very words of the messages."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.translation import get_language

from outreach.rendering import date_words

register = template.Library()


@register.filter
def spoken(at: datetime) -> str:
    """Weekday, date and hour, as inside a sentence."""
    return date_words(at, timezone.get_current_timezone_name(), get_language() or "en")


@register.filter
def spoken_deadline(at: datetime) -> str:
    """The form that follows "by" and "until"."""
    return date_words(at, timezone.get_current_timezone_name(), get_language() or "en", deadline=True)
