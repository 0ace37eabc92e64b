from django.db import migrations

# Nobody looks a transition up by its id, and the index cost a quarter of storing one.
DROP = "ALTER TABLE lifecycle_transition DROP CONSTRAINT lifecycle_transition_pkey"
ADD = "ALTER TABLE lifecycle_transition ADD CONSTRAINT lifecycle_transition_pkey PRIMARY KEY (id)"


class Migration(migrations.Migration):
    dependencies = [("lifecycle", "0006_faults")]

    operations = [migrations.RunSQL(DROP, ADD)]
