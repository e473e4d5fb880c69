"""A manager's morning: at her hour of the clinic's day, once, in her language, with counts and no names."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic_journey.models import Digest, DigestSent
from clinic_journey.reports.digest import Alerts, alerts_of, last_told, lines_of
from clinic_journey.reports.digest_actions import send_digests, set_digest
from clinic_journey.reports.standards_actions import load_standards
from clinic_journey.reports.tasks import send_digests as tick
from journeys.chases import log_chase
from journeys.models import StepKind
from outreach.models import Reply
from patients.models import Clinic, ClinicHours, Membership, Role
from tests import builders
from tests.clinic_journey.reports.measured import HOUR, MAKE, SUNDAY, step, whose
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
PAGE, ALERTS = "/reports/digest/", "/reports/alerts/"
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _by_mail(settings: LazySettings) -> None:
    settings.CHANNEL_TRANSPORTS = {**settings.CHANNEL_TRANSPORTS, "email": "email"}
    settings.EMAIL_URL = "smtp://mail.example"


@pytest.fixture
def clinic() -> Clinic:
    made = builders.clinic(email="desk@alon.example")
    load_standards([made])
    return made


def local(words: str, zone: str = "Asia/Jerusalem") -> datetime:
    return datetime.fromisoformat(words).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def manager_of(clinic: Clinic, *, hour: int = 8, language: str = "en", is_on: bool = True) -> User:
    made = builders.user(Role.MANAGER, at=clinic, first_name="Dan", email="dan@alon.example")
    set_digest(made, clinic, hour=hour, language=language, is_on=is_on)
    return made


def client_of(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


@pytest.mark.parametrize(
    ("at", "leaves"),
    [
        ("2026-03-09T07:59", 0),
        ("2026-03-09T08:00", 1),
        ("2026-03-09T10:59", 1),
        ("2026-03-09T11:00", 0),  # no morning any more
        ("2026-03-14T08:00", 0),  # Saturday: nobody works
    ],
)
def test_it_leaves_at_her_hour_on_a_day_on_which_the_clinic_works(
    clinic: Clinic, at: str, leaves: int
) -> None:
    manager_of(clinic)
    assert send_digests(now=local(at)) == leaves == len(mail.outbox)


def test_the_hour_is_that_of_the_clinic(clinic: Clinic) -> None:
    Clinic.objects.filter(pk=clinic.pk).update(time_zone="America/New_York")
    manager_of(clinic)
    assert send_digests(now=local("2026-03-09T08:00")) == 0
    assert send_digests(now=local("2026-03-09T08:00", "America/New_York")) == 1


def test_it_leaves_once_a_day_however_often_the_tick_comes(clinic: Clinic) -> None:
    manager_of(clinic)
    for _n in range(3):
        tick()
        send_digests(now=local("2026-03-09T08:30"))
    assert len(mail.outbox) == 1
    assert send_digests(now=local("2026-03-10T08:30")) == 1


def test_a_claimed_day_is_not_sent_again_even_if_nobody_knows_whether_it_left(clinic: Clinic) -> None:
    user = manager_of(clinic)
    claimed = {"user": user, "clinic": clinic, "on": NOW.date()}
    DigestSent.objects.create(**claimed, claimed_at=NOW)
    assert send_digests(now=local("2026-03-09T08:30")) == 0
    with pytest.raises(IntegrityError), transaction.atomic():
        DigestSent.objects.create(**claimed, claimed_at=NOW)


def test_what_certainly_did_not_leave_is_tried_again(clinic: Clinic, settings: LazySettings) -> None:
    manager_of(clinic)
    kept = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody listens there
    assert send_digests(now=local("2026-03-09T08:30")) == 0
    assert not DigestSent.objects.exists()
    settings.EMAIL_BACKEND = kept
    assert send_digests(now=local("2026-03-09T08:35")) == 1
    assert DigestSent.objects.get().sent_at == local("2026-03-09T08:35")


@pytest.mark.parametrize("changed", ["off", "no address", "no manager any more", "left", "no channel"])
def test_nobody_else_gets_it(clinic: Clinic, changed: str, settings: LazySettings) -> None:
    user = manager_of(clinic)
    match changed:
        case "off":
            Digest.objects.update(is_on=False)
        case "no address":
            User.objects.filter(pk=user.pk).update(email="")
        case "no manager any more":
            Membership.objects.filter(user=user).update(role=Role.RECEPTIONIST)
        case "left":
            User.objects.filter(pk=user.pk).update(is_active=False)
        case _no_channel:
            settings.CHANNEL_TRANSPORTS = {"email": "off"}
    assert send_digests(now=local("2026-03-09T08:30")) == 0
    assert mail.outbox == []


def trouble(clinic: Clinic) -> None:
    """One of each thing that a morning tells."""
    MAKE["told_arrived"](clinic, met=False)
    step(clinic, StepKind.PROMISE, due_at=NOW - HOUR)
    step(clinic, StepKind.PROMISE, due_at=NOW + HOUR)
    step(clinic, StepKind.REVIEW, due_at=NOW - HOUR)
    log_chase(step(clinic, StepKind.BOOK), now=SUNDAY)
    builders.journey(builders.patient(clinic))
    builders.document(clinic, status="unmatched", step=step(clinic, StepKind.IDENTIFY))


def test_the_mail_tells_counts_and_where_the_names_are_and_no_name(clinic: Clinic) -> None:
    trouble(clinic)
    manager_of(clinic)
    send_digests(now=NOW)
    (sent,) = mail.outbox
    assert sent.subject.endswith("Monday 9 March")
    assert (sent.to, sent.reply_to) == (["dan@alon.example"], ["desk@alon.example"])
    assert "Good morning, Dan." in sent.body
    assert "1 promise is broken and still open." in sent.body
    assert "/reports/names/?number=promises_today" in sent.body
    assert "Sunday: The patient hears that everything arrived – 0 of 1, and the goal is 95%." in sent.body
    assert "Levi" not in sent.body
    assert "Dana" not in sent.body


def test_the_mail_is_in_her_language(clinic: Clinic) -> None:
    manager_of(clinic, language="he")
    send_digests(now=NOW)
    (sent,) = mail.outbox
    assert sent.extra_headers["Content-Language"] == "he"
    assert "9" in sent.subject
    assert "March" not in sent.subject


def test_everything_on_the_page_is_one_click_away(clinic: Clinic) -> None:
    trouble(clinic)
    client = client_of(manager_of(clinic))
    page = client.get(PAGE)
    lines = page.context["lines"]
    assert len(lines) == 7
    for line in lines:
        assert f'href="{line.address.replace("&", "&amp;")}"' in page.content.decode()
        assert client.get(line.address).status_code == 200


def test_a_quiet_morning_says_so(clinic: Clinic) -> None:
    assert lines_of(clinic, now=NOW) == []
    assert "Nothing is late" in client_of(manager_of(clinic)).get(PAGE).content.decode()


def test_a_manager_sets_her_hour_and_sees_it_again(clinic: Clinic) -> None:
    user = builders.user(Role.MANAGER, at=clinic)
    client = client_of(user)
    assert client.get(PAGE).context["form"].initial == {"hour": 8, "language": "en", "is_on": False}
    given = {"hour": "6", "language": "ru", "is_on": "on"}
    assert client.post(PAGE, given).status_code == 302
    assert Digest.objects.values_list("user", "clinic", "hour", "language", "is_on").get() == (
        user.pk, clinic.pk, 6, "ru", True,
    )  # fmt: skip
    assert client.post(PAGE, {**given, "hour": "24"}).status_code == 422
    assert client.get(PAGE).context["form"].initial == {"hour": 6, "language": "ru", "is_on": True}


@pytest.mark.parametrize("fields", [{"hour": 24}, {"language": "xx"}])
def test_the_database_keeps_digests_sound(clinic: Clinic, fields: dict[str, object]) -> None:
    manager_of(clinic)
    with pytest.raises(IntegrityError), transaction.atomic():
        Digest.objects.update(**fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        Digest.objects.create(user=Digest.objects.get().user, clinic=clinic, language="he")


def test_three_things_do_not_wait_for_the_morning(clinic: Clinic) -> None:
    step(clinic, StepKind.PROMISE, due_at=NOW + MINUTE * 10)
    step(clinic, StepKind.PROMISE, due_at=NOW + MINUTE * 11)
    for role in ("manager", "receptionist"):
        matter = step(clinic, StepKind.CALL, owner_role=role)
        said = {"clinic": clinic, "patient": whose(matter), "channel": "sms", "at": NOW, "body": "Hello"}
        Reply.objects.create(matter=matter, **said)
    assert alerts_of(clinic, now=NOW) == Alerts(promises=1, calls=0, replies=1)
    page = client_of(manager_of(clinic)).get(ALERTS).content.decode()
    assert "1 promise comes due within ten minutes" in page
    assert "1 answer waits for a manager" in page


def test_alerts_that_were_seen_are_not_sent_again(clinic: Clinic) -> None:
    client = client_of(manager_of(clinic))
    first = client.get(ALERTS)
    assert client.get(ALERTS, headers={"HX-PTag": first["HX-PTag"]}).status_code == 304


@pytest.mark.parametrize("times", [1, 3])
def test_a_morning_costs_as_many_statements_whatever_there_is(clinic: Clinic, times: int) -> None:
    for _n in range(times):
        trouble(clinic)
    with CaptureQueriesContext(connection) as seen:
        lines_of(clinic, now=NOW)
    assert len(seen) == 32


@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.DOCTOR])
def test_mornings_are_for_managers(clinic: Clinic, role: Role) -> None:
    client = client_of(builders.user(role, at=clinic))
    assert {client.get(path).status_code for path in (PAGE, ALERTS)} == {403}
    assert client.post(PAGE, {"hour": "6", "language": "ru"}).status_code == 403


def test_the_first_morning_after_closed_days_looks_back_to_the_last_day_of_work(clinic: Clinic) -> None:
    ClinicHours.objects.filter(clinic=clinic, weekday__in=[4, 5]).delete()  # Friday and Saturday
    assert last_told(clinic, now=local("2026-03-08T08:30")) == date(2026, 3, 5)
    assert last_told(clinic, now=local("2026-03-09T08:30")) == date(2026, 3, 8)
    log_chase(step(clinic, StepKind.BOOK), now=local("2026-03-05T12:00"))
    words = [line.words for line in lines_of(clinic, now=local("2026-03-08T08:30"))]
    assert "1 patient had to ask since our last day." in words


def test_a_clinic_that_has_told_no_hours_has_a_morning_every_day(clinic: Clinic) -> None:
    ClinicHours.objects.filter(clinic=clinic).delete()
    manager_of(clinic)
    assert send_digests(now=local("2026-03-09T08:30")) == 1
