"""The hours of a week, as a template names them."""

from collections.abc import Iterable

from django import template

from clinic_journey.week_words import Suits, suiting
from inquiries.models import WalkInHours

register = template.Library()


@register.filter
def by_days(rows: Iterable[WalkInHours]) -> list[Suits]:
    """Hours with the days on which they are the same."""
    return suiting(rows)
