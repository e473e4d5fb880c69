"""What comes with somebody's words is fetched from its provider, by a tick, whatever happens meanwhile."""

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, transaction
from django.db.models.signals import post_save
from django.test import Client

from journeys.actions import complete_step
from journeys.claims import claim_due
from journeys.models import Step, StepKind, StepStatus
from outreach.channels import Trouble
from outreach.channels.inbound import FILES
from outreach.enclosed import KEEPS_TRYING, LEASE, LONGEST_PAUSE, TO_FETCH, fetch_files
from outreach.enclosed_models import KINDS, ReplyFile
from outreach.held import MAYBE_STOP
from outreach.incoming import work_events
from outreach.models import NOT_ME, Reply
from outreach.whose import say_whose
from patients.actions import add_address
from patients.models import AddressKind, Consent, ContactPoint, Patient, PatientStatus
from referrals.arrivals import match_documents
from referrals.models import DocumentFile, DocumentStatus, IncomingDocument, Source
from tests import builders
from tests.conftest import NOW
from tests.mails import PDF, PNG
from tests.outreach.test_replies import PHONE
from tests.standins import meta, telegram, twilio as twilio_api
from tests.standins.meta import Meta
from tests.standins.server import Answer, StandIn, Trick
from tests.standins.telegram import Telegram
from tests.standins.twilio import Twilio

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
OGG = b"OggS\x00\x02" + bytes(40)
TAKES = Trick(takes=True)


@pytest.fixture
def dana() -> Patient:
    patient = builders.patient(builders.clinic(language="en"))
    add_address(patient, AddressKind.TELEGRAM, "777", rank=2)
    builders.on_whatsapp(patient)
    return patient


def heard(path: str, sent: dict[str, Any]) -> None:
    assert Client().post(path, **sent).status_code == 200
    work_events(now=NOW)


def by_telegram(number: int = 1, **what: Any) -> None:
    said = {key: value for key, value in telegram.message("").items() if key != "text"}
    heard("/hooks/telegram/", telegram.update(number, message={**said, **what}))


def by_whatsapp(number: int = 1, *, who: str = "972502345678", **what: Any) -> None:
    told = {"from": who, "id": f"wamid.{number}", "timestamp": str(int(NOW.timestamp())), **what}
    heard("/hooks/whatsapp/", meta.callback(meta.event(messages=[told])))


def by_sms(number: int = 1, **what: str) -> None:
    fields = {
        "MessageSid": f"MM{number}",
        "SmsStatus": "received",
        "From": PHONE,
        "To": "+97235550142",
        **what,
    }
    fields = {"Body": "", "NumMedia": "1", "MediaContentType0": "image/png", **fields}
    heard("/hooks/twilio/", twilio_api.callback("https://clinic.example/hooks/twilio/", fields))


def media_url(name: str) -> str:
    return f"https://api.twilio.com{twilio_api.MEDIA}{name}"


@dataclass(frozen=True)
class Sender:
    """One channel: how a picture comes there, and the requests that its file takes."""

    stand_in: StandIn
    sends: Callable[[str, int], None]
    requests: int

    def picture(self, name: str = "A", content: bytes = PNG, number: int = 1) -> None:
        self.stand_in.files[name] = content
        self.sends(name, number)


@pytest.fixture(params=["bot", "whatsapp", "twilio"])
def sender(request: pytest.FixtureRequest, dana: Patient) -> Sender:
    sends: dict[str, Callable[[str, int], None]] = {
        "bot": lambda name, number: by_telegram(number, photo=[{"file_id": "small"}, {"file_id": name}]),
        "whatsapp": lambda name, number: by_whatsapp(number, type="image", image={"id": name}),
        "twilio": lambda name, number: by_sms(number, MediaUrl0=media_url(name)),
    }
    return Sender(request.getfixturevalue(request.param), sends[request.param], 2)


def fetched_at(now: datetime) -> int:
    fetched = fetch_files(now=now)
    match_documents(now=now)
    return fetched


