"""The screens of an import: the whole way through them, who may, and what bad input gets."""

import csv
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from clinic_journey.importing.models import Import, ImportStatus
from patients.models import Clinic, Patient, Role
from tests import builders
from tests.clinic_journey.importing.files import (
    DANA,
    HEADER,
    YOSSI,
    checked,
    csv_file,
    imported,
    until_idle,
    uploaded,
    xlsx_file,
)

pytestmark = pytest.mark.django_db
SHORT = ("=cmd()", "Cohen", "+97250", "", "", "")


def manager(clinic: Clinic) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(builders.user(Role.MANAGER, at=clinic))
    return client


def upload(client: Client, content: bytes, **more: Any) -> Any:
    return client.post(
        "/import/", {"kind": "patients", "file": SimpleUploadedFile("list.csv", content), **more}
    )


def test_the_whole_way_without_javascript() -> None:
    clinic = builders.clinic()
    client = manager(clinic)
    answer = upload(client, csv_file(HEADER, DANA, SHORT))
    page = client.get(address := answer["Location"]).content.decode()
    assert "Mobile" in page
    assert "050-234-5678" in page
    run = Import.objects.get()
    chosen = {f"column_{n}": field for n, field in enumerate(run.columns)}
    client.post(f"{address}columns/", {**chosen, "date_order": "dmy"})
    assert "0 rows read" in client.get(address).content.decode()
    until_idle(run)
    page = client.get(address).content.decode()
    assert "1 row of 2 can be imported" in page
    assert "The phone has too few digits" in page
    client.post(f"{address}decide/", {"left_empty": ["phone_short"]})
    assert "2 rows of 2 can be imported" in client.get(address).content.decode()
    client.post(f"{address}decide/", {"start": "1"})
    page = client.get(address).content.decode()
    assert "0 of 2 rows" in page
    assert "You may leave this page" in page
    until_idle(run)
    page = client.get(address).content.decode()
    assert "Show the patients" in page
    assert "data-poll" not in page
    assert Patient.objects.count() == 1
    client.post(f"{address}undo/")
    until_idle(run)
    assert Patient.objects.count() == 0
    assert "Undone" in client.get(address).content.decode()


def test_rows_left_out_come_back_as_a_table_that_no_spreadsheet_calculates() -> None:
    clinic = builders.clinic()
    client = manager(clinic)
    run = imported(clinic, csv_file(HEADER, DANA, SHORT))
    answer = client.get(f"/import/{run.public_id}/left-out.csv")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    header, row = list(csv.reader(io.StringIO(text)))
    assert header[: len(HEADER)] == list(HEADER)
    assert row[:3] == ["'=cmd()", "Cohen", "'+97250"]
    assert row[-2] == "3"
    assert "too few digits" in row[-1]
    again = checked(clinic, text.replace("'+97250", "'+972523456789").encode())
    assert again.rows.get().state == "ready"


@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.DOCTOR])
def test_only_those_who_manage_the_clinic_import(role: str) -> None:
    clinic = builders.clinic()
    run = uploaded(clinic, csv_file(HEADER, DANA))
    client = Client()
    client.force_login(builders.user(role, at=clinic))
    for path in ("", "columns/", "left-out.csv"):
        assert client.get(f"/import/{run.public_id}/{path}").status_code == 403
    assert client.get("/import/").status_code == 403
    assert upload(client, csv_file(HEADER, DANA)).status_code == 403


def test_a_manager_elsewhere_who_is_a_receptionist_here_sees_no_import_of_here() -> None:
    here, elsewhere = builders.clinic(name="A"), builders.clinic(name="B")
    run = uploaded(here, csv_file(HEADER, DANA))
    user = builders.user(Role.RECEPTIONIST, at=here)
    user.memberships.create(clinic=elsewhere, role=Role.MANAGER)
    client = Client()
    client.force_login(user)
    client.post("/clinic/", {"clinic": elsewhere.pk})
    assert client.get(f"/import/{run.public_id}/").status_code in {403, 404}


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "The file is empty"), (b"%PDF-", "This is a PDF"), (b"a,b\n", "no rows under")],
)
def test_a_file_that_is_none_of_ours_keeps_the_page_and_says_what_to_do(content: bytes, words: str) -> None:
    answer = upload(manager(builders.clinic()), content)
    assert (answer.status_code, Import.objects.count()) == (422, 0)
    assert words in answer.content.decode()


