"""The caller's question at the desk: the answer while it is typed, kept with one press, and only then a question."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils.html import escape

from appointments.models import Appointment
from inquiries.models import Inquiry
from journeys.models import Journey, Step, StepStatus
from patients.models import Clinic, Patient, Role
from tests import builders
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
HTMX = {"HX-Request": "true"}
DAY = timedelta(days=1)


@pytest.fixture
def clinic() -> Clinic:
    call_command("load_catalogue", verbosity=0)
    return builders.clinic(language="en")


@pytest.fixture
def desk(clinic: Clinic) -> Client:
    return logged_in(Role.RECEPTIONIST, clinic, reads="en")


def asked(desk: Client, **query: str) -> str:
    answer = desk.get("/ask/", query, headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


def words_in(page: str) -> str:
    found = re.search(r'class="ask-words"[^>]*>([^<]*)<', page)
    return found[1] if found else ""


def said_in(page: str) -> str:
    found = re.search(r'name="said" value="([^"]+)"', page)
    assert found, page
    return found[1]


def kept(desk: Client, page: str) -> Inquiry:
    assert desk.post("/ask/answered/", {"said": said_in(page)}).status_code == 302
    return Inquiry.objects.latest("pk")


def test_there_is_some_and_what_it_costs_and_when(desk: Client, clinic: Clinic) -> None:
    builders.offering(clinic, stock=12, visit_type=builders.visit_type(clinic))
    doctor = builders.practitioner(clinic)
    builders.open_time(doctor, NOW + timedelta(hours=2))
    builders.open_time(doctor, NOW + DAY)
    page = asked(desk, what="flu")
    words = (
        "Flu vaccine: yes, we have it. It costs 80 ₪ at most. Would today 12:00 or tomorrow 10:00 suit you?"
    )
    assert words_in(page) == words
    assert "12 in stock" in page
    inquiry = kept(desk, page)
    assert (inquiry.said_words, inquiry.said_available, inquiry.said_price_words) == (words, True, "80 ₪")
    assert inquiry.said_next_at == NOW + timedelta(hours=2)


def test_where_nobody_is_known_to_do_it_no_time_is_offered_and_the_desk_is_told(
    desk: Client, clinic: Clinic
) -> None:
    flu = builders.offering(clinic, stock=12, visit_type=builders.visit_type(clinic))
    for name in ("Dr Cohen", "Dr Levi"):
        builders.open_time(builders.practitioner(clinic, name=name), NOW + timedelta(hours=2))
    words = "Flu vaccine: yes, we have it. It costs 80 ₪ at most. I have to check when there is time for it."
    link, nobody = f'href="/offerings/{flu.pk}/#id_done_by_0"', "Nobody is named for <bdi>Flu vaccine</bdi>"
    page = asked(desk, what="flu")
    assert (words_in(page), nobody in page, link in page) == (words, True, False)
    inquiry = kept(desk, page)
    told = desk.get(f"/ask/{inquiry.public_id}/").content.decode()
    assert (nobody in told, link in told) == (True, False)
    manager = logged_in(Role.MANAGER, clinic, reads="en")
    assert link in asked(manager, what="flu")


@pytest.mark.parametrize(
    ("fields", "stock", "says"),
    [
        ({}, 0, "Flu vaccine: I am sorry, there is none left at the moment. It costs 80 ₪ at most."),
        ({"price": None, "currency": ""}, 3, "Flu vaccine: yes, we have it. I have to ask for the price."),
        (
            {"kind": "service", "price": "99.50"},
            None,
            "Flu vaccine: yes, we do it here. It costs 99.50 ₪ at most.",
        ),
        ({}, None, "Flu vaccine: I have to check whether we have it. It costs 80 ₪ at most."),
    ],
)
def test_each_answer_in_words(
    desk: Client, clinic: Clinic, fields: dict[str, Any], stock: int | None, says: str
) -> None:
    builders.offering(clinic, stock=stock, **fields)
    assert words_in(asked(desk, what="flu vaccine")) == says


def test_it_is_said_in_the_language_that_is_chosen(desk: Client, clinic: Clinic) -> None:
    builders.offering(clinic, stock=1, names={"en": "Flu vaccine", "he": "חיסון נגד שפעת"})
    assert words_in(asked(desk, what="flu", language="he")).startswith("חיסון נגד שפעת:")


def test_what_is_not_known_is_promised_and_never_answered(desk: Client, clinic: Clinic) -> None:
    builders.offering(clinic)
    page = asked(desk, what="flu")
    assert "data-answered" not in page
    at = NOW + timedelta(hours=1)
    answer = desk.post(
        "/ask/promised/", {"said": said_in(page), "at": at.isoformat(), "owner": "receptionist"}
    )
    assert answer.status_code == 302
    inquiry, step = Inquiry.objects.get(), Step.objects.get()
    assert (inquiry.step, inquiry.answered_at, inquiry.outcome) == (step, None, "promised")
    assert (step.due_at, step.status, step.owner_role) == (at, StepStatus.ACTIVE, "receptionist")
    today = desk.get(f"/today/?item={step.public_id}").content.decode()
    assert f"/ask/{inquiry.public_id}/" in today
    page = desk.get(answer["Location"]).content.decode()
    assert 'name="payer"' not in page  # nothing was answered yet


def test_what_is_on_no_list_is_promised_or_plainly_not_here(desk: Client) -> None:
    page = asked(desk, what="whitening")
    assert words_in(page) == "I have to check that, and I will tell you."
    assert "data-answered" not in page
    _promise, no, *_elsewhere = re.findall(r'name="said" value="([^"]+)"', page)
    desk.post("/ask/answered/", {"said": no})
    inquiry = Inquiry.objects.get()
    assert (inquiry.said_available, inquiry.said_words) == (False, "I am sorry, we do not have that.")


def test_a_promise_without_a_time_is_asked_for_one(desk: Client) -> None:
    page = asked(desk, what="whitening")
    answer = desk.post("/ask/promised/", {"said": said_in(page)})
    assert answer.status_code == 422
    assert "Choose by when" in answer.content.decode()
    assert not Inquiry.objects.exists()


def test_the_promised_answer_is_looked_up_and_given(desk: Client, clinic: Clinic) -> None:
    at = (NOW + timedelta(hours=1)).isoformat()
    desk.post("/ask/promised/", {"said": said_in(asked(desk, what="flu")), "at": at})
    inquiry = Inquiry.objects.get()
    builders.offering(clinic, stock=2)
    page = asked(desk, **{"for": str(inquiry.public_id)})
    assert desk.post(f"/ask/{inquiry.public_id}/answered/", {"said": said_in(page)}).status_code == 302
    inquiry.refresh_from_db()
    assert (inquiry.said_available, inquiry.answered_at) == (True, NOW)
    assert Step.objects.get().outcome == "kept"
    assert Inquiry.objects.count() == 1


def test_an_answer_that_is_on_no_list_is_written(desk: Client) -> None:
    at = (NOW + timedelta(hours=1)).isoformat()
    desk.post("/ask/promised/", {"said": said_in(asked(desk, what="parking")), "at": at})
    inquiry = Inquiry.objects.get()
    desk.post(f"/ask/{inquiry.public_id}/answered/", {"words": "  "})
    assert Inquiry.objects.filter(answered_at=None).count() == 1
    desk.post(f"/ask/{inquiry.public_id}/answered/", {"words": "Yes, behind the house."})
    inquiry.refresh_from_db()
    assert (inquiry.said_words, inquiry.answered_at) == ("Yes, behind the house.", NOW)


def test_several_that_may_be_meant_are_a_choice(desk: Client, clinic: Clinic) -> None:
    builders.offering(clinic, stock=1, names={"en": "Hepatitis A"})
    second = builders.offering(clinic, stock=0, names={"en": "Hepatitis B"})
    page = asked(desk, what="hepatitis")
    assert ("Hepatitis A" in page, "Hepatitis B" in page, "ask-words" in page) == (True, True, False)
    assert "none left" in page
    assert words_in(asked(desk, what="hepatitis", offering=str(second.pk))).startswith(
        "Hepatitis B: I am sorry"
    )


def test_the_call_is_timed_from_its_first_letter(desk: Client, clinic: Clinic, time_machine: Any) -> None:
    builders.offering(clinic, stock=1)
    began = re.search(r'name="began" value="([^"]+)"', asked(desk, what="fl"))
    assert began
    time_machine.move_to(NOW + timedelta(seconds=9), tick=False)
    inquiry = kept(desk, asked(desk, what="flu", began=began[1]))
    assert (inquiry.asked_at, inquiry.answered_at) == (NOW, NOW + timedelta(seconds=9))
    assert "answered in 9 seconds" in desk.get(f"/ask/{inquiry.public_id}/").content.decode()


@pytest.mark.parametrize(
    "began", ["", "nonsense", "2026-03-09T07:59:00", "2026-03-09T09:00:00Z", "2026-03-09T06:00Z"]
)
def test_a_beginning_that_cannot_be_is_now(desk: Client, clinic: Clinic, began: str) -> None:
    builders.offering(clinic, stock=1)
    assert kept(desk, asked(desk, what="flu", began=began)).asked_at == NOW


def test_nothing_asks_who_she_is_or_who_pays_before_the_answer(desk: Client, clinic: Clinic) -> None:
    builders.offering(clinic, stock=1)
    for page in (desk.get("/ask/").content.decode(), desk.get("/ask/?what=flu").content.decode()):
        names = set(re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', page))
        assert names & {"payer", "insurance", "name", "phone", "given_name", "national_id"} == set()


def test_what_was_kept_is_what_was_read_aloud_not_what_is_true_now(desk: Client, clinic: Clinic) -> None:
    offering = builders.offering(clinic, stock=1)
    page = asked(desk, what="flu")
    offering.batches.update(quantity=0)
    assert kept(desk, page).said_available is True


@pytest.mark.parametrize("said", ["", "nonsense", "a:b:c"])
def test_a_page_that_nobody_gave_out_keeps_nothing(desk: Client, said: str) -> None:
    for address in ("/ask/answered/", "/ask/promised/"):
        answer = desk.post(address, {"said": said}, follow=True)
        assert "This page is too old" in answer.content.decode()
    assert not Inquiry.objects.exists()


def test_a_page_of_another_clinic_keeps_nothing_here(desk: Client, clinic: Clinic) -> None:
    builders.offering(clinic, stock=1)
    stranger = logged_in(Role.RECEPTIONIST, builders.clinic())
    stranger.post("/ask/answered/", {"said": said_in(asked(desk, what="flu"))})
    assert not Inquiry.objects.exists()
    assert words_in(asked(stranger, what="flu")) != words_in(asked(desk, what="flu"))
    assert "80 ₪" not in asked(stranger, what="flu")


def test_pressed_twice_it_is_kept_once(desk: Client, clinic: Clinic) -> None:
    builders.offering(clinic, stock=1)
    page = asked(desk, what="flu")
    assert kept(desk, page).pk == kept(desk, page).pk
    assert Inquiry.objects.count() == 1


def caller(**fields: str) -> dict[str, str]:
    return {"name": "Noa Levi", "phone": "050-234-5678", **fields}


def test_then_a_time_a_name_a_call_back_and_last_who_pays(desk: Client, clinic: Clinic) -> None:
    builders.offering(clinic, stock=1, visit_type=builders.visit_type(clinic))
    doctor = builders.practitioner(clinic)
    start = builders.open_time(doctor, NOW + DAY)[0].start
    inquiry = kept(desk, asked(desk, what="flu"))
    page = f"/ask/{inquiry.public_id}/"
    shown = desk.get(page).content.decode()
    order = [
        shown.index(f'name="{name}"') for name in ("time", "name", "may_call_back", "call_from", "payer")
    ]
    assert order == sorted(order)
    time = f"{doctor.pk} {start.isoformat()}"
    more = caller(time=time, for_whom="client", may_call_back="yes", call_from="16:00", call_until="19:00")
    assert desk.post(f"{page}caller/", more).status_code == 302
    assert desk.post(f"{page}payer/", {"payer": "insured", "insurance": "Maccabi"}).status_code == 302
    joined = {"given_name": "Noa", "family_name": "Levi", "language": "ru"}
    assert desk.post(f"{page}join/", joined).status_code == 302
    inquiry.refresh_from_db()
    visit, patient = Appointment.objects.get(), Patient.objects.get()
    assert (visit.start, visit.patient, patient.language) == (start, patient, "ru")
    assert (inquiry.patient, inquiry.outcome, inquiry.for_whom) == (patient, "booked", "client")
    assert (inquiry.payer, inquiry.insurance) == ("insured", "Maccabi")
    after = desk.get(page).content.decode()
    assert ("A visit is booked" in after, f"{page}caller/" in after) == (True, False)
    late = desk.post(f"{page}caller/", caller(phone="054-765-4321"), follow=True).content.decode()
    assert "There is a record now; change it there." in late
    inquiry.refresh_from_db()
    assert (inquiry.phone, inquiry.wants_at) == ("+972502345678", start)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"phone": "12"}, "is not a phone number"),
        ({"call_from": "16:00"}, "Say from when to when."),
        ({"may_call_back": "yes", "call_from": "19:00", "call_until": "16:00"}, "Say from when to when."),
        (
            {"may_call_back": "no", "call_from": "16:00", "call_until": "19:00"},
            "Ask first whether we may call.",
        ),
        ({"time": "1 2026-03-10T08:00:00+00:00"}, "This time is not free any more."),
    ],
)
def test_what_cannot_be_is_said(desk: Client, clinic: Clinic, fields: dict[str, str], says: str) -> None:
    inquiry = builders.inquiry(clinic)
    answer = desk.post(f"/ask/{inquiry.public_id}/caller/", caller(**fields))
    assert answer.status_code == 422
    assert escape(says) in answer.content.decode()


def test_a_patient_we_know_is_found_by_her_number(desk: Client, clinic: Clinic) -> None:
    dana = builders.patient(clinic)
    builders.patient(builders.clinic(), given_name="Stranger")
    inquiry = builders.inquiry(clinic, phone="+972502345678")
    page = desk.get(f"/ask/{inquiry.public_id}/").content.decode()
    assert str(dana.public_id) in page
    assert "Stranger" not in page
    desk.post(f"/ask/{inquiry.public_id}/join/", {"patient": str(dana.public_id)})
    inquiry.refresh_from_db()
    assert (inquiry.patient, inquiry.outcome) == (dana, "joined")
    assert Journey.objects.get().patient == dana


def test_another_clinics_patient_is_not_taken(desk: Client, clinic: Clinic) -> None:
    stranger = builders.patient()
    inquiry = builders.inquiry(clinic, phone="+972502345678")
    answer = desk.post(f"/ask/{inquiry.public_id}/join/", {"patient": str(stranger.public_id)})
    assert answer.status_code == 404


def test_why_she_went_elsewhere_is_asked_our_manner_too(desk: Client, clinic: Clinic) -> None:
    inquiry = builders.inquiry(clinic)
    page = f"/ask/{inquiry.public_id}/"
    assert "Our own manner" in desk.get(page).content.decode()
    assert desk.post(f"{page}end/", {}).status_code == 422
    desk.post(f"{page}end/", {"because": "manner", "words": "what insurance have you got?"})
    inquiry.refresh_from_db()
    assert (inquiry.outcome, inquiry.lost_because) == ("lost", "manner")
    desk.post(f"{page}end/", {"think": "1"})
    inquiry.refresh_from_db()
    assert inquiry.outcome == "will_think"


def test_a_call_to_who_thinks_about_it_stands_in_today_until_it_was_made(
    desk: Client, clinic: Clinic
) -> None:
    inquiry = builders.inquiry(clinic)
    page = f"/ask/{inquiry.public_id}/"
    desk.post(f"{page}caller/", caller(may_call_back="yes", call_from="16:00", call_until="18:00"))
    desk.post(f"{page}end/", {"think": "1"})
    step = Step.objects.get()
    row = desk.get(f"/today/?item={step.public_id}").content.decode()
    assert ("Call Noa Levi back, 16:00–18:00" in row, page in row, "Answer the question" in row) == (
        True,
        True,
        False,
    )
    assert 'name="called"' in desk.get(page).content.decode()
    stranger = logged_in(Role.RECEPTIONIST, builders.clinic())
    assert stranger.post(f"{page}end/", {"called": "1"}).status_code == 404
    assert desk.post(f"{page}end/", {"called": "1"}).status_code == 302
    step.refresh_from_db()
    assert (step.status, step.outcome) == (StepStatus.COMPLETED, "kept")
    assert 'name="called"' not in desk.get(page).content.decode()
    again = desk.post(f"{page}end/", {"called": "1"}, follow=True).content.decode()
    assert "This was done by somebody else meanwhile." in again


def test_the_answer_costs_the_same_for_one_thing_and_for_many(
    desk: Client, clinic: Clinic, django_assert_max_num_queries: Any
) -> None:
    builders.offering(clinic, stock=1)
    for n in range(30):
        builders.offering(clinic, stock=1, names={"en": f"Cream {n}"})
    with django_assert_max_num_queries(16):
        asked(desk, what="flu")
    with django_assert_max_num_queries(16):
        asked(desk, what="cream")


def test_the_list_goes_on_by_key(desk: Client, clinic: Clinic) -> None:
    for n in range(52):
        builders.inquiry(clinic, asked=f"question {n:02}", asked_at=NOW - timedelta(minutes=n))
    page = desk.get("/ask/list/").content.decode()
    more = re.search(r'href="(\?after=[^"]+)"', page)
    assert more
    assert ("question 49" in page, "question 50" in page) == (True, False)
    rest = desk.get(f"/ask/list/{more[1]}").content.decode()
    assert re.findall(r"question \d\d", rest) == ["question 50", "question 51"]


def test_the_callers_number_is_known_before_a_word_and_kept_with_the_question(clinic: Clinic) -> None:
    builders.offering(clinic, stock=3)
    patient = builders.patient(clinic)
    desk = logged_in(Role.RECEPTIONIST, clinic)
    page = desk.get("/ask/?what=flu&from=050-234-5678").content.decode()
    assert f'href="/patients/{patient.public_id}/"' in page
    assert 'name="insurance"' not in page
    assert "not known here" in desk.get("/ask/?what=flu&from=03-555-0177").content.decode()
    assert "not known here" not in desk.get("/ask/?what=flu&from=nonsense").content.decode()
    said = re.search(r'name="said" value="([^"]+)"', page)
    assert said
    desk.post("/ask/answered/", {"said": said[1]})
    assert Inquiry.objects.get().phone == "+972502345678"


def test_before_anything_is_typed_the_questions_of_the_week_are_there(clinic: Clinic) -> None:
    builders.inquiry(clinic, offering=builders.offering(clinic))
    desk = logged_in(Role.RECEPTIONIST, clinic)
    page = desk.get("/ask/").content.decode()
    assert "Asked most this week" in page
    assert "asked 1 time" in page
