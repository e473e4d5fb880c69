"""How a page names a free time, so that it can ask later who has taken it."""

from datetime import datetime, timedelta

from django import template

from appointments.taken import mark_of

register = template.Library()


@register.simple_tag
def free_time(doctor: int, start: datetime, ends: datetime | int) -> str:
    """`ends` is an instant, or how many minutes it lasts."""
    return mark_of(doctor, start, start + timedelta(minutes=ends) if isinstance(ends, int) else ends)
