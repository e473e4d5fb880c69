"""Set-up of the messages' words; tasks and attempts to look at, never to change by hand."""

from django.contrib import admin
from django.http import HttpRequest

from outreach.models import Attempt, MessageTemplate


@admin.register(MessageTemplate)
class MessageTemplateAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("key", "language", "channel", "subject")
    list_filter = ("language", "channel", "key")


@admin.register(Attempt)
class AttemptAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("send_at", "channel", "status", "outcome", "why")
    list_filter = ("status", "channel")
    date_hierarchy = "send_at"

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Attempt | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Attempt | None = None) -> bool:
        return False
