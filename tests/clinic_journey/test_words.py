"""A clinic's own words: tried, refused, saved, read by its patients only, and given up again."""

import pytest
from django.conf import LazySettings
from django.test import Client

from outreach.models import MessageTemplate
from outreach.rendering import Facts, Texts
from patients.models import AuditEvent, Clinic, Role
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
LIST, TEXT = "/setup/words/", "/setup/words/text/?key=held_visit&channel=&language=en"
GOOD = "Hello {name}, {clinic} keeps {date} for you until {until}: {link}"


@pytest.fixture
def clinic() -> Clinic:
    builders.messages_loaded()
    return builders.clinic()


def manager(clinic: Clinic) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(builders.user(Role.MANAGER, at=clinic))
    return client


def filled(body: str = GOOD, **fields: str) -> dict[str, str]:
    return {"act": "save", "subject": "A time is kept", "body": body, "body_f": "", "body_m": "", **fields}


def read(clinic: Clinic, variant: str = "") -> str:
    facts = Facts(name="Dana", link="https://a.co", date=NOW, until=NOW, variant=variant)
    return Texts(["held_visit"], [clinic.pk]).render("held_visit", "sms", "en", facts, clinic).body


def test_own_words_reach_the_own_patients_only_and_ours_come_back(clinic: Clinic) -> None:
    other = builders.clinic()
    ours, desk = read(clinic), manager(clinic)
    answer = desk.post(TEXT, filled(body_f=GOOD + " Ms"), follow=True)
    assert "patients read your own words" in answer.content.decode()
    assert "own words" in desk.get(f"{LIST}?language=en").content.decode()
    assert read(clinic).startswith("Hello Dana, Alon Clinic keeps")
    assert read(clinic, "f").endswith("Ms")
    assert read(other) == ours
    strange = manager(other).get(TEXT).content.decode()
    assert GOOD not in strange
    assert "Back to the standard words" not in strange
    manager(other).post(TEXT, {"act": "back"})
    assert read(clinic) != ours
    desk.post(TEXT, filled())
    assert not MessageTemplate.objects.filter(clinic=clinic, variant="f").exists()
    desk.post(TEXT, {"act": "back"})
    assert read(clinic) == ours


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"body": GOOD.replace("{until}", "soon")}, "{until}"),
        ({"body": GOOD + " {"}, "brace"),
        ({"body": GOOD + " It is about your treatment."}, "treatment"),
        ({"body": GOOD + " 20 percent discount!"}, "Advertising"),
        ({"body_m": GOOD.replace("{link}", "")}, "{link}, {phone}"),
        ({"subject": "Your X-ray"}, "x-ray"),
        ({"body": GOOD + " and so on" * 40}, "SMS"),
    ],
)
def test_words_that_break_a_rule_are_not_saved_and_stay_on_the_screen(
    clinic: Clinic, given: dict[str, str], says: str
) -> None:
    answer = manager(clinic).post(TEXT, filled(**given))
    assert answer.status_code == 422
    assert any(says in error for errors in answer.context["form"].errors.values() for error in errors)
    assert (given.get("body") or given.get("body_m") or given["subject"]) in answer.content.decode()
    assert not MessageTemplate.objects.filter(clinic=clinic).exists()


def test_who_wrote_the_clinics_own_words_and_gave_them_up_is_in_the_audit_trail(clinic: Clinic) -> None:
    desk = manager(clinic)
    desk.post(TEXT, filled())
    desk.post(TEXT, filled(body=GOOD + " Thank you."))
    desk.post(TEXT, {"act": "back"})
    events = AuditEvent.objects.filter(what="messagetemplate").order_by("pk")
    assert [(event.action, event.clinic_id, event.patient_id) for event in events] == [
        ("create", clinic.pk, None),
        ("change", clinic.pk, None),
        ("delete", clinic.pk, None),
    ]
    assert {(event.by, str(event.actor_id)) for event in events} == {("user", desk.session["_auth_user_id"])}
    changed = events[1]
    assert (changed.before, changed.after) == ({"body": GOOD}, {"body": GOOD + " Thank you."})
    page = desk.get("/audit/?what=messagetemplate").content.decode()
    assert "own words" in page


