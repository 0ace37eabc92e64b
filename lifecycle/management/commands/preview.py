"""`manage.py preview`: count exactly what people asked to know before they decide, or what one revision would change.
Several may run at once and share the work; a stopped one is resumed."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from clm.lib.prepared_command import PreparedCommand
from clm.lib.questions import ConflictError
from customers.ingest import clock
from lifecycle.models import Preview, Revision, Stage, Subject
from lifecycle.previews import counted, start_preview, work_on_previews


class Command(PreparedCommand):
    help = "Do the exact counts that are asked for: of what a drafted change would do, and of whom a rule holds for."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--revision", type=int, help="ask for the count of this change first, and print it")

    def handle(self, *args: Any, revision: int | None, **options: Any) -> None:
        asked = None
        if revision is not None:
            try:
                asked = start_preview(revision=revision, now=clock())
            except Revision.DoesNotExist:
                raise CommandError(f"there is no change {revision}") from None
            except ConflictError as error:
                raise CommandError(str(error)) from None
        done = work_on_previews()
        if asked is not None:
            self._tell(asked)
        self.stdout.write(f"{done} buckets counted")

    def _tell(self, asked: Preview) -> None:
        asked.refresh_from_db()
        found = counted(preview=asked)
        if found is None:
            raise CommandError(asked.error or "somebody else is still counting")
        names = {0: "-", **dict(Stage.objects.values_list("id", "key"))}
        subjects = dict(Subject.objects.values_list("id", "key"))
        for subject, tally in found.tallies.items():
            self.stdout.write(f"{subjects[subject]}: {tally.changed} of {found.customers} histories change")
            for (before, after), customers in sorted(tally.cells.items()):
                self.stdout.write(f"  {names[before]} -> {names[after]}: {customers}")