def test_the_webhook_asks_nothing_and_the_tick_has_the_file(sender: Sender, dana: Patient) -> None:
    sender.picture()
    assert sender.stand_in.requests == []
    assert fetched_at(NOW) == 1
    assert len(sender.stand_in.requests) == sender.requests
    file = ReplyFile.objects.get()
    assert (file.reply.patient, file.kind, file.fetch_from, file.trouble) == (dana, "picture", None, "")
    document = file.document
    assert document is not None
    assert (document.source, document.status, document.ended_at) == (
        Source.MESSAGE,
        DocumentStatus.LETTER,
        NOW,
    )
    kept = document.files.get()
    assert (kept.name, kept.content_type, kept.size, kept.problem) == (
        "file-1.png",
        "image/png",
        len(PNG),
        "",
    )
    assert kept.content.read() == PNG
    assert fetched_at(NOW) == 0
    assert [step.kind for step in Step.objects.all()] == [StepKind.CALL]  # the words, and no second clock


PASSES = {
    "429": (Trick(answer=Answer(429, {"error": {"code": 4}}, {"Retry-After": "120"})), Trouble.BUSY, 120),
    "503": (Trick(answer=Answer(503, b"")), Trouble.BUSY, 15),
    "500": (Trick(answer=Answer(500, b"")), Trouble.UNREACHABLE, 15),
    "hangs up": (Trick(hangs_up=True), Trouble.UNREACHABLE, 15),
    "slow": (Trick(is_slow=True), Trouble.UNREACHABLE, 15),
    "login": (Trick(answer=Answer(401, b"")), Trouble.LOGIN, 15),
}


@pytest.mark.parametrize("before", [0, 1], ids=["first", "second"])
@pytest.mark.parametrize("name", PASSES)
def test_what_passes_is_tried_again_after_a_pause(sender: Sender, name: str, before: int) -> None:
    trick, trouble, seconds = PASSES[name]
    sender.picture()
    sender.stand_in.tricks = deque([*[TAKES] * before, trick])
    assert fetched_at(NOW) == 0
    file, again = ReplyFile.objects.get(), NOW + timedelta(seconds=seconds)
    assert (file.trouble, file.fetch_from, file.tries) == (trouble, again, 1)
    assert fetched_at(again - timedelta(seconds=1)) == 0
    assert fetched_at(again) == 1
    assert ReplyFile.objects.get().trouble == ""


def test_one_providers_trouble_is_asked_about_once(sender: Sender) -> None:
    sender.picture("A", number=1)
    sender.picture("B", number=2)
    sender.stand_in.tricks = deque([Trick(answer=Answer(429, {}, {"Retry-After": "120"}))])
    assert fetched_at(NOW) == 0
    assert len(sender.stand_in.requests) == 1
    assert {file.fetch_from for file in ReplyFile.objects.all()} == {NOW + timedelta(seconds=120)}
    assert fetched_at(NOW + timedelta(seconds=120)) == 2


def test_what_is_too_large_is_given_up_at_once(sender: Sender, settings: LazySettings) -> None:
    settings.MAX_ATTACHMENT_BYTES = len(PNG) - 1
    sender.picture()
    assert fetched_at(NOW) == 0
    file = ReplyFile.objects.get()
    assert (file.trouble, file.given_up_at, file.fetch_from) == (Trouble.TOO_LARGE, NOW, None)
    assert Step.objects.get() == file.reply.matter  # where the words still wait, the line beside them says it
    assert not IncomingDocument.objects.exists()


def test_what_is_not_there_may_come_and_is_given_up_after_three_days(sender: Sender) -> None:
    """Twilio's files are there some moments after it has told of them."""
    sender.sends("A", 1)
    at = NOW
    while (file := ReplyFile.objects.get()).fetch_from:
        assert at <= file.fetch_from <= at + LONGEST_PAUSE
        at = file.fetch_from
        assert fetched_at(at) == 0
    assert (file.trouble, file.given_up_at) == (Trouble.GONE, at)
    assert KEEPS_TRYING <= at - NOW <= KEEPS_TRYING + LONGEST_PAUSE
    assert 20 < file.tries < 100


