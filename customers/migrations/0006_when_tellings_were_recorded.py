"""When each telling of traits was recorded: NULL for those told before this was kept, which makes the first step cheap
whatever the size of the table. And an index by which it is found whose a profile was at an earlier instant."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("customers", "0005_trait_tellings")]

    operations = [
        migrations.AddField(
            model_name="traittelling",
            name="recorded_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="traittelling",
            name="recorded_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="profilemove",
            index=models.Index(fields=["profile", "id"], name="profile_move_of_profile"),
        ),
    ]
