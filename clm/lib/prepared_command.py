"""A management command that works on the data of this installation, and so needs its tables.

On private servers it prepares an empty data directory by itself, as `make run` does. On a server of the operator's own,
where changing tables is for the operator to say, it tells in one line which command helps."""

import sys
from typing import Any

import pghistory
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from .database_away import is_away, said_in_one_line


class PreparedCommand(BaseCommand):
    """A command whose `handle` finds every table. What is told of preparing goes to the terminal's standard error:
    the output is the command's own.

    leaves_out: parts of `manage.py prepare` that this command sees to itself or does not need. configures: whether it
    changes what is configured; history then names it as the author."""

    leaves_out: tuple[str, ...] = ("admin",)
    configures = False
    # Checks import every page to look at its address: two thirds of what a short command takes. `manage.py check` and
    # `prepare` make them.
    requires_system_checks: list[str] = []

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            self._prepare()
            if not self.configures:
                return super().execute(*args, **options)
            with pghistory.context(author=f"manage.py {type(self).__module__.rpartition('.')[2]}"):
                return super().execute(*args, **options)
        except (OperationalError, InterfaceError) as error:
            if not is_away(error):
                raise
            raise CommandError(f"The database does not answer: {said_in_one_line(error)}") from None

    def _prepare(self) -> None:
        if settings.EMBEDDED_POSTGRES and not (settings.DATA_DIR / "postgres").exists():
            sys.stderr.write(f"Making a private database in {settings.DATA_DIR} ...\n")
        try:
            missing = missing_migrations()
        except (OperationalError, InterfaceError) as error:
            if is_away(error):
                return  # `advance --forever` waits until the database is back; the others meet the same error
            raise
        if not missing:
            return
        if not settings.EMBEDDED_POSTGRES:
            raise CommandError(
                f"The database of DATABASE_URL lacks {missing} migrations. This command helps: manage.py prepare"
            )
        call_command("prepare", leave_out=list(self.leaves_out), stdout=sys.stderr)


def missing_migrations() -> int:
    """How many migrations of this program the database has not seen; asks it, and reads all migrations from disk."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
