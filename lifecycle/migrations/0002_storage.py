from django.db import migrations

STORAGE = """
-- Standings are updated in place: room on every page keeps nine of ten updates off the indexes (HOT).
ALTER TABLE lifecycle_standing SET (fillfactor = 80);
ALTER TABLE lifecycle_due SET (fillfactor = 80);
-- Believed history is read by index-only scans.
ALTER TABLE lifecycle_transition SET (autovacuum_vacuum_insert_scale_factor = 0.02);
CREATE SEQUENCE lifecycle_announcement_order AS bigint;
"""


class Migration(migrations.Migration):
    dependencies = [("lifecycle", "0001_schema")]

    operations = [migrations.RunSQL(STORAGE, "DROP SEQUENCE lifecycle_announcement_order")]
