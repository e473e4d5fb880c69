"""What screens and the matcher read about referrals, documents and results."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Exists, Min, OuterRef, Q, QuerySet

from journeys.models import StepKind, StepStatus
from patients.identity import Claim, normalise_national_id
from patients.models import AddressKind, Clinic, ContactPoint
from patients.queries import User, clinics_visible_to, people_like, person_of
from referrals.matching import OpenReferral
from referrals.models import (
    DocumentFile,
    DocumentStatus,
    IncomingDocument,
    Referral,
    ReferralStatus,
    Result,
)

RECENT, ENOUGH = 100, 5  # referrals whose results say how long it usually takes; how few say nothing
ONE_DAY = timedelta(days=1)
# A second file and a correction come on a referral that is completed already, and name it by its code.
TAKES_RESULTS = (ReferralStatus.ACTIVE, ReferralStatus.ON_HOLD, ReferralStatus.COMPLETED)


def referrals_visible_to(user: User) -> QuerySet[Referral]:
    return Referral.objects.filter(clinic__in=clinics_visible_to(user)).select_related(
        "clinic", "patient", "journey__template", "step", "requester"
    )


def without_a_hold(referrals: QuerySet[Referral]) -> QuerySet[Referral]:
    """Those for which no visit was held, latest first; each has the reason."""
    return (
        referrals.exclude(hold_refused_because="").select_related("patient", "made_by").order_by("-made_at")
    )


def usual_days(referrals: QuerySet[Referral]) -> tuple[int, int] | None:
    """In how many days half of the last results came, and nine out of ten; None while too few are known."""
    completed = referrals.filter(status=ReferralStatus.COMPLETED).order_by("-made_at").values("pk")[:RECENT]
    last = Referral.objects.filter(pk__in=completed).annotate(came_at=Min("results__received_at"))
    told = last.filter(came_at__isnull=False).values_list("made_at", "came_at")
    waits = sorted(-((made_at - came_at) // ONE_DAY) for made_at, came_at in told)  # a begun day counts
    if len(waits) < ENOUGH:
        return None
    return waits[(len(waits) - 1) // 2], waits[-(-len(waits) * 9 // 10) - 1]


def documents_visible_to(user: User) -> QuerySet[IncomingDocument]:
    return IncomingDocument.objects.filter(clinic__in=clinics_visible_to(user)).select_related(
        "clinic", "referral__patient", "step"
    )


def files_visible_to(user: User) -> QuerySet[DocumentFile]:
    return DocumentFile.objects.filter(document__clinic__in=clinics_visible_to(user)).select_related(
        "document"
    )


def results_visible_to(user: User) -> QuerySet[Result]:
    return Result.objects.filter(referral__clinic__in=clinics_visible_to(user)).select_related(
        "referral__patient", "referral__requester", "referral__journey__template", "document", "review"
    )


def to_decide(results: QuerySet[Result]) -> QuerySet[Result]:
    """One row a review, the latest file of it, the most urgent deadline first."""
    later = Result.objects.filter(review=OuterRef("review"), version__gt=OuterRef("version"))
    undecided = results.filter(decision="", review__kind=StepKind.REVIEW, review__status=StepStatus.ACTIVE)
    return undecided.exclude(Exists(later)).order_by("review__due_at", "pk")


def expected(referrals: QuerySet[Referral]) -> QuerySet[Referral]:
    """What we wait for, from whom and until when: the promised date, the earliest first (S1.4)."""
    return referrals.filter(status=ReferralStatus.ACTIVE).order_by("expected_at", "pk")


def waiting(referrals: QuerySet[Referral]) -> QuerySet[Referral]:
    """Those that wait for a result, or for the decision on one, which what comes now joins."""
    undecided = Exists(Result.objects.filter(referral=OuterRef("pk"), decision=""))
    return referrals.filter(
        Q(status=ReferralStatus.ACTIVE) | (Q(status=ReferralStatus.COMPLETED) & Q(undecided))
    )


def late(referrals: QuerySet[Referral], *, now: datetime) -> QuerySet[Referral]:
    return expected(referrals).filter(expected_at__lte=now)


def unmatched(documents: QuerySet[IncomingDocument]) -> QuerySet[IncomingDocument]:
    return documents.filter(status=DocumentStatus.UNMATCHED).order_by("received_at", "pk")


def candidates_of(document: IncomingDocument) -> list[Referral]:
    """The referrals a person may choose from, the likeliest first, as the matcher left them."""
    found = Referral.objects.filter(
        clinic_id=document.clinic_id, public_id__in=document.candidates
    ).select_related("patient", "requester")
    by_id = {str(referral.public_id): referral for referral in found}
    return [by_id[public_id] for public_id in document.candidates if public_id in by_id]


def addressed_clinic(recipients: Iterable[str]) -> Clinic | None:
    """Find the clinic whose intake address a mail was sent to; what stands after a + does not matter."""
    wanted = {form for address in recipients for form in (address.casefold(), _untagged(address))}
    named = [(clinic.intake_address.casefold(), clinic) for clinic in _with_an_address()]
    exact = [clinic for address, clinic in named if address in wanted]
    loose = [clinic for address, clinic in named if _untagged(address) in wanted]
    return next(iter(exact + loose), None)


def _with_an_address() -> QuerySet[Clinic]:
    return Clinic.objects.exclude(intake_address="").order_by("pk")


def _untagged(address: str) -> str:
    local, at, domain = address.casefold().rpartition("@")
    return f"{local.partition('+')[0]}{at}{domain}"


def is_of_a_patient(address: str) -> bool:
    """Whether somebody whom a clinic here knows as a patient, or as a patient's relative, writes from there."""
    known = ContactPoint.objects.filter(kind=AddressKind.EMAIL, value=address.casefold())
    return known.filter(ties__isnull=False).exists()


def clinic_of_codes(codes: Iterable[str]) -> Clinic | None:
    """Find the clinic that made these referrals, where they are all of one."""
    clinics = list(Clinic.objects.filter(referrals__code__in=list(codes)).distinct()[:2])
    return clinics[0] if len(clinics) == 1 else None


def referrals_by_code(codes: Iterable[str], *, clinic: Clinic | None) -> list[Referral]:
    """Referrals that still take a result; of one clinic, or of any where nobody said which."""
    within = Q() if clinic is None else Q(clinic=clinic)
    return list(
        Referral.objects.filter(within, code__in=list(codes), status__in=TAKES_RESULTS).select_related(
            "patient", "clinic"
        )
    )


def takes_results(referral: Referral) -> bool:
    """Whether it does now, whatever the object in hand says."""
    return Referral.objects.filter(pk=referral.pk, status__in=TAKES_RESULTS).exists()


def referrals_about(claim: Claim, *, clinic: Clinic) -> list[Referral]:
    """Referrals of the people a document could be about that wait for a result, or for the decision on one.

    A decided referral takes a correction only by its code or by hand: a new image of the same patient is
    more often something else.
    """
    people = [person.key for person in people_like(clinic, _searchable(claim))]
    about = Referral.objects.filter(clinic=clinic, patient_id__in=people)
    return list(waiting(about).select_related("patient", "clinic"))


def _searchable(claim: Claim) -> Claim:
    """IDs as they are stored, and any date of the text as a possible birth date; `matching` weighs them."""
    return replace(
        claim,
        national_ids=tuple(normalise_national_id(text) for text in claim.national_ids),
        birth_dates=claim.birth_dates + claim.other_dates,
    )


def as_open(referral: Referral) -> OpenReferral:
    return OpenReferral(referral.pk, referral.code, person_of(referral.patient))
