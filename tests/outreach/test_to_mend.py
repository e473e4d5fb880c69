"""What only a manager can set right: what was told before each such step named the outcome that ends it."""

from collections.abc import Callable
from importlib import import_module

import pytest
from django.apps import apps

from journeys.models import Step, StepStatus
from outreach.to_mend import note_mended, tell_the_managers, was_read, works
from patients.models import Channel
from tests import builders
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize(
    ("ends", "words"),
    [
        (works, "{} does not work: see Channels."),
        (was_read, "Something that came by {} could not be read: ask whoever looks after the server."),
    ],
)
def test_the_migration_lets_what_is_to_mend_end(
    channel: Channel, ends: Callable[[str], str], words: str
) -> None:
    builders.clinic()

    def told() -> None:
        tell_the_managers(ends(channel), lambda: words.format(channel.label), now=NOW)

    for _time in range(2):  # two workers at once could tell the same twice
        told()
        Step.objects.update(ends_with="")
    first, second = Step.objects.order_by("pk")
    migration = import_module("journeys.migrations.0020_what_is_to_mend_is_told_once")
    for _time in range(2):  # stopped half-way, it is run again
        migration.say_what_ends(apps, None)
    told()
    assert dict(Step.objects.values_list("pk", "ends_with")) == {first.pk: ends(channel), second.pk: ""}
    note_mended(ends(channel), now=NOW)
    first.refresh_from_db()
    assert first.status == StepStatus.COMPLETED
