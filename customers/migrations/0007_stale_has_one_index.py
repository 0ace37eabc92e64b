"""Stale had two identical indexes of its profiles: the one that a foreign key brings and `stale_of_profile`. Every
touchpoint that comes in writes a row there, and every advance deletes it again."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0006_when_tellings_were_recorded")]

    operations = [
        migrations.AlterField(
            model_name="stale",
            name="profile",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="customers.profile",
            ),
        ),
    ]
