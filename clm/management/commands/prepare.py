"""`manage.py prepare`: bring a database to the point where the program can work on it. Safe to repeat, and safe to run
on several machines at once: the second waits and finds everything done."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection

from clm.lib.access.first_users import make_admin
from clm.lib.database_away import said_in_one_line
from clm.preparation import admin_login, migrate
from customers.ingest import clock
from customers.models import Installation
from lifecycle.install import install

# Migrations lock tables for their own sake and not against each other; this number is ours on the whole server.
PREPARING = 7300
_PATIENCE_SECONDS = 0.5


class Command(BaseCommand):
    help = (
        "Apply migrations, install the models that come with the software, make a first admin: what is missing of it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--leave-out",
            action="append",
            choices=["models", "admin"],
            default=[],
            help="leave this to the first start",
        )

    def handle(self, *args: Any, leave_out: list[str], **options: Any) -> None:
        try:
            while not _is_ours():
                time.sleep(_PATIENCE_SECONDS)
        except OperationalError as error:
            raise CommandError(f"The database does not answer: {said_in_one_line(error)}") from None
        try:
            migrate(tell=lambda count: self.stdout.write(f"Applying {count} migrations ..."))
            if "models" not in leave_out and (installed := install(now=clock())):
                self.stdout.write(f"Installed {installed} stage models and segments.")
            wants_admin = "admin" not in leave_out
            if wants_admin and make_admin(time_zone=Installation.current().time_zone, logins=admin_login()):
                self.stdout.write(f"Made the first admin; the login is kept in {admin_login()}")
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [PREPARING])
        self.stdout.write("The database is ready.")


def _is_ours() -> bool:
    """Ask for the lock without waiting in the database: whoever waits there has a snapshot, and a migration that makes
    an index concurrently waits for every snapshot to end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [PREPARING])
        (ours,) = cursor.fetchone()
    return bool(ours)
