"""Ten days of the demo clinic, played through the real actions and ticks at simulated instants."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from appointments import actions as visits
from appointments.actions import Visit
from appointments.holds import settle_holds
from appointments.models import Appointment, AppointmentStatus, Practitioner
from appointments.queries import find_times
from clinic_journey.demo.mail import drop_into_inbox, institute_mail
from journeys.actions import NewJourney, complete_step, start_journey
from journeys.models import Step, StepKind, StepStatus
from journeys.watch import watch_steps
from outreach.actions import open_tasks, plan_attempts
from outreach.answers import answer
from outreach.calls import claim_call, record_outcome
from outreach.dispatch import dispatch
from outreach.models import Attempt
from outreach.queries import calls_now
from patients.actions import CardAnswers, RefusedError, save_card
from patients.models import Channel, Clinic, Patient
from referrals.actions import NewReferral, record_review, refer
from referrals.arrivals import match_documents
from referrals.mailbox import fetch
from referrals.models import Decision, Referral, Result

DAYS = 10
WEEKEND = {4, 5}  # Friday and Saturday
TITLES = ("Tooth 36", "Tooth 14", "Tooth 47", "Implant 25", "Root canal 16", "Wisdom tooth 38")
DECISIONS = (
    [Decision.TREAT] * 8 + [Decision.TREAT_OTHER] * 3 + [Decision.NO_TREATMENT] * 2 + [Decision.CALL_TODAY]
)
Event = tuple[datetime, Callable[[datetime], object]]


class Story:
    """What will happen, at which instant; `play` lets it happen in order, with the ticks between."""

    def __init__(self, clinic: Clinic, doctors: list[Practitioner], rina: User, *, now: datetime) -> None:
        self.clinic, self.doctors, self.rina, self.now = clinic, doctors, rina, now
        self.chance = random.Random(23)  # noqa: S311 - believable, not secret
        self.events: list[Event] = []

    def plan(self, patients: list[Patient]) -> None:
        groups = iter(patients)
        for _n in range(34):
            self._imaging(next(groups))
        for key, count in (
            ("recall", 40),
            ("start_of_treatment", 14),
            ("next_stage", 12),
            ("first_visit", 14),
        ):
            for _n in range(count):
                self._journey(next(groups), key)
        for patient in groups:
            self._visit(patient)
        self._strays()

    def play(self) -> None:
        start = self.now - timedelta(days=DAYS)
        ticks: list[Event] = [
            (start + timedelta(hours=hours), self._tick) for hours in range(0, DAYS * 24, 3)
        ]
        events = [event for event in self.events if event[0] <= self.now]
        for at, happens in sorted(events + ticks, key=lambda event: event[0]):
            happens(at)
        self._tick(self.now)

    def _tick(self, at: datetime) -> None:
        match_documents(now=at)
        watch_steps(now=at)
        settle_holds(now=at)
        open_tasks(now=at)
        plan_attempts(now=at)
        dispatch(now=at)
        if at < self.now - timedelta(hours=6):
            self._work(at)
        plan_attempts(now=at)

    def _work(self, at: datetime) -> None:
        """Rina works through the list: about half answer the phone, and most of what is due she finishes."""
        for attempt in calls_now(Attempt.objects.filter(clinic=self.clinic), now=at)[:8]:
            if self.chance.random() < 0.6:  # noqa: PLR2004 - a share
                with suppress(RefusedError):
                    call = claim_call(attempt, by=self.rina, now=at)
                    record_outcome(call, self.chance.choice(["no_answer", "spoken"]), now=at, by=self.rina)
        self._book_what_is_late(at)
        due = Step.objects.filter(
            clinic=self.clinic, status=StepStatus.ACTIVE, template_step__isnull=True, due_at__lte=at
        )
        for step in due.exclude(kind=StepKind.IDENTIFY):
            if self.chance.random() < 0.9:  # noqa: PLR2004 - a share
                with suppress(RefusedError):  # what it was about may have ended it a moment ago
                    outcome = "kept" if step.kind == StepKind.PROMISE else "done"
                    complete_step(step, outcome, now=at, by=self.rina)

    def _book_what_is_late(self, at: datetime) -> None:
        """Most patients whose next visit has no date get one on the phone."""
        late = Step.objects.filter(
            clinic=self.clinic,
            status=StepStatus.ACTIVE,
            kind__in=[StepKind.BOOK, StepKind.CONFIRM],
            due_at__lte=at,
        ).select_related("journey__patient", "template_step")
        for step in late:
            patient = step.journey.patient
            if patient is None or self.chance.random() > 0.5:  # noqa: PLR2004 - a share
                continue
            doctor = self.chance.choice(self.doctors)
            starts = find_times(
                doctor, 30, after=self.now + timedelta(days=1), before=self.now + timedelta(days=14)
            )
            with suppress(RefusedError):
                if step.kind == StepKind.CONFIRM:
                    answer(step, "confirm", now=at, channel="phone")
                elif starts:
                    visit = Visit(patient, doctor, self.chance.choice(starts), 30, step.journey.name)
                    visits.book_for_step(step, visit, now=at, by=self.rina)

    def _past(self, days: float) -> datetime:
        """A working hour of a working day, about so many days ago."""
        zone = ZoneInfo(self.clinic.time_zone)
        local = (self.now - timedelta(days=days)).astimezone(zone)
        local = local.replace(hour=self.chance.randrange(9, 16), minute=self.chance.randrange(0, 60))
        while local > self.now or local.weekday() in WEEKEND:
            local -= timedelta(days=1)
        return local.astimezone(UTC)

    def _imaging(self, patient: Patient) -> None:
        at = self._past(self.chance.choice([0.1, 0.5, 1, 2, 3, 3, 4, 5, 6, 7, 8]))
        doctor = self.chance.choice(self.doctors)
        made: list[Referral] = []
        channel = self.chance.choice([Channel.SMS, Channel.WHATSAPP])  # at any hour: the visitor is watching
        save_card(patient, CardAnswers(channel, (), patient.language), now=at, by=self.rina)

        def begin(now: datetime) -> None:
            expected = now + timedelta(days=self.chance.choice([1, 2, 3, 4]))
            title = self.chance.choice(TITLES)
            starts = find_times(doctor, 30, after=expected, before=expected + timedelta(days=20), limit=6)
            hold = Visit(patient, doctor, self.chance.choice(starts), 30, title)
            new = NewReferral(
                patient=patient,
                requester=doctor,
                service="Panoramic image",
                question="Save or extract?",
                performer="Carmel Imaging",
                performer_email="desk@carmel-imaging.example",
                expected_at=expected,
                title=title,
                hold=hold,
            )
            made.append(refer(new, now=now, by=self.rina))

        def arrive(now: datetime) -> None:
            mail = institute_mail(
                to=self.clinic.intake_address, code=made[0].code, patient=patient.full_name, now=now
            )
            self._receive(mail, now)

        def decide(now: datetime) -> None:
            result = Result.objects.filter(referral=made[0], decision="", review__isnull=False).first()
            if result and doctor.user:
                record_review(result, self.chance.choice(DECISIONS), now=now, by=doctor.user)

        def confirm(now: datetime) -> None:
            step = made[0].journey.steps.filter(kind=StepKind.CONFIRM, status=StepStatus.ACTIVE).first()
            if step:
                answer(step, "confirm", now=now, channel="page")

        self.events.append((at, begin))
        if self.chance.random() < 0.65:  # noqa: PLR2004 - a share
            at += timedelta(days=self.chance.choice([1, 1, 2, 3]), minutes=self.chance.randrange(0, 60))
            self.events.append((at, arrive))
            if self.chance.random() < 0.9:  # noqa: PLR2004 - a share
                at += timedelta(hours=self.chance.choice([1, 2, 2, 3]))
                self.events.append((at, decide))
                if self.chance.random() < 0.6:  # noqa: PLR2004 - a share
                    self.events.append((at + timedelta(hours=2), confirm))

    def _receive(self, mail: bytes, now: datetime) -> None:
        drop_into_inbox(mail)
        fetch(now=now)
        match_documents(now=now)

    def _journey(self, patient: Patient, key: str) -> None:
        doctor = self.chance.choice(self.doctors).user
        days = self.chance.choice([0.2, 1, 1.5, 2, 3, 5, 8])
        at = self._past(days)

        def begin(now: datetime) -> None:
            start_journey(patient, NewJourney(key, doctor=doctor), now=now, by=self.rina)

        if key == "recall":  # began half a year before; the invitation falls into these days
            begin(at - timedelta(days=182 - 14))
        else:
            self.events.append((at, begin))

    def _visit(self, patient: Patient) -> None:
        """An ordinary visit: past ones took place, coming ones fill the calendar."""
        at = self.now - timedelta(days=DAYS - 1) + timedelta(days=self.chance.randrange(0, 24))
        doctor = self.chance.choice(self.doctors)
        made_at = min(at, self.now) - timedelta(days=1)
        starts = find_times(doctor, 30, after=at, before=at + timedelta(days=4), limit=12)
        if not starts:
            return
        visit = Visit(
            patient, doctor, self.chance.choice(starts), self.chance.choice([20, 30, 40]), "Check-up"
        )
        try:
            made = visits.book_alone(visit, now=made_at, by=self.rina)
        except RefusedError:
            return
        if made.end < self.now:
            self.events.append((made.end, lambda now: self._took_place(made, now)))

    def _took_place(self, appointment: Appointment, now: datetime) -> None:
        appointment.refresh_from_db()
        if appointment.status == AppointmentStatus.BOOKED:
            visits.fulfil(appointment, now=now, by=self.rina)

    def _strays(self) -> None:
        """Two mails that no rule can match for certain: they wait with an owner and a clock."""
        for hours, subject in ((2, "Scan of Mrs Levi, as discussed"), (30, "CT results")):
            mail = institute_mail(to=self.clinic.intake_address, code="", patient=subject, now=self.now)
            self.events.append((self.now - timedelta(hours=hours), partial(self._receive, mail)))
