"""What a clinic offers and has in stock, and what people asked for before they were anybody's patients."""

import uuid
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from appointments.models import Practitioner, VisitType
from journeys.models import Journey, Step, StepStatus, named
from patients.models import Clinic, Language, Patient
from patients.models.clinic import one_of
from patients.written_hours import Stretch


class OfferingKind(models.TextChoices):
    SERVICE = "service", _("Service")
    VACCINE = "vaccine", _("Vaccine")
    GOODS = "goods", _("Goods")


PREPARATION = 200  # letters, in each language
IN_STOCK = (OfferingKind.VACCINE, OfferingKind.GOODS)  # these can run out


class Currency(models.TextChoices):
    """The codes of ISO 4217, shown by their signs."""

    ILS = "ILS", "₪"
    USD = "USD", "$"
    EUR = "EUR", "€"
    GBP = "GBP", "£"
    RUB = "RUB", "₽"
    UAH = "UAH", "₴"
    KZT = "KZT", "₸"


def money(amount: Decimal, currency: str) -> str:
    """Whole amounts without their zeros, as they are said."""
    number = f"{amount:.0f}" if amount == amount.to_integral() else f"{amount:.2f}"
    return f"{number} {Currency(currency).label}"


class Offering(models.Model):
    """A service, a vaccine or goods, with every word that people use for it, and its price without insurance."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="offerings")
    kind = models.CharField(_("Kind"), max_length=8, choices=OfferingKind, default=OfferingKind.SERVICE)
    names = models.JSONField(default=dict)  # language -> words for the screen; searched by finding.py alone
    # Language -> what to do or bring before; nothing: nothing to say.
    preparations = models.JSONField(default=dict)
    other_words = models.TextField(
        _("Other words for it"),
        blank=True,
        max_length=1000,
        help_text=_("As people call it, in any language; a comma between them."),
    )
    price = models.DecimalField(
        _("Price for who pays alone"),
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        help_text=_("Empty: not known here, so nobody is told one."),
    )
    currency = models.CharField(_("Currency"), max_length=3, choices=Currency, blank=True)
    visit_type = models.ForeignKey(
        VisitType,
        verbose_name=_("Type of visit"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("Set: free times for it are named."),
    )
    done_by = models.ManyToManyField(
        Practitioner,
        verbose_name=_("Who does it"),
        blank=True,
        related_name="offerings",
        help_text=_("Nobody chosen: whoever did such a visit in the last half year."),
    )
    looked_at = models.DateTimeField(null=True, blank=True)  # when somebody last said that its price is so
    is_public = models.BooleanField(_("may be shown to everybody"), default=False)
    is_active = models.BooleanField(_("offered"), default=True)

    class Meta:
        constraints = [
            one_of("kind", OfferingKind, name="offering_kind_is_known"),
            models.CheckConstraint(
                condition=Q(price__isnull=True, currency="")
                | Q(price__isnull=False, price__gte=0, currency__in=Currency.values),
                name="offering_price_has_a_currency",
            ),
        ]
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """In the reader's language, else in English, else in whatever language it has."""
        return named(self.names) or next(iter(self.names.values()), "")

    @property
    def week(self) -> dict[int, list[Stretch]]:
        """When one may come without an appointment, by weekday, Monday being 0."""
        found: dict[int, list[Stretch]] = {}
        for row in self.walk_in.all():
            found.setdefault(row.weekday, []).append((row.start, row.end))
        return found

    @property
    def preparation(self) -> str:
        """In the reader's language, as the name."""
        return named(self.preparations) or next(iter(self.preparations.values()), "")

    @property
    def is_counted(self) -> bool:
        return self.kind in IN_STOCK

    @property
    def price_words(self) -> str:
        return money(self.price, self.currency) if self.price is not None else ""


class WalkInHours(models.Model):
    """One stretch of one weekday, in the clinic's zone, in which one may come without an appointment.

    The clinic's closed days shut it as they shut everything.
    """

    offering = models.ForeignKey(
        Offering, on_delete=models.CASCADE, related_name="walk_in", db_index=False
    )  # the constraint's index begins with it
    weekday = models.PositiveSmallIntegerField(help_text=_("Monday is 0."))
    start = models.TimeField()
    end = models.TimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(weekday__lte=6), name="walk_in_weekday_is_0_to_6"),
            models.CheckConstraint(condition=Q(start__lt=F("end")), name="walk_in_starts_before_it_ends"),
            models.UniqueConstraint(fields=["offering", "weekday", "start"], name="walk_in_start_once"),
        ]
        ordering = ["weekday", "start"]

    def __str__(self) -> str:
        return f"{self.weekday} {self.start}-{self.end}"


