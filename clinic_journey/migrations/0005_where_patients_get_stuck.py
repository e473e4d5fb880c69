"""What the reports count ahead, what is undertaken about a gap, and who got the weekly report."""

import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('clinic_journey', '0004_forget_imports'),
        ('patients', '0013_automated_calls'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SummaryClock',
            fields=[
                ('clinic', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='patients.clinic')),
                ('counted_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Improvement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('template_key', models.SlugField(db_index=False, max_length=60)),
                ('step_key', models.SlugField(db_index=False, max_length=60)),
                ('words', models.CharField(max_length=200)),
                ('begun_on', models.DateField()),
                ('ended_on', models.DateField(blank=True, null=True)),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='improvements', to='patients.clinic')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('words', ''), _negated=True), name='improvement_says_what_is_done'), models.CheckConstraint(condition=models.Q(('ended_on__isnull', True), ('ended_on__gte', models.F('begun_on')), _connector='OR'), name='improvement_ends_after_it_began'), models.UniqueConstraint(fields=('clinic', 'template_key', 'step_key', 'words', 'begun_on'), name='improvement_is_noted_once')],
            },
        ),
        migrations.CreateModel(
            name='StageSummary',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('template_key', models.SlugField(db_index=False, max_length=60)),
                ('week', models.DateField()),
                ('source', models.CharField(blank=True, max_length=60)),
                ('target', models.CharField(blank=True, max_length=60)),
                ('dimension', models.CharField(blank=True, choices=[('', 'Everybody'), ('doctor', 'Doctor'), ('language', 'Language'), ('channel', 'Channel')], max_length=8)),
                ('value', models.CharField(blank=True, max_length=20)),
                ('hours', models.PositiveIntegerField()),
                ('passed', models.PositiveIntegerField(default=0)),
                ('lost', models.PositiveIntegerField(default=0)),
                ('tries', models.PositiveIntegerField(default=0)),
                ('contacted', models.PositiveIntegerField(default=0)),
                ('chases', models.PositiveIntegerField(default=0)),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='patients.clinic')),
            ],
            options={
                'indexes': [models.Index(fields=['clinic', 'week'], name='stage_summary_of_a_week')],
                'constraints': [models.CheckConstraint(condition=models.Q(('dimension__in', ['', 'doctor', 'language', 'channel'])), name='stage_summary_dimension_is_known'), models.UniqueConstraint(fields=('clinic', 'template_key', 'dimension', 'value', 'week', 'source', 'target', 'hours'), name='stage_summary_counts_a_stage_once'), models.CheckConstraint(condition=models.Q(models.Q(('dimension', ''), ('value', '')), models.Q(models.Q(('dimension', ''), _negated=True), models.Q(('value', ''), _negated=True)), _connector='OR'), name='stage_summary_of_a_dimension_has_its_value'), models.CheckConstraint(condition=models.Q(('passed__gt', 0), ('lost__gt', 0), _connector='OR'), name='stage_summary_counts_somebody'), models.CheckConstraint(condition=models.Q(('tries__gte', models.F('contacted')), ('contacted__lte', django.db.models.expressions.CombinedExpression(models.F('passed'), '+', models.F('lost')))), name='stage_summary_tries_belong_to_the_contacted')],
            },
        ),
        migrations.CreateModel(
            name='WeeklyReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('week', models.DateField()),
                ('begun_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(blank=True, null=True)),
                ('error', models.CharField(blank=True, max_length=200)),
                ('clinic', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='patients.clinic')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('clinic', 'user', 'week'), name='weekly_report_once_a_week'), models.CheckConstraint(condition=models.Q(('sent_at__isnull', True), ('error', ''), _connector='OR'), name='weekly_report_sent_or_failed')],
            },
        ),
    ]
