"""What a clinic holds itself to, as rows it may change, and how each day went."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from journeys.deadlines import Limit, Unit
from journeys.models import named
from patients.models import Clinic
from patients.models.clinic import one_of

LONGEST = {  # a limit is looked back for, so it has an end; see standards.LOOKBACK
    Unit.MINUTES: 24 * 60,
    Unit.HOURS: 30 * 24,
    Unit.DAYS: 30,
    Unit.WORKING_HOURS: 80,
    Unit.WORKING_DAYS: 15,
    Unit.SAME_DAY: 1,
}


class SourceEvent(models.TextChoices):
    """What has to happen before a standard is asked about at all."""

    RESULT = "result", _("a result arrives")
    DECISION = "decision", _("the doctor decides")
    REFERRAL = "referral", _("a referral is made")
    VISIT = "visit", _("a patient comes to a visit")
    ATTENDED = "attended", _("a visit is over")
    QUESTION = "question", _("somebody asks what we offer")
    PROMISE = "promise", _("a promise comes due")
    LATE = "late", _("a patient's step is late")
    GIVEN_UP = "given_up", _("the machine gives up on a patient")
    WORDS = "words", _("a patient writes to us")
    CONTACT = "contact", _("we contact a patient who told us her hours")
    MESSAGE = "message", _("a message leaves")


class Foundation(models.IntegerChoices):
    """The nine foundations of lasting loyalty (S2.2-S2.10)."""

    STANDARDS = 1, _("Standards, kept exactly and every day")
    BEYOND = 2, _("One step above what is expected")
    ANSWERS = 3, _("Good answers to real needs")
    SINCERITY = 4, _("Sincerity")
    TRUST = 5, _("Trust")
    REACHABLE = 6, _("Visible, reachable, responsive")
    DIALOGUE = 7, _("Dialogue: listen first")
    PLAIN_WORDS = 8, _("The patient's own language")
    THANKS = 9, _("A genuine thank-you")


class Standard(models.Model):
    """One standard of a clinic. What it says comes with us or is its own; how strict it is, its managers say."""

    clinic = models.ForeignKey(Clinic, on_delete=models.CASCADE, related_name="standards", db_index=False)
    key = models.SlugField(max_length=40)
    measure = models.SlugField(max_length=40)  # a name in standards_measures.MEASURES
    source = models.CharField(max_length=10, choices=SourceEvent)
    foundation = models.PositiveSmallIntegerField(choices=Foundation)
    position = models.PositiveSmallIntegerField(default=0)
    names = models.JSONField(default=dict)  # language -> words for the screen, never queried
    routines = models.JSONField(default=dict)  # language -> what to do about it in two minutes a day
    limit_amount = models.PositiveSmallIntegerField(_("Within"), null=True, blank=True)
    limit_unit = models.CharField(
        _("counted in"), max_length=16, choices=[(u.value, u.value) for u in Unit], blank=True
    )
    goal = models.PositiveSmallIntegerField(_("Goal, in percent"))
    is_on = models.BooleanField(_("counted"), default=True)
    off_because = models.CharField(_("Why it is not counted"), max_length=200, blank=True)
    is_own = models.BooleanField(default=False)  # the clinic's, and in no catalogue of ours
    own_routine = models.CharField(_("Two minutes a day"), max_length=300, blank=True)  # instead of ours

    class Meta:
        constraints = [
            one_of("source", SourceEvent, name="standard_source_is_known"),
            models.CheckConstraint(
                condition=Q(foundation__gte=1, foundation__lte=len(Foundation)),
                name="standard_foundation_is_known",
            ),
            models.CheckConstraint(
                condition=Q(limit_unit="", limit_amount__isnull=True)
                | Q(
                    limit_unit__in=[unit.value for unit in LONGEST],
                    limit_amount__isnull=False,
                    limit_amount__gte=1,
                ),
                name="standard_limit_is_an_amount_of_a_known_unit",
            ),
            models.CheckConstraint(
                condition=Q(goal__gte=1, goal__lte=100), name="standard_goal_is_1_to_100_percent"
            ),
            models.UniqueConstraint(fields=["clinic", "key"], name="standard_once_per_clinic"),
            models.CheckConstraint(
                condition=Q(is_on=True, off_because="") | (Q(is_on=False) & ~Q(off_because="")),
                name="standard_that_is_off_says_why",
            ),
        ]
        ordering = ["position", "key"]

    def __str__(self) -> str:
        return self.key

    @property
    def name(self) -> str:
        """In the reader's language; one of the clinic's own as it was written."""
        return named(self.names) or next(iter(self.names.values()), self.key)

    @property
    def routine(self) -> str:
        return self.own_routine or named(self.routines)

    @property
    def limit(self) -> Limit | None:
        return Limit(self.limit_amount, Unit(self.limit_unit)) if self.limit_amount else None


class StandardDay(models.Model):
    """How one day of one standard went, written the night after; a day without a row is counted live."""

    standard = models.ForeignKey(Standard, on_delete=models.CASCADE, related_name="days", db_index=False)
    on = models.DateField()  # by the clinic's own calendar
    met = models.PositiveIntegerField()
    counted = models.PositiveIntegerField()
    written_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["standard", "on"], name="standard_day_once"),
            models.CheckConstraint(
                condition=Q(met__lte=F("counted")), name="standard_day_keeps_no_more_than_it_counts"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.standard_id} {self.on}: {self.met}/{self.counted}"
