import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('patients', '0006_told_cards_answered_days_and_hours'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='patientcontact',
            name='confirmed_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='patientcontact',
            name='confirmed_to',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='patientcontact',
            name='may_be_called',
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name='patientcontact',
            name='may_say',
            field=models.CharField(choices=[('all', 'Everything about the visits'), ('call_back', 'Only that we ask to be called back')], default='all', max_length=12),
        ),
        migrations.AddField(
            model_name='patientcontact',
            name='place',
            field=models.CharField(blank=True, choices=[('', 'Not said'), ('mobile', 'Mobile'), ('home', 'Home'), ('work', 'Work')], default='', max_length=8),
        ),
        migrations.AddConstraint(
            model_name='patientcontact',
            constraint=models.CheckConstraint(condition=models.Q(('place__in', ['', 'mobile', 'home', 'work'])), name='patient_contact_place_is_known'),
        ),
        migrations.AddConstraint(
            model_name='patientcontact',
            constraint=models.CheckConstraint(condition=models.Q(('may_say__in', ['all', 'call_back'])), name='patient_contact_may_say_is_known'),
        ),
        migrations.AddConstraint(
            model_name='patientcontact',
            constraint=models.CheckConstraint(condition=models.Q(('may_be_called', True), ('may_leave_voicemail', False), _connector='OR'), name='patient_contact_no_voicemail_where_nobody_may_call'),
        ),
        migrations.AddConstraint(
            model_name='patientcontact',
            constraint=models.CheckConstraint(condition=models.Q(('confirmed_at__isnull', False), ('confirmed_to__isnull', True), _connector='OR'), name='patient_contact_confirmed_says_when'),
        ),
    ]
