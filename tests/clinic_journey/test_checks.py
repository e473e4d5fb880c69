"""Settings that would hurt patients are named at start, with the cure."""

import pytest
from django.conf import LazySettings

from clinic_journey.checks import (
    a_part_costs_an_amount,
    channels_have_all_their_keys,
    channels_reach_somebody,
    providers_answer_within_the_lease,
)


def test_a_channel_with_some_of_its_keys_is_named_with_what_is_missing(settings: LazySettings) -> None:
    settings.CHANNEL_TRANSPORTS = {"phone": "phone", "sms": "twilio", "email": "off"}
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.TWILIO_FROM = "AC1", "", "+97235550142"
    (found,) = channels_have_all_their_keys()
    assert (found.id, found.msg) == ("clinic_journey.W002", "sms is off: TWILIO_AUTH_TOKEN is not set.")
    settings.TWILIO_AUTH_TOKEN = "x"
    assert channels_have_all_their_keys() == []


def test_a_transport_nobody_knows_is_refused(settings: LazySettings) -> None:
    settings.CHANNEL_TRANSPORTS = {"sms": "pigeon"}
    (found,) = channels_have_all_their_keys()
    assert found.id == "clinic_journey.E008"


@pytest.mark.parametrize(
    ("costs", "wrong"), [("", 0), ("0.12 ILS", 0), ("3", 0), ("cheap", 1), ("-1 ILS", 1)]
)
def test_what_a_part_costs_is_an_amount(settings: LazySettings, costs: str, wrong: int) -> None:
    settings.SMS_PART_COSTS = costs
    assert len(a_part_costs_an_amount()) == wrong


@pytest.mark.parametrize(("timeout", "wrong"), [(20, 0), (0, 1), (31, 1)])
def test_a_provider_may_not_take_longer_than_the_lease(
    settings: LazySettings, timeout: float, wrong: int
) -> None:
    settings.CHANNEL_TIMEOUT = timeout
    assert len(providers_answer_within_the_lease()) == wrong


def test_messages_that_reach_nobody_are_named_outside_a_demo(settings: LazySettings) -> None:
    settings.DEMO = False
    assert [each.id for each in channels_reach_somebody()] == ["clinic_journey.W001"]
    settings.CHANNEL_TRANSPORTS = {"phone": "phone", "sms": "off"}
    assert channels_reach_somebody() == []
