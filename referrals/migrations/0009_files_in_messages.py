"""A file of a message is a document, too; the documents there are stay readable and writable meanwhile."""

from django.db import migrations, models

from patients.indexes import ChangeCheckBesideTheWork


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("referrals", "0008_letters_handed_on")]

    operations = [
        migrations.AlterField(
            model_name="incomingdocument",
            name="source",
            field=models.CharField(
                choices=[
                    ("email", "E-mail"),
                    ("upload", "Upload by the institute"),
                    ("api", "API"),
                    ("message", "Message from a patient"),
                ],
                max_length=8,
            ),
        ),
        ChangeCheckBesideTheWork(
            model_name="incomingdocument",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["email", "upload", "api", "message"])),
                name="document_source_is_known",
            ),
        ),
    ]
