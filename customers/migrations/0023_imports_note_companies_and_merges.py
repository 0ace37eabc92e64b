"""What an import told of known companies, and whom it merged, is noted, so that it can be taken back."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0022_steps_of_scores")]

    operations = [
        migrations.AddField(
            model_name="importbrought",
            name="merges",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="importbrought",
            name="accounts",
            field=models.JSONField(
                default=list,
                help_text='What known companies were told anew: [{"account", "name": [before, told], "properties": {key: '
                '{"before", "told"}}}], without "before" what was not said before.',
            ),
        ),
    ]
