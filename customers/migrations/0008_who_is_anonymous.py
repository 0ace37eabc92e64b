"""Who is known by nothing but a device, and when a portrait changed: what lists are sorted by. Telephone numbers are
found by their digits alone."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Left, Lower, Now

# Those who are known already are left alone: a column with a default costs no row.
ANONYMOUS = """
UPDATE customers_customer AS customer
SET is_anonymous = true
WHERE name = '' AND email = '' AND phone = ''
  AND NOT EXISTS (
      SELECT FROM customers_profile AS profile
      JOIN customers_identity AS identity ON identity.profile_id = profile.id
      WHERE profile.customer_id = customer.id AND identity.kind <> 'anonymous_id'
  )
"""
DIGITS = """
UPDATE customers_customer
SET search_text = search_text || ' ' || regexp_replace(phone, '[^0-9]+', '', 'g')
WHERE phone ~ '[0-9][^0-9]+[0-9]'
"""


class Migration(migrations.Migration):
    atomic = False  # a live table goes on being written while the indexes are built

    dependencies = [("customers", "0007_stale_has_one_index")]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="is_anonymous",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.AddField(
            model_name="customer",
            name="portrayed_at",
            field=models.DateTimeField(db_default=Now(), editable=False),
        ),
        migrations.RunSQL(ANONYMOUS, migrations.RunSQL.noop),
        migrations.RunSQL(DIGITS, migrations.RunSQL.noop),
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(
                Lower(Left("name", 40)),
                "id",
                condition=models.Q(("merged_into", None), models.Q(("name", ""), _negated=True)),
                name="customer_by_name",
            ),
        ),
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("merged_into", None), ("name", "")),
                fields=["is_anonymous", "id"],
                name="customer_without_name",
            ),
        ),
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(fields=["portrayed_at"], name="customer_portrayed"),
        ),
    ]
