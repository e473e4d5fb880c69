"""Patients from a file: each problem by its name, nothing overwritten, twice is once, and taken back."""

from datetime import date, timedelta

import pytest

from clinic_journey.importing import actions, queries
from clinic_journey.importing.models import ImportStatus, KnownAs
from outreach.models import AttemptStatus
from patients.actions import CardAnswers, RefusedError, merge_patients, save_card
from patients.models import ContactPoint, Patient
from tests import builders
from tests.clinic_journey.importing.files import (
    DANA,
    HEADER,
    YOSSI,
    checked,
    csv_file,
    imported,
    problems,
    states,
    undone,
    uploaded,
    xlsx_file,
)
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


def everything() -> list[tuple[object, ...]]:
    """All that is stored about patients, to be compared before and after."""
    fields = (
        "pk",
        "given_name",
        "family_name",
        "birth_date",
        "national_id",
        "language",
        "gender",
        "search_key",
    )
    ties = ("pk", "patient_id", "contact_point__value", "rank")
    patients = Patient.objects.order_by("pk").values_list(*fields)
    addresses = ContactPoint.objects.order_by("pk").values_list("pk", "value")
    tied = Patient.objects.order_by("pk", "contacts").values_list(*(f"contacts__{name}" for name in ties))
    return [*patients, *addresses, *tied]


def test_patients_become_as_the_file_says() -> None:
    clinic = builders.clinic(language="en")
    run = imported(clinic, csv_file(HEADER, DANA, YOSSI))
    assert (run.status, states(run)) == (ImportStatus.DONE, ["made", "made"])
    dana = Patient.objects.get(given_name="Dana")
    assert (dana.clinic, dana.full_name, dana.birth_date) == (clinic, "Dana Levi", date(1991, 5, 4))
    assert (dana.national_id, dana.language) == ("123456782", clinic.language)
    assert list(dana.contacts.values_list("contact_point__value", flat=True)) == [
        "+972502345678",
        "dana@mail.example",
    ]
    assert dana.card.told_at is None


def test_a_sheet_becomes_the_same_as_a_text() -> None:
    clinic = builders.clinic(language="en")
    imported(clinic, csv_file(HEADER, DANA))
    row = ("Dana", "Levi", 502345678, "dana@mail.example", date(1991, 5, 4), 123456782)
    assert states(imported(clinic, xlsx_file(HEADER, row))) == ["found"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({0: ""}, "name_missing"),
        ({0: "D" * 81}, "name_long"),
        ({2: "050-23"}, "phone_short"),
        ({2: "050-2345678 052-3456789"}, "phone_long"),
        ({2: "099-999-99999"}, "phone_wrong"),
        ({3: "dana@mail"}, "email_wrong"),
        ({4: "May 1991"}, "birth_unreadable"),
        ({4: "31.2.1991"}, "birth_unreadable"),
        ({4: "4.5.2027"}, "birth_impossible"),
        ({4: "4.5.1801"}, "birth_impossible"),
        ({5: "123456789"}, "id_wrong"),
        ({2: "", 3: ""}, "no_address"),
    ],
)
def test_each_problem_has_its_own_name(changed: dict[int, str], code: str) -> None:
    row = [changed.get(n, cell) for n, cell in enumerate(DANA)]
    run = checked(builders.clinic(language="en"), csv_file(HEADER, row))
    assert problems(run) == [(2, code)]
    (group,) = queries.problem_groups(run)
    (example,) = group.examples
    assert (group.count, example.row, bool(example.expected)) == (1, 2, True)
    assert "%(" not in example.expected


def test_a_group_says_row_column_found_and_expected() -> None:
    short = [("A", "B", "050-23", "", "", ""), ("C", "D", "050-24", "", "", "")]
    run = checked(builders.clinic(language="en"), csv_file(HEADER, DANA, *short))
    (group,) = queries.problem_groups(run)
    assert (group.code, group.count) == ("phone_short", 2)
    first = group.examples[0]
    assert (first.row, first.column, first.found) == (3, "Mobile", "050-23")
    assert "all its digits" in first.expected


