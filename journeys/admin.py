"""Journey templates to look at. They are changed in journeys/catalogue and loaded by `load_catalogue`."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from journeys.models import JourneyTemplate, StepTemplate


class ReadOnly:
    """Looking needs the view permission; adding, changing and deleting nobody may."""

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


class StepTemplateInline(ReadOnly, admin.StackedInline):  # type: ignore[type-arg]
    model = StepTemplate
    extra = 0


@admin.register(JourneyTemplate)
class JourneyTemplateAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("key", "version", "status", "follow_up")
    list_filter = ("status",)
    search_fields = ("key",)
    inlines = (StepTemplateInline,)
