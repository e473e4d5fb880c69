"""The list of what is offered as a file: out, changed, and back; wrong in one line, and nothing is taken."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from inquiries.models import Offering, StockBatch
from patients.models import Clinic, Role
from tests import builders
from tests.clinic_journey.importing.files import csv_file
from tests.clinic_journey.test_access import logged_in
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
FILE = "/offerings/file/"
HEAD = (
    "kind",
    "name_en",
    "name_he",
    "price",
    "currency",
    "done_by",
    "public",
    "batch",
    "quantity",
    "expires_on",
)
FLU = ("vaccine", "Flu vaccine", "שפעת", "80", "ILS", "Dr Cohen", "yes", "FL-1", "9", "2026-12-01")


@pytest.fixture
def clinic() -> Clinic:
    made = builders.clinic(language="en")
    builders.practitioner(made, name="Dr Cohen")
    return made


@pytest.fixture
def manager(clinic: Clinic) -> Client:
    return logged_in(Role.MANAGER, clinic)


def bring(client: Client, data: bytes) -> tuple[int, str]:
    answer = client.post(FILE, {"file": SimpleUploadedFile("list.csv", data)})
    return answer.status_code, answer.content.decode()


def test_a_list_comes_in_and_goes_out_as_it_was(manager: Client, clinic: Clinic) -> None:
    more = (*FLU[:7], "FL-2", "3", "")
    assert bring(manager, csv_file(HEAD, FLU, more))[0] == 302
    flu = Offering.objects.get()
    assert (flu.names, flu.price_words, flu.is_public, flu.looked_at) == (
        {"en": "Flu vaccine", "he": "שפעת"},
        "80 ₪",
        True,
        NOW,
    )
    assert [doctor.name for doctor in flu.done_by.all()] == ["Dr Cohen"]
    assert set(StockBatch.objects.values_list("number", "quantity")) == {("FL-1", 9), ("FL-2", 3)}
    out = b"".join(manager.get(f"{FILE}offerings.csv").streaming_content)  # type: ignore[attr-defined]
    assert "שפעת" in out.decode("utf-8-sig")
    assert bring(manager, out)[0] == 302
    assert (Offering.objects.count(), StockBatch.objects.count()) == (1, 2)


def test_the_own_file_comes_back_after_a_doctor_has_left(manager: Client, clinic: Clinic) -> None:
    assert bring(manager, csv_file(HEAD, FLU))[0] == 302
    clinic.practitioners.update(is_active=False)
    out = b"".join(manager.get(f"{FILE}offerings.csv").streaming_content)  # type: ignore[attr-defined]
    status, page = bring(manager, out)
    assert status == 302, page
    assert [doctor.name for doctor in Offering.objects.get().done_by.all()] == ["Dr Cohen"]


@pytest.mark.parametrize("works", [True, False])
def test_a_name_that_two_share_is_not_guessed(manager: Client, clinic: Clinic, works: bool) -> None:
    builders.practitioner(clinic, name="dr cohen")
    clinic.practitioners.update(is_active=works)
    status, page = bring(manager, csv_file(HEAD, FLU))
    assert status == 422
    assert "Line 2: Several here are called “Dr Cohen”. Leave done_by empty in this line" in page
    assert not Offering.objects.exists()


def test_who_works_here_is_meant_before_a_namesake_who_has_left(manager: Client, clinic: Clinic) -> None:
    builders.practitioner(clinic, name="Dr Cohen", is_active=False)
    assert bring(manager, csv_file(HEAD, FLU))[0] == 302
    assert [doctor.is_active for doctor in Offering.objects.get().done_by.all()] == [True]


def test_what_has_a_known_name_is_changed_and_the_rest_stays(manager: Client, clinic: Clinic) -> None:
    other = builders.offering(clinic, names={"en": "Tick vaccine"})
    builders.offering(clinic, names={"he": "שפעת"}, price=70)
    assert bring(manager, csv_file(HEAD, FLU))[0] == 302
    assert set(Offering.objects.values_list("price", flat=True)) == {80}
    other.refresh_from_db()
    assert other.names == {"en": "Tick vaccine"}


@pytest.mark.parametrize(
    ("at", "wrong", "says"),
    [
        (0, "pill", "Line 3: kind is one of: service, vaccine, goods."),
        (3, "a lot", "“a lot” is no price"),
        (3, "-1", "is no price"),
        (3, "NaN", "is no price"),
        (4, "", "Say in which currency"),
        (5, "Dr Who", "Nobody here is called “Dr Who”"),
        (8, "many", "as a whole number"),
        (9, "tomorrow", "year-month-day"),
    ],
)
def test_one_wrong_line_and_nothing_is_taken(manager: Client, at: int, wrong: str, says: str) -> None:
    bad = [*FLU]
    bad[at] = wrong
    status, page = bring(manager, csv_file(HEAD, FLU, bad))
    assert status == 422
    assert says in page
    assert not Offering.objects.exists()


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", b"%PDF-1.4"])
def test_what_is_no_list_is_refused_in_words(manager: Client, data: bytes) -> None:
    assert bring(manager, data)[0] == 422


def test_a_formula_comes_back_as_the_text_it_was(manager: Client, clinic: Clinic) -> None:
    builders.offering(clinic, names={"en": "=1+1"})
    out = b"".join(manager.get(f"{FILE}offerings.csv").streaming_content)  # type: ignore[attr-defined]
    assert "'=1+1" in BytesIO(out).read().decode("utf-8-sig")
    assert bring(manager, out)[0] == 302
    assert Offering.objects.get().names == {"en": "=1+1"}


@pytest.mark.parametrize("role", [Role.RECEPTIONIST, Role.DOCTOR])
def test_only_managers_have_the_file(clinic: Clinic, role: Role) -> None:
    client = logged_in(role, clinic)
    assert client.get(FILE).status_code == 403
    assert client.get(f"{FILE}offerings.csv").status_code == 403


def test_two_things_of_one_name_are_never_mixed_up(manager: Client, clinic: Clinic) -> None:
    first = builders.offering(clinic, names={"en": "Vaccine"})
    second = builders.offering(clinic, names={"en": "Vaccine", "he": "חיסון"})
    out = b"".join(manager.get(f"{FILE}offerings.csv").streaming_content)  # type: ignore[attr-defined]
    assert bring(manager, out)[0] == 302  # each line has exactly the names of one of them
    names = dict(Offering.objects.values_list("pk", "names"))
    assert names == {first.pk: {"en": "Vaccine"}, second.pk: {"en": "Vaccine", "he": "חיסון"}}
    unclear = (FLU[0], "Vaccine", "דבר אחר", *FLU[3:])
    status, page = bring(manager, csv_file(HEAD, unclear))
    assert (status, "Tell them apart by their names." in page) == (422, True)


def test_a_file_without_the_columns_of_before_leaves_what_stands_there(
    manager: Client, clinic: Clinic
) -> None:
    head, line = (*HEAD, "walk_in", "preparation_en"), (*FLU, "mon 8:00-12:00", "Eat before.")
    for lines in ((head, line), (HEAD, FLU)):
        assert bring(manager, csv_file(*lines))[0] == 302
    flu = Offering.objects.get()
    assert (flu.preparations, flu.walk_in.count()) == ({"en": "Eat before."}, 1)
    assert bring(manager, csv_file(head, (*FLU, "", "")))[0] == 302
    flu.refresh_from_db()
    assert (flu.preparations, flu.walk_in.count()) == ({}, 0)
