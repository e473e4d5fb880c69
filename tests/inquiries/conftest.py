"""The providers' stand-ins, as tests of outreach have them."""

from tests.outreach.conftest import mailgun, twilio

__all__ = ["mailgun", "twilio"]
