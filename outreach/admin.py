"""Set-up of the messages' words; attempts and what providers told us to look at, never to change by hand."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _, gettext_lazy

from outreach.incoming import work_again
from outreach.models import Attempt, MessageTemplate
from outreach.own_words import purpose_said_by
from outreach.provider_models import ProviderEvent
from outreach.wording import Draft, remarks


class OwnWordsForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript at run time
    """The same look at the words as on the clinic's page."""

    class Meta:
        model = MessageTemplate
        fields = (
            "clinic",
            "key",
            "channel",
            "language",
            "variant",
            "purpose",
            "subject",
            "body",
            "approved_as",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "clinic" in self.fields:
            self.fields["clinic"].required = True  # what we ship comes from its files

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if {"clinic", "key", "body"} <= data.keys():
            # The class of a message that we ship is ours to say.
            data["purpose"] = purpose_said_by(None, data["key"]) or data.get("purpose", "")
            draft = Draft(
                **{name: value for name, value in data.items() if name not in {"clinic", "approved_as"}}
            )
            for remark in remarks(draft, clinic=data["clinic"]):
                if remark.is_refused:
                    self.add_error("body", str(remark))
        return data


@admin.register(MessageTemplate)
class MessageTemplateAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What we ship is to be read here, with the name under which a provider approved it; clinics' own words may be
    changed.
    """

    form = OwnWordsForm
    list_display = ("key", "language", "channel", "variant", "clinic", "subject")
    list_filter = ("clinic", "language", "channel", "key")

    def get_readonly_fields(
        self, _request: HttpRequest, obj: MessageTemplate | None = None
    ) -> tuple[str, ...]:
        shipped = obj is not None and obj.clinic_id is None
        return tuple(name for name in OwnWordsForm.Meta.fields if shipped and name != "approved_as")

    def has_delete_permission(self, request: HttpRequest, obj: MessageTemplate | None = None) -> bool:
        shipped = obj is not None and obj.clinic_id is None
        return not shipped and super().has_delete_permission(request, obj)


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


@admin.register(ProviderEvent)
class ProviderEventAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What providers told us; what was set aside can be worked again once the product can read it."""

    list_display = ("received_at", "provider", "event_id", "outcome")
    list_filter = ("outcome", "provider")
    date_hierarchy = "received_at"
    actions = ("read_again",)

    @admin.action(description=gettext_lazy("Read again what was set aside"), permissions=["view"])
    def read_again(self, request: HttpRequest, events: QuerySet[ProviderEvent]) -> None:
        count = work_again(events)
        said = _("Read again within a minute: %(count)s. Then look at the outcome.") % {"count": count}
        self.message_user(request, said, messages.SUCCESS if count else messages.WARNING)

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: ProviderEvent | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: ProviderEvent | None = None) -> bool:
        return False