def test_more_cells_than_columns_are_not_guessed_at() -> None:
    run = checked(builders.clinic(language="en"), csv_file(HEADER, (*DANA[:2], *DANA)))
    assert (2, "too_many_cells") in problems(run)


def test_rows_with_a_problem_are_left_out_or_imported_without_the_field() -> None:
    clinic = builders.clinic(language="en")
    content = csv_file(HEADER, DANA, ("Yossi", "Cohen", "05", "", "yesterday", ""))
    assert states(imported(clinic, content)) == ["made", "refused"]
    run = imported(clinic, content, left_empty=["phone_short", "birth_unreadable", "name_missing"])
    assert run.left_empty == ["phone_short", "birth_unreadable"]
    assert states(run) == ["found", "made"]
    yossi = Patient.objects.get(given_name="Yossi")
    assert (yossi.birth_date, yossi.contacts.count()) == (None, 0)


def test_repetitions_inside_a_file_are_found() -> None:
    run = imported(builders.clinic(language="en"), csv_file(HEADER, DANA, YOSSI, DANA, YOSSI))
    assert states(run) == ["made", "made", "refused", "refused"]
    assert problems(run) == [(4, "repeated"), (5, "repeated")]
    assert [p.detail for p in run.problems.all()] == ["2", "3"]


def test_a_repetition_is_found_chunks_later() -> None:
    others = [(f"Person{n}", "Gray", f"050-2{n:06}", "", "", "") for n in range(230)]
    run = checked(builders.clinic(language="en"), csv_file(HEADER, DANA, *others, DANA))
    assert problems(run) == [(233, "repeated")]


def test_the_same_file_twice_changes_nothing() -> None:
    clinic = builders.clinic(language="en")
    rows = (DANA, YOSSI, ("Only", "Name", "", "", "", ""), ("Noa", "Bar", "", "noa@mail.example", "", ""))
    content = csv_file(HEADER, *rows)
    imported(clinic, content, left_empty=["no_address"])
    before = everything()
    again = imported(clinic, content, left_empty=["no_address"])
    assert states(again) == ["found"] * 4
    assert everything() == before


def test_a_second_run_after_people_changed_the_record_changes_nothing() -> None:
    clinic = builders.clinic(language="en")
    content = csv_file(HEADER, DANA)
    imported(clinic, content)
    Patient.objects.update(given_name="Daniela", birth_date=date(1990, 1, 1))
    before = everything()
    run = imported(clinic, content)
    assert (states(run), everything()) == (["found"], before)
    assert [(d.field, d.ours, d.theirs) for d in queries.differing(run)] == [
        ("First name", "Daniela", "Dana"),
        ("Date of birth", "1990-01-01", "1991-05-04"),
    ]


def test_only_empty_fields_of_a_known_patient_are_filled() -> None:
    clinic = builders.clinic(language="en")
    known = builders.patient(clinic, given_name="Dana", family_name="Levi", phone="050-234-5678")
    run = imported(clinic, csv_file(HEADER, DANA))
    assert states(run) == ["filled"]
    known.refresh_from_db()
    assert (known.national_id, known.birth_date) == ("123456782", date(1991, 5, 4))
    assert "123456782" in known.search_key
    assert list(known.contacts.values_list("contact_point__value", flat=True)) == [
        "+972502345678",
        "dana@mail.example",
    ]
    assert queries.differing(run) == []


def test_a_known_patient_with_another_phone_is_listed_not_changed() -> None:
    clinic = builders.clinic(language="en")
    known = builders.patient(clinic, national_id="123456782", phone="054-987-6543")
    run = imported(clinic, csv_file(HEADER, DANA))
    (difference,) = queries.differing(run)
    assert (difference.field, difference.ours, difference.theirs) == (
        "Phone",
        "+972549876543",
        "+972502345678",
    )
    assert [tie.contact_point.value for tie in known.contacts.all()] == ["+972549876543", "dana@mail.example"]


