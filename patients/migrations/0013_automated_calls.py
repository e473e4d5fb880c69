"""A channel more: calls that a machine makes."""

from django.db import migrations, models

CHANNELS = ["phone", "sms", "whatsapp", "email", "telegram", "voice"]
NAMED = [
    ("phone", "Call"),
    ("sms", "SMS"),
    ("whatsapp", "WhatsApp"),
    ("email", "E-mail"),
    ("telegram", "Telegram"),
    ("voice", "Automated call"),
]


class Migration(migrations.Migration):
    dependencies = [("patients", "0012_card_in_her_own_words")]

    operations = [
        migrations.RemoveConstraint(model_name="consent", name="consent_channel_is_known"),
        migrations.RemoveConstraint(model_name="servicecard", name="service_card_channel_is_known"),
        migrations.AlterField(
            model_name="consent", name="channel", field=models.CharField(choices=NAMED, max_length=10)
        ),
        migrations.AlterField(
            model_name="servicecard",
            name="channel",
            field=models.CharField(blank=True, choices=NAMED, max_length=10),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", CHANNELS)), name="consent_channel_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="servicecard",
            constraint=models.CheckConstraint(
                condition=models.Q(("channel__in", ["", *CHANNELS])), name="service_card_channel_is_known"
            ),
        ),
    ]
