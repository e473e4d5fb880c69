"""Set-up: who receives, where and when. Saving nudges the worker to cut the new calendar into cells."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils import timezone

from appointments.models import Location, Practitioner, Schedule, VisitType
from appointments.schedules import refuse_room_of_another
from appointments.tasks import fill_slots
from patients.actions import RefusedError


class ScheduleFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """A room has one doctor at a time, here as on the page of hours."""

    def clean(self) -> None:
        super().clean()
        for form in self.forms:
            rule = form.instance
            if not form.has_changed() or form in self.deleted_forms or not form.is_valid():
                continue
            if rule.start and rule.end and rule.start < rule.end and rule.practitioner.clinic_id:
                try:
                    refuse_room_of_another(rule, rule.location, now=timezone.now())  # noqa: TID251 - the admin is a view
                except RefusedError as refusal:
                    form.add_error("location", str(refusal))


class ScheduleInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Schedule
    formset = ScheduleFormSet
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
    list_display = ("name", "clinic", "is_exclusive")
    list_filter = ("clinic",)
    search_fields = ("name",)
    autocomplete_fields = ("clinic",)


@admin.register(VisitType)
class VisitTypeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "minutes", "clinic", "is_active")
    list_filter = ("clinic", "is_active")
    autocomplete_fields = ("clinic",)
    list_select_related = ("clinic",)
