"""The team's page: thanks find whom they are for, nobody sees another's figures; and the shift is handed over."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client

from clinic_journey.models import AsideKind, Handover, SetAside
from journeys.models import OwnerRole, Step
from outreach.models import Reply
from outreach.praise import Figures, not_seen
from outreach.praise_models import Praise
from patients.models import Clinic, Role
from tests import builders
from tests.clinic_journey.own_page import OwnPage
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic(language="en")


def at_work(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def text(client: Client, path: str) -> str:
    return " ".join(client.get(path).content.decode().split())


def test_thanks_from_her_own_page_reach_the_named_colleague_alone(clinic: Clinic) -> None:
    patient = builders.patient(clinic, language="en")
    rina, dan = builders.user(at=clinic, first_name="Rina"), builders.user(at=clinic, first_name="Dan")
    page = OwnPage(builders.step(builders.journey(patient)).journey)
    said = {"meaning": "thanks", "to": "Rina", "body": "You waited with me."}
    assert page.post("say", said)["Location"].endswith("said=thanks")
    assert "You waited with me." in text(at_work(rina), "/team/")
    assert "You waited with me." not in text(at_work(dan), "/team/")


@pytest.mark.parametrize("role", Role.values)
def test_nobody_sees_the_figures_of_somebody_else(clinic: Clinic, role: Role) -> None:
    """Of nine thanks to Rina, whoever looks sees the nine of all and none of their own, and no other number."""
    rina = builders.user(at=clinic, first_name="Rina")
    patient = builders.patient(clinic)
    for _number in range(9):
        builders.praise(patient, to=rina)
    other = builders.user(role, at=clinic, first_name="Other")
    seen: Any = at_work(other).get("/team/").context
    assert (seen["own"].thanks, seen["all"].thanks) == (0, 9)
    assert sorted(key for key in seen.keys() if isinstance(seen[key], Figures)) == ["all", "own"]  # noqa: SIM118 - no dict
    asked = at_work(other).get(f"/team/?of={rina.pk}&user={rina.pk}")
    assert asked.context["own"].thanks == 0


def test_an_extra_step_is_one_field(clinic: Clinic) -> None:
    rina, dan = builders.user(at=clinic, first_name="Rina"), builders.user(at=clinic, first_name="Dan")
    desk = at_work(dan)
    assert f'value="{dan.pk}"' not in text(desk, "/team/")  # what one did oneself, a colleague writes down
    assert desk.post("/team/extra/", {"to": rina.pk, "words": "Walked her to the bus"}).status_code == 302
    assert desk.post("/team/extra/", {"to": rina.pk, "words": " "}).status_code == 422
    assert desk.post("/team/extra/", {"to": dan.pk, "words": "me"}).status_code == 422
    assert desk.post("/team/extra/", {"to": builders.user().pk, "words": "x"}).status_code == 422
    assert "Walked her to the bus" in text(at_work(rina), "/team/")
    manager = at_work(builders.user(Role.MANAGER, at=clinic))
    assert "Walked her to the bus" in text(manager, "/team/")


def test_the_manager_says_whom_thanks_are_for(clinic: Clinic) -> None:
    praise, rina = builders.praise(builders.patient(clinic)), builders.user(at=clinic, first_name="Rina")
    path = f"/team/thanks/{praise.public_id}/"
    assert at_work(rina).post(path, {"to": rina.pk}).status_code == 403
    manager = at_work(builders.user(Role.MANAGER, at=clinic))
    assert path in text(manager, "/team/")
    manager.post(path, {"to": rina.pk})
    assert Praise.objects.get().to == rina
    assert path not in text(manager, "/team/")


def test_a_message_is_thanks_for_a_colleague(clinic: Clinic) -> None:
    patient, rina = builders.patient(clinic), builders.user(at=clinic, first_name="Rina")
    matter = builders.step(builders.journey(patient), kind="call")
    said = {"clinic": clinic, "patient": patient, "channel": "sms", "at": NOW, "matter": matter}
    reply = Reply.objects.create(body="Thank you, Rina!", **said)
    desk = at_work(builders.user(at=clinic))
    path = f"/inbox/{patient.public_id}/thanks/"
    assert f'formaction="{path}"' in text(desk, f"/inbox/{patient.public_id}/?give=1")
    assert desk.post(path, {"to": rina.pk, "heard": reply.pk}).status_code == 302
    assert desk.post(path, {"to": rina.pk, "heard": reply.pk}).status_code == 302
    assert (Praise.objects.get().to, Praise.objects.count()) == (rina, 1)


def test_a_stage_is_asked_about_on_her_page_with_her_words(clinic: Clinic) -> None:
    patient = builders.patient(clinic, language="en")
    visit = builders.step(builders.journey(patient), kind="visit")
    builders.appointment(patient, status="fulfilled", start=NOW - 24 * HOUR, step=visit)
    page = OwnPage(visit.journey)
    assert "How was it on 8 March?" in page.text()
    page.post("say", {"meaning": "going_well", "body": "Quick and kind"})
    assert Reply.objects.get().body == "Quick and kind"
    assert "How is it going so far?" in page.text()


def test_a_shift_is_handed_over_and_taken_with_what_is_open(clinic: Clinic) -> None:
    rina, dan = builders.user(at=clinic, first_name="Rina"), builders.user(at=clinic, first_name="Dan")
    patient = builders.patient(clinic)
    journey = builders.journey(patient)
    promise = builders.step(journey, kind="promise", title="Call Dana back", owner=rina)
    far = builders.step(journey, kind="promise", owner=rina, due_at=NOW + 100 * HOUR)
    doctors = builders.step(journey, kind="review", owner=rina, owner_role=OwnerRole.DOCTOR)
    parked = builders.step(journey, kind="call")
    SetAside.objects.create(user=rina, step=parked, kind=AsideKind.PARKED)
    going = at_work(rina)
    assert "Call Dana back" in text(going, "/handover/")
    assert going.post("/handover/", {"words": " "}).status_code == 422
    assert going.post("/handover/", {"words": "The lift is broken"}).status_code == 302
    note = Handover.objects.get()
    take = f"/handover/{note.public_id}/take/"
    going.post(take)
    assert Handover.objects.get().taken_at is None  # nobody takes over from herself
    coming = at_work(dan)
    page = text(coming, "/handover/")
    assert "The lift is broken" in page
    assert "Call Dana back" in page
    for _press in range(2):
        coming.post(take)
    note.refresh_from_db()
    assert (note.taken_by, note.taken_at) == (dan, NOW)
    owners = dict(Step.objects.values_list("pk", "owner"))
    assert owners == {promise.pk: dan.pk, far.pk: rina.pk, doctors.pk: rina.pk, parked.pk: None}
    assert not SetAside.objects.exists()
    assert "The lift is broken" not in text(coming, "/handover/")


def test_what_the_database_keeps_of_a_handover(clinic: Clinic) -> None:
    rina = builders.user(at=clinic)
    note = Handover.objects.create(clinic=clinic, by=rina, words="x", made_at=NOW)
    rows = Handover.objects.filter(pk=note.pk)

    def refused(write: Callable[[], object]) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            write()

    refused(lambda: rows.update(words=""))
    refused(lambda: rows.update(taken_at=NOW))
    refused(lambda: rows.update(taken_at=NOW, taken_by=rina))
    refused(lambda: rows.update(taken_at=NOW - HOUR, taken_by=builders.user()))


@pytest.mark.parametrize("thanks", [1, 3])
def test_the_page_costs_the_same_at_any_length(
    clinic: Clinic, thanks: int, django_assert_num_queries: object
) -> None:
    patient = builders.patient(clinic)
    for _number in range(thanks):
        builders.praise(patient)
    manager = at_work(builders.user(Role.MANAGER, at=clinic))
    manager.get("/team/")
    with django_assert_num_queries(15):  # type: ignore[operator]
        manager.get("/team/")


def test_a_shift_is_taken_over_by_who_does_that_work(clinic: Clinic) -> None:
    cohen = builders.user("doctor", at=clinic, first_name="Cohen")
    review = builders.step(
        builders.journey(builders.patient(clinic)), kind="review", owner=cohen, owner_role=OwnerRole.DOCTOR
    )
    SetAside.objects.create(user=cohen, step=review, kind=AsideKind.PARKED)
    at_work(cohen).post("/handover/", {"words": "Look at the image of Dana"})
    note = Handover.objects.get()
    at_work(builders.user(at=clinic, first_name="Rina")).post(f"/handover/{note.public_id}/take/")
    note.refresh_from_db()
    assert (note.taken_at, SetAside.objects.count()) == (None, 1)
    other = builders.user("doctor", at=clinic, first_name="Shaham")
    at_work(other).post(f"/handover/{note.public_id}/take/")
    assert Step.objects.get(pk=review.pk).owner == other


def test_what_was_written_for_her_is_new_until_she_opens_the_page(clinic: Clinic) -> None:
    rina, other = builders.user(at=clinic), builders.user(at=clinic)
    hers = builders.praise(builders.patient(clinic), to=rina)
    old = builders.praise(hers.patient, to=rina, at=NOW - timedelta(days=40))
    theirs = builders.praise(hers.patient, to=other)
    assert list(not_seen(clinic, rina, now=NOW)) == [hers]
    at_work(rina).get("/team/")
    assert not not_seen(clinic, rina, now=NOW).exists()
    assert list(not_seen(clinic, other, now=NOW)) == [theirs]
    rows = Praise.objects.filter(pk=old.pk)
    for wrong in ({"seen_at": old.at - HOUR}, {"seen_at": NOW, "to": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**wrong)