def test_what_cannot_be_had_is_with_a_person_though_its_words_were_answered(
    sender: Sender, settings: LazySettings
) -> None:
    settings.MAX_ATTACHMENT_BYTES = len(PNG) - 1
    sender.picture()
    complete_step(Step.objects.get(), "done", now=NOW)
    assert fetched_at(NOW) == 0
    again, reply = Step.objects.get(status=StepStatus.ACTIVE), Reply.objects.get()
    assert (reply.matter, again.kind) == (again, StepKind.CALL)
    assert reply.body in again.name
    assert again.due_at is not None


SETTLED = {
    "not hers": lambda: Reply.objects.update(meaning=NOT_ME),
    "read as no STOP": lambda: Reply.objects.update(meaning=MAYBE_STOP),
    "she has died": lambda: Patient.objects.update(status=PatientStatus.DECEASED),
}


@pytest.mark.parametrize("settled", SETTLED)
def test_what_came_with_words_that_a_person_has_settled_opens_them_no_more(
    sender: Sender, settings: LazySettings, settled: str
) -> None:
    settings.MAX_ATTACHMENT_BYTES = len(PNG) - 1
    sender.picture()
    complete_step(Step.objects.get(), "done", now=NOW)
    SETTLED[settled]()
    assert fetched_at(NOW) == 0
    assert ReplyFile.objects.get().given_up_at == NOW
    assert not Step.objects.filter(status=StepStatus.ACTIVE).exists()


def test_a_worker_that_dies_leaves_it_to_be_taken_up(sender: Sender) -> None:
    sender.picture()
    with transaction.atomic():
        claim_due(TO_FETCH, now=NOW, limit=1, again=NOW + LEASE)
    assert fetched_at(NOW + LEASE - timedelta(seconds=1)) == 0
    assert fetched_at(NOW + LEASE) == 1


def test_fetched_twice_it_is_one_document(sender: Sender) -> None:
    """As when a worker dies after the file was kept and before the row says so."""
    sender.picture()
    fetched_at(NOW)
    document = IncomingDocument.objects.get()
    ReplyFile.objects.update(document=None, fetch_from=NOW)
    assert fetched_at(NOW) == 1
    assert (ReplyFile.objects.get().document, DocumentFile.objects.count()) == (document, 1)


