"""Gaps: how wide they are with who waits now, the two clicks to an act, why patients left, and whom we have touched."""

from datetime import datetime, timedelta
from html import unescape

import pytest
from django.urls import reverse

from clinic_journey.reports import summaries
from journeys.actions import complete_step, reassign_step, record_events
from journeys.chases import log_chase
from journeys.models import EventKind, Journey, OwnerRole
from outreach.by_hand import NotNow, NotNowReason, not_now
from outreach.lost import close_as_lost
from outreach.models import Reply
from patients.models import Clinic, Role
from referrals.models import ReviewPass
from tests import builders
from tests.clinic_journey.on_the_desk import arrived
from tests.clinic_journey.reports.planted import (
    IMAGING,
    active,
    finish,
    loaded,
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


def test_the_share_that_is_printed_is_that_of_the_picture() -> None:
    loaded()
    where = builders.clinic()
    begun = NOW - 20 * DAY
    ends = [("await_result", "received"), ("review", "treat"), ("visit", "no_show"), ("book", "booked")]
    went(where, begun, [(*each, begun + nth * DAY) for nth, each in enumerate(ends, 1)])
    summaries.catch_up(where, now=NOW)
    client = manager(where)
    page = client.get(PAGE).content.decode()
    ways = client.get(f"/reports/stuck/export/?template={IMAGING}&as=csv").content.decode().splitlines()[1:]
    people = sum(int(row.split(",")[2]) for row in ways)
    back = sum(int(row.split(",")[2]) for row in ways if row.startswith("Book the visit,Visit,"))
    assert (people, back) == (5, 1)  # one way of five leads back: no picture can show it
    assert "80% of the ways in the picture" in page
    assert "100% of the ways shown" in client.get(f"{PAGE}&view=table").content.decode()


def linked(page: str, words: str) -> str:
    """Where the first link of these words leads."""
    return unescape(page[: page.index(words)].rsplit('href="', 1)[1].split('"', 1)[0])


def test_two_clicks_from_the_gap_of_decisions_a_manager_asks_another_doctor() -> None:
    where = builders.clinic()
    loaded()
    slow = builders.user(Role.DOCTOR, at=where, first_name="Dan", last_name="Cohen")
    quick = builders.user(Role.DOCTOR, at=where, first_name="Noa", last_name="Shaham")
    result, other = arrived(where, slow), arrived(where, slow)
    client = manager(where)
    listed = client.get(
        f"/reports/stuck/names/?template={IMAGING}&gap=await_result%3Ereview"
    ).content.decode()
    place = f"/results/?list=decide&item={result.public_id}"
    assert linked(listed, "Decide, or pass it to a colleague") == place
    assert f"/results/?list=decide&amp;item={other.public_id}" in listed
    page = client.get(f"{place}&follows=1").content.decode()
    act = reverse("pass_on", args=[result.public_id])
    assert f'action="{act}"' in page
    assert f'name="to" value="{quick.username}"' in page
    client.post(act, {"to": quick.username})
    assert ReviewPass.objects.get().review == result.review
    step = result.review
    assert step is not None
    panel = client.get(f"/today/?item={step.public_id}").content.decode()
    assert linked(panel, "Decide, or pass it to a colleague") == place
    assert "Whose: <bdi>Dan Cohen</bdi>" in panel


def test_two_clicks_from_the_gap_of_images_somebody_asks_the_institute() -> None:
    where = builders.clinic()
    loaded()
    journey = went(where, NOW - 20 * DAY, [])
    waits = active(journey, "await_result")
    referral = builders.referral(journey.patient, journey=journey, step=waits)
    client = manager(where)
    listed = client.get(f"/reports/stuck/names/?template={IMAGING}&gap=%3Eawait_result").content.decode()
    place = f"/results/?list=expected&item={referral.public_id}"
    assert linked(listed, "Ask the institute") == place
    assert (
        linked(client.get(f"/today/?item={waits.public_id}").content.decode(), "Ask the institute") == place
    )
    page = client.get(place).content.decode()
    act = reverse("chase", args=[referral.public_id])
    assert f'action="{act}"' in page
    client.post(act, {"look": "0", "words": "Sent tomorrow"})
    waits.refresh_from_db()
    assert waits.due_at is not None
    assert waits.due_at > NOW


def undecided(where: Clinic, *, since: datetime, people: int) -> None:
    for n in range(people):
        ends = [("await_result", "received", since + HOUR), ("inform_arrival", "told", since + 2 * HOUR)]
        went(where, since, ends, phone=f"050-234-55{n}1", family_name=f"Undecided {n}")


def test_who_waits_now_makes_a_gap_as_wide_as_who_came_through() -> None:
    loaded()
    where = builders.clinic()
    came = NOW - 4 * DAY  # the images, a day beyond the standard
    ends = [("await_result", "received", came), ("review", "no_treatment", came + HOUR)]
    slow = went(where, NOW - 13 * DAY, ends, phone="050-234-5500")
    finish(slow, "tell_no_treatment", "told", came + 2 * HOUR)
    summaries.catch_up(where, now=NOW)
    client = manager(where)
    assert 'id="widest">Widest gap: <bdi>beginning</bdi>' in client.get(PAGE).content.decode()
    undecided(where, since=NOW - 5 * DAY, people=3)
    page = client.get(PAGE).content.decode()
    assert "<bdi>Doctor decides</bdi></h2>" in page
    review = page[page.index("Doctor decides</bdi></a></th>") :].split("</tr>")[0]
    assert "stuck-pace stuck-late" in review


def test_where_nobody_came_through_the_gap_is_told_all_the_same() -> None:
    loaded()
    where = builders.clinic()
    undecided(where, since=NOW - 5 * DAY, people=3)
    page = manager(where).get(PAGE).content.decode()
    assert "<bdi>Doctor decides</bdi></h2>" in page
    assert "Nobody has come through in this period; the standard is 1 day." in page
    assert "3 open now, the oldest for" in page
    assert "No gap is wider" not in page


def test_a_patient_who_asks_has_not_been_touched_by_us(clinic: Clinic) -> None:
    step = active(Journey.objects.get(patient__family_name="Waits"), "review")
    desk = builders.user(at=clinic)
    asked = f"/reports/stuck/names/?template={IMAGING}&gap=await_result%3Ereview&who=untouched"
    ways = f"/reports/stuck/export/?template={IMAGING}&as=csv"
    client = manager(clinic)

    def untouched() -> tuple[bool, bool]:
        page, table = client.get(asked).content.decode(), client.get(ways).content.decode()
        (row,) = [line for line in table.splitlines() if ",Doctor decides," in line]
        return "Waits" in page, row.split(",")[7] == "1"

    log_chase(step, now=NOW - HOUR, by=desk, words="Where are my images?")
    Reply.objects.create(clinic=clinic, patient=step.journey.patient, channel="sms", at=NOW - HOUR,
                         body="Hello?", step=step)  # fmt: skip
    record_events([step], EventKind.NOTED, now=NOW - HOUR, detail="going_badly")
    assert untouched() == (True, True)
    reassign_step(step, role=OwnerRole.DOCTOR, owner=desk, now=NOW, by=desk)
    assert untouched() == (False, False)


def test_ages_and_the_funnel_lead_to_their_names_by_whatever_way_they_came(clinic: Clinic) -> None:
    gone = went(clinic, NOW - 4 * DAY, [("await_result", "received", NOW - 3 * DAY)], phone="050-234-6601",
                family_name="Gone")  # fmt: skip
    close_as_lost(gone, words="I found one near work", now=NOW - HOUR)
    summaries.rebuild(clinic, now=NOW)
    client = manager(clinic)
    page = client.get(PAGE).content.decode()
    link = f"/reports/stuck/names/?template={IMAGING}&weeks=4&gap=%2A%3Ereview"
    for part in ("ages", "funnel"):
        section = page[page.index(f'id="{part}"') :].split("</section>")[0]
        assert f'<th scope="row"><a href="{link.replace("&", "&amp;")}"><bdi>Doctor decides' in section
    funnel = page[page.index('id="funnel"') :].split("</section>")[0]
    assert f'<a href="{link.replace("&", "&amp;")}&amp;who=lost">1</a>' in funnel
    waits = client.get(link).content.decode()
    assert ("Waits" in waits, "Gone" in waits) == (True, False)
    assert "<h1><bdi>Doctor decides</bdi></h1>" in waits
    assert "Gone" in client.get(f"{link}&who=lost").content.decode()
    assert "Waits" not in client.get(link.replace("review", "visit")).content.decode()


def test_who_left_is_listed_with_why_and_each_cause_is_counted(clinic: Clinic) -> None:
    by = builders.user(at=clinic)
    received = [("await_result", "received", NOW - 3 * DAY)]
    gone = went(clinic, NOW - 4 * DAY, received, phone="050-234-6601", family_name="Gone")
    close_as_lost(gone, words="I found one near work", now=NOW - HOUR, by=by)
    refused = went(
        clinic, NOW - 4 * DAY, [*received, ("review", "treat_other", NOW - 2 * DAY)], phone="050-234-6602",
        family_name="Refused",
    )  # fmt: skip
    complete_step(active(refused, "book"), "declined", now=NOW - HOUR, note="Too dear for me")
    waits = went(clinic, NOW - 4 * DAY, received, phone="050-234-6603", family_name="Later")
    said = NotNow(NotNowReason.MONEY, "After my salary", NOW + 9 * DAY)
    not_now(active(waits, "inform_arrival"), said, call=None, now=NOW - HOUR, by=by)
    client, asked = manager(clinic), {"template": IMAGING, "who": "lost"}
    page = client.get("/reports/stuck/names/", asked).content.decode()
    assert 'The patient said so <q dir="auto">I found one near work</q>' in page
    assert 'Does not want it <q dir="auto">Too dear for me</q>' in page
    assert 'Does not want it: <span class="numbers">1</span> · The patient said so: <span' in page
    assert 'Money: <span class="numbers">1</span>' in page
    at_the_doctor = client.get(
        "/reports/stuck/names/", asked | {"gap": "await_result>review"}
    ).content.decode()
    assert "I found one near work" in at_the_doctor
    assert "Money" not in at_the_doctor
    assert "Too dear" not in at_the_doctor
    assert "<q" not in client.get("/reports/stuck/names/", asked | {"who": "open"}).content.decode()
    lines = client.post("/reports/stuck/names/export/", asked | {"as": "csv"}).content.decode("utf-8-sig")
    head, *rows = [line.split(",") for line in lines.splitlines()]
    assert head[-2:] == ["Why", "In the patient’s words"]
    assert sorted(row[-2:] for row in rows) == [
        ["Does not want it", "Too dear for me"],
        ["The patient said so", "I found one near work"],
    ]


def test_why_others_left_is_not_told(clinic: Clinic) -> None:
    close_as_lost(Journey.objects.get(patient__family_name="Waits"), words="Near work", now=NOW - HOUR)
    strangers = manager(builders.clinic()).get(f"/reports/stuck/names/?template={IMAGING}&who=lost")
    assert "The patient said so" not in strangers.content.decode()
    assert "The patient said so" in manager(clinic).get(
        f"/reports/stuck/names/?template={IMAGING}&who=lost"
    ).content.decode()  # fmt: skip
