"""`manage.py forget_answers`: delete the answers that were kept long enough for requests sent twice."""

from typing import Any

from django.utils import timezone

from clm.lib.access.kept_answers import forget_answers
from clm.lib.prepared_command import PreparedCommand


class Command(PreparedCommand):
    help = "Delete the answers of requests with an idempotency key that are older than two days."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{forget_answers(now=timezone.now())} answers forgotten.")
