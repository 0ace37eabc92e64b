"""When the parts of the program that nobody waits for were last at work."""

from django.db import models


class Pulse(models.Model):
    """One part (the tick, the workers) and when it last gave a sign of life."""

    part = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.part} at {self.at:%Y-%m-%d %H:%M:%S}"
