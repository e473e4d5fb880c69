"""The inbox: who waits for an answer, the answer itself, and words from numbers that nobody knows."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from clinic_journey.desk import serve
from clinic_journey.models import DeskAction
from journeys.actions import complete_step
from journeys.models import JourneyStatus, OwnerRole, Step, StepKind, StepStatus
from outreach.actions import plan_attempts
from outreach.channels.inbound import Said
from outreach.conversations import answered_in, from_patients, waiting_in
from outreach.dispatch import dispatch
from outreach.models import Attempt, AttemptStatus, OutreachTask, Reply
from outreach.replies import receive_reply
from patients.access import Here
from patients.actions import add_address, withdraw_consent
from patients.models import AuditEvent, Channel, Clinic, Patient, Role
from tests import builders
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
PHONE = "+972502345678"
LIST, THREAD = 12, 14  # statements, the session and the audit trail included


@pytest.fixture
def clinic() -> Clinic:
    builders.messages_loaded()
    return builders.clinic()


def at_the_desk(clinic: Clinic, role: str = Role.RECEPTIONIST, **fields: Any) -> tuple[Client, User]:
    user = builders.user(role, at=clinic, **fields)
    client = Client()
    client.force_login(user)
    return client, user


def wrote(words: str, value: str = PHONE, *, at: datetime = NOW, **more: Any) -> str:
    channel = more.pop("channel", "sms")
    kind = "phone" if channel == "sms" else channel
    return receive_reply(Said(channel, kind, value, words, at=at, **more), now=at)


def a_writer(clinic: Clinic, n: int = 0, words: str = "When do you open?", **fields: Any) -> Patient:
    number = f"+97250234{5000 + n}"
    patient = builders.patient(clinic, **{"given_name": f"Dana{n}", "phone": number, **fields})
    wrote(words, number, at=NOW - timedelta(minutes=60 - n))
    return patient


def page(client: Client, path: str = "/inbox/") -> str:
    return client.get(path).content.decode()


def names(text: str) -> list[str]:
    return re.findall(r'queue-who">([^<]*)<', text)


def answer(client: Client, patient: Patient, **data: str) -> Any:
    given = {"words": "At eight.", "request_key": "k1"}
    return client.post(f"/inbox/{patient.public_id}/answer/", {**given, **data})


class TestList:
    def test_the_oldest_clock_comes_first_and_a_patient_has_one_row(self, clinic: Clinic) -> None:
        client, _user = at_the_desk(clinic)
        first, second = a_writer(clinic, 1), a_writer(clinic, 2)
        wrote("And on Friday?", "+972502345001", at=NOW)
        text = page(client)
        assert names(text) == [first.full_name, second.full_name]
        assert "And on Friday?" not in text.partition("Dana2")[2]

    def test_what_acted_by_itself_is_nobodys_to_answer(self, clinic: Clinic) -> None:
        client, _user = at_the_desk(clinic)
        patient = builders.patient(clinic)
        step = builders.step(builders.journey(patient))
        builders.attempt(builders.task(step, plan_from=None), status="sent", sent_at=NOW, called_at=NOW)
        assert wrote("Thank you!") == "thanks"
        assert names(page(client)) == []

    def test_mine_are_those_i_have_taken(self, clinic: Clinic) -> None:
        client, user = at_the_desk(clinic)
        mine, other = a_writer(clinic, 1), a_writer(clinic, 2)
        client.post(f"/inbox/{mine.public_id}/take/")
        assert names(page(client, "/inbox/?list=mine")) == [mine.full_name]
        assert set(names(page(client))) == {mine.full_name, other.full_name}
        assert Step.objects.get(owner=user).journey.patient == mine

    def test_what_was_answered_last_is_first_among_the_answered(self, clinic: Clinic) -> None:
        client, user = at_the_desk(clinic)
        first, second = a_writer(clinic, 1), a_writer(clinic, 2)
        for nth, patient in enumerate((first, second)):
            step = Step.objects.get(journey__patient=patient)
            complete_step(step, "spoken", now=NOW + timedelta(minutes=nth), by=user)
        text = page(client, "/inbox/?list=answered")
        assert names(text) == [second.full_name, first.full_name]
        assert names(page(client)) == []

    def test_who_writes_again_waits_again(self, clinic: Clinic) -> None:
        client, user = at_the_desk(clinic)
        patient = a_writer(clinic, 1)
        complete_step(Step.objects.get(), "spoken", now=NOW, by=user)
        wrote("One more thing", "+972502345001", at=NOW)
        assert names(page(client)) == [patient.full_name]
        assert names(page(client, "/inbox/?list=answered")) == []

    @pytest.mark.parametrize("shown", ["", "answered"])
    def test_pages_go_on_where_the_last_ended(self, clinic: Clinic, shown: str) -> None:
        client, user = at_the_desk(clinic)
        writers = [a_writer(clinic, n) for n in range(30)]
        if shown:
            for step in Step.objects.filter(kind=StepKind.CALL):
                complete_step(step, "spoken", now=NOW, by=user)
        first = page(client, f"/inbox/?list={shown}")
        following = re.search(r'rel="next" href="([^"]+)"', first)
        assert following
        rest = page(client, f"/inbox/{following[1].replace('&amp;', '&')}")
        seen = [*names(first), *names(rest)]
        assert len(names(first)) == 25
        assert sorted(seen) == sorted(patient.full_name for patient in writers)
        assert 'rel="next"' not in rest

    @pytest.mark.parametrize("rows", [1, 3, 40])
    @pytest.mark.parametrize("shown", ["", "mine", "answered"])
    def test_it_asks_as_much_for_one_row_as_for_forty(
        self, clinic: Clinic, rows: int, shown: str, django_assert_max_num_queries: Any
    ) -> None:
        client, user = at_the_desk(clinic)
        for n in range(rows):
            a_writer(clinic, n)
            wrote("Who am I?", f"+97250999{1000 + n}")
        for step in Step.objects.filter(journey__patient__isnull=False):
            if shown == "answered":
                complete_step(step, "spoken", now=NOW, by=user)
        Step.objects.filter(status=StepStatus.ACTIVE).update(owner=user)
        page(client)
        with django_assert_max_num_queries(LIST):
            text = page(client, f"/inbox/?list={shown}")
        assert len(names(text)) == min(rows, 25)

    def test_it_says_how_many_wait_beside_today(self, clinic: Clinic) -> None:
        client, _user = at_the_desk(clinic)
        for n in range(3):
            a_writer(clinic, n)
        assert 'Inbox <span class="count">3</span>' in page(client, "/patients/")

    def test_another_clinics_messages_are_not_there(self, clinic: Clinic) -> None:
        patient = a_writer(clinic, 1)
        wrote("Who am I?", "+972509991000", to=str(clinic.phone))
        other = builders.clinic(phone="+97235550199")
        client, _user = at_the_desk(other)
        assert "Dana1" not in page(client)
        for path in ("", "answer/", "nothing/", "take/"):
            assert client.post(f"/inbox/{patient.public_id}/{path}").status_code in {404, 405}
        assert client.get(f"/inbox/{patient.public_id}/").status_code == 404
        step = Step.objects.get(journey__patient__isnull=True)
        assert client.get(f"/inbox/unknown/{step.public_id}/").status_code == 404
        for path in ("whose/", "nothing/"):
            assert client.post(f"/inbox/unknown/{step.public_id}/{path}").status_code == 404


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the plan of PostgreSQL")
def test_who_waits_and_who_was_answered_are_found_by_indexes_of_their_own(clinic: Clinic) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    assert "step_calls_open" in from_patients(waiting_in(clinic))[:26].explain()
    assert "step_calls_ended" in from_patients(answered_in(clinic))[:26].explain()


class TestThread:
    def test_both_sides_stand_in_their_order_with_what_became_of_ours(self, clinic: Clinic) -> None:
        client, _user = at_the_desk(clinic)
        patient = builders.patient(clinic, language="he")
        step = builders.step(builders.journey(patient))
        builders.attempt(
            builders.task(step, plan_from=None),
            status="delivered",
            sent_at=NOW - timedelta(hours=2),
            called_at=NOW - timedelta(hours=2),
            language="he",
            body="שלום דנה",
        )
        wrote("מתי אתם פתוחים?")
        text = page(client, f"/inbox/{patient.public_id}/")
        ours, theirs = text.index("שלום דנה"), text.index("מתי אתם פתוחים?")
        assert ours < theirs
        assert "Delivered" in text[ours:theirs]
        assert "waits for an answer" in text[theirs:]
        assert text.count('dir="auto" lang="he"') >= 2
        assert AuditEvent.objects.filter(action="read", patient=patient, what="conversation").exists()

    @pytest.mark.parametrize("lines", [1, 30])
    def test_it_asks_as_much_for_one_line_as_for_thirty(
        self, clinic: Clinic, lines: int, django_assert_max_num_queries: Any
    ) -> None:
        client, _user = at_the_desk(clinic)
        patient = a_writer(clinic, 1)
        for n in range(lines):
            wrote(f"Question {n}", "+972502345001", at=NOW)
        page(client, f"/inbox/{patient.public_id}/")
        with django_assert_max_num_queries(THREAD):
            page(client, f"/inbox/{patient.public_id}/")

    def test_ready_answers_are_in_the_patients_language(self, clinic: Clinic) -> None:
        client, _user = at_the_desk(clinic)
        patient = a_writer(clinic, 1, language="ru")
        text = page(client, f"/inbox/{patient.public_id}/")
        assert text.count("data-quick=") == 4
        assert "Позвоним вам до понедельника" in text
        filled = page(client, f"/inbox/{patient.public_id}/?quick=quick_done")
        assert (
            "Спасибо, всё сделано. Alon Clinic" in filled.partition("<textarea")[2].partition("</textarea")[0]
        )

    def test_the_colleagues_of_the_clinic_are_those_it_can_be_given_to(self, clinic: Clinic) -> None:
        client, _user = at_the_desk(clinic)
        doctor = builders.user(Role.DOCTOR, at=clinic, first_name="Cohen")
        stranger = builders.user(Role.DOCTOR, at=builders.clinic(), first_name="Stranger")
        patient = a_writer(clinic, 1)
        text = page(client, f"/inbox/{patient.public_id}/?give=1")
        assert "Cohen" in text
        assert "Stranger" not in text
        path = f"/inbox/{patient.public_id}/take/"
        assert client.post(path, {"to": stranger.pk}).status_code == 404
        assert client.post(path, {"to": doctor.pk}).status_code == 302
        step = Step.objects.get()
        assert (step.owner, step.owner_role) == (doctor, OwnerRole.DOCTOR)


class TestAnswer:
    def test_it_goes_where_she_wrote_from_and_ends_the_matter(self, clinic: Clinic) -> None:
        client, user = at_the_desk(clinic)
        patient = a_writer(clinic, 1)
        assert answer(client, patient).status_code == 302
        matter = Step.objects.get(kind=StepKind.CALL)
        assert (matter.status, matter.outcome) == (StepStatus.COMPLETED, "answered")
        attempt = Attempt.objects.get()
        assert (attempt.channel, attempt.contact_point.value) == ("sms", "+972502345001")
        dispatch(now=NOW)
        attempt.refresh_from_db()
        assert (attempt.status, attempt.body) == (AttemptStatus.SENT, "At eight.")
        told = Step.objects.get(kind=StepKind.TELL)
        assert (told.status, told.outcome) == (StepStatus.COMPLETED, "told")
        assert told.journey.status == JourneyStatus.COMPLETED
        assert names(page(client)) == []
        assert "At eight." in page(client, f"/inbox/{patient.public_id}/")
        assert DeskAction.objects.get().user == user

    def test_all_that_she_asked_meanwhile_is_answered_by_it(self, clinic: Clinic) -> None:
        client, _user = at_the_desk(clinic)
        patient = a_writer(clinic, 1)
        wrote("And on Friday?", "+972502345001", at=NOW)
        answer(client, patient)
        assert set(Step.objects.filter(kind=StepKind.CALL).values_list("outcome", flat=True)) == {"answered"}
        assert Attempt.objects.count() == 1

    def test_pressed_twice_it_leaves_once(self, clinic: Clinic) -> None:
        client, _user = at_the_desk(clinic)
        patient = a_writer(clinic, 1)
        assert [answer(client, patient).status_code for _nth in range(2)] == [302, 302]
        assert (Attempt.objects.count(), DeskAction.objects.count()) == (1, 1)

    def test_whoever_comes_second_hears_who_answered_and_keeps_her_words(self, clinic: Clinic) -> None:
        patient = a_writer(clinic, 1)
        (first, _user), (second, _other) = at_the_desk(clinic, first_name="Rina"), at_the_desk(clinic)
        answer(first, patient, seen="0")
        refused = answer(second, patient, seen="0", request_key="k2", words="Also at eight")
        assert refused.status_code == 409
        assert "Rina saved “Answered in writing”" in refused.content.decode()
        assert "Also at eight" in refused.content.decode()
        assert Attempt.objects.count() == 1

    @pytest.mark.parametrize("press", ["answer", "nothing"])
    def test_what_she_wrote_after_the_page_was_read_is_not_closed_by_it(
        self, clinic: Clinic, press: str
    ) -> None:
        client, _user = at_the_desk(clinic)
        patient = a_writer(clinic, 1)
        read = page(client, f"/inbox/{patient.public_id}/")
        (heard,) = set(re.findall(r'name="heard" value="(\d+)"', read))
        wrote("My tooth has come out!", "+972502345001", at=NOW)
        path = f"/inbox/{patient.public_id}/{press}/"
        refused = client.post(path, {"words": "At eight.", "request_key": "k1", "heard": heard})
        text = refused.content.decode()
        assert (refused.status_code, Attempt.objects.count()) == (409, 0)
        assert "The patient has written again meanwhile. Read it first." in text
        assert "My tooth has come out!" in text
        assert press == "nothing" or "At eight." in text.partition("<textarea")[2].partition("</textarea")[0]
        assert {step.status for step in Step.objects.filter(kind=StepKind.CALL)} == {StepStatus.ACTIVE}
        (heard,) = set(re.findall(r'name="heard" value="(\d+)"', text))
        again = client.post(path, {"words": "Come now.", "request_key": "k2", "heard": heard})
        assert again.status_code == 302
        assert {step.status for step in Step.objects.filter(kind=StepKind.CALL)} == {StepStatus.COMPLETED}

    def test_while_a_colleague_is_with_her_nobody_else_answers(self, clinic: Clinic) -> None:
        patient = a_writer(clinic, 1)
        _client, rina = at_the_desk(clinic, first_name="Rina")
        serve(patient, Here(rina, clinic, Role.RECEPTIONIST, NOW))
        client, _user = at_the_desk(clinic, first_name="Dan")
        assert "Rina is with this patient" in page(client, f"/inbox/{patient.public_id}/")
        assert answer(client, patient).status_code == 409
        assert not Attempt.objects.exists()

    @pytest.mark.parametrize("words", ["", "   ", "x" * 1001])
    def test_nothing_and_too_much_are_refused(self, clinic: Clinic, words: str) -> None:
        client, _user = at_the_desk(clinic)
        assert answer(client, a_writer(clinic, 1), words=words).status_code == 409
        assert not Attempt.objects.exists()

    def test_who_asked_us_to_stop_here_is_not_written_to(self, clinic: Clinic) -> None:
        client, _user = at_the_desk(clinic)
        patient = a_writer(clinic, 1)
        point = patient.contacts.get().contact_point
        withdraw_consent(patient, point, Channel.SMS, now=NOW, words="STOP")
        refused = answer(client, patient)
        assert (refused.status_code, Attempt.objects.count()) == (409, 0)
        assert "asked us not to write here" in refused.content.decode()
        assert Step.objects.get().status == StepStatus.ACTIVE

    def test_during_the_safe_start_only_listed_addresses_are_written_to(
        self, clinic: Clinic, settings: LazySettings
    ) -> None:
        settings.CHANNEL_TRANSPORTS = {"phone": "phone", "sms": "twilio"}
        settings.TWILIO_ACCOUNT_SID = settings.TWILIO_AUTH_TOKEN = settings.TWILIO_FROM = "x"
        client, _user = at_the_desk(clinic)
        patient = a_writer(clinic, 1)
        assert "Safe start" in answer(client, patient).content.decode()
        builders.opened(clinic)
        assert answer(client, patient).status_code == 302

    def test_at_night_nothing_leaves_and_the_words_stay(self, clinic: Clinic, time_machine: Any) -> None:
        patient = a_writer(clinic, 1)
        time_machine.move_to(datetime(2026, 3, 9, 22, 0, tzinfo=UTC), tick=False)
        client, _user = at_the_desk(clinic)
        refused = answer(client, patient, words="Good night")
        assert (refused.status_code, Attempt.objects.count()) == (409, 0)
        assert "Good night" in refused.content.decode()

    def test_after_a_day_whatsapp_takes_no_words_of_ours(
        self, clinic: Clinic, settings: LazySettings, time_machine: Any
    ) -> None:
        settings.CHANNEL_TRANSPORTS = {"phone": "phone", "whatsapp": "whatsapp", "sms": "console"}
        for key in ("PHONE_ID", "TOKEN", "APP_SECRET", "VERIFY_TOKEN"):
            setattr(settings, f"WHATSAPP_{key}", "x")
        builders.opened(clinic)
        patient = builders.patient(clinic)
        builders.on_whatsapp(patient)
        wrote("hello", "972502345678", channel="whatsapp")
        client, _user = at_the_desk(clinic)
        ways = re.findall(r'<option value="(\w+)-\d+"', page(client, f"/inbox/{patient.public_id}/"))
        assert ways == ["whatsapp", "sms"]
        time_machine.move_to(NOW + timedelta(days=1), tick=False)
        later, _user = at_the_desk(clinic)
        text = page(later, f"/inbox/{patient.public_id}/")
        assert "Goes by SMS" in text
        assert answer(later, patient, way=f"whatsapp-{patient.contacts.last().pk}").status_code == 409  # type: ignore[union-attr]

    def test_what_cannot_leave_comes_back_to_a_person(self, clinic: Clinic) -> None:
        client, _user = at_the_desk(clinic)
        patient = a_writer(clinic, 1)
        answer(client, patient)
        point = patient.contacts.get().contact_point
        withdraw_consent(patient, point, Channel.SMS, now=NOW, words="STOP")
        dispatch(now=NOW)
        plan_attempts(now=NOW)
        dispatch(now=NOW)
        call = Step.objects.get(kind=StepKind.CALL, status=StepStatus.ACTIVE)
        assert "did not arrive" in call.names["en"]
        assert not OutreachTask.objects.filter(status="open").exists()
        assert names(page(client)) == [patient.full_name]
        assert "At eight." in page(client, f"/inbox/{patient.public_id}/")

    @pytest.mark.parametrize("press", ["answer", "nothing"])
    def test_an_answer_that_never_left_waits_for_nobody_once_that_is_settled(
        self, clinic: Clinic, press: str
    ) -> None:
        client, _user = at_the_desk(clinic)
        patient = self.unreached(client, clinic)
        by_mail = f"email-{patient.contacts.get(rank=2).pk}"
        given = {"words": "At nine.", "request_key": "k2", "way": by_mail}
        answered = client.post(f"/inbox/{patient.public_id}/{press}/", given)
        assert answered.status_code == 302
        told = Step.objects.filter(kind=StepKind.TELL).order_by("pk").first()
        assert told
        assert (told.status, told.outcome) == (StepStatus.COMPLETED, "not_needed")
        assert not Step.objects.filter(kind=StepKind.CALL, status=StepStatus.ACTIVE).exists()
        dispatch(now=NOW)
        assert not Step.objects.filter(status=StepStatus.ACTIVE).exists()

    def test_what_she_wrote_since_keeps_its_own_matter_when_our_answer_does_not_leave(
        self, clinic: Clinic
    ) -> None:
        client, _user = at_the_desk(clinic)
        patient = self.unreached(client, clinic, meanwhile="And on Friday?")
        first, second = Reply.objects.filter(patient=patient).order_by("pk")
        assert first.matter
        assert second.matter
        assert "did not arrive" in first.matter.names["en"]
        assert "And on Friday?" in second.matter.names["en"]

    def unreached(self, client: Client, clinic: Clinic, *, meanwhile: str = "") -> Patient:
        """Answered, and the answer could not leave; another address is left."""
        patient = a_writer(clinic, 1)
        add_address(patient, "email", "dana@example.com", rank=2)
        answer(client, patient)
        if meanwhile:
            wrote(meanwhile, "+972502345001", at=NOW)
        point = patient.contacts.get(rank=1).contact_point
        withdraw_consent(patient, point, Channel.SMS, now=NOW, words="STOP")
        dispatch(now=NOW)
        plan_attempts(now=NOW)
        return patient

    def test_nothing_to_answer_ends_it_without_a_word(self, clinic: Clinic) -> None:
        client, _user = at_the_desk(clinic)
        patient = a_writer(clinic, 1)
        assert client.post(f"/inbox/{patient.public_id}/nothing/").status_code == 302
        assert Step.objects.get().outcome == "nothing_to_answer"
        assert not Attempt.objects.exists()
        assert "nothing to answer" in page(client, "/inbox/?list=answered")


class TestUnknown:
    def test_what_comes_from_one_number_is_one_matter(self, clinic: Clinic) -> None:
        client, _user = at_the_desk(clinic)
        wrote("Hello", "+972509991000")
        wrote("It is about Sunday", "+972509991000")
        step = Step.objects.get()
        text = page(client)
        assert "From numbers we do not know" in text
        assert "050-999-1000" in text
        both = page(client, f"/inbox/unknown/{step.public_id}/")
        assert both.index("Hello") < both.index("It is about Sunday")

    def test_said_whose_it_is_the_conversation_goes_on_there(self, clinic: Clinic) -> None:
        client, _user = at_the_desk(clinic)
        patient = builders.patient(clinic, given_name="Noa", language="en")
        wrote("Hello, it is Noa", "+972509991000")
        step = Step.objects.get()
        path = f"/inbox/unknown/{step.public_id}/"
        assert str(patient.public_id) in page(client, f"{path}?q=Noa")
        moved = client.post(f"{path}whose/", {"patient": str(patient.public_id)})
        assert moved["Location"] == f"/inbox/{patient.public_id}/"
        step.refresh_from_db()
        assert (step.journey.patient, step.journey.status) == (patient, JourneyStatus.ACTIVE)
        assert step.names["en"] == "Answer: \u2068Hello, it is Noa\u2069"
        assert Reply.objects.get().patient == patient
        assert names(page(client)) == ["Noa Levi"]
        answer(client, patient)
        assert Attempt.objects.get().contact_point.value == "+972509991000"
        assert client.get(path).status_code == 404

    def test_of_several_on_one_phone_each_is_one_press_away(self, clinic: Clinic) -> None:
        client, _user = at_the_desk(clinic)
        for name in ("Ben", "Tamar"):
            builders.patient(clinic, given_name=name, phone="+972509991000")
        wrote("Yes", "+972509991000")
        step = Step.objects.get()
        assert step.names["en"] == "Which patient is meant? From 050-999-1000: Yes"
        text = page(client, f"/inbox/unknown/{step.public_id}/")
        assert text.index("Which patient is meant?") < text.index("This is Ben") < text.index("This is Tamar")
        assert "A number we do not know" not in text
        assert "This is Ben" not in page(client, f"/inbox/unknown/{step.public_id}/?q=Tamar")

    def test_a_patient_of_another_clinic_cannot_be_named(self, clinic: Clinic) -> None:
        client, _user = at_the_desk(clinic)
        stranger = builders.patient(builders.clinic(phone="+97235550199"))
        wrote("Hello", "+972509991000", to=str(clinic.phone))
        step = Step.objects.get()
        named = {"patient": str(stranger.public_id)}
        assert client.post(f"/inbox/unknown/{step.public_id}/whose/", named).status_code == 404
        assert Reply.objects.get().patient is None

    def test_advertising_needs_no_answer(self, clinic: Clinic) -> None:
        client, _user = at_the_desk(clinic)
        wrote("Buy now", "+972509991000")
        client.post(f"/inbox/unknown/{Step.objects.get().public_id}/nothing/")
        assert Step.objects.get().outcome == "nothing_to_answer"
        assert "Buy now" not in page(client)