LONGEST_NUMBER = 40  # of a batch


class StockBatch(models.Model):
    """How many of one batch there are; what has expired counts for nothing."""

    offering = models.ForeignKey(
        Offering, on_delete=models.CASCADE, related_name="batches", db_index=False
    )  # the constraint's index begins with it
    number = models.CharField(_("Batch"), max_length=LONGEST_NUMBER)
    expires_on = models.DateField(
        _("Last day"), null=True, blank=True, help_text=_("Empty: it does not expire.")
    )
    quantity = models.PositiveIntegerField(_("How many"))
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["offering", "number"], name="stock_batch_once_per_offering"),
            models.CheckConstraint(condition=Q(quantity__gte=0), name="stock_batch_is_never_below_nothing"),
        ]
        ordering = ["expires_on", "number"]

    def __str__(self) -> str:
        return f"{self.offering_id} {self.number}"


class AskedBy(models.TextChoices):
    """How the question reached us."""

    PHONE = "phone", _("On the phone")
    DESK = "desk", _("At the desk")
    MESSAGE = "message", _("In a message")
    WEB = "web", _("On the web")


class ForWhom(models.TextChoices):
    SELF = "self", _("Not for somebody else")
    OTHER = "other", _("For a relative or a friend")
    CLIENT = "client", _("A professional, for a client")  # who will recommend us, or not


class Payer(models.TextChoices):
    ALONE = "alone", _("Pays without insurance")
    INSURED = "insured", _("Through insurance")
    OTHER = "other", _("Somebody else pays")


class Outcome(models.TextChoices):
    OPEN = "", _("Still open")
    BOOKED = "booked", _("A visit is booked")
    JOINED = "joined", _("Is our patient now")
    WILL_THINK = "will_think", _("Will think about it")
    PROMISED = "promised", _("We promised an answer")
    REFERRED = "referred", _("Sent to the right place")
    LOST = "lost", _("Went elsewhere")


class LostCause(models.TextChoices):
    """Why somebody who asked did not come; our own manner is one of the reasons, not a footnote."""

    NOT_LOST = "", ""
    NOT_OFFERED = "not_offered", _("We do not have it")
    PRICE = "price", _("The price")
    TIME = "time", _("No time soon enough")
    PLACE = "place", _("Too far away")
    PAYER = "payer", _("Their insurance is not taken here")
    SLOW = "slow", _("Our answer came too late")
    MANNER = "manner", _("Our own manner")
    UNKNOWN = "unknown", _("Not said")


