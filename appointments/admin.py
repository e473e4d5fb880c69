"""Set-up: who receives, where and when. Saving nudges the worker to cut the new calendar into cells."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from appointments.models import Location, Practitioner, Schedule
from appointments.tasks import fill_slots


class ScheduleInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Schedule
    extra = 0
    readonly_fields = ("filled_until",)


@admin.register(Practitioner)
class PractitionerAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "clinic", "user", "is_active")
    list_filter = ("clinic", "is_active")
    search_fields = ("name",)
    autocomplete_fields = ("user", "clinic")
    list_select_related = ("clinic", "user")
    inlines = (ScheduleInline,)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        super().save_related(request, form, formsets, change)
        transaction.on_commit(fill_slots.delay, robust=True)  # the night's run fills it in any case


@admin.register(Location)
class LocationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "clinic")
    list_filter = ("clinic",)
    search_fields = ("name",)
    autocomplete_fields = ("clinic",)
