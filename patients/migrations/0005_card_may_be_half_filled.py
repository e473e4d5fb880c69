from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('patients', '0004_audit_event'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='servicecard',
            name='service_card_channel_is_known',
        ),
        migrations.AddField(
            model_name='servicecard',
            name='days_told',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='servicecard',
            name='hours_told',
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name='servicecard',
            name='channel',
            field=models.CharField(blank=True, choices=[('phone', 'Call'), ('sms', 'SMS'), ('whatsapp', 'WhatsApp'), ('email', 'E-mail')], max_length=10),
        ),
        migrations.AddConstraint(
            model_name='servicecard',
            constraint=models.CheckConstraint(condition=models.Q(('channel__in', ['', 'phone', 'sms', 'whatsapp', 'email'])), name='service_card_channel_is_known'),
        ),
        migrations.AddConstraint(
            model_name='servicecard',
            constraint=models.CheckConstraint(condition=models.Q(('told_at__isnull', False), models.Q(('days_told', False), ('hours_told', False)), _connector='OR'), name='service_card_told_says_when'),
        ),
    ]
