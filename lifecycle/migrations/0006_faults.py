from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("lifecycle", "0005_definitions_and_hands"),
    ]

    operations = [
        migrations.CreateModel(
            name="Fault",
            fields=[
                ("id", models.AutoField(primary_key=True, serialize=False)),
                (
                    "trouble",
                    models.TextField(help_text="The class of the error, and where it was raised.", unique=True),
                ),
                ("error", models.TextField()),
                (
                    "customers",
                    models.PositiveIntegerField(default=0, help_text="How many raised it at once, at the most."),
                ),
                ("tries", models.PositiveIntegerField(default=0)),
                ("first_at", models.DateTimeField()),
                ("last_at", models.DateTimeField()),
                ("retry_at", models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name="parked",
            name="trouble",
            field=models.TextField(
                blank=True, default="", help_text="The class of the error, and where it was raised."
            ),
        ),
    ]
