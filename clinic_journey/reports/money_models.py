"""What a visit is worth to the clinic where no price says it."""

from django.db import models
from django.db.models import Q

from inquiries.models import Currency
from patients.models import Clinic
from patients.models.clinic import one_of


class VisitValue(models.Model):
    """One figure for the whole clinic, given by a manager; without a row no money is spoken of."""

    clinic = models.OneToOneField(Clinic, on_delete=models.CASCADE, related_name="visit_value")
    amount = models.DecimalField(max_digits=9, decimal_places=2)
    currency = models.CharField(max_length=3, choices=Currency)

    class Meta:
        constraints = [
            one_of("currency", Currency, name="visit_value_currency_is_known"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="visit_value_is_more_than_nothing"),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
