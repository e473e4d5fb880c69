"""The pages: what they say of a known clinic, to whom, and that a number leads to its names."""

from collections.abc import Callable
from datetime import date, timedelta
from io import BytesIO

import pytest
from django.conf import LazySettings
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError, transaction
from django.utils import translation
from openpyxl import load_workbook
from pytest_django import DjangoAssertNumQueries

from clinic_journey.models import Improvement, StageSummary, SummaryClock, WeeklyReport
from clinic_journey.reports import stuck, summaries, weekly, weekly_actions
from clinic_journey.reports.improvements import effect_of
from clinic_journey.reports.improvements_actions import Idea, begin, end
from clinic_journey.reports.stuck_asked import Asked
from journeys.actions import NewJourney, start_journey
from journeys.models import Journey
from outreach.models import Reply
from patients.actions import RefusedError, StaleStateError
from patients.models import AuditEvent, Clinic, Patient, Role
from tests import builders
from tests.clinic_journey.reports.planted import (
    IMAGING,
    active,
    finish,
    manager,
    the_doctor_is_the_gap,
    went,
)
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PAGE = f"/reports/stuck/?template={IMAGING}"


@pytest.fixture
def clinic() -> Clinic:
    return the_doctor_is_the_gap()


def test_who_is_still_in_time_is_hatched_in_the_picture_and_named_for_who_hears_it(clinic: Clinic) -> None:
    page = manager(clinic).get(PAGE).content.decode()
    assert "band-young" not in page.split("</svg>")[0]  # all who wait are late
    went(clinic, NOW - HOUR, [("await_result", "received", NOW - HOUR / 2)], family_name="Fresh")
    page = manager(clinic).get(PAGE).content.decode()
    picture = page[page.index("<svg viewBox") : page.index("</svg>", page.index("<svg viewBox"))]
    assert picture.count('fill="url(#too-young)"') >= 1
    assert "Too early to say:" in picture
    assert "Wait for the images – Doctor decides 1" in picture
    assert "Colour" not in picture
    assert "<svg viewBox" not in manager(clinic).get(f"{PAGE}&view=table").content.decode()


def test_the_widest_gap_leads_to_its_names_and_on_to_the_item(clinic: Clinic) -> None:
    client = manager(clinic)
    page = client.get(PAGE).content.decode()
    assert "Widest gap" in page
    link = f"/reports/stuck/names/?template={IMAGING}&amp;weeks=4&amp;gap=await_result%3Ereview"
    assert link.replace("%3E", "%3E") in page
    names = client.get(link.replace("&amp;", "&"))
    assert "Waits" in names.content.decode()
    assert "Done" not in names.content.decode()
    step = active(Journey.objects.get(patient__family_name="Waits"), "review")
    assert (
        f"/today/?item={step.public_id}" in names.content.decode()
    )  # of no result: it has no page of its own


def test_a_gap_in_which_nobody_waits_leads_to_nobody(clinic: Clinic) -> None:
    finish(Journey.objects.get(patient__family_name="Waits"), "review", "no_treatment", NOW - HOUR)
    page = manager(clinic).get(PAGE).content.decode()
    assert "Widest gap" in page
    assert "Open list" not in page


def test_the_heading_counts_journeys_and_says_how_few_they_are(clinic: Clinic) -> None:
    page = manager(clinic).get(PAGE).content.decode()
    assert "2 journeys ended" in page
    assert "0% left" in page
    assert "takes about 20 finished journeys; 2 so far." in page
    assert "as of Mon 9.3 10:00" in page


@pytest.mark.parametrize("path", ["", "names/", "week/", "ideas/", "export/"])
@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.DOCTOR])
def test_only_managers_read_it(clinic: Clinic, role: str, path: str) -> None:
    assert manager(clinic, role).get(f"/reports/stuck/{path}").status_code == 403


def test_another_clinics_patients_are_in_no_number(clinic: Clinic) -> None:
    other = builders.clinic()
    summaries.catch_up(other, now=NOW)
    client = manager(other)
    assert "Nobody has gone this way yet." in client.get(PAGE).content.decode()
    assert "Waits" not in client.get(f"/reports/stuck/names/?template={IMAGING}").content.decode()


