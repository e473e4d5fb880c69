"""No table that holds something about a patient is forgotten in her copy."""

from collections.abc import Iterator

from django.apps import apps
from django.db.models import ForeignKey, Model

from clinic_journey.full_copy.sections import LEFT_OUT, OURS, SECTIONS
from patients.models import Patient

FAR = 4  # ties between a table and the patient


def leads_to_a_patient(model: type[Model], seen: tuple[type[Model], ...] = ()) -> bool:
    if model is Patient:
        return True
    return len(seen) < FAR and any(
        leads_to_a_patient(other, (*seen, model)) for other in ties(model) if other not in seen
    )


def ties(model: type[Model]) -> Iterator[type[Model]]:
    for field in model._meta.concrete_fields:
        if isinstance(field, ForeignKey):
            yield field.related_model


def test_every_table_that_leads_to_a_patient_is_in_the_copy_or_says_why_not() -> None:
    held = {model for model in apps.get_models() if leads_to_a_patient(model)}
    copied = [section.model for section in SECTIONS]
    assert held == {*copied, *LEFT_OUT}
    assert len(copied) == len(set(copied))
    assert not set(copied) & set(LEFT_OUT)
    assert all(reason.strip() for reason in LEFT_OUT.values())


def test_a_row_comes_after_those_that_it_names() -> None:
    """So that what leads to a journey kept from the parents is known when it is written."""
    seen: set[type[Model]] = set()
    copied = {section.model for section in SECTIONS}
    for section in SECTIONS:
        seen.add(section.model)
        assert {model for model in ties(section.model) if model in copied} <= seen, section.name


def test_what_is_ours_alone_is_named_after_columns_that_there_are() -> None:
    columns = {field.name for section in SECTIONS for field in section.model._meta.concrete_fields}
    assert columns >= OURS


def test_what_is_read_of_a_row_is_there_to_be_read() -> None:
    for section in SECTIONS:
        for _word, name in section.shown:
            assert hasattr(section.model, name), (section.name, name)