def test_a_text_says_what_it_costs_where_the_price_of_a_part_is_set(
    clinic: Clinic, settings: LazySettings
) -> None:
    desk = manager(clinic)
    assert "ILS" not in desk.get(f"{LIST}?language=en").content.decode()
    settings.SMS_PART_COSTS = "0.12 ILS"
    assert '<bdi dir="ltr">0.24 ILS</bdi>' in desk.get(f"{LIST}?language=en").content.decode()
    assert "0.24 ILS" in desk.get(TEXT).content.decode()


def test_a_text_that_is_only_hard_to_read_is_saved_with_advice(clinic: Clinic) -> None:
    hard = (
        GOOD
        + " Considering everything previously mentioned whatever happens afterwards everybody understands."
    )
    shown = manager(clinic).post(TEXT, filled(hard, act="show"))
    assert [remark.is_refused for remark in shown.context["remarks"]] == [False]
    assert manager(clinic).post(TEXT, filled(hard)).status_code == 302


def test_showing_a_text_saves_nothing_and_a_part_comes_alone(clinic: Clinic) -> None:
    desk = manager(clinic)
    page = desk.post(TEXT, filled("Hello {name}, {doctor}", act="show")).content.decode()
    assert "cannot be shown before it is mended" in page
    part = desk.post(TEXT, filled(act="show"), headers={"HX-Request": "true"}).content.decode()
    assert "Hello Dana, Alon Clinic keeps" in part
    assert "<html" not in part
    assert not MessageTemplate.objects.filter(clinic=clinic).exists()


def test_only_managers_word_messages_and_only_those_we_have(clinic: Clinic) -> None:
    assert manager(clinic).get("/setup/words/text/?key=nothing").status_code == 404
    assert manager(clinic).get(f"{LIST}?language=nothing").status_code == 200
    receptionist = Client()
    receptionist.force_login(builders.user(Role.RECEPTIONIST, at=clinic))
    assert {receptionist.get(LIST).status_code, receptionist.post(TEXT, filled()).status_code} == {403}


def administrator(clinic: Clinic) -> Client:
    client = Client(headers={"accept-language": "en"})
    root = builders.user(Role.ADMIN, at=clinic)
    type(root).objects.filter(pk=root.pk).update(is_staff=True, is_superuser=True)
    client.force_login(root)
    return client


def ours() -> MessageTemplate:
    return MessageTemplate.objects.get(clinic=None, key="held_visit", channel="", language="en", variant="")


def test_the_admin_changes_own_words_under_the_same_rules_and_never_ours(clinic: Clinic) -> None:
    client, shipped = administrator(clinic), ours()
    address = f"/admin/outreach/messagetemplate/{shipped.pk}/change/"
    assert client.post(address, {"body": "x", "clinic": str(clinic.pk)}).status_code == 302
    assert (ours().pk, ours().body) == (shipped.pk, shipped.body)
    row = {"key": "held_visit", "channel": "", "language": "en", "variant": "", "purpose": "service"}
    new = {**row, "clinic": str(clinic.pk), "subject": "Kept", "body": "You must come"}
    answer = client.post("/admin/outreach/messagetemplate/add/", new)
    assert "must" in str(answer.context["errors"])
    offer = {"body": f"{GOOD} A discount today!", "purpose": "marketing"}
    answer = client.post("/admin/outreach/messagetemplate/add/", new | offer)
    assert "discount" in str(answer.context["errors"])
    new |= {"body": GOOD, "approved_as": "kept_2", "purpose": "marketing"}
    assert client.post("/admin/outreach/messagetemplate/add/", new).status_code == 302
    assert read(clinic).startswith("Hello Dana, Alon Clinic keeps")
    own = MessageTemplate.objects.get(clinic=clinic)
    assert (own.approved_as, own.purpose) == ("kept_2", "service")


def test_the_providers_name_stays_with_the_words_it_approved_and_no_others(clinic: Clinic) -> None:
    address = f"/admin/outreach/messagetemplate/{ours().pk}/change/"
    assert administrator(clinic).post(address, {"approved_as": "kept_1"}).status_code == 302
    assert ours().approved_as == "kept_1"
    own = MessageTemplate.objects.filter(clinic=clinic)
    for body, approved_as in ((ours().body.replace(" ", "\r\n", 1), "kept_1"), (GOOD, "")):
        assert manager(clinic).post(TEXT, filled(body)).status_code == 302
        assert own.get().approved_as == approved_as