@pytest.mark.parametrize(
    ("who", "shown"), [("open", True), ("late", True), ("untouched", True), ("lost", False)]
)
def test_names_are_those_of_the_number(clinic: Clinic, who: str, shown: bool) -> None:
    asked = f"/reports/stuck/names/?template={IMAGING}&gap=await_result%3Ereview&who={who}"
    assert ("Waits" in manager(clinic).get(asked).content.decode()) is shown


def test_names_go_on_from_the_last_one_seen(clinic: Clinic) -> None:
    asked = f"/reports/stuck/names/?template={IMAGING}&gap=await_result%3Ereview"
    step = active(Journey.objects.get(patient__family_name="Waits"), "review")
    assert "Waits" not in manager(clinic).get(f"{asked}&after={step.public_id}").content.decode()


def test_a_failed_part_leaves_the_others(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(asked: Asked) -> None:
        raise RuntimeError

    monkeypatch.setattr(stuck, "weeks_of", broken)
    page = manager(clinic).get(PAGE)
    assert page.status_code == 200
    assert page.content.decode().count("This part cannot be shown now.") == 1
    assert "Widest gap" in page.content.decode()


@pytest.mark.parametrize(
    "asked",
    ["template=no&weeks=x&by=doctor:x", "by=nothing:1", "gap=%3E", "gap=a", "by=language:", "after=x"],
)
def test_nonsense_asks_for_what_is_shown_first(clinic: Clinic, asked: str) -> None:
    client = manager(clinic)
    for path in ("", "names/", "export/"):
        assert client.get(f"/reports/stuck/{path}?{asked}").status_code == 200


def test_the_page_costs_the_same_at_one_and_at_three_rows(
    clinic: Clinic, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = manager(clinic)
    client.get(PAGE)
    for _nth in range(2):
        with django_assert_num_queries(22):
            client.get(PAGE)
        with django_assert_num_queries(11):
            client.get(f"/reports/stuck/names/?template={IMAGING}&gap=await_result%3Ereview")
        for n in range(2):
            ends = [("await_result", "received", NOW - 4 * HOUR)]
            went(clinic, NOW - DAY, ends, phone=f"050-234-44{n}0")


@pytest.mark.parametrize("table", ["ways", "gaps", "ages", "funnel", "compared", "weeks", "trend", "lanes"])
def test_every_table_is_a_file(clinic: Clinic, table: str) -> None:
    client = manager(clinic)
    asked = f"/reports/stuck/export/?template={IMAGING}&table={table}&gap=await_result%3Ereview"
    lines = client.get(f"{asked}&as=csv").content.decode("utf-8-sig").splitlines()
    book = load_workbook(BytesIO(client.get(f"{asked}&as=xlsx").content))
    (sheet,) = book.worksheets
    assert sheet.max_row == len(lines)
    assert len(lines) > 1


def test_the_chosen_gap_counts_only_the_patients_who_are_asked_about(clinic: Clinic) -> None:
    client = manager(clinic)
    asked = f"/reports/stuck/export/?template={IMAGING}&table=compared&gap=await_result%3Ereview&as=csv"

    def told_apart(by: str) -> list[str]:
        rows = client.get(f"{asked}&by={by}").content.decode("utf-8-sig").splitlines()[1:]
        return [",".join(row.split(",")[:2]) for row in rows]

    everybody = told_apart("")
    (language,) = [row for row in everybody if row.startswith("Language,")]
    assert len(everybody) > 1
    assert told_apart("language:he") == [language]
    assert told_apart("language:ru") == []


def test_a_file_holds_the_numbers_and_no_formula(clinic: Clinic) -> None:
    idea = idea_of(clinic, words="=1+1")
    client = manager(clinic)
    ways = client.get(f"/reports/stuck/export/?template={IMAGING}&as=csv").content.decode("utf-8-sig")
    review = next(line for line in ways.splitlines() if ",Doctor decides," in line)
    assert review == "Wait for the images,Doctor decides,3,2,0,1,1,1,26,26,10,,0,us"
    lanes = client.get(f"/reports/stuck/export/?template={IMAGING}&table=lanes&as=xlsx").content
    cells = [str(cell.value) for row in load_workbook(BytesIO(lanes)).worksheets[0] for cell in row]
    assert f"'=1+1, {idea.owner.get_full_name()}" in cells


def test_names_taken_out_are_in_the_audit_trail(clinic: Clinic) -> None:
    client = manager(clinic)
    asked = {"template": IMAGING, "gap": "await_result>review", "who": "open"}
    lines = (
        client.post("/reports/stuck/names/export/", asked | {"as": "csv"})
        .content.decode("utf-8-sig")
        .splitlines()
    )
    assert [line.split(",")[0] for line in lines] == ["Patient", "Dana Waits"]
    event = AuditEvent.objects.get(action="export")
    assert (event.what, event.rows, event.clinic_id) == ("stuck_names", 1, clinic.pk)
    assert client.post("/reports/stuck/names/export/", asked | {"as": "xlsx"}).content[:2] == b"PK"
    strangers = manager(builders.clinic()).post("/reports/stuck/names/export/", asked)
    assert "Dana" not in strangers.content.decode()


def idea_of(clinic: Clinic, **fields: object) -> Improvement:
    given = {"template_key": IMAGING, "step_key": "review", "words": "A second doctor decides",
             "begun_on": date(2026, 3, 1), "owner": builders.user("doctor", at=clinic)}  # fmt: skip
    return Improvement.objects.create(clinic=clinic, **{**given, **fields})


def test_an_idea_is_measured_before_and_after(clinic: Clinic) -> None:
    begun = NOW - 3 * DAY
    went(clinic, begun, [("await_result", "received", begun + HOUR), ("review", "treat", begun + 2 * HOUR)],
         phone="050-234-7777")  # fmt: skip
    effect = effect_of(idea_of(clinic, begun_on=date(2026, 3, 5)), clinic, now=NOW)
    assert (effect.before.passed, effect.before.median) == (2, "2.6 days")
    assert (effect.after.passed, effect.after.median, effect.days) == (1, "1 hour", 4)


def test_a_change_is_noted_once_and_ends(clinic: Clinic) -> None:
    client, owner = manager(clinic), builders.user("doctor", at=clinic)
    form = {
        "step": f"{IMAGING}:review",
        "words": "Two reviewers",
        "owner": owner.pk,
        "begun_on": "2026-03-09",
    }
    for _nth in range(2):
        assert client.post("/reports/stuck/ideas/", form).status_code == 302
    idea = Improvement.objects.get()
    assert "Two reviewers" in client.get(PAGE).content.decode()
    client.post(f"/reports/stuck/ideas/{idea.pk}/end/")
    idea.refresh_from_db()
    assert idea.ended_on == date(2026, 3, 9)
    assert "Two reviewers" not in client.get(PAGE).content.decode()


def test_a_change_needs_an_owner_of_this_clinic(clinic: Clinic) -> None:
    stranger = builders.user("doctor", at=builders.clinic())
    form = {"step": f"{IMAGING}:review", "words": "x", "owner": stranger.pk, "begun_on": "2026-03-09"}
    assert manager(clinic).post("/reports/stuck/ideas/", form).status_code == 422
    assert not Improvement.objects.exists()


@pytest.mark.parametrize(
    ("day", "status"),
    [("9999-12-31", 422), ("0001-01-01", 422), ("1999-12-31", 422), ("2199-12-31", 302), ("2000-01-01", 302)],
)
def test_a_change_begins_on_a_day_that_its_page_can_reckon_with(
    clinic: Clinic, day: str, status: int
) -> None:
    client, owner = manager(clinic), builders.user("doctor", at=clinic)
    form = {"step": f"{IMAGING}:review", "words": "x", "owner": owner.pk, "begun_on": day}
    assert client.post("/reports/stuck/ideas/", form).status_code == status
    assert client.get("/reports/stuck/ideas/").status_code == 200
    assert client.get(PAGE).status_code == 200


def test_a_feeling_is_a_real_answer_or_no_data(clinic: Clinic) -> None:
    step = active(Journey.objects.get(patient__family_name="Waits"), "review")
    page = manager(clinic).get(PAGE).content.decode()
    assert "no data" in page
    assert "well 50%" not in page
    for meaning in ("going_well", "going_badly"):
        Reply.objects.create(clinic=clinic, patient=step.journey.patient, channel="page", at=NOW - HOUR,
                             meaning=meaning, step=step)  # fmt: skip
    assert "well 50% (of 2)" in manager(clinic).get(PAGE).content.decode()


def test_the_week_is_mailed_once_to_each_manager_with_an_address(clinic: Clinic) -> None:
    clinic.language = "he"
    clinic.save()
    builders.user(Role.MANAGER, at=clinic, email="dan@alon.example")
    builders.user(Role.ADMIN, at=clinic, email="")
    builders.user(Role.DOCTOR, at=clinic, email="cohen@alon.example")
    assert weekly_actions.send_due(NOW - 4 * HOUR) == 0  # Monday, six in the morning
    assert weekly_actions.send_due(NOW) == 1
    assert weekly_actions.send_due(NOW + HOUR) == 0
    (sent,) = mail.outbox
    assert isinstance(sent, EmailMultiAlternatives)
    assert sent.to == ["dan@alon.example"]
    ((html, kind),) = sent.alternatives
    assert isinstance(html, str)
    assert kind == "text/html"
    assert 'dir="rtl"' in html
    assert "Waits" not in html
    ((name, content, _kind),) = sent.attachments
    assert name == "week-2026-03-02.pdf"
    assert content.startswith(b"%PDF")
    assert content.count(b"/Type /Page\n") == 1
    row = WeeklyReport.objects.get()
    assert (row.week, row.sent_at) == (date(2026, 3, 2), NOW)


def test_the_week_says_how_much_of_all_ways_it_holds(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    clinic.language = "en"
    clinic.save()
    builders.user(Role.MANAGER, at=clinic, email="dan@alon.example")
    page = manager(clinic).get("/reports/stuck/week/").content.decode()
    assert "100% of the ways shown." in page
    assert "more kind of journey" not in page
    builders.patient(clinic, phone="050-234-9999", now=NOW - 3 * DAY)
    start_journey(Patient.objects.latest("pk"), NewJourney("first_visit"), now=NOW - 3 * DAY)
    monkeypatch.setattr(weekly, "LONGEST", 1)
    monkeypatch.setattr(weekly, "JOURNEYS", 1)
    assert weekly_actions.send_due(NOW) == 1
    (sent,) = mail.outbox
    assert isinstance(sent, EmailMultiAlternatives)
    for told in (
        manager(clinic).get("/reports/stuck/week/").content.decode(),
        sent.body,
        str(sent.alternatives[0][0]),
    ):
        assert "42% of the ways shown." in told
        assert "1 more kind of journey went on in this week; this page holds 37% of all ways." in told


def test_a_mail_that_fails_is_noted_and_not_repeated(clinic: Clinic, settings: LazySettings) -> None:
    builders.user(Role.MANAGER, at=clinic, email="dan@alon.example")
    settings.EMAIL_BACKEND = "tests.clinic_journey.reports.nowhere.Nowhere"
    for _nth in range(2):
        assert weekly_actions.send_due(NOW) == 0
    assert WeeklyReport.objects.get().error == "ConnectionResetError"


def test_where_the_server_cannot_be_reached_the_next_tick_tries(
    clinic: Clinic, settings: LazySettings
) -> None:
    builders.user(Role.MANAGER, at=clinic, email="dan@alon.example")
    settings.EMAIL_BACKEND = "tests.clinic_journey.reports.nowhere.Closed"
    assert weekly_actions.send_due(NOW) == 0
    assert not WeeklyReport.objects.exists()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert weekly_actions.send_due(NOW + HOUR) == 1


def test_a_week_that_is_not_counted_to_its_end_is_not_told(clinic: Clinic) -> None:
    builders.user(Role.MANAGER, at=clinic, email="dan@alon.example")
    SummaryClock.objects.update(counted_at=NOW - 11 * HOUR)  # on Sunday evening
    assert weekly_actions.send_due(NOW) == 0
    SummaryClock.objects.update(counted_at=NOW)
    assert weekly_actions.send_due(NOW) == 1


def test_of_an_older_week_nothing_is_told_that_is_so_today(clinic: Clinic) -> None:
    client = manager(clinic)
    for words, begun, ended in (("Then", 14, 8), ("Still", 14, None), ("Later", 3, None), ("Before", 30, 15)):
        builders.improvement(
            clinic,
            template_key=IMAGING,
            step_key="review",
            words=f"Idea {words}",
            begun_on=(NOW - begun * DAY).date(),
            ended_on=(NOW - ended * DAY).date() if ended else None,
        )

    def seen(on: date) -> dict[str, bool]:
        page = client.get(f"/reports/stuck/week/?on={on}").content.decode()
        told = ("Open now", "Late now", "stuck now", "Idea Then", "Idea Still", "Idea Later", "Idea Before")
        return {words: words in page for words in told}

    this, older = seen(NOW.date()), seen((NOW - 10 * DAY).date())
    assert this == dict.fromkeys(this, True) | {"Idea Then": False, "Idea Before": False}
    assert older == dict.fromkeys(older, False) | {"Idea Then": True, "Idea Still": True}


def test_the_week_on_one_page_is_that_of_any_day(clinic: Clinic) -> None:
    client = manager(clinic)
    page = client.get("/reports/stuck/week/?on=2026-03-05").content.decode()
    assert "2 March 2026 to 8 March 2026" in page
    assert "2 journeys ended" in page
    for nonsense in ("x", "2026-02-31", "0001-01-01", "9999-12-31"):
        assert client.get(f"/reports/stuck/week/?on={nonsense}").status_code == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"dimension": "doctor", "value": ""},
        {"dimension": "", "value": "3"},
        {"dimension": "colour", "value": "3"},
        {"passed": 0},
        {"tries": 1, "contacted": 2},
        {"tries": 9, "contacted": 2},
    ],
)
def test_a_sum_that_cannot_be_is_refused(fields: dict[str, object]) -> None:
    given = {
        "clinic": builders.clinic(),
        "template_key": IMAGING,
        "week": date(2026, 3, 2),
        "hours": 1,
        "passed": 1,
    }
    with pytest.raises(IntegrityError), transaction.atomic():
        StageSummary.objects.create(**{**given, **fields})


