"""The one write about money: what a visit is worth on average."""

from decimal import Decimal

from django.db import transaction

from clinic_journey.reports.money_models import VisitValue
from patients.models import Clinic


@transaction.atomic
def set_visit_value(clinic: Clinic, amount: Decimal, currency: str) -> None:
    VisitValue.objects.update_or_create(clinic=clinic, defaults={"amount": amount, "currency": currency})
