from typing import Any

from django.db import migrations


def mark_told(apps: Any, _editor: Any) -> None:
    """Until now a card that named no day and no hour meant "any time", as the form said."""
    apps.get_model("patients", "ServiceCard").objects.filter(told_at__isnull=False).update(
        days_told=True, hours_told=True
    )


class Migration(migrations.Migration):
    dependencies = [("patients", "0005_card_may_be_half_filled")]

    operations = [migrations.RunPython(mark_told, migrations.RunPython.noop)]
