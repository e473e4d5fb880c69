"""Referrals and what came in, to look at: why does a document wait? Nothing is changed here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from referrals.models import DocumentFile, IncomingDocument, Referral, Result


class ReadOnly:
    """Looking needs the view permission; every change is an action with its own rules, never a form here."""

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


class ResultInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = Result
    fields = ("version", "status", "received_at", "decision", "decided_at", "decided_by")
    extra = 0


@admin.register(Referral)
class ReferralAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("code", "clinic", "service", "performer", "status", "expected_at")
    list_filter = ("clinic", "status")
    list_select_related = ("clinic",)
    search_fields = ("code",)
    date_hierarchy = "made_at"
    inlines = (ResultInline,)


class DocumentFileInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """Without the file itself: what came from outside is downloaded through a view that checks the clinic."""

    model = DocumentFile
    fields = ("position", "name", "content_type", "size", "problem")
    extra = 0


@admin.register(IncomingDocument)
class IncomingDocumentAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("received_at", "clinic", "source", "sender", "status", "tries")
    list_filter = ("clinic", "source", "status")
    list_select_related = ("clinic",)
    search_fields = ("source_id", "sender")
    exclude = ("raw",)
    inlines = (DocumentFileInline,)
