"""No line of the log opens a page to whoever reads it."""

import logging

import pytest
from django.test import Client

from outreach.links import token_for
from tests import builders

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("door", ["p", "u"])
def test_a_refused_link_is_logged_without_its_key(door: str, caplog: pytest.LogCaptureFixture) -> None:
    token = token_for(builders.journey(builders.patient(), link_version=2))[:-2]
    assert Client().get(f"/{door}/{token}/").status_code == 404
    (console,) = (each for each in logging.getLogger().handlers if each.get_name() == "console")
    (refused,) = (each for each in caplog.records if each.name == "django.request")
    assert console.filter(refused)
    assert console.format(refused).endswith(f"WARNING django.request: Not Found: /{door}/…/")
    assert token not in console.format(refused)
