"""manage.py embedded status|stop|reset|psql|pg_dump|pg_restore: the private servers of this installation, by hand."""

import argparse
import os
import signal
import subprocess
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

if settings.EMBEDDED_POSTGRES or settings.EMBEDDED_VALKEY:
    from clm.embedded.installation import installation
    from clm.embedded.places import EmbeddedError, postgres_program

PROGRAMS = {
    "psql": "open the database",
    "pg_dump": "write a copy of the database, for example --format=custom --file=clm.dump",
    "pg_restore": "fill an empty database from such a copy",
}
BUSY = "Other processes use the private servers (is `make run` running?); end them first"


class Command(BaseCommand):
    help = "Shows, stops, opens or deletes the private PostgreSQL and Valkey of this installation."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("status", help="what runs; exit code 3 when something does not")
        stop = acts.add_parser("stop", help="stop both servers")
        stop.add_argument("--force", action="store_true", help="even while other processes use them")
        for name, about in PROGRAMS.items():
            program = acts.add_parser(name, help=f"{about}; what follows is handed on")
            program.add_argument("arguments", nargs=argparse.REMAINDER)
        reset = acts.add_parser("reset", help="delete all data of this installation")
        reset.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *, act: str, **options: Any) -> None:
        if not (settings.EMBEDDED_POSTGRES or settings.EMBEDDED_VALKEY):
            raise CommandError("DATABASE_URL and REDIS_URL are set: this installation has no servers of its own.")
        try:
            if act in PROGRAMS:
                self.hand_over(act, **options)
            else:
                getattr(self, act)(**options)
        except EmbeddedError as error:
            raise CommandError(str(error)) from error

    def status(self, **_: Any) -> None:
        down = False
        for server in installation.status():
            state = f"runs (pid {server.pid})" if server.answers else "does not run"
            if server.pid and not server.answers:
                state = f"does not answer (pid {server.pid})"
            down = down or not server.answers
            self.stdout.write(f"{server.name:<10} {state}, data in {server.directory}")
        self.stdout.write(f"{'Sockets':<10} {installation.places.sockets}")
        if down:
            raise SystemExit(3)

    def stop(self, *, force: bool, **_: Any) -> None:
        if not installation.stop(force=force):
            raise CommandError(f"{BUSY}, or use --force.")
        self.stdout.write("Both servers are stopped.")

    def hand_over(self, program: str, *, arguments: list[str], **_: Any) -> None:
        """Run one of PostgreSQL's programs on the private database and end with its exit code."""
        if not settings.EMBEDDED_POSTGRES:
            raise CommandError(f"DATABASE_URL is set: use the {program} of that server.")
        installation.ensure_postgres()
        handed = arguments[1:] if arguments[:1] == ["--"] else arguments
        # Ctrl-C belongs to psql, which only ends its query; and we stay, since the last user stops the servers.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        command = [str(postgres_program(program)), "-h", str(installation.places.sockets), "-U", "postgres"]
        command += ["-d", settings.DATABASES["default"]["NAME"], *handed]
        # The variables of a shell that works on another server are not meant for this one.
        env = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        raise SystemExit(subprocess.run(command, env=env, check=False).returncode)

    def reset(self, *, yes: bool, **_: Any) -> None:
        if not settings.EMBEDDED_POSTGRES:
            raise CommandError("DATABASE_URL is set: this command does not delete a database of your own.")
        if not yes:
            self.stdout.write(f"This deletes every customer, touchpoint, user and setting in {settings.DATA_DIR}.")
            if input("Type reset to go on: ").strip() != "reset":
                raise CommandError("Nothing was deleted.")
        if not installation.erase():
            raise CommandError(f"{BUSY}. Nothing was deleted.")
        self.stdout.write("Everything is deleted; `make run` starts over.")
