"""The link printed on a referral: with it the institute puts files in, without a login (house.md 3)."""

from django.core import signing

from referrals.models import Referral
from referrals.queries import TAKES_RESULTS

_SALT = "referrals.upload"


def upload_token(referral: Referral) -> str:
    """The referral's code with our signature: short enough to print, and no other referral can be guessed."""
    return _signer().sign(referral.code)


def referral_for(token: str) -> Referral | None:
    """The referral a link belongs to, while it still takes a result. A revoked one has no link any more."""
    try:
        code = _signer().unsign(token)
    except signing.BadSignature:
        return None
    return Referral.objects.filter(code=code, status__in=TAKES_RESULTS).select_related("clinic").first()


def _signer() -> signing.Signer:
    return signing.Signer(salt=_SALT, sep=".")
