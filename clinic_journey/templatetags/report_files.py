"""The menu by which the tables of a page are taken out as files, whichever app shows the page."""

from typing import Any

from django import template
from django.utils.http import urlencode

from clinic_journey.reports.export_pages import TABLES

register = template.Library()


@register.inclusion_tag("reports/_export.html")
def report_files(*tables: str, **asked: object) -> dict[str, Any]:
    """What else a table is asked for stands in its address; what is empty is left out."""
    given = {name: str(value) for name, value in asked.items() if value}
    return {"files": [(TABLES[table].words, urlencode({"table": table, **given})) for table in tables]}
