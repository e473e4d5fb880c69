from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from journeys.management.commands.load_catalogue import SHIPPED
from journeys.models import JourneyTemplate, StepTemplate, TemplateStatus

pytestmark = pytest.mark.django_db

GOOD = """
key = "small"

[name]
en = "Small"

[steps.book]
kind = "book"
owner = "receptionist"
limit = "1 working day"
entry = true
outcomes = ["booked"]
name = { en = "Book" }
"""


def load(folder: Path, **files: str) -> None:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    call_command("load_catalogue", folder)


def test_shipped_templates_load_and_name_everything_in_four_languages() -> None:
    call_command("load_catalogue")
    keys = set(JourneyTemplate.objects.values_list("key", flat=True))
    assert keys == {
        "imaging_treatment",
        "urgent_treatment",
        "start_of_treatment",
        "next_stage",
        "recall",
        "first_visit",
        "single_visit",
        "year_thanks",
        "complaint",
    }
    for step in StepTemplate.objects.all():
        assert set(step.names) == set(step.patient_names) == {"en", "he", "ru", "ar"}


def test_urgent_shortens_the_limits_of_the_file_it_extends() -> None:
    call_command("load_catalogue")
    review = StepTemplate.objects.filter(key="review").order_by("template__key")
    assert [(step.limit_amount, step.limit_unit) for step in review] == [
        (1, "same_day"),
        (2, "working_hours"),
    ]


def test_loading_again_changes_nothing_and_a_changed_file_is_a_new_version(tmp_path: Path) -> None:
    load(tmp_path, small=GOOD)
    load(tmp_path, small=GOOD)
    load(tmp_path, small=GOOD.replace("1 working day", "2 working days"))
    versions = JourneyTemplate.objects.order_by("version").values_list("version", "status")
    assert list(versions) == [(1, TemplateStatus.RETIRED), (2, TemplateStatus.ACTIVE)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("key =", "key ="), None),
        (('kind = "book"', 'kind = "cook"'), "bad.toml:8: kind 'cook' is not one of"),
        (('owner = "receptionist"', 'owner = "cat"'), "bad.toml:9: owner 'cat' is not one of"),
        (('limit = "1 working day"', 'limit = "soon"'), "bad.toml:10: "),
        (("entry = true", "entry = false"), "bad.toml:"),
        (("entry = true", "entri = true"), "bad.toml:11: step 'book' has an unknown field 'entri'"),
        (('outcomes = ["booked"]', ""), "bad.toml:7: step 'book' needs 'outcomes'"),
        (('name = { en = "Book" }', "name = { he = 'x' }"), "bad.toml:13: the name of step 'book' needs"),
        (("[steps.book]", "[steps.book"), "bad.toml:7"),
        (('key = "small"', ""), "bad.toml:1: the file needs a key"),
    ],
)
def test_a_broken_file_names_its_line_and_loads_nothing(
    tmp_path: Path, change: tuple[str, str], message: str | None
) -> None:
    files = {"good": GOOD.replace("small", "sound"), "bad": GOOD.replace(*change)}
    if message is None:
        load(tmp_path, **files)
        return
    with pytest.raises(CommandError) as caught:
        load(tmp_path, **files)
    assert message in str(caught.value)
    assert not JourneyTemplate.objects.exists()


def test_every_shipped_file_is_read() -> None:
    assert len(list(SHIPPED.glob("*.toml"))) == 9


def test_every_visit_is_asked_about_long_enough_before_it_for_the_desk_to_call() -> None:
    """The message leaves three days ahead; who has not answered two days ahead stands in Today."""
    call_command("load_catalogue")
    visits = StepTemplate.objects.filter(kind="visit")
    assert set(visits.values_list("contact_when", "contact_lead_minutes", "message_key")) == {
        ("before_due", 3 * 24 * 60, "visit_reminder")
    }
    assert visits.count() == 7
