"""The service card on her own page: hers alone, in her words, read back, and planning follows."""

from collections.abc import Iterator
from datetime import time, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings

from outreach.actions import plan_attempts
from outreach.channels import in_use
from outreach.models import WAITED_FOR, Attempt, AttemptStatus
from patients.actions import CardAnswers, save_card
from patients.addresses import TieAnswers, add_tie
from patients.models import AuditEvent, Channel, Patient, ServiceCard
from tests import builders
from tests.clinic_journey.own_page import OwnPage
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def dana() -> Patient:
    return builders.patient(language="en", email="dana@example.com")


@pytest.fixture
def page(dana: Patient) -> OwnPage:
    return OwnPage(builders.step(builders.journey(dana)).journey)


def said(dana: Patient, **more: Any) -> dict[str, Any]:
    numbers = [str(tie.pk) for tie in dana.contacts.filter(contact_point__kind="phone")]
    answers = {"channel": "phone", "days": ["weekdays"], "hours": ["16-20"], "language": "en"}
    return {**answers, "may_call": numbers, **more}


def test_only_who_has_said_who_she_is_sees_and_changes_it(dana: Patient, page: OwnPage) -> None:
    assert page.get("card/")["Location"] == f"{page.path}?lang=en"
    assert page.post("card", said(dana)).status_code == 403
    assert ServiceCard.objects.get().told_at is None
    assert page.prove(dana).get("card/").status_code == 200


def test_her_words_are_kept_as_hers_and_read_back_to_her(dana: Patient, page: OwnPage) -> None:
    page.prove(dana)
    words = "Never call me at work <3"
    answer = page.post("card", said(dana, words=words, may_leave_voicemail="on"), follow=True)
    shown = " ".join(answer.content.decode().split())
    assert "Saved, as you said it." in shown
    said_so = ("Call", "Weekdays", "16 to 20", "English")
    assert " · ".join(f"<bdi>{each}</bdi>" for each in said_so) in shown
    assert "Never call me at work &lt;3" in shown
    card = ServiceCard.objects.get()
    assert (card.source, card.words, card.told_at, card.told_to) == ("patient", words, NOW, None)
    assert {(w.weekday, w.start, w.end) for w in card.windows.all()} == {
        (day, time(16), time(20)) for day in (6, 0, 1, 2, 3)
    }
    assert dana.contacts.get(contact_point__kind="phone").may_leave_voicemail
    assert {event.by for event in AuditEvent.objects.filter(what="servicecard", action="change")} == {
        "patient"
    }
    desk = logged_in("receptionist", dana.clinic).get(f"/patients/{dana.public_id}/").content.decode()
    assert "In the patient’s own words" in desk
    assert "Never call me at work &lt;3" in desk


def test_when_she_can_come_is_hers_to_say_and_read_back(dana: Patient, page: OwnPage) -> None:
    page.prove(dana)
    assert "When you can come: not told yet" in page.text()
    own = {"coming": ["mornings"], "coming_days": ["6", "1"], "coming_from": "18:00", "coming_until": "20:00"}
    answer = page.post("card", said(dana, **own), follow=True)
    shown = " ".join(answer.content.decode().split())
    hours = '<bdi dir="ltr">18:00–20:00</bdi>'
    assert f"When you can come: <bdi>Tue, Sun Mornings</bdi> · <bdi>Tue, Sun {hours}</bdi>" in shown
    card = ServiceCard.objects.get()
    assert (card.coming_told_at, card.coming_windows.count()) == (NOW, 4)
    form = page.get("card/").context["form"]
    assert form.initial["coming"] == ["mornings", "18:00-20:00"]
    assert form.initial["coming_days"] == ["6", "1"]
    assert page.post("card", said(dana, coming_from="20:00", coming_until="18:00")).status_code == 422


def test_what_she_did_not_touch_of_when_she_can_come_stays(dana: Patient, page: OwnPage) -> None:
    builders.comes(dana, (0, time(17), time.max))
    kept = {"coming": ["after_work"], "coming_days": ["0"]}
    assert page.prove(dana).post("card", said(dana, **kept)).status_code == 302
    assert ServiceCard.objects.get().coming_told_at == NOW
    assert [row.weekday for row in ServiceCard.objects.get().coming_windows.all()] == [0]


def test_the_desk_keeps_her_words_when_it_asks_the_rest(dana: Patient, page: OwnPage) -> None:
    page.prove(dana).post("card", said(dana, words="Never at work"))
    save_card(dana, CardAnswers("sms"), now=NOW, by=builders.user(at=dana.clinic))
    card = ServiceCard.objects.get()
    assert (card.source, card.words, card.channel) == ("desk", "Never at work", "sms")


def test_a_number_she_takes_off_is_rung_no_more(dana: Patient, page: OwnPage) -> None:
    work = add_tie(dana, "phone", "03-765-4321", TieAnswers(place="work"))
    mobile = dana.contacts.get(contact_point__value="+972502345678")
    page.prove(dana).post("card", said(dana, may_call=[str(mobile.pk)]))
    work.refresh_from_db()
    assert (work.may_be_called, work.may_leave_voicemail) == (False, False)
    assert dana.contacts.get(pk=mobile.pk).may_be_called


def voice_messages(patient: Patient) -> dict[str, bool]:
    ties = patient.contacts.filter(contact_point__kind="phone").order_by("pk")
    return {str(tie.relation): tie.may_leave_voicemail for tie in ties}