def test_an_idea_that_was_noted_or_ended_before_is_refused_in_words(clinic: Clinic) -> None:
    same = Idea(IMAGING, "review", "Call at noon", builders.user(at=clinic), date(2026, 3, 5))
    idea = begin(clinic, same)
    with pytest.raises(RefusedError, match="noted before"):
        begin(clinic, same)
    begin(builders.clinic(), same)  # another clinic's ideas are its own
    end(idea, date(2026, 3, 1))
    with pytest.raises(StaleStateError, match="ended already"):
        end(idea, date(2026, 3, 8))
    idea.refresh_from_db()
    assert idea.ended_on == date(2026, 3, 5)  # it never ends before it began


def test_constraints_of_ideas_and_reports() -> None:
    clinic, loser = builders.clinic(), builders.user()
    idea_of(clinic)
    refused: list[Callable[[], object]] = [
        lambda: idea_of(clinic, owner=loser, words=""),
        lambda: idea_of(clinic, words="y", ended_on=date(2026, 2, 1)),
        lambda: idea_of(clinic),
    ]
    report = {"clinic": clinic, "user": loser, "week": date(2026, 3, 2), "begun_at": NOW}
    WeeklyReport.objects.create(**report)
    refused.append(lambda: WeeklyReport.objects.create(**report))
    refused.append(
        lambda: WeeklyReport.objects.create(**report | {"week": date(2026, 3, 9)}, sent_at=NOW, error="x")
    )
    for write in refused:
        with pytest.raises(IntegrityError), transaction.atomic():
            write()


def test_names_of_dimensions_are_told_in_the_readers_language(clinic: Clinic) -> None:
    with translation.override("en"):
        page = manager(clinic).get(f"{PAGE}&by=language:he").content.decode()
    assert '<option value="language:he" selected>Hebrew</option>' in page
