"""The card at the desk, through HTTP: asked at the right moment, back to where she was, and the share of each desk."""

from datetime import time, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from appointments.models import Appointment, AppointmentEvent
from clinic_journey.card_rates import Share, coming_without_card, rates_of
from clinic_journey.cards import learned_about, with_learned
from outreach.learned import Learned
from patients.actions import CardAnswers, save_card
from patients.models import CARD_LASTS, Channel, Clinic, Patient, Role, ServiceCard
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_clock")]

FULL = {"channel": "sms", "days": ["any"], "hours": ["16-20"], "language": "he"}


@pytest.fixture
def _clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def clinic() -> Clinic:
    return builders.clinic()


def desk_of(clinic: Clinic, role: str = Role.RECEPTIONIST, **fields: Any) -> Client:
    client = Client()
    client.force_login(builders.user(role, at=clinic, **fields))
    return client


def address_of(patient: Patient) -> str:
    return f"/patients/{patient.public_id}/card/"


def told(patient: Patient, *, days_ago: int = 0) -> ServiceCard:
    return save_card(patient, CardAnswers("sms"), now=NOW - timedelta(days=days_ago), by=None)


def said(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


class TestCard:
    def test_a_full_card_is_saved_and_leads_back_to_where_she_was(self, clinic: Clinic) -> None:
        patient = builders.patient(clinic)
        answer = desk_of(clinic).post(address_of(patient), {**FULL, "next": "/calendar/"})
        assert (answer.status_code, answer["Location"]) == (302, "/calendar/")
        assert said(answer) == ["The service card is saved as the patient said."]
        card = ServiceCard.objects.get()
        assert (card.told_at, card.told_to and card.told_to.first_name) == (NOW, "Rina")

    def test_half_a_card_says_what_is_missing(self, clinic: Clinic) -> None:
        answer = desk_of(clinic).post(
            address_of(builders.patient(clinic)), {"language": "he", "days": ["any"]}
        )
        assert said(answer) == ["Saved. Still to be asked: how, which hours."]

    @pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
    def test_it_leads_to_no_other_site(self, clinic: Clinic, elsewhere: str) -> None:
        patient = builders.patient(clinic)
        answer = desk_of(clinic).post(address_of(patient), {**FULL, "next": elsewhere})
        assert answer["Location"] == f"/patients/{patient.public_id}/"

    def test_nonsense_is_refused_and_nothing_typed_is_lost(self, clinic: Clinic) -> None:
        words = {**FULL, "channel": "pigeon", "may_tell": "her son Yossi"}
        answer = desk_of(clinic).post(address_of(builders.patient(clinic)), words)
        assert answer.status_code == 422
        assert "her son Yossi" in answer.content.decode()
        assert ServiceCard.objects.get().told_at is None

    def test_the_sentence_is_in_the_patients_language_with_the_readers_beside(self, clinic: Clinic) -> None:
        page = desk_of(clinic).get(address_of(builders.patient(clinic, language="he"))).content.decode()
        assert '<p lang="he" dir="auto">כדי שלא' in page
        assert "<p>So that we don" in page

    def test_the_keys_are_in_a_scope_and_work_by_place(self, clinic: Clinic) -> None:
        page = desk_of(clinic).get(address_of(builders.patient(clinic))).content.decode()
        form = page.split('id="card" data-key-scope', 1)[1].split("</form>", 1)[0]
        for key in (
            "Digit1",
            "Digit4",
            "KeyW",
            "KeyF",
            "KeyA",
            "KeyQ",
            "KeyU",
            "KeyI",
            "KeyV",
            "KeyH",
            "KeyE",
        ):
            assert f'data-key="{key}"' in form
        assert 'data-key="KeyS"' not in form

    def test_another_clinics_patient_is_not_found(self, clinic: Clinic) -> None:
        stranger = desk_of(builders.clinic())
        address = address_of(builders.patient(clinic))
        assert (stranger.get(address).status_code, stranger.post(address, FULL).status_code) == (404, 404)


class TestLearned:
    def test_it_is_taken_over_as_told_when_she_confirms(self, clinic: Clinic) -> None:
        patient = builders.patient(clinic)
        task = builders.task(builders.step(builders.journey(patient)), plan_from=None)
        evening = NOW + timedelta(hours=8)
        for days in (1, 2, 3):
            at = evening - timedelta(days=days)
            call: dict[str, Any] = {
                "channel": "phone",
                "status": "delivered",
                "outcome": "spoken",
                "called_at": at,
            }
            builders.attempt(task, send_at=at, sent_at=at, **call)
        assert learned_about(patient) == Learned((16, 20), 3, 3)
        desk = desk_of(clinic)
        page = desk.get(f"/patients/{patient.public_id}/").content.decode()
        assert "learned, not told" in page
        assert "answers mostly between 16:00 and 20:00 (3 of 3)" in page
        asked = {"channel": "phone", "days": ["weekend"], "language": "he", "learned": "1"}
        desk.post(address_of(patient), asked)
        card = ServiceCard.objects.get()
        windows = [(row.weekday, row.start, row.end) for row in card.windows.all()]
        assert windows == [(4, time(16), time(20)), (5, time(16), time(20))]
        assert (card.hours_told, card.missing) == (True, [])

    def test_the_channel_she_answers_is_taken_over(self, clinic: Clinic) -> None:
        patient, nothing = builders.patient(clinic), CardAnswers("")
        assert with_learned(nothing, Learned(by="phone"), patient).channel == Channel.PHONE
        assert with_learned(nothing, Learned(by="message"), patient).channel == Channel.SMS
        late = with_learned(nothing, Learned(band=(20, 24)), patient)
        assert late.windows[0] == (0, time(20), time.max)


class TestAtTheDesk:
    def act(self, clinic: Clinic, patient: Patient, act: str, role: str = Role.RECEPTIONIST) -> Any:
        status = {"arrive": "booked", "fulfil": "arrived"}[act]
        visit = builders.appointment(patient, status=status, start=NOW)
        self.page = f"/appointments/{visit.public_id}/"
        return desk_of(clinic, role).post(f"{self.page}act/", {"act": act})

    @pytest.mark.parametrize("act", ["arrive", "fulfil"])
    def test_a_card_that_is_due_is_asked_for_after_it_is_noted(self, clinic: Clinic, act: str) -> None:
        patient = builders.patient(clinic)
        answer = self.act(clinic, patient, act)
        assert answer["Location"] == f"{address_of(patient)}?next={self.page.replace('/', '%2F')}"
        assert Appointment.objects.get().status in {"arrived", "fulfilled"}

    @pytest.mark.parametrize(("days_ago", "asks"), [(0, False), (182, False), (CARD_LASTS.days, True)])
    def test_a_card_is_asked_for_again_after_six_months(
        self, clinic: Clinic, days_ago: int, asks: bool
    ) -> None:
        patient = builders.patient(clinic)
        told(patient, days_ago=days_ago)
        assert (address_of(patient) in self.act(clinic, patient, "arrive")["Location"]) == asks

    def test_the_doctor_is_not_sent_to_ask(self, clinic: Clinic) -> None:
        assert self.act(clinic, builders.patient(clinic), "fulfil", Role.DOCTOR)["Location"] == self.page

    @pytest.mark.parametrize(
        ("status", "is_told", "asks"),
        [("arrived", False, True), ("arrived", True, False), ("booked", False, False)],
    )
    def test_before_check_out_the_visit_reminds(
        self, clinic: Clinic, status: str, is_told: bool, asks: bool
    ) -> None:
        patient = builders.patient(clinic)
        if is_told:
            told(patient)
        visit = builders.appointment(patient, status=status, start=NOW)
        page = desk_of(clinic).get(f"/appointments/{visit.public_id}/").content.decode()
        assert ("Before the patient leaves" in page) == asks


def arrival(patient: Patient, by: Any, *, days_ago: int = 0) -> None:
    at = NOW - timedelta(days=days_ago)
    visit = builders.appointment(patient, status="cancelled", start=at)
    AppointmentEvent.objects.create(appointment=visit, what="arrived", at=at, by=by)


class TestRates:
    def test_of_those_seen_each_desk_has_its_share_week_by_week(self, clinic: Clinic) -> None:
        rina, dan = builders.user(at=clinic), builders.user(at=clinic, first_name="Dan")
        people = [builders.patient(clinic, given_name=f"P{n}", phone=f"050-234-567{n}") for n in range(4)]
        told(people[0])
        told(people[1], days_ago=CARD_LASTS.days + 8)  # old today, complete eight days ago... by a day
        told(people[2], days_ago=300)
        save_card(people[3], CardAnswers("sms", days_told=False), now=NOW, by=None)
        for patient in people:
            arrival(patient, rina)
        arrival(people[0], rina)  # twice on one day is one patient
        arrival(people[1], dan, days_ago=9)
        arrival(people[0], dan, days_ago=40)
        arrival(builders.patient(phone="050-234-5679"), builders.user())  # another clinic
        rates = rates_of(clinic, now=NOW)
        nobody = Share(0, 0)
        assert [(desk.name, desk.weeks) for desk in rates.by_desk] == [
            ("Dan", (nobody, nobody, Share(1, 1), nobody)),
            ("Rina", (nobody, nobody, nobody, Share(4, 1))),
        ]
        assert rates.everybody == (nobody, nobody, Share(1, 1), Share(4, 1))
        assert (Share(4, 1).percent, nobody.percent) == (25, None)

    @pytest.mark.parametrize(
        ("role", "sees"),
        [(Role.RECEPTIONIST, False), (Role.DOCTOR, False), (Role.MANAGER, True), (Role.ADMIN, True)],
    )
    def test_figures_of_others_are_for_managers(self, clinic: Clinic, role: str, sees: bool) -> None:
        arrival(builders.patient(clinic), builders.user(at=clinic, first_name="Mirjam"))
        page = desk_of(clinic, role).get("/patients/cards/").content.decode()
        assert ("Mirjam" in page) == sees
        assert "The whole clinic" in page

    def test_each_sees_the_own_figures(self, clinic: Clinic) -> None:
        client = Client()
        rina = builders.user(at=clinic, first_name="Rinat")
        client.force_login(rina)
        arrival(builders.patient(clinic), rina)
        assert '<th scope="row"><bdi>Rinat</bdi></th>' in client.get("/patients/cards/").content.decode()


class TestComing:
    def coming(self, clinic: Clinic, after: str = "") -> list[str]:
        return [visit.patient.given_name for visit in coming_without_card(clinic, after=after, now=NOW)]

    def test_who_comes_today_or_tomorrow_and_is_still_to_be_asked(self, clinic: Clinic) -> None:
        def comes(name: str, hours: float, **fields: Any) -> Patient:
            patient = builders.patient(clinic, given_name=name)
            builders.appointment(patient, start=NOW + timedelta(hours=hours), **fields)
            return patient

        comes("tomorrow", 24)
        early = comes("today", -1, status="arrived")
        builders.appointment(early, start=NOW + timedelta(hours=25))  # twice, shown once
        told(comes("asked", 1))
        told(comes("old", 2), days_ago=200)
        save_card(comes("half", 3), CardAnswers("", ()), now=NOW, by=None)
        ServiceCard.objects.filter(patient=comes("none", 4)).delete()
        comes("yesterday", -11)
        comes("after", 39)
        comes("gone", 5, status="cancelled")
        assert self.coming(clinic) == ["today", "old", "half", "none", "tomorrow"]

    def test_the_list_is_paged_by_key(self, clinic: Clinic) -> None:
        doctor = builders.practitioner(clinic)
        for n in range(33):
            patient = builders.patient(clinic, given_name=f"P{n:02}")
            builders.appointment(
                patient, practitioner=doctor, start=NOW + timedelta(minutes=30 * n), status="noshow"
            )
        Appointment.objects.update(status="booked")
        desk = desk_of(clinic)
        first = desk.get("/patients/cards/").content.decode()
        more = first.split("?after=", 1)[1].split('"', 1)[0]
        assert ("P29" in first, "P30" in first) == (True, False)
        second = desk.get(f"/patients/cards/?after={more}").content.decode()
        assert ("P29" in second, "P30" in second, "P32" in second) == (False, True, True)
        assert desk.get("/patients/cards/?after=x").status_code == 200

    def test_another_clinics_patients_are_not_listed(self, clinic: Clinic) -> None:
        builders.appointment(builders.patient(), start=NOW)
        assert self.coming(clinic) == []

    @pytest.mark.parametrize("rows", [1, 3, 200])
    def test_the_page_asks_as_much_for_one_row_as_for_two_hundred(self, clinic: Clinic, rows: int) -> None:
        for n in range(rows):
            patient = builders.patient(clinic, given_name=f"P{n}")
            builders.appointment(patient, start=NOW + timedelta(minutes=n))
            arrival(patient, builders.user(at=clinic))
        desk = desk_of(clinic, Role.MANAGER)
        desk.get("/patients/cards/")
        with CaptureQueriesContext(connection) as asked:
            desk.get("/patients/cards/")
        assert len(asked) == 8
