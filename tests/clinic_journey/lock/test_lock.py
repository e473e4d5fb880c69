"""The locked screen: nothing of a patient behind it, the right key and the right person, drafts by author."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client

from clinic_journey.lock import actions, desk
from clinic_journey.lock.kept_words import shown
from clinic_journey.lock.models import TRIES, Pin
from patients.models import AuditAction, AuditEvent, Clinic, Patient, Role
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
PIN, OTHER_PIN = "2580", "7413"
FAR = timedelta(minutes=6)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


@pytest.fixture
def dana(clinic: Clinic) -> Patient:
    return builders.patient(clinic)


def staff(clinic: Clinic, *, pin: str = PIN, **fields: Any) -> User:
    made = builders.user(Role.RECEPTIONIST, at=clinic, **fields)
    if pin:
        actions.set_pin(made, pin)
    return made


def at_the_desk(client: Client, user: User) -> None:
    client.post("/login/", {"username": user.username, "password": "x"})


def opened(client: Client, who: User, key: str = PIN, **more: str) -> Any:
    return client.post("/lock/open/", {"who": str(who.pk), "key": key, **more})


def record_of(patient: Patient) -> str:
    return f"/patients/{patient.public_id}/"


def test_an_idle_screen_is_locked_at_the_next_request(
    client: Client, clinic: Clinic, dana: Patient, clock: time_machine.Traveller
) -> None:
    at_the_desk(client, staff(clinic))
    assert client.get(record_of(dana)).status_code == 200
    clock.shift(FAR)
    answer = client.get(record_of(dana))
    assert (answer.status_code, answer["Location"]) == (302, "/lock/")


@pytest.mark.parametrize(("minutes", "expected"), [(4, 200), (5, 200), (6, 302)])
def test_it_takes_five_idle_minutes(
    client: Client, clock: time_machine.Traveller, clinic: Clinic, minutes: int, expected: int
) -> None:
    at_the_desk(client, staff(clinic))
    clock.shift(timedelta(minutes=minutes))
    assert client.get("/patients/").status_code == expected


def test_what_a_page_asks_by_itself_keeps_no_desk_open(
    client: Client, clock: time_machine.Traveller, clinic: Clinic
) -> None:
    at_the_desk(client, staff(clinic))
    clock.shift(timedelta(minutes=4))
    asked = client.get("/results/fresh/", headers={"X-By-Itself": "1", "HX-Request": "true"})
    assert asked.status_code < 300
    clock.shift(timedelta(minutes=2))
    assert client.get("/patients/")["Location"] == "/lock/"


def test_what_somebody_asks_for_keeps_it_open(
    client: Client, clinic: Clinic, clock: time_machine.Traveller
) -> None:
    at_the_desk(client, staff(clinic))
    for _quarter in range(3):
        clock.shift(timedelta(minutes=4))
        client.post("/desk/here/")
    assert client.get("/patients/").status_code == 200


def test_a_part_asked_for_behind_a_lock_is_empty_and_says_so(client: Client, clinic: Clinic) -> None:
    at_the_desk(client, staff(clinic))
    client.post("/lock/")
    answer = client.get("/caller/?q=Dana", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["X-Locked"], answer.content) == (204, "1", b"")


def test_a_browser_that_calls_itself_a_program_is_locked_all_the_same(
    client: Client, clinic: Clinic, dana: Patient
) -> None:
    at_the_desk(client, staff(clinic))
    client.post("/lock/")
    for address in (record_of(dana), "/api/v1/patients/"):
        assert client.get(address, headers={"Authorization": "Token none"})["Location"] == "/lock/"


def test_the_locked_screen_names_no_patient(
    client: Client, clock: time_machine.Traveller, clinic: Clinic, dana: Patient
) -> None:
    rina = staff(clinic)
    at_the_desk(client, rina)
    client.get("/search/?q=Dana")
    clock.shift(FAR)
    client.get("/patients/?q=Dana")
    page = client.get("/lock/").content.decode()
    assert "Rina" in page
    assert not any(word in page for word in ("Dana", "Levi", str(dana.public_id), "502345678"))


def test_a_pin_opens_the_very_spot(client: Client, clinic: Clinic, dana: Patient) -> None:
    rina = staff(clinic)
    at_the_desk(client, rina)
    client.post("/lock/", headers={"Referer": f"http://testserver{record_of(dana)}?x=1"})
    answer = opened(client, rina)
    assert answer["Location"] == f"{record_of(dana)}?x=1"
    assert client.get(answer["Location"]).status_code == 200


@pytest.mark.parametrize("key", [" 2580 ", "٢٥٨٠", "25 80"])
def test_digits_may_be_pasted_as_they_are(client: Client, clinic: Clinic, key: str) -> None:
    rina = staff(clinic)
    at_the_desk(client, rina)
    client.post("/lock/")
    assert opened(client, rina, key)["Location"] == "/"


def test_another_site_is_no_spot(client: Client, clinic: Clinic) -> None:
    rina = staff(clinic)
    at_the_desk(client, rina)
    client.post("/lock/", {"spot": "https://elsewhere.example/"})
    assert opened(client, rina, spot="//elsewhere.example/")["Location"] == "/"


def test_without_a_pin_the_password_opens(client: Client, clinic: Clinic) -> None:
    rina = staff(clinic, pin="")
    at_the_desk(client, rina)
    client.post("/lock/")
    assert opened(client, rina, "wrong").status_code == 422
    assert opened(client, rina, "x").status_code == 302
    assert client.get("/patients/").status_code == 200


def test_five_wrong_tries_end_the_session(client: Client, clinic: Clinic) -> None:
    rina = staff(clinic)
    at_the_desk(client, rina)
    client.post("/lock/")
    for left in range(TRIES - 1, 0, -1):
        assert f"{left} tr" in opened(client, rina, "0000").content.decode()
    assert opened(client, rina, "0000")["Location"] == "/login/"
    assert "_auth_user_id" not in client.session
    failures = AuditEvent.objects.filter(action=AuditAction.LOGIN_FAILED, actor_id=rina.pk)
    assert failures.count() == TRIES


def test_after_five_wrong_tries_no_other_session_takes_the_pin_either(clinic: Clinic) -> None:
    rina = staff(clinic)
    first, second = Client(), Client()
    for client in (first, second):
        at_the_desk(client, rina)
        client.post("/lock/")
    for _try in range(TRIES):
        opened(first, rina, "0000")
    assert opened(second, rina, PIN)["Location"] == "/login/"
    at_the_desk(first, rina)
    first.post("/lock/")
    assert opened(first, rina, PIN)["Location"] == "/"


def test_a_colleague_goes_on_where_she_was_and_nowhere_else(
    client: Client, clinic: Clinic, dana: Patient
) -> None:
    rina, dan = staff(clinic), staff(clinic, pin=OTHER_PIN, first_name="Dan")
    at_the_desk(client, rina)
    client.post("/lock/", {"spot": record_of(dana)})
    at_the_desk(client, dan)
    assert client.get("/desk/pin/").context["user"] == dan
    client.post("/lock/", {"spot": "/patients/"})
    assert opened(client, rina)["Location"] == record_of(dana)
    assert client.get(record_of(dana)).context["user"] == rina
    client.post("/lock/")
    assert opened(client, dan, OTHER_PIN)["Location"] == "/patients/"


def test_one_pin_does_not_open_for_another(client: Client, clinic: Clinic) -> None:
    rina, dan = staff(clinic), staff(clinic, pin=OTHER_PIN)
    at_the_desk(client, rina)
    client.post("/lock/")
    at_the_desk(client, dan)
    client.post("/lock/")
    assert opened(client, rina, OTHER_PIN).status_code == 422


def test_a_pin_opens_only_where_its_owner_has_logged_in(client: Client, clinic: Clinic) -> None:
    rina, dan = staff(clinic), staff(clinic, pin=OTHER_PIN)
    at_the_desk(client, rina)
    client.post("/lock/")
    assert opened(client, dan, OTHER_PIN).status_code == 422  # taken for a try at Rina's
    assert Pin.objects.get(user=dan).failed == 0


def test_a_changed_password_ends_the_pin_at_this_desk(client: Client, clinic: Clinic) -> None:
    rina, dan = staff(clinic), staff(clinic, pin=OTHER_PIN, first_name="Dan")
    at_the_desk(client, dan)
    client.post("/lock/")
    at_the_desk(client, rina)
    dan.set_password("another")
    dan.save()
    client.post("/lock/")
    assert "Dan" not in client.get("/lock/").content.decode()
    assert opened(client, dan, OTHER_PIN).status_code == 422


def test_the_half_day_counts_from_the_login_not_from_the_pin(
    client: Client, clock: time_machine.Traveller, clinic: Clinic
) -> None:
    rina = staff(clinic)
    at_the_desk(client, rina)
    client.post("/lock/")
    clock.shift(timedelta(hours=11))
    opened(client, rina)
    assert client.session.get_expiry_age() <= 3600


def test_a_form_that_meets_the_lock_is_kept_for_its_author(
    client: Client, clock: time_machine.Traveller, clinic: Clinic
) -> None:
    rina, dan = staff(clinic), staff(clinic, pin=OTHER_PIN)
    at_the_desk(client, rina)
    clock.shift(FAR)
    new = {"given_name": "Noa", "family_name": "Bar Lev", "language": "he", "phone": "050-777-0000"}
    assert client.post("/patients/new/", new)["Location"] == "/lock/"
    assert not Patient.objects.exists()
    at_the_desk(client, dan)
    assert "Bar Lev" not in client.get("/desk/kept/", follow=True).content.decode()
    client.post("/lock/")
    assert opened(client, rina)["Location"] == "/desk/kept/"
    page = " ".join(client.get("/desk/kept/").content.decode().split())
    for label, words in (("First name", "Noa"), ("Family name", "Bar Lev"), ("Speaks", "Hebrew")):
        assert f"<dt>{label}</dt><dd><bdi>{words}</bdi></dd>" in page
    client.post("/patients/new/", new)
    assert Patient.objects.get().given_name == "Noa"
    assert client.get("/desk/kept/")["Location"] == "/"


def test_what_was_kept_is_shown_in_words(
    client: Client, clock: time_machine.Traveller, clinic: Clinic
) -> None:
    rina, step = staff(clinic), builders.step(builders.journey(builders.patient(clinic)))
    at_the_desk(client, rina)
    clock.shift(FAR)
    said = {
        "outcome": "not_now",
        "reason": "money",
        "on": "2026-03-20",
        "note": "too dear <now>",
        "seen": "0",
        "request_key": "a b",
    }
    client.post(f"/today/{step.public_id}/outcome/", said)
    opened(client, rina)
    page = " ".join(client.get("/desk/kept/").content.decode().split())
    for label, words in (
        ("How it ended", "Not now, because…"),
        ("The patient&#x27;s own reason", "Money"),
        ("Day", "20 March 2026"),
        ("Note", "too dear &lt;now&gt;"),
    ):
        assert f"<dt>{label}</dt><dd><bdi>{words}</bdi></dd>" in page
    assert "<dt>Seen" not in page


@pytest.mark.parametrize(
    ("field", "shows"),
    [
        (("patient", "7"), []),
        (("doctor", "3"), []),
        (("unknown", "0f3a"), []),
        (("unknown", "some words"), [("", "some words")]),
        (("hours", "16-20"), [("Hours", "16 to 20")]),
        (("at", "2026-03-09T16:00"), [("Time", "9 March 2026, 16:00")]),
        (("note", "20260309"), [("Note", "20260309")]),
        (("note", " "), []),
    ],
)
def test_marks_of_a_page_are_not_shown_as_words(field: tuple[str, str], shows: list[tuple[str, str]]) -> None:
    assert shown([field]) == shows


def test_a_password_that_meets_the_lock_is_not_kept(
    client: Client, clock: time_machine.Traveller, clinic: Clinic
) -> None:
    rina = staff(clinic)
    at_the_desk(client, rina)
    clock.shift(FAR)
    client.post("/desk/pin/", {"password": "x", "pin": "4826"})
    assert "sent" not in client.session[desk.KEY]["staff"][str(rina.pk)]


def test_programs_and_patients_have_no_lock(client: Client, clinic: Clinic) -> None:
    rina = staff(clinic)
    at_the_desk(client, rina)
    client.post("/lock/")
    assert builders.api(rina).get("/api/v1/patients/").status_code == 200
    assert client.get("/api/v1/patients/")["Location"] == "/lock/"  # the browser of the locked desk
    assert client.get("/p/nothing/").status_code == 404
    assert client.get("/healthz").status_code == 200


def test_a_page_is_not_shown_again_from_the_browsers_memory(client: Client, clinic: Clinic) -> None:
    at_the_desk(client, staff(clinic))
    assert "no-store" in client.get("/patients/")["Cache-Control"]


@pytest.mark.parametrize("pin", ["1111", "1234", "9876", "123", "12345", "abcd", "٠٠٠٠"])
def test_a_pin_that_everybody_tries_is_refused(client: Client, clinic: Clinic, pin: str) -> None:
    rina = staff(clinic, pin="")
    at_the_desk(client, rina)
    assert client.post("/desk/pin/", {"password": "x", "pin": pin}).status_code == 422
    assert not actions.has_pin(rina)


def test_a_pin_is_set_with_the_password_and_kept_as_a_hash(client: Client, clinic: Clinic) -> None:
    rina = staff(clinic, pin="")
    at_the_desk(client, rina)
    assert client.post("/desk/pin/", {"password": "no", "pin": PIN}).status_code == 422
    assert client.post("/desk/pin/", {"password": "x", "pin": PIN}).status_code == 302
    assert PIN not in Pin.objects.get(user=rina).hash
    assert actions.fits(rina, PIN)


def test_no_sixth_try_fits_into_the_row(clinic: Clinic) -> None:
    rina = staff(clinic)
    with pytest.raises(IntegrityError), transaction.atomic():
        Pin.objects.filter(user=rina).update(failed=TRIES + 1)


def test_a_lock_is_opened_under_the_openers_name_in_the_trail(client: Client, clinic: Clinic) -> None:
    rina = staff(clinic)
    at_the_desk(client, rina)
    client.post("/lock/")
    opened(client, rina)
    assert AuditEvent.objects.filter(action=AuditAction.LOGIN, actor_id=rina.pk).count() == 2


def test_whatever_polls_says_that_it_asks_by_itself() -> None:
    templates = (settings.BASE_DIR / "templates").rglob("*.html")
    tags = [
        tag for path in templates for tag in re.findall(r"<[^<>]*hx-trigger=\"every[^<>]*", path.read_text())
    ]
    assert tags
    assert [tag for tag in tags if "data-poll" not in tag] == []
