"""The bodies of messages that arrived together lie in one row; a row for each took a third of the write-ahead log of
ingestion. Rows that are there stay as they are and are read as they are, until they are thirty days old."""

import django.contrib.postgres.fields
from django.db import migrations, models

# What is compressed already is not to be tried again.
TOGETHER = """
ALTER TABLE customers_rawbody ADD COLUMN messages uuid[];
ALTER TABLE customers_rawbody ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE customers_rawbody ALTER COLUMN messages SET STORAGE EXTERNAL;
"""
# The former program cannot read what lies together.
APART = """
DELETE FROM customers_rawbody WHERE messages IS NOT NULL;
ALTER TABLE customers_rawbody DROP COLUMN messages;
ALTER TABLE customers_rawbody ALTER COLUMN body SET STORAGE EXTENDED;
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0024_when_scores_were_told")]

    operations = [
        migrations.RunSQL(
            TOGETHER,
            APART,
            state_operations=[
                migrations.AddField(
                    model_name="rawbody",
                    name="messages",
                    field=django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), null=True, size=None
                    ),
                ),
            ],
        ),
    ]
