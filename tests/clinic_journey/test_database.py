"""The database really holds what the models name: a migration may lose a constraint without a word."""

import pytest
from django.apps import apps
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
