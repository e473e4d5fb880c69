"""The database really holds what the models name: a migration may lose a constraint without a word."""

import io

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models

OURS = ("patients", "journeys", "appointments", "referrals", "outreach")
MODELS = [model for app in OURS for model in apps.get_app_config(app).get_models()]


@pytest.mark.django_db
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_constraint_and_index_that_a_model_names_is_in_the_database(model: type[models.Model]) -> None:
    named = {each.name for each in [*model._meta.constraints, *model._meta.indexes]}
    with connection.cursor() as cursor:
        present = connection.introspection.get_constraints(cursor, model._meta.db_table)
    assert named - set(present) == set()


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one write at a time")
@pytest.mark.parametrize(
    ("app", "name", "said"),
    [
        ("journeys", "0020", ["CREATE UNIQUE INDEX CONCURRENTLY", "step_once_while_the_same_is_to_mend"]),
        ("referrals", "0009", ["NOT VALID;", 'VALIDATE CONSTRAINT "document_source_is_known"']),
    ],
)
def test_a_constraint_of_a_large_table_is_made_beside_the_work(app: str, name: str, said: list[str]) -> None:
    told = io.StringIO()
    call_command("sqlmigrate", app, name, stdout=told)
    assert [words for words in said if words not in told.getvalue()] == []
