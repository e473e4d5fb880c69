# What rang at one instant is taken in the order in which it was made.

from django.db import migrations, models

from patients.indexes import AddIndexBesideTheWork


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('outreach', '0026_fetch_what_came_with_words'),
    ]

    operations = [
        AddIndexBesideTheWork(
            model_name='attempt',
            index=models.Index(condition=models.Q(('status', 'planned')), fields=['channel', 'send_at', 'id'], name='attempt_send_in_turn'),
        ),
        AddIndexBesideTheWork(
            model_name='outreachtask',
            index=models.Index(condition=models.Q(('plan_from__isnull', False), ('status', 'open')), fields=['plan_from', 'id'], name='outreach_task_plan_in_turn'),
        ),
        migrations.RemoveIndex(
            model_name='attempt',
            name='attempt_to_send',
        ),
        migrations.RemoveIndex(
            model_name='outreachtask',
            name='outreach_task_to_plan',
        ),
    ]