def test_no_file_and_a_file_too_large_are_refused(settings: Any) -> None:
    client = manager(builders.clinic())
    assert client.post("/import/", {"kind": "patients"}).status_code == 422
    settings.MAX_ATTACHMENT_BYTES = 10
    answer = upload(client, csv_file(HEADER, DANA))
    assert "larger than" in answer.content.decode()


def test_two_columns_for_one_field_or_none_for_the_name_are_refused_and_kept() -> None:
    clinic = builders.clinic()
    client = manager(clinic)
    run = uploaded(clinic, csv_file(HEADER, DANA))
    address = f"/import/{run.public_id}/columns/"
    twice = client.post(address, {"column_0": "phone", "column_2": "phone", "date_order": "dmy"})
    assert twice.status_code == 422
    assert "Another column fills this already" in twice.content.decode()
    nameless = client.post(address, {"column_2": "phone", "date_order": "dmy"})
    assert "Choose the column with the first name" in nameless.content.decode()
    assert '<option value="phone" selected>' in nameless.content.decode()


def test_another_sheet_is_taken_or_refused() -> None:
    clinic = builders.clinic()
    client = manager(clinic)
    run = uploaded(clinic, xlsx_file(HEADER, DANA, title="People", more="Empty one"))
    address = f"/import/{run.public_id}/"
    assert "Empty one" in client.get(address).content.decode()
    answer = client.post(f"{address}columns/", {"sheet": "Empty one"}, follow=True)
    assert "There are no rows under" in answer.content.decode()
    run.refresh_from_db()
    assert run.sheet == "People"


@pytest.mark.parametrize("action", ["decide", "undo", "remove"])
def test_what_is_too_late_is_said(action: str) -> None:
    clinic = builders.clinic()
    run = imported(clinic, csv_file(HEADER, DANA))
    Import.objects.filter(pk=run.pk).update(status=ImportStatus.UNDOING)
    answer = manager(clinic).post(f"/import/{run.public_id}/{action}/", follow=True)
    assert "This import has gone on meanwhile" in answer.content.decode()


def test_a_file_can_be_removed_before_anything_is_written() -> None:
    clinic = builders.clinic()
    run = checked(clinic, csv_file(HEADER, DANA))
    answer = manager(clinic).post(f"/import/{run.public_id}/remove/", follow=True)
    assert "Removed" in answer.content.decode()
    assert Import.objects.count() == 0


@pytest.mark.parametrize("rows", [1, 3])
def test_pages_ask_the_same_number_of_questions(rows: int, django_assert_num_queries: Any) -> None:
    clinic = builders.clinic()
    client = manager(clinic)
    wrong = [(f"Dana{n}", "Levi", "05", "", "", "") for n in range(rows)]
    run = checked(clinic, csv_file(HEADER, *wrong))
    for _more in range(rows - 1):
        uploaded(clinic, csv_file(HEADER, DANA))
    with django_assert_num_queries(5):
        client.get("/import/")
    with django_assert_num_queries(13):
        client.get(f"/import/{run.public_id}/")


def test_the_command_says_the_same_words_and_writes_only_when_told(tmp_path: Any) -> None:
    clinic = builders.clinic(slug="alon")
    file = tmp_path / "list.csv"
    file.write_bytes(csv_file(HEADER, DANA, YOSSI, ("Noa", "Bar", "050", "", "", "")))
    out = io.StringIO()
    call_command("import_file", str(file), "--clinic", "alon", stdout=out)
    assert "The phone has too few digits: 1 (phone_short)" in out.getvalue()
    assert "2 of 3 rows can be imported" in out.getvalue()
    assert Patient.objects.count() == 0
    call_command("import_file", str(file), "--clinic", "alon", "--write", stdout=out)
    assert "Added: 2" in out.getvalue()
    assert Patient.objects.filter(clinic=clinic).count() == 2
    for arguments, words in (
        ([str(file), "--clinic", "nowhere"], "no clinic"),
        ([str(tmp_path / "none.csv"), "--clinic", "alon"], "No such file"),
        ([__file__, "--clinic", "alon"], "Choose the column"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("import_file", *arguments, stdout=out)
