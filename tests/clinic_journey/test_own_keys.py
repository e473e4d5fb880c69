"""Single keys that a user has chosen for herself: kept with her, on every page, and none that means two things."""

import html
import json
import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client

from clinic_journey.models import OwnKey
from clinic_journey.own_keys import COMMANDS, NAME_OF, own_keys_of
from patients.card_form import KEYS, KeyedDays, KeyedHours
from patients.models import Role
from tests import builders

PATH = "/desk/keys/"
OURS = {code: NAME_OF[code] for code in COMMANDS}
pytestmark = pytest.mark.django_db


@pytest.fixture
def rina() -> User:
    return builders.user(Role.RECEPTIONIST, at=builders.clinic())


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def told(client: Client, path: str = "/desk/pin/") -> Any:
    """What a page tells keys.js."""
    found = re.search(r'data-own-keys="([^"]*)"', client.get(path).content.decode())
    return json.loads(html.unescape(found[1])) if found else {}


def test_a_key_is_another_one_on_every_page_wherever_she_logs_in(rina: User) -> None:
    client = browser(rina)
    assert told(client) == {}
    assert client.post(PATH, OURS | {"KeyP": ";", "KeyC": "p", "Space": "c"}).status_code == 302
    mine = {
        "KeyP": {"own": "Semicolon", "was": "P", "is": ";"},
        "KeyC": {"own": "KeyP", "was": "C", "is": "P"},
        "Space": {"own": "KeyC", "was": "␣", "is": "C"},
    }
    assert told(client) == mine
    assert told(browser(rina)) == mine
    assert told(browser(builders.user(Role.DOCTOR, at=rina.memberships.get().clinic))) == {}
    page = client.get(PATH).content.decode()
    assert re.search(r'name="KeyP" value=";"', page)
    assert client.post(PATH, {"as_shipped": "1"}).status_code == 302
    assert (told(client), told(browser(rina)), OwnKey.objects.count()) == ({}, {}, 0)


def test_no_key_means_two_things(rina: User) -> None:
    client = browser(rina)
    refused = client.post(PATH, OURS | {"KeyP": "x"})
    assert refused.status_code == 422
    text = html.unescape(refused.content.decode())
    taken = "X is already the key of “Park · Plan this · On paper · When the patient can come”."
    assert f"{taken} Choose another for one of them." in text
    assert 'value="x"' in text
    assert own_keys_of(rina) == {}
    assert client.post(PATH, OURS | {"KeyP": "x", "KeyX": "p"}).status_code == 302  # two that change places
    assert own_keys_of(rina) == {"KeyP": "KeyX", "KeyX": "KeyP"}
    with pytest.raises(IntegrityError), transaction.atomic():
        OwnKey.objects.create(user=rina, key="KeyC", own="KeyX")


@pytest.mark.parametrize("nonsense", ["", "ש", "é", "XX", "\t"])
def test_what_is_no_key_is_refused_in_words(rina: User, nonsense: str) -> None:
    refused = browser(rina).post(PATH, OURS | {"KeyP": nonsense})
    assert refused.status_code == 422
    assert own_keys_of(rina) == {}


def test_every_single_key_of_the_pages_can_be_changed() -> None:
    folder = settings.BASE_DIR / "templates"
    pages = "".join(path.read_text() for path in folder.rglob("*.html"))
    found = set(re.findall(r'data-key="(?:Shift\+)?((?:Key|Digit)\w|[A-Z][a-z]+)"', pages))
    of_the_card = {*KEYS.values(), *KeyedDays.keys.values(), *KeyedHours.keys.values()}
    found |= {f"Digit{key}" if key.isdigit() else f"Key{key}" for key in of_the_card}
    assert found - {"Escape"} <= set(COMMANDS)
    assert len(found) > 30
