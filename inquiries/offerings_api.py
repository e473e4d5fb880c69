"""REST: what a clinic offers, when one may come for it, and its stock."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from appointments.queries import practitioners_visible_to
from inquiries import on_offer
from inquiries.models import (
    LONGEST_NUMBER,
    PREPARATION,
    Currency,
    Offering,
    OfferingKind,
    StockBatch,
    WalkInHours,
)
from inquiries.on_offer import Offered
from inquiries.queries import offerings_visible_to, stock_now
from patients.models import MANAGERS, Clinic, Language
from patients.queries import works_as
from patients.rest import IDEMPOTENCY_KEY, REFUSALS, ClinicViewSet, NewSerializer, NumberedField, created
from patients.written_hours import Stretch

Body = serializers.Serializer[Any]


class BatchSerializer(serializers.ModelSerializer[StockBatch]):
    class Meta:
        model = StockBatch
        fields = ["number", "quantity", "expires_on", "counted_at"]


class WalkInSerializer(serializers.ModelSerializer[WalkInHours]):
    """A stretch of a weekday, Monday being 0, in the clinic's zone."""

    weekday = serializers.IntegerField(min_value=0, max_value=6)

    class Meta:
        model = WalkInHours
        fields = ["weekday", "start", "end"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["start"] >= attrs["end"]:
            raise ValidationError({"end": [_("Say from when to when.")]})
        return attrs


class OfferingSerializer(serializers.ModelSerializer[Offering]):
    id = serializers.UUIDField(source="public_id")
    clinic = serializers.SlugField(source="clinic.slug")
    names = serializers.DictField(child=serializers.CharField(), help_text="Language -> name.")
    visit_type = serializers.CharField(source="visit_type.name", allow_null=True, default=None)
    usable = serializers.SerializerMethodField(
        help_text="Of all batches that have not expired; empty: not counted."
    )
    batches = BatchSerializer(many=True)
    preparations = serializers.DictField(
        child=serializers.CharField(), help_text="Language -> what to do or bring before."
    )
    walk_in = WalkInSerializer(many=True, help_text="When one may come without an appointment.")

    class Meta:
        model = Offering
        fields = ["id", "clinic", "kind", "names", "other_words", "price", "currency", "visit_type"]
        fields += ["done_by", "looked_at", "is_public", "is_active", "usable", "batches"]
        fields += ["preparations", "walk_in"]
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.INT)
    def get_usable(self, offering: Offering) -> int | None:
        stock = stock_now(offering, offering.clinic, now=timezone.now())
        return stock.usable if stock else None


class OfferedSerializer(Body):
    """A language's name is enough; without a price none is told."""

    kind = serializers.ChoiceField(OfferingKind.choices)
    names = serializers.DictField(
        child=serializers.CharField(max_length=80), allow_empty=False, help_text="Language -> name."
    )
    other_words = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    price = serializers.DecimalField(9, 2, min_value=0, required=False, allow_null=True)
    currency = serializers.ChoiceField(Currency.choices, required=False, allow_blank=True)
    is_public = serializers.BooleanField(required=False)
    is_active = serializers.BooleanField(required=False)
    done_by = NumberedField(practitioners_visible_to, many=True, required=False)
    preparations = serializers.DictField(
        child=serializers.CharField(max_length=PREPARATION),
        required=False,
        help_text="Language -> what to do or bring before.",
    )
    walk_in = WalkInSerializer(
        many=True, required=False, help_text="When one may come without an appointment."
    )

    def validate_names(self, names: dict[str, str]) -> dict[str, str]:
        if set(names) - set(Language.values):
            raise ValidationError(_("Name it in the languages of the clinic: en, he, ru, ar."))
        return names

    def validate_preparations(self, said: dict[str, str]) -> dict[str, str]:
        return self.validate_names(said)

    def validate_walk_in(self, rows: list[dict[str, Any]]) -> dict[int, list[Stretch]]:
        week: dict[int, list[Stretch]] = {}
        for row in sorted(rows, key=lambda each: (each["weekday"], each["start"])):
            same = week.setdefault(row["weekday"], [])
            if same and row["start"] < same[-1][1]:
                raise ValidationError(_("The hours of a day must not overlap."))
            same.append((row["start"], row["end"]))
        return week

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if (attrs.get("price") is None) != (attrs.get("currency", "") == ""):
            raise ValidationError({"currency": [_("Say in which currency.")]})
        return attrs


class NewOfferingSerializer(OfferedSerializer, NewSerializer):
    """The same, and for which clinic."""


class CountSerializer(Body):
    """A batch as it was counted just now."""

    quantity = serializers.IntegerField(min_value=0, max_value=1_000_000)
    expires_on = serializers.DateField(required=False, allow_null=True, help_text="Its last day.")


class OfferingFilters(filters.FilterSet):  # type: ignore[misc]
    clinic = filters.CharFilter("clinic__slug")
    kind = filters.MultipleChoiceFilter(choices=OfferingKind.choices)

    class Meta:
        model = Offering
        fields = ["is_active", "is_public"]


class OfferingViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ClinicViewSet[Offering]):
    """What callers are told from. Those who manage the clinic say what it offers; any program writes the counts."""

    serializer_class = OfferingSerializer
    filterset_class = OfferingFilters

    def get_queryset(self) -> QuerySet[Offering]:
        return offerings_visible_to(self.asker)

    @extend_schema(
        request=NewOfferingSerializer, responses=created(OfferingSerializer), parameters=[IDEMPOTENCY_KEY]
    )
    def create(self, _request: Request) -> Response:
        """Offer something."""
        now, data = timezone.now(), self.checked(NewOfferingSerializer)
        self._refuse_unless_manager(data["clinic"])
        return self.create_once(
            data, lambda: on_offer.offer(data["clinic"], _offered(data), now=now).public_id, now=now
        )

    @extend_schema(request=OfferedSerializer, responses={200: OfferingSerializer, **REFUSALS})
    def update(self, _request: Request, id: UUID) -> Response:  # noqa: A002 - the name in the address
        """Write it anew, e.g. with another price; what is left out is as if it were new, but for `preparations` and
        `walk_in`, which stay.
        """
        offering = self.get_object()
        self._refuse_unless_manager(offering.clinic)
        on_offer.change_offering(offering, _offered(self.checked(OfferedSerializer)), now=timezone.now())
        return self.shown(id)

    def _refuse_unless_manager(self, clinic: Clinic) -> None:
        if not works_as(self.asker, clinic, *MANAGERS):
            raise PermissionDenied

    @extend_schema(
        request=CountSerializer,
        responses={200: OfferingSerializer, **REFUSALS},
        parameters=[OpenApiParameter("number", str, OpenApiParameter.PATH, description="Of the batch.")],
    )
    @action(detail=True, methods=["put"], url_path="batches/<str:number>")
    def batches(self, _request: Request, id: UUID, number: str) -> Response:  # noqa: A002 - the name in the address
        """Say how many of a batch there are. The same number again is the same batch, counted anew."""
        offering, count = self.get_object(), self.checked(CountSerializer)
        if len(number) > LONGEST_NUMBER or not number.isprintable():
            raise ValidationError({"number": [_("A batch has 40 printable characters at most.")]})
        expires_on = count.get("expires_on")
        on_offer.set_batch(
            offering, number, quantity=count["quantity"], expires_on=expires_on, now=timezone.now()
        )
        return self.shown(id)


def _offered(data: dict[str, Any]) -> Offered:
    return Offered(**{name: value for name, value in data.items() if name not in {"clinic", "request_key"}})
