"""Set-up: clinics with their hours and closed days, and who works in them as what."""

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from patients.actions import set_default_hours
from patients.models import Clinic, ClinicHours, ClosedDay, Membership
from patients.tasks import load_closed_days


class ClinicHoursInline(admin.TabularInline):  # type: ignore[type-arg]
    model = ClinicHours
    extra = 0
    ordering = ("kind", "weekday", "start")


class ClosedDayInline(admin.TabularInline):  # type: ignore[type-arg]
    model = ClosedDay
    extra = 0


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Clinic)
class ClinicAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "time_zone", "language", "phone")
    search_fields = ("name",)
    prepopulated_fields = {"slug": ("name",)}
    inlines = (ClinicHoursInline, ClosedDayInline, MembershipInline)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        """A clinic for which no hours were given starts with the usual ones of its country."""
        super().save_related(request, form, formsets, change)
        if not form.instance.hours.exists():
            set_default_hours(form.instance)
        transaction.on_commit(load_closed_days.delay, robust=True)


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("user", "clinic", "role")
    list_filter = ("clinic", "role")
    search_fields = ("user__username", "user__first_name", "user__last_name")
    autocomplete_fields = ("user", "clinic")
    list_select_related = ("user", "clinic")