def test_the_same_name_and_birth_date_under_another_phone_is_for_people_to_say() -> None:
    clinic = builders.clinic(language="en")
    builders.patient(clinic, phone="054-987-6543", birth_date=date(1991, 5, 4))
    content = csv_file(HEADER, (*DANA[:3], "", DANA[4], ""))
    assert states(imported(clinic, content)) == ["refused"]
    assert states(imported(clinic, content, left_empty=["perhaps_known"])) == ["made"]
    assert states(imported(clinic, content)) == ["found"]
    assert Patient.objects.count() == 2


def test_family_members_share_a_phone_and_stay_apart() -> None:
    clinic = builders.clinic(language="en")
    run = imported(clinic, csv_file(HEADER, DANA, ("Noa", "Levi", DANA[2], "", "1.2.2015", "")))
    assert states(run) == ["made", "made"]
    assert ContactPoint.objects.filter(value="+972502345678").count() == 1


def test_a_number_in_the_other_program_finds_the_patient_again() -> None:
    clinic = builders.clinic(language="en")
    header = ("Patient number", "Full name", "Phone")
    imported(clinic, csv_file(header, ("77", "Dana Levi", "050-234-5678")))
    run = imported(clinic, csv_file(header, ("77", "Dana Levi-Bar", "052-345-6789")))
    assert (states(run), Patient.objects.get().full_name) == (["found"], "Dana Levi")
    assert len(queries.differing(run)) == 2


def test_two_numbers_in_the_other_program_are_two_people() -> None:
    clinic = builders.clinic(language="en")
    header = ("Patient number", "Full name", "Phone", "Date of birth")
    mother, daughter = ("77", "Dana Levi", "050-234-5678", ""), ("78", "Dana Levi", "050-234-5678", "")
    content = csv_file(header, mother, daughter)
    assert states(imported(clinic, content)) == ["made", "made"]
    assert states(imported(clinic, content)) == ["found", "found"]


@pytest.mark.parametrize("apart", [0, 150])
def test_namesakes_that_a_file_tells_apart_are_two_people(apart: int) -> None:
    clinic = builders.clinic(language="en")
    others = [(f"Person{n}", "Gray", f"050-2{n:06}", "", "", "") for n in range(apart)]
    one, two = (
        ("Dana", "Levi", "050-234-5678", "", "4.5.1991", ""),
        ("Dana", "Levi", "052-345-6789", "", "4.5.1991", ""),
    )
    content = csv_file(HEADER, one, *others, two)
    assert set(states(imported(clinic, content))) == {"made"}
    assert set(states(imported(clinic, content))) == {"found"}


def test_a_merged_patient_is_the_one_it_was_merged_into() -> None:
    clinic = builders.clinic(language="en")
    content = csv_file(HEADER, DANA)
    imported(clinic, content)
    other = builders.patient(clinic, given_name="Dana", phone="054-987-6543")
    merge_patients(Patient.objects.get(national_id="123456782"), other)
    run = imported(clinic, content)
    assert run.rows.get().patient == other


def test_another_clinics_patients_are_nobody_here() -> None:
    builders.patient(builders.clinic(language="en"), national_id="123456782")
    assert states(imported(builders.clinic(language="en"), csv_file(HEADER, DANA))) == ["made"]


def test_the_choice_of_columns_is_remembered_for_the_same_header() -> None:
    clinic = builders.clinic(language="en")
    content = csv_file(("One", "Two", "Three"), ("Dana", "x", "050-234-5678"))
    run = uploaded(clinic, content)
    assert run.columns == ["", "", ""]
    actions.choose_columns(run, ["full_name", "", "phone"], "mdy", now=NOW)
    assert (uploaded(clinic, content).columns, uploaded(clinic, content).date_order) == (
        ["full_name", "", "phone"],
        "mdy",
    )
    assert uploaded(builders.clinic(language="en"), content).columns == ["", "", ""]


