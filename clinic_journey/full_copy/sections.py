"""Which tables hold something about a patient, and how each stands in her copy.

A table that leads to a patient is here or among those left out, with the reason; a test walks all tables, so a new
one cannot be forgotten. Of a table that is here all columns go into record.json, but for those that are only ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Exists, ForeignKey, Model, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from appointments.models import (
    Appointment,
    AppointmentEvent,
    Location,
    Practitioner,
    SlotUse,
    VisitType,
)
from appointments.waiting_models import Offer, WaitlistEntry
from clinic_journey.importing.models import ImportProblem, ImportRow, KnownAs
from clinic_journey.models import DeskAction, Serving, SetAside
from inquiries.models import Inquiry, Offering
from inquiries.sent_models import SentAnswer
from journeys.models import Journey, JourneyTemplate, Step, StepEvent, StepTemplate
from outreach.complaint_models import Complaint
from outreach.contact_models import CameOfAge, PersonalContact
from outreach.decision_models import Decision
from outreach.enclosed_models import ReplyFile
from outreach.models import NOT_ME, Attempt, OutreachTask, Reply
from outreach.praise_models import Praise
from outreach.provider_models import MessengerLink
from patients.models import (
    AuditEvent,
    ComingWindow,
    Consent,
    ContactPoint,
    ContactWindow,
    IdentityTries,
    Patient,
    PatientContact,
    ServiceCard,
)
from referrals.models import DocumentFile, IncomingDocument, Referral, Result, ReviewPass

# Columns that say nothing of her: the clinic, which is one, alarms of the clockwork, keys and signatures, the address
# of a colleague's desk.
OURS = frozenset(
    """
    clinic search_key request_key lease lease_until link_version token_hash once request_id ip agent raw match_from
    letter_from fetch_from tries candidates wrote plan_from contact_from changes provider_reference content
    """.split()  # noqa: SIM905 - a list to be read
)
NAMED = frozenset(
    {User, ContactPoint, Practitioner, Location, VisitType, Offering, JourneyTemplate, StepTemplate}
)
Column = tuple[str | Promise, str]  # a word before the value, or none; an attribute of the row


@dataclass(frozen=True)
class Section:
    """One table in the copy. `paths` lead from a row to the patient; `shown` is what a person reads of a row."""

    model: type[Model]
    heading: str | Promise
    paths: tuple[str, ...]
    shown: tuple[Column, ...]
    related: tuple[str, ...] = ()  # what those words need beside whoever is named in the row

    @property
    def name(self) -> str:
        return self.model._meta.model_name or ""

    def rows(self, keys: Sequence[int]) -> QuerySet[Model]:
        """Those of her record and of the records that were merged into it, in the order in which they were made."""
        hers = Q()
        for path in self.paths:
            hers |= Q(**{f"{path}__in": keys}) & ~_was_a_strangers(path)
        rows: QuerySet[Model] = QuerySet(self.model).filter(hers)
        rows = rows.select_related(*named_in(self.model), *self.related)
        return rows.order_by("pk")


def _was_a_strangers(path: str) -> Q:
    """Came with the words of somebody who said that it is not she: it lies with her words and is nothing of hers."""
    words = path.removesuffix("patient")
    if not words.endswith("reply__"):
        return Q(pk__in=[])
    fields = {field: OuterRef(f"{words}{field}") for field in ("patient", "channel", "at")}
    return Q(Exists(Reply.objects.filter(meaning=NOT_ME, **fields)))


def named_in(model: type[Model]) -> list[str]:
    """The columns whose value is somebody or something with a name; read with the row, not one by one."""
    columns = (field for field in model._meta.concrete_fields if field.name not in OURS)
    return [field.name for field in columns if isinstance(field, ForeignKey) and field.related_model in NAMED]


DUE, DONE, UNTIL, ANSWER = _("Due"), _("Done"), _("until"), _("Answer")
SECTIONS: tuple[Section, ...] = (
    Section(
        Patient,
        _("Personal details"),
        ("pk",),
        (
            ("", "full_name"),
            (_("Born"), "birth_date"),
            (_("ID number"), "national_id"),
            (_("Language"), "language"),
            ("", "status"),
        ),
    ),
    Section(
        PatientContact,
        _("Phones and addresses"),
        ("patient",),
        (("", "contact_point"), ("", "relation"), ("", "place"), ("", "may_say")),
    ),
    Section(
        ServiceCard,
        _("Service card"),
        ("patient",),
        (("", "channel"), ("", "words"), ("", "may_tell"), ("", "told_at")),
    ),
    Section(
        ContactWindow,
        _("Hours to be reached"),
        ("card__patient",),
        (("", "weekday"), ("", "start"), (UNTIL, "end")),
    ),
    Section(
        ComingWindow,
        _("Hours to come"),
        ("card__patient",),
        (("", "weekday"), ("", "start"), (UNTIL, "end")),
    ),
    Section(
        Consent,
        _("What was allowed and refused"),
        ("patient",),
        (("", "at"), ("", "status"), ("", "channel"), ("", "contact_point"), ("", "purpose"), ("", "how")),
    ),
    Section(
        IdentityTries,
        _("Wrong answers on the patient's own page"),
        ("patient",),
        (("", "first_at"), ("", "failed")),
    ),
    Section(
        MessengerLink,
        _("Links to messengers"),
        ("patient",),
        (("", "made_at"), ("", "channel")),
    ),
    Section(
        Journey,
        _("Journeys"),
        ("patient",),
        (("", "opened_at"), ("", "name"), ("", "status"), (DONE, "ended_at"), ("", "lost_words")),
    ),
    Section(
        Step,
        _("Steps"),
        ("journey__patient",),
        (("", "opened_at"), ("", "name"), ("", "status"), (DUE, "due_at"), ("", "outcome"), ("", "note")),
        ("template_step",),
    ),
    Section(
        StepEvent,
        _("What happened to the steps"),
        ("step__journey__patient",),
        (("", "at"), ("", "step"), ("", "kind"), ("", "detail"), ("", "by")),
        ("step__template_step",),
    ),
    Section(
        Appointment,
        _("Visits"),
        ("patient",),
        (("", "start"), ("", "practitioner"), ("", "title"), ("", "status"), ("", "ended_because")),
    ),
    Section(
        AppointmentEvent,
        _("What happened to the visits"),
        ("appointment__patient",),
        (("", "at"), ("", "what"), ("", "detail"), ("", "by")),
    ),
    Section(
        WaitlistEntry,
        _("Waiting list"),
        ("patient",),
        (("", "since_at"), ("", "practitioner"), ("", "status"), (DONE, "ended_at")),
    ),
    Section(
        Offer,
        _("Times that were offered"),
        ("entry__patient",),
        (("", "made_at"), ("", "start"), ("", "status")),
    ),
    Section(
        Referral,
        _("Referrals"),
        ("patient",),
        (
            ("", "made_at"),
            ("", "service"),
            ("", "question"),
            ("", "performer"),
            ("", "status"),
            (DUE, "expected_at"),
        ),
    ),
    Section(
        IncomingDocument,
        _("Documents"),
        ("referral__patient", "step__journey__patient", "enclosed__reply__patient"),
        (("", "received_at"), ("", "sender"), ("", "subject"), ("", "status")),
    ),
    Section(
        DocumentFile,
        _("Files"),
        (
            "document__referral__patient",
            "document__step__journey__patient",
            "document__enclosed__reply__patient",
        ),
        (("", "name"), ("", "problem_words")),
    ),
    Section(
        Result,
        _("Results"),
        ("referral__patient",),
        (("", "received_at"), ("", "status"), ("", "decision"), ("", "note"), ("", "decided_by")),
    ),
    Section(
        ReviewPass,
        _("Reviews passed to a colleague"),
        ("review__journey__patient",),
        (("", "made_at"), ("", "by"), ("", "to"), ("", "because")),
    ),
    Section(
        OutreachTask,
        _("Why we wrote or called"),
        ("patient",),
        (("", "opened_at"), ("", "step"), ("", "status"), ("", "outcome")),
        ("step__template_step",),
    ),
    Section(
        Attempt,
        _("Messages and calls"),
        ("patient",),
        (
            ("", "send_at"),
            ("", "channel"),
            ("", "contact_point"),
            ("", "status"),
            ("", "subject"),
            ("", "body"),
            ("", "outcome"),
        ),
    ),
    Section(
        Decision,
        _("Messages and reasons"),
        ("step__journey__patient",),
        (("", "at"), ("", "step"), ("", "kind"), ("", "channel"), ("", "rules")),
        ("step__template_step",),
    ),
    Section(
        Reply,
        _("What they said"),
        ("patient",),
        (("", "at"), ("", "channel"), ("", "body"), ("", "meaning")),
    ),
    Section(
        ReplyFile,
        _("Files that came with it"),
        ("reply__patient",),
        (("", "asked_at"), ("", "name")),
    ),
    Section(
        Complaint,
        _("Complaints"),
        ("patient",),
        (("", "came_at"), ("", "words"), ("", "restated"), (ANSWER, "answer"), ("", "change")),
    ),
    Section(
        Praise,
        _("Thanks"),
        ("patient",),
        (("", "at"), ("", "words"), ("", "named")),
    ),
    Section(
        PersonalContact,
        _("To ask how they are"),
        ("patient",),
        (("", "at"), ("", "because"), ("", "ended"), ("", "words")),
    ),
    Section(
        Inquiry,
        _("Questions"),
        ("patient",),
        (("", "asked_at"), ("", "asked"), (ANSWER, "said_words"), ("", "outcome"), ("", "lost_words")),
    ),
    Section(
        SentAnswer,
        _("Answers in writing"),
        ("inquiry__patient",),
        (("", "send_at"), ("", "channel"), ("", "body"), ("", "status")),
    ),
    Section(
        ImportRow,
        _("As it came in an import"),
        ("patient", "appointment__patient"),
        (("", "cells"), ("", "state")),
    ),
    Section(KnownAs, _("As other programs know the record"), ("patient",), (("", "key"),)),
    Section(
        DeskAction,
        _("What the desk saved"),
        ("patient",),
        (("", "at"), ("", "what"), ("", "user")),
    ),
    Section(
        AuditEvent,
        _("Who looked at the record or changed it"),
        ("patient",),
        (("", "at"), ("", "actor"), ("", "by"), ("", "action"), ("", "what")),
    ),
)
LEFT_OUT: dict[type[Model], str] = {
    SlotUse: "the cells of the calendar that a visit takes; the visit itself says its time",
    Serving: "who has the record open at this minute; nothing is kept of it",
    SetAside: "how one colleague has sorted her own list; the step itself is in the copy",
    CameOfAge: "that the desk was asked, at her majority, to ask her; the step itself is in the copy",
    ImportProblem: "what was wrong with a row of a file; the row itself is in the copy",
}