@pytest.mark.parametrize("at_mothers", [False, True])
def test_a_voice_message_is_hers_to_allow_at_her_own_numbers_alone(
    dana: Patient, page: OwnPage, at_mothers: bool
) -> None:
    answers = TieAnswers(relation="parent", rank=1, may_leave_voicemail=at_mothers)
    add_tie(dana, "phone", "054-765-4321", answers)  # is called first
    dana.contacts.filter(relation="self").update(rank=2)
    own = [str(tie.pk) for tie in dana.contacts.filter(relation="self", contact_point__kind="phone")]
    assert 'name="may_leave_voicemail" id="id_may_leave_voicemail">' in page.prove(dana).text("card/")
    page.post("card", said(dana, may_call=own, may_leave_voicemail="on"))
    assert voice_messages(dana) == {"self": True, "parent": at_mothers}
    page.post("card", said(dana, may_call=own))
    assert voice_messages(dana) == {"self": False, "parent": at_mothers}


def test_where_only_a_relatives_number_is_known_nothing_is_said_of_voice_messages(
    dana: Patient, page: OwnPage
) -> None:
    dana.contacts.filter(contact_point__kind="phone").update(relation="parent", may_leave_voicemail=True)
    assert "may_leave_voicemail" not in page.prove(dana).text("card/")
    assert page.post("card", said(dana, channel="sms", may_call=[])).status_code == 302
    assert page.post("card", said(dana, channel="sms", may_leave_voicemail="on")).status_code == 302
    assert voice_messages(dana) == {"parent": True}


def test_what_she_does_not_touch_stays_at_each_number(dana: Patient, page: OwnPage) -> None:
    work = add_tie(dana, "phone", "03-765-4321", TieAnswers(place="work"))
    dana.contacts.exclude(pk=work.pk).filter(contact_point__kind="phone").update(may_leave_voicemail=True)
    assert 'id="id_may_leave_voicemail" checked>' in page.prove(dana).text("card/")
    page.post("card", said(dana, may_leave_voicemail="on", words="Only a change of words"))
    work.refresh_from_db()
    assert not work.may_leave_voicemail


def test_calls_without_a_number_are_asked_again(dana: Patient, page: OwnPage) -> None:
    answer = page.prove(dana).post("card", said(dana, may_call=[], words="kept"))
    assert answer.status_code == 422
    assert "at least one number" in answer.content.decode()
    assert "kept" in answer.content.decode()
    assert ServiceCard.objects.get().told_at is None


@pytest.mark.parametrize(
    "wrong", [{"channel": "telegram"}, {"may_call": ["0"]}, {"language": "xx"}, {"days": ["x"]}]
)
def test_what_nobody_offered_is_refused(dana: Patient, page: OwnPage, wrong: dict[str, Any]) -> None:
    assert page.prove(dana).post("card", said(dana, **wrong)).status_code == 422
    assert ServiceCard.objects.get().told_at is None


def test_another_language_is_spoken_at_once(dana: Patient, page: OwnPage) -> None:
    answer = page.prove(dana).post("card", said(dana, language="he"), follow=True)
    assert '<html lang="he" dir="rtl">' in answer.content.decode()
    dana.refresh_from_db()
    assert dana.language == "he"


def test_only_channels_that_reach_her_are_offered(dana: Patient, page: OwnPage) -> None:
    form = page.prove(dana).text("card/")
    offered = [channel for channel in Channel.values if f'name="channel" value="{channel}"' in form]
    assert offered == ["phone", "sms", "email"]


def test_a_machine_that_calls_is_not_to_be_wished_for(
    dana: Patient, page: OwnPage, settings: LazySettings
) -> None:
    settings.CHANNEL_TRANSPORTS = {**settings.CHANNEL_TRANSPORTS, "voice": "voice"}
    settings.TWILIO_ACCOUNT_SID = settings.TWILIO_AUTH_TOKEN = settings.TWILIO_VOICE_FROM = "x"
    assert Channel.VOICE in in_use()
    assert 'name="channel" value="voice"' not in page.prove(dana).text("card/")


@pytest.mark.parametrize("key", sorted(WAITED_FOR))
def test_what_she_waits_for_now_leaves_whatever_her_card_says(dana: Patient, page: OwnPage, key: str) -> None:
    step = dana.journeys.get().steps.get()
    planned = builders.attempt(builders.task(step, plan_from=None, message_key=key))
    page.prove(dana).post("card", said(dana))
    planned.refresh_from_db()
    assert planned.status == AttemptStatus.PLANNED


def test_what_was_planned_follows_the_card_at_the_next_tick(dana: Patient, page: OwnPage) -> None:
    builders.messages_loaded()
    builders.opened(dana.clinic)
    step = dana.journeys.get().steps.get()
    task = builders.task(step, deadline_at=NOW + timedelta(days=3), plan_from=None)
    planned = builders.attempt(task, send_at=NOW + timedelta(hours=1))
    page.prove(dana).post("card", said(dana, channel="sms", days=["any"]))
    planned.refresh_from_db()
    assert (planned.status, planned.outcome) == (AttemptStatus.CANCELLED, "replanned")
    plan_attempts(now=NOW)
    anew = Attempt.objects.get(task=task, status=AttemptStatus.PLANNED)
    assert (anew.send_at, anew.channel) == (NOW + timedelta(hours=6), "sms")  # 16:00 in Jerusalem


def test_what_fits_the_card_stays_as_it_was_planned(dana: Patient, page: OwnPage) -> None:
    step = dana.journeys.get().steps.get()
    planned = builders.attempt(builders.task(step, plan_from=None), send_at=NOW + timedelta(hours=7))
    under_way = builders.task(builders.step(step.journey), plan_from=None)
    page.prove(dana).post("card", said(dana, channel="sms"))
    planned.refresh_from_db()
    under_way.refresh_from_db()
    assert planned.status == AttemptStatus.PLANNED
    assert under_way.plan_from is None