def test_columns_can_be_chosen_again_until_something_is_written() -> None:
    run = checked(builders.clinic(language="en"), csv_file(HEADER, DANA, ("A", "B", "05", "", "", "")))
    actions.choose_columns(run, ["given_name", "", "", "email", "", ""], "dmy", now=NOW)
    run.refresh_from_db()
    assert (run.status, run.rows.count(), run.problems.count()) == (ImportStatus.READING, 0, 0)
    with pytest.raises(RefusedError, match="first name"):
        actions.choose_columns(run, [""] * 6, "dmy", now=NOW)


def test_one_import_of_a_clinic_writes_at_a_time() -> None:
    clinic = builders.clinic(language="en")
    one, two = checked(clinic, csv_file(HEADER, DANA)), checked(clinic, csv_file(HEADER, YOSSI))
    elsewhere = checked(builders.clinic(language="en"), csv_file(HEADER, YOSSI))
    actions.start(one, now=NOW)
    with pytest.raises(RefusedError, match="Another import"):
        actions.start(two, now=NOW)
    actions.start(elsewhere, now=NOW)
    with pytest.raises(RefusedError, match="gone on"):
        actions.start(one, now=NOW)


def test_undoing_leaves_nothing_behind() -> None:
    clinic = builders.clinic(language="en")
    builders.patient(clinic, given_name="Avi", phone="058-765-4321")
    before = everything()
    run = undone(imported(clinic, csv_file(HEADER, DANA, YOSSI)))
    assert (run.status, states(run)) == (ImportStatus.UNDONE, ["taken_back", "taken_back"])
    assert (everything(), KnownAs.objects.count()) == (before, 0)
    assert states(imported(clinic, csv_file(HEADER, DANA))) == ["made"]


def test_undoing_empties_the_fields_it_filled_unless_changed_since() -> None:
    clinic = builders.clinic(language="en")
    builders.patient(clinic, given_name="Dana", family_name="", phone="050-234-5678", birth_date=None)
    before = everything()
    content = csv_file(HEADER, ("Dana", "", *DANA[2:]))
    assert states(undone(imported(clinic, content))) == ["taken_back"]
    assert everything() == before
    run = imported(clinic, content)
    Patient.objects.update(birth_date=date(1991, 5, 5))
    undone(run)
    assert Patient.objects.get().birth_date == date(1991, 5, 5)
    assert "birth_date" in run.rows.get().note


def add_attempt(patient: Patient) -> None:
    task = builders.task(builders.step(builders.journey(patient)))
    builders.attempt(task, status=AttemptStatus.SENT, sent_at=NOW)


@pytest.mark.parametrize(
    ("since", "why"),
    [
        (add_attempt, "contacted"),
        (builders.journey, "added since"),
        (builders.appointment, "has a visit"),
        (lambda p: save_card(p, CardAnswers("sms"), now=NOW, by=None), "told us"),
        (builders.comes, "told us"),
        (lambda p: Patient.objects.filter(pk=p.pk).update(family_name="Bar"), "details were changed"),
        (
            lambda p: p.contacts.create(
                contact_point=ContactPoint.objects.create(clinic=p.clinic, kind="email", value="x@y.zz")
            ),
            "address was added",
        ),
    ],
)
def test_undoing_keeps_what_was_touched_since_and_says_why(since: object, why: str) -> None:
    run = imported(builders.clinic(language="en"), csv_file(HEADER, (*DANA[:3], "", *DANA[4:]), YOSSI))
    since(Patient.objects.get(given_name="Dana"))  # type: ignore[operator]
    undone(run, now=NOW + timedelta(hours=1))
    assert states(run) == ["kept", "taken_back"]
    assert why in run.rows.get(state="kept").note
    assert [row.number for row in queries.noted(run)] == [2]
    assert Patient.objects.get().given_name == "Dana"


def test_a_file_that_breaks_off_in_the_middle_says_so() -> None:
    clinic = builders.clinic(language="en")
    good = csv_file(HEADER, *[DANA] * 60)
    run = checked(clinic, good + b'"' + b"x" * 200_000)
    assert (run.status, "never closed" in run.trouble) == (ImportStatus.FAILED, True)
    actions.throw_away(run)
    assert not run.file.storage.exists(f"imports/{run.public_id}")
