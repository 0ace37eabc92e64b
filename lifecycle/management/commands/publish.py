"""`manage.py publish`: make live what people asked for, or one drafted change."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from clm.lib.prepared_command import PreparedCommand
from clm.lib.questions import ConflictError
from customers.ingest import clock
from lifecycle.models import Publication, Revision
from lifecycle.publications import ask_to_publish, publish_asked


class Command(PreparedCommand):
    help = "Make the drafted changes live that people asked for. A stopped one is taken up again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--revision", type=int, help="ask for this change first")

    def handle(self, *args: Any, revision: int | None, **options: Any) -> None:
        if revision is not None:
            try:
                ask_to_publish(revision=revision, now=clock())
            except Revision.DoesNotExist:
                raise CommandError(f"there is no change {revision}") from None
            except ConflictError as error:
                raise CommandError(str(error)) from None
        done = publish_asked()
        refused = Publication.objects.filter(revision=revision).exclude(refused_at=None).first()
        if refused is not None:
            raise CommandError(refused.refusal)
        self.stdout.write(f"{done} changes live")