class Inquiry(models.Model):
    """A question from anybody, and what was answered, as it was said.

    What could not be answered at once is a promise, so it has a clock. Who asks comes after either; who pays comes
    after the answer, and the database keeps that order.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    clinic = models.ForeignKey(Clinic, on_delete=models.PROTECT, related_name="inquiries", db_index=False)
    asked = models.CharField(max_length=200)  # the words of the question
    asked_by = models.CharField(max_length=8, choices=AskedBy, default=AskedBy.PHONE)
    asked_at = models.DateTimeField()
    taken_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    offering = models.ForeignKey(
        Offering, null=True, blank=True, on_delete=models.SET_NULL, related_name="inquiries"
    )

    answered_at = models.DateTimeField(null=True, blank=True)
    said_available = models.BooleanField(null=True, blank=True)  # empty: it was not known
    said_price = models.DecimalField(max_digits=9, decimal_places=2, null=True, blank=True)
    said_currency = models.CharField(max_length=3, choices=Currency, blank=True)
    said_next_at = models.DateTimeField(null=True, blank=True)
    said_words = models.TextField(blank=True)  # the very sentence, in the language it was said in
    said_in = models.CharField(max_length=2, choices=Language, blank=True)  # that language; empty: not known

    for_whom = models.CharField(max_length=8, choices=ForWhom, blank=True)
    name = models.CharField(max_length=120, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    may_call_back = models.BooleanField(null=True, blank=True)  # empty: not asked
    call_from = models.TimeField(null=True, blank=True)
    call_until = models.TimeField(null=True, blank=True)
    wants_at = models.DateTimeField(null=True, blank=True)  # the free time that was chosen
    wants_with = models.ForeignKey(
        Practitioner, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )

    payer = models.CharField(max_length=8, choices=Payer, blank=True)
    insurance = models.CharField(max_length=80, blank=True)

    outcome = models.CharField(max_length=12, choices=Outcome, blank=True, default=Outcome.OPEN)
    lost_because = models.CharField(max_length=12, choices=LostCause, blank=True)
    lost_words = models.CharField(max_length=200, blank=True)
    step = models.OneToOneField(
        Step, null=True, blank=True, on_delete=models.PROTECT, related_name="inquiry"
    )  # what was promised: the answer, or a call to who thinks about it
    patient = models.ForeignKey(
        Patient, null=True, blank=True, on_delete=models.PROTECT, related_name="inquiries"
    )
    journey = models.ForeignKey(
        Journey, null=True, blank=True, on_delete=models.PROTECT, related_name="inquiries"
    )
    request_key = models.CharField(max_length=40, null=True, blank=True)  # noqa: DJ001 - null keeps it out of the unique index

    class Meta:
        constraints = [
            one_of("asked_by", AskedBy, name="inquiry_asked_by_is_known"),
            one_of("outcome", Outcome, name="inquiry_outcome_is_known"),
            one_of("lost_because", LostCause, name="inquiry_lost_because_is_known"),
            models.CheckConstraint(
                condition=Q(for_whom__in=["", *ForWhom.values]), name="inquiry_for_whom_is_known"
            ),
            models.CheckConstraint(condition=Q(payer__in=["", *Payer.values]), name="inquiry_payer_is_known"),
            models.CheckConstraint(
                condition=Q(said_currency__in=["", *Currency.values]), name="inquiry_currency_is_known"
            ),
            models.CheckConstraint(
                condition=Q(said_in__in=["", *Language.values]), name="inquiry_language_is_known"
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=False) | Q(payer="", insurance=""),
                name="inquiry_asks_who_pays_only_after_the_answer",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=False) | Q(step__isnull=False),
                name="inquiry_is_answered_or_has_a_clock",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=True) | Q(answered_at__gte=F("asked_at")),
                name="inquiry_is_answered_after_it_was_asked",
            ),
            models.CheckConstraint(
                condition=Q(answered_at__isnull=False)
                | Q(said_available__isnull=True, said_price__isnull=True, said_next_at__isnull=True),
                name="inquiry_says_nothing_before_its_answer",
            ),
            models.CheckConstraint(
                condition=Q(said_price__isnull=True, said_currency="")
                | (Q(said_price__isnull=False) & ~Q(said_currency="")),
                name="inquiry_price_has_a_currency",
            ),
            models.CheckConstraint(
                condition=Q(outcome=Outcome.LOST) & ~Q(lost_because="")
                | ~Q(outcome=Outcome.LOST) & Q(lost_because="", lost_words=""),
                name="inquiry_is_lost_for_a_cause",
            ),
            models.CheckConstraint(
                condition=~Q(outcome__in=[Outcome.BOOKED, Outcome.JOINED]) | Q(patient__isnull=False),
                name="inquiry_that_was_won_has_a_patient",
            ),
            models.CheckConstraint(
                condition=Q(journey__isnull=True) | Q(patient__isnull=False),
                name="inquiry_with_a_journey_has_a_patient",
            ),
            models.CheckConstraint(
                condition=Q(call_from__isnull=True, call_until__isnull=True)
                | Q(may_call_back__isnull=False, call_from__isnull=False, call_until__isnull=False)
                & Q(may_call_back=True, call_from__lt=F("call_until")),
                name="inquiry_hours_of_a_call_begin_before_they_end",
            ),
            models.UniqueConstraint(fields=["clinic", "request_key"], name="inquiry_request_key_once"),
        ]
        indexes = [models.Index(fields=["clinic", "asked_at"], name="inquiry_by_clinic")]

    def __str__(self) -> str:
        return f"{self.asked_at:%F %R} {self.asked}"

    @property
    def said_price_words(self) -> str:
        return money(self.said_price, self.said_currency) if self.said_price is not None else ""

    @property
    def is_unanswered(self) -> bool:
        return self.answered_at is None

    @property
    def owes_a_call(self) -> bool:
        return not self.is_unanswered and self.step is not None and self.step.status == StepStatus.ACTIVE


from inquiries.sent_models import SentAnswer  # noqa: E402, F401 - one page of models for Django and for whoever imports
