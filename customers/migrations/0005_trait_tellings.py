import django.db.models.deletion
from django.db import migrations, models

# What the stored steps still know of the tellings they were made of: when each was set, and when it was last told.
KNOWN = """
INSERT INTO customers_traittelling (profile_id, told_at, traits)
SELECT profile_id, told_at, jsonb_object_agg(key, coalesce(value, 'null'))
FROM (
    SELECT profile_id, set_at AS told_at, key, value FROM customers_trait
    UNION
    SELECT profile_id, last_seen_at, key, value FROM customers_trait
) AS known
GROUP BY profile_id, told_at
ORDER BY told_at, profile_id;
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_arrivals_and_moves_of_profiles")]

    operations = [
        migrations.CreateModel(
            name="TraitTelling",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("told_at", models.DateTimeField()),
                ("traits", models.JSONField()),
                (
                    "profile",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="customers.profile",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["profile", "told_at"], name="trait_telling_of_profile")],
            },
        ),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
    ]
