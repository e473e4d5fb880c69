"""What cannot wait, on every page under the tabs of the reports, whichever app shows it."""

from django import template
from django.template.context import RequestContext

from clinic_journey.reports.digest import Alerts, alerts_of
from clinic_journey.reports.parts import part
from patients.access import place_of

register = template.Library()


@register.simple_tag(takes_context=True)
def report_alerts(context: RequestContext) -> Alerts | None:
    """None where they cannot be read."""
    here = place_of(context["request"])
    return part(lambda: alerts_of(here.clinic, now=here.now)) if here else None
