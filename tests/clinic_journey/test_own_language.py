"""The language of a shared desk is that of whoever works at it now, not of whoever chose one last."""

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client

from clinic_journey.lock import actions
from clinic_journey.models import OwnLanguage
from patients.models import Clinic, Role
from tests import builders

pytestmark = pytest.mark.django_db
PIN = {"Rina": "2580", "Dan": "7413"}


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


def staff(clinic: Clinic, name: str) -> User:
    made = builders.user(Role.RECEPTIONIST, at=clinic, first_name=name)
    actions.set_pin(made, PIN[name])
    return made


def log_in(client: Client, user: User) -> None:
    client.post("/login/", {"username": user.username, "password": "x"})


def unlock(client: Client, user: User) -> None:
    client.post("/lock/open/", {"who": str(user.pk), "key": PIN[user.first_name]})


def choose(client: Client, language: str) -> None:
    client.post("/i18n/setlang/", {"language": language, "next": "/desk/pin/"})


def spoken(client: Client) -> str:
    page = client.get("/desk/pin/").content.decode()
    return page.partition('<html lang="')[2][:2]


def test_each_of_two_reads_her_own_language_at_one_desk(clinic: Clinic) -> None:
    rina, dan = staff(clinic, "Rina"), staff(clinic, "Dan")
    desk = Client()
    log_in(desk, dan)
    choose(desk, "en")
    desk.post("/lock/")
    log_in(desk, rina)
    choose(desk, "he")
    assert spoken(desk) == "he"
    desk.post("/lock/")
    unlock(desk, dan)
    assert spoken(desk) == "en"
    desk.post("/lock/")
    unlock(desk, rina)
    assert spoken(desk) == "he"


def test_it_is_spoken_at_any_other_desk_after_the_login(clinic: Clinic) -> None:
    rina = staff(clinic, "Rina")
    desk, other = Client(), Client()
    log_in(desk, rina)
    choose(desk, "ru")
    choose(desk, "ar")
    log_in(other, rina)
    assert spoken(other) == "ar"
    assert OwnLanguage.objects.get().language == "ar"


def test_what_is_chosen_on_a_locked_screen_is_nobodys(clinic: Clinic) -> None:
    rina = staff(clinic, "Rina")
    desk = Client()
    log_in(desk, rina)
    choose(desk, "he")
    desk.post("/lock/")
    choose(desk, "en")
    assert 'lang="en"' in desk.get("/lock/").content.decode()[:200]
    unlock(desk, rina)
    assert spoken(desk) == "he"


def test_before_the_login_it_is_the_browsers_alone(clinic: Clinic) -> None:
    desk = Client()
    choose(desk, "ru")
    log_in(desk, staff(clinic, "Rina"))
    assert spoken(desk) == "ru"
    assert not OwnLanguage.objects.exists()


def test_it_is_a_language_of_the_product(clinic: Clinic) -> None:
    desk = Client()
    log_in(desk, staff(clinic, "Rina"))
    choose(desk, "xx")
    assert (spoken(desk), OwnLanguage.objects.count()) == ("en", 0)
    with pytest.raises(IntegrityError), transaction.atomic():
        OwnLanguage.objects.create(user=builders.user(), language="xx")