def test_a_file_that_comes_drop_by_drop_is_cut_off(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    sender.picture()
    monkeypatch.setattr("outreach.channels.http.LONGEST_READ", -1.0)
    assert fetched_at(NOW) == 0
    assert ReplyFile.objects.get().trouble == Trouble.UNREACHABLE


def test_while_the_channel_is_off_nothing_is_asked(sender: Sender, settings: LazySettings) -> None:
    sender.picture()
    settings.CHANNEL_TRANSPORTS = {"phone": "phone"}
    assert (fetched_at(NOW), sender.stand_in.requests) == (0, [])
    assert ReplyFile.objects.get().fetch_from == NOW + timedelta(seconds=15)


@pytest.mark.parametrize(
    ("content", "problem"),
    [(OGG, ""), (PDF, "type_mismatch"), (b"MZ\x90", "type_mismatch"), (b"", "empty_attachment")],
    ids=["voice", "paper", "program", "empty"],
)
def test_it_is_judged_by_its_bytes(bot: Telegram, dana: Patient, content: bytes, problem: str) -> None:
    bot.files["A"] = content
    by_telegram(audio={"file_id": "A", "file_name": "cough.png" if problem else "cough"})
    fetched_at(NOW)
    assert DocumentFile.objects.get().problem == problem


def test_a_name_is_no_path(whatsapp: Meta, dana: Patient) -> None:
    whatsapp.files["1"] = PDF
    by_whatsapp(type="document", document={"id": "1", "filename": "../../etc/scan.pdf"})
    fetched_at(NOW)
    file = DocumentFile.objects.get()
    assert (file.name, file.problem) == ("scan.pdf", "")
    assert str(file.content).startswith("documents/2026/")


def test_every_file_of_an_mms_is_fetched(twilio: Twilio, dana: Patient) -> None:
    twilio.files |= {"A": PNG, "B": PDF}
    by_sms(
        NumMedia="2", MediaUrl0=media_url("A"), MediaUrl1=media_url("B"), MediaContentType1="application/pdf"
    )
    assert fetched_at(NOW) == 2
    assert [file.kind for file in Reply.objects.get().files.all()] == ["picture", "file"]
    assert {file.content_type for file in DocumentFile.objects.all()} == {"image/png", "application/pdf"}


def test_the_store_of_twilio_does_not_learn_our_login(twilio: Twilio, dana: Patient) -> None:
    twilio.files["A"] = PNG
    by_sms(MediaUrl0="https://elsewhere.example" + media_url("A").removeprefix("https://api.twilio.com"))
    assert fetched_at(NOW) == 1
    assert ["authorization" in request.headers for request in twilio.requests] == [True, False]


def test_no_address_leads_away_from_twilio(twilio: Twilio, dana: Patient) -> None:
    by_sms(MediaUrl0="@elsewhere.example/x")
    assert fetched_at(NOW) == 0
    assert [request.path for request in twilio.requests] == ["/@elsewhere.example/x"]


def test_telegram_hands_out_nothing_above_its_limit(bot: Telegram, dana: Patient) -> None:
    bot.files["A"] = bytes(telegram.LARGEST + 1)
    by_telegram(video={"file_id": "A"})
    fetched_at(NOW)
    assert ReplyFile.objects.get().trouble == Trouble.TOO_LARGE


@pytest.mark.parametrize(
    ("changed", "trouble"),
    [
        ({"sha256": "0" * 64}, Trouble.DAMAGED),
        ({"url": "https://fbsbx.com.example/x"}, Trouble.WITHHELD),
        ({"url": "http://lookaside.fbsbx.com/x"}, Trouble.WITHHELD),
    ],
)
def test_of_whatsapp_only_what_is_whole_and_theirs_is_taken(
    whatsapp: Meta, dana: Patient, changed: dict[str, str], trouble: Trouble
) -> None:
    whatsapp.files["A"] = PNG
    by_whatsapp(type="image", image={"id": "A"})
    whatsapp.tricks = deque([Trick(answer=Answer(200, whatsapp.told_of("A") | changed))])
    assert fetched_at(NOW) == 0
    assert ReplyFile.objects.get().trouble == trouble
    assert fetched_at(NOW + timedelta(seconds=15)) == 1


def test_an_expired_address_is_asked_for_anew(whatsapp: Meta, dana: Patient) -> None:
    whatsapp.files["A"] = PNG
    by_whatsapp(type="image", image={"id": "A"})
    whatsapp.tricks = deque([TAKES, Trick(answer=Answer(404, b"Not found"))])
    assert fetched_at(NOW) == 0
    assert fetched_at(NOW + timedelta(seconds=15)) == 1
    assert [request.path for request in whatsapp.requests] == 2 * [
        "/v23.0/A",
        "/whatsapp_business/attachments/",
    ]


def test_a_sticker_a_place_and_words_bring_no_file(bot: Telegram, whatsapp: Meta, dana: Patient) -> None:
    by_telegram(1, sticker={"file_id": "A", "emoji": "👍"})
    by_telegram(2, location={"latitude": 32.1, "longitude": 34.8})
    by_telegram(3, text="hello")
    by_telegram(4, photo=[])
    by_whatsapp(type="sticker", sticker={"id": "A"})
    assert (Reply.objects.count(), ReplyFile.objects.count()) == (5, 0)


def test_from_a_number_that_nobody_knows_it_goes_along_with_the_words(whatsapp: Meta, dana: Patient) -> None:
    whatsapp.files["A"] = PNG
    by_whatsapp(who="972541112233", type="image", image={"id": "A"})
    assert fetched_at(NOW) == 1
    reply = Reply.objects.get()
    assert reply.patient is None
    assert reply.matter is not None
    say_whose(reply.matter, dana, now=NOW, by=builders.user(at=dana.clinic))
    assert ReplyFile.objects.get(reply__patient=dana).document is not None


def test_it_is_fetched_under_stop_and_under_not_me_too(whatsapp: Meta, dana: Patient) -> None:
    whatsapp.files |= {"A": PNG, "B": PNG}
    written_to(dana)
    by_whatsapp(1, type="image", image={"id": "A", "caption": "wrong number"})
    by_whatsapp(2, type="image", image={"id": "B", "caption": "STOP"})
    assert fetched_at(NOW) == 2
    assert {file.reply.meaning for file in ReplyFile.objects.all()} == {"not_me", "stop"}
    assert Consent.objects.get().status == "withdrawn"


def written_to(patient: Patient) -> ContactPoint:
    task = builders.task(builders.step(builders.journey(patient)), plan_from=None)
    point = patient.contacts.get(contact_point__kind=AddressKind.WHATSAPP).contact_point
    builders.attempt(task, channel="whatsapp", contact_point=point, status="sent", sent_at=NOW, called_at=NOW)
    return point


def test_what_may_mean_stop_as_well_brings_its_file_once(whatsapp: Meta, dana: Patient) -> None:
    """With the words that a person answers."""
    written_to(dana)
    whatsapp.files["A"] = PNG
    by_whatsapp(type="image", image={"id": "A", "caption": "Wrong number. Please stop"})
    assert {reply.meaning for reply in Reply.objects.all()} == {"not_me", "maybe_stop"}
    assert ReplyFile.objects.get().reply.matter is not None
    assert fetched_at(NOW) == 1


def test_a_file_goes_along_with_no_other_denial_of_that_moment(whatsapp: Meta, dana: Patient) -> None:
    """As where somebody says on the page of another of the family that it is not she."""
    point, sister = written_to(dana), builders.patient(dana.clinic, given_name="Tamar", phone="")
    denied = {"clinic": dana.clinic, "patient": sister, "contact_point": point, "meaning": "not_me"}

    def at_the_same_time(instance: Reply, **_about: Any) -> None:
        if instance.patient == dana:
            Reply.objects.create(channel="page", at=NOW, **denied)

    post_save.connect(at_the_same_time, sender=Reply)
    try:
        by_whatsapp(type="image", image={"id": "A", "caption": "wrong number"})
    finally:
        post_save.disconnect(at_the_same_time, sender=Reply)
    assert Reply.objects.latest("pk").patient == sister
    assert ReplyFile.objects.get().reply.patient == dana


def test_what_goes_wrong_with_us_holds_up_no_other_and_names_nobody(
    bot: Telegram, dana: Patient, settings: LazySettings, caplog: pytest.LogCaptureFixture
) -> None:
    """An answer that is none of those documented."""
    bot.files |= {"A": PNG, "B": PNG}
    by_telegram(1, photo=[{"file_id": "A"}])
    by_telegram(2, photo=[{"file_id": "B"}])
    bot.tricks = deque([Trick(answer=Answer(200, {"ok": True, "result": "…"}))])
    assert fetched_at(NOW) == 1
    assert list(ReplyFile.objects.values_list("trouble", flat=True)) == [Trouble.UNEXPECTED, ""]
    assert "AttributeError" in caplog.text
    assert telegram.BOT not in caplog.text
    assert json.dumps("777") not in caplog.text


def test_the_kinds_that_are_files_are_the_channels_own() -> None:
    assert set(KINDS) == FILES


@pytest.mark.parametrize(
    "fields",
    [
        {"fetch_from": None},
        {"given_up_at": NOW},
        {"fetch_from": None, "given_up_at": NOW, "lease_until": NOW},
        {"kind": "sticker"},
        {"position": 2},
    ],
    ids=" ".join,
)
def test_the_database_knows_whether_it_is_awaited_here_or_given_up(dana: Patient, fields: Any) -> None:
    reply = Reply.objects.create(clinic=dana.clinic, patient=dana, channel="whatsapp", at=NOW)
    usual = {"kind": "picture", "provider_reference": "A", "asked_at": NOW, "fetch_from": NOW}
    ReplyFile.objects.create(reply=reply, position=2, **usual)
    with pytest.raises(IntegrityError), transaction.atomic():
        ReplyFile.objects.create(**{"reply": reply, "position": 1, **usual, **fields})
