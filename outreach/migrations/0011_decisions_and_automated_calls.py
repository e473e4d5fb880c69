"""What is decided about a contact gets rows of its own; a machine may call, too."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.migrations.operations.base import Operation

CHANNELS = ["phone", "sms", "whatsapp", "email", "telegram", "voice"]
NAMED = [
    ("phone", "Call"),
    ("sms", "SMS"),
    ("whatsapp", "WhatsApp"),
    ("email", "E-mail"),
    ("telegram", "Telegram"),
    ("voice", "Automated call"),
]


def with_a_channel_more(model: str, constraint: str, allowed: list[str], **field: object) -> list[Operation]:
    changed = models.CharField(choices=NAMED, max_length=10, **field)  # type: ignore[arg-type]
    known = models.CheckConstraint(condition=models.Q(("channel__in", allowed)), name=constraint)
    return [
        migrations.RemoveConstraint(model_name=model, name=constraint),
        migrations.AlterField(model_name=model, name="channel", field=changed),
        migrations.AddConstraint(model_name=model, constraint=known),
    ]


class Migration(migrations.Migration):
    dependencies = [
        ("journeys", "0012_index_chases_of_a_clinic"),
        ("outreach", "0010_who_answers_a_reply"),
        ("patients", "0013_automated_calls"),
    ]

    operations = [
        migrations.CreateModel(
            name="Decision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("planned", "Planned"),
                            ("stopped", "Not sent"),
                            ("put_off", "Put off"),
                            ("handed_over", "Handed to a person"),
                        ],
                        max_length=12,
                    ),
                ),
                ("at", models.DateTimeField()),
                ("channel", models.CharField(blank=True, max_length=10)),
                ("rules", models.CharField(blank=True, max_length=200)),
                ("passed", models.TextField(blank=True)),
                ("until", models.DateTimeField(blank=True, null=True)),
                (
                    "attempt",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="decisions",
                        to="outreach.attempt",
                    ),
                ),
                (
                    "step",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="decisions",
                        to="journeys.step",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["step", "at"], name="decision_by_step"),
                    models.Index(
                        condition=models.Q(("attempt__isnull", False)),
                        fields=["attempt"],
                        name="decision_by_attempt",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["planned", "stopped", "put_off", "handed_over"])),
                        name="decision_kind_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("channel__in", ["", *CHANNELS])
                        ),
                        name="decision_channel_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind__in", ("stopped", "put_off", "handed_over")), _negated=True),
                            models.Q(("rules", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="decision_against_a_contact_says_why",
                    ),
                ],
            },
        ),
        *with_a_channel_more("attempt", "attempt_channel_is_known", CHANNELS),
        *with_a_channel_more("sender", "sender_channel_is_known", CHANNELS, unique=True),
        *with_a_channel_more("messengerlink", "messenger_link_channel_is_known", CHANNELS),
        migrations.RemoveConstraint(model_name="messagetemplate", name="message_channel_is_known"),
        migrations.AddConstraint(
            model_name="messagetemplate",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["", *CHANNELS])), name="message_channel_is_known"
            ),
        ),
    ]
