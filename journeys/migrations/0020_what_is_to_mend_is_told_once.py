"""What is to mend is told once. The steps there are get the outcome that ends them, by their words, beside the work."""

from typing import Any

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from patients.indexes import AddUniqueBesideTheWork

CHANNELS = {
    "phone": "Call",
    "sms": "SMS",
    "whatsapp": "WhatsApp",
    "email": "E-mail",
    "telegram": "Telegram",
    "voice": "Automated call",
}
FAILS = "{} does not work: see Channels."
UNREAD = "Something that came by {} could not be read: ask whoever looks after the server."
ENDS = {FAILS.format(words): f"works_{channel}" for channel, words in CHANNELS.items()}
ENDS |= {UNREAD.format(words): f"read_{channel}" for channel, words in CHANNELS.items()}


def say_what_ends(apps: Any, _schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Of two about the same in one clinic the older; the other is ended by hand, as it was before."""
    steps = apps.get_model("journeys", "Step").objects.filter(kind="mend", status="active")
    told = set(steps.exclude(ends_with="").values_list("clinic_id", "ends_with"))
    for step in steps.filter(ends_with="").order_by("pk"):
        ends_with = ENDS.get(step.names.get("en", ""))
        if ends_with and (step.clinic_id, ends_with) not in told:
            told.add((step.clinic_id, ends_with))
            steps.filter(pk=step.pk).update(ends_with=ends_with)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("journeys", "0019_step_that_only_one_outcome_ends")]

    operations = [
        migrations.RunPython(say_what_ends, migrations.RunPython.noop, elidable=True),
        AddUniqueBesideTheWork(
            model_name="step",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "mend"), ("status", "active"), models.Q(("ends_with", ""), _negated=True)),
                fields=("clinic", "ends_with"),
                name="step_once_while_the_same_is_to_mend",
            ),
        ),
    ]
