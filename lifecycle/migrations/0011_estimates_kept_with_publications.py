"""What a change was estimated to do when somebody asked for it to go live."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("lifecycle", "0010_changes_of_mapping"),
    ]

    operations = [
        migrations.AddField(
            model_name="publication",
            name="estimate",
            field=models.JSONField(blank=True, null=True),
        ),
    ]
