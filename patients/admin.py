"""Set-up: clinics with their hours and closed days, who works in them as what, and who may log in.

No clinic is left without an administrator who can log in, and the set-up not without its last superuser.
"""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from patients.actions import set_default_hours
from patients.models import Clinic, ClinicHours, ClosedDay, Membership, Role
from patients.queries import clinics_left_alone, is_last_superuser
from patients.tasks import load_closed_days


def only_admin_of(clinics: Iterable[Clinic]) -> list[str]:
    words = _("The only administrator of %(clinic)s. Make somebody else administrator first.")
    return [words % {"clinic": clinic.name} for clinic in clinics]


def refuse_to_leave_alone(going: QuerySet[Membership]) -> None:
    """For a form: these memberships would administer nothing any more."""
    refused = only_admin_of(clinics_left_alone(going))
    if refused:
        raise forms.ValidationError(refused)


def administers(form: Any, clinic: Clinic | None = None) -> bool:
    """Whether the membership of a form, as it is typed, is of an administrator who can log in."""
    data = form.cleaned_data
    user = data.get("user")
    in_clinic = clinic is None or data.get("clinic") == clinic
    return bool(user and user.is_active and data.get("role") == Role.ADMIN and in_clinic)


class ClinicHoursInline(admin.TabularInline):  # type: ignore[type-arg]
    model = ClinicHours
    extra = 0
    ordering = ("kind", "weekday", "start")


class ClosedDayInline(admin.TabularInline):  # type: ignore[type-arg]
    model = ClosedDay
    extra = 0


class MembershipsFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """Somebody else of the same page may become administrator in the same moment."""

    def clean(self) -> None:
        super().clean()
        typed = [form for form in self.forms if form.is_valid() and form.has_changed()]
        gone = [form for form in typed if form.cleaned_data.get("DELETE") or not administers(form)]
        if all(form in gone for form in typed):
            refuse_to_leave_alone(Membership.objects.filter(pk__in=[f.instance.pk for f in gone]))


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    formset = MembershipsFormSet
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


class MembershipForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean(self) -> dict[str, Any] | None:
        data = super().clean()
        before = Membership.objects.filter(pk=self.instance.pk).select_related("clinic").first()
        if before and not administers(self, before.clinic):
            refuse_to_leave_alone(Membership.objects.filter(pk=before.pk))
        return data


@admin.register(Membership)
class MembershipAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = MembershipForm
    list_display = ("user", "clinic", "role")
    list_filter = ("clinic", "role")
    search_fields = ("user__username", "user__first_name", "user__last_name")
    autocomplete_fields = ("user", "clinic")
    list_select_related = ("user", "clinic")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        deleted, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        going = Membership.objects.filter(pk__in=[each.pk for each in objs])
        return deleted, counts, perms_needed, [*protected, *only_admin_of(clinics_left_alone(going))]


class StaffForm(UserChangeForm):  # type: ignore[type-arg]
    def clean(self) -> dict[str, Any] | None:
        data = super().clean() or {}
        if not data.get("is_active"):
            refuse_to_leave_alone(Membership.objects.filter(user=self.instance.pk))
        able = all(data.get(name) for name in ("is_active", "is_staff", "is_superuser"))
        if not able and is_last_superuser(self.instance):
            raise forms.ValidationError(only_superuser())
        return data


def only_superuser() -> str:
    return _(
        "The last superuser: without one nobody could open the set-up. Make somebody else superuser first."
    )


admin.site.unregister(User)


@admin.register(User)
class StaffAdmin(UserAdmin):  # type: ignore[type-arg]
    form = StaffForm

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        deleted, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        left = clinics_left_alone(Membership.objects.filter(user__in=objs))
        last = [only_superuser()] if any(is_last_superuser(user) for user in objs) else []
        return deleted, counts, perms_needed, [*protected, *only_admin_of(left), *last]
