"""A step of a trait is written by whoever holds the row of its profile: that this exists need not be checked again, row by
row, when the transaction ends."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0018_searches_for_duplicates")]

    operations = [
        migrations.AlterField(
            model_name="trait",
            name="profile",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="traits",
                to="customers.profile",
            ),
        ),
    ]
