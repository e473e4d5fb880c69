"""Who carries a clinic's messages: where the data lies and by which agreement, and what of it is still missing.

Where the clinic's country asks for these answers, only listed addresses get messages on a channel until they stand.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, TextChoices
from django.utils.translation import gettext as _, gettext_lazy

from outreach.channels import leaves_this_machine, leaving
from outreach.provider_models import BY_A_PROVIDER, ProviderTerms
from patients.actions import RefusedError
from patients.country import CountryProfile, profile_of
from patients.models import Clinic

COUNTRY, AGREEMENT = "country", "agreement"  # what a profile may ask for


class Missing(TextChoices):
    COUNTRY = "country", gettext_lazy("the country in which the provider keeps the data")
    BASIS = "basis", gettext_lazy("on what legal basis patients' data may go to that country")
    AGREEMENT = "agreement", gettext_lazy("the signed agreement with the provider about patients' data")


@dataclass(frozen=True)
class Answer:
    country: str = ""  # ISO 3166
    basis: str = ""
    has_agreement: bool = False


def missing_of(clinic: Clinic, terms: ProviderTerms | None) -> list[Missing]:
    """What the country's rules still ask to be answered before a channel may carry messages to every patient."""
    profile, given = profile_of(clinic.country), terms or ProviderTerms()
    abroad = given.country and profile.provider_countries and given.country not in profile.provider_countries
    found = {
        Missing.COUNTRY: COUNTRY in profile.provider_asks and not given.country,
        Missing.BASIS: COUNTRY in profile.provider_asks and bool(abroad) and not given.basis,
        Missing.AGREEMENT: AGREEMENT in profile.provider_asks and not given.has_agreement,
    }
    return [each for each, is_missing in found.items() if is_missing]


def terms_of(clinic: Clinic) -> dict[str, ProviderTerms]:
    """What was answered, by channel."""
    return {each.channel: each for each in clinic.provider_terms.select_related("by")}


def missing_on(clinic: Clinic, channel: str) -> list[Missing]:
    """What is missing on one channel; nothing where its messages leave this machine for no provider."""
    if channel not in BY_A_PROVIDER or not leaves_this_machine(channel):
        return []
    return missing_of(clinic, ProviderTerms.objects.filter(clinic=clinic, channel=channel).first())


class Providers:
    """Of some clinics, read once for a batch; nothing is read where nothing is asked or nothing can leave."""

    def __init__(self, clinics: Iterable[Clinic]) -> None:
        self.asked = _asked(clinics) if leaving() else {}
        rows = ProviderTerms.objects.filter(clinic__in=self.asked) if self.asked else ()
        self._answered = {
            (row.clinic_id, row.channel) for row in rows if not missing_of(self.asked[row.clinic_id], row)
        }

    def is_answered(self, clinic_id: int, channel: str) -> bool:
        return clinic_id not in self.asked or (clinic_id, channel) in self._answered


def unanswered(channel: str, clinics: Iterable[Clinic]) -> Q | None:
    """The attempts whose provider is not answered for, as a condition of the statement that begins the calls."""
    asked = _asked(clinics)
    profiles = {profile.name: profile for profile in (profile_of(each.country) for each in asked.values())}
    found = None
    for profile in profiles.values():
        mine = [pk for pk, clinic in asked.items() if profile_of(clinic.country) is profile]
        given = ProviderTerms.objects.filter(_complete(profile), clinic=OuterRef("clinic"), channel=channel)
        lacking = Q(clinic__in=mine) & ~Q(Exists(given))
        found = lacking if found is None else found | lacking
    return found


def _asked(clinics: Iterable[Clinic]) -> dict[int, Clinic]:
    return {clinic.pk: clinic for clinic in clinics if profile_of(clinic.country).provider_asks}


def _complete(profile: CountryProfile) -> Q:
    """The same as missing_of() finding nothing."""
    holds = Q(has_agreement=True) if AGREEMENT in profile.provider_asks else Q()
    if COUNTRY in profile.provider_asks:
        holds &= ~Q(country="")
        if profile.provider_countries:
            holds &= Q(country__in=profile.provider_countries) | ~Q(basis="")
    return holds


@transaction.atomic
def answer_for_provider(
    clinic: Clinic, channel: str, answer: Answer, *, now: datetime, by: User
) -> ProviderTerms:
    """What an administrator says of a channel's provider, in place of what was said before."""
    if channel not in BY_A_PROVIDER:
        raise RefusedError(_("No provider carries messages there."))
    said = {**asdict(answer), "at": now, "by": by}
    found, _made = ProviderTerms.objects.update_or_create(clinic=clinic, channel=channel, defaults=said)
    return found
