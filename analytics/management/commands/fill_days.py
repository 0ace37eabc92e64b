"""`manage.py fill_days`: bring the figures that are kept per day up to date. A killed one goes on where it stopped."""

from typing import Any

from django.core.management.base import CommandParser

from analytics.days.fill import fill
from clm.lib.prepared_command import PreparedCommand


class Command(PreparedCommand):
    help = "Count into the kept daily figures everything that was recorded since they were counted last."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--anew", action="store_true", help="forget what is kept and count it from the beginning")

    def handle(self, *args: Any, anew: bool, **options: Any) -> None:
        done = fill(tell=self.stdout.write, anew=anew)
        if done.known_at is None:
            self.stdout.write("somebody else is counting")
            return
        self.stdout.write(
            f"{done.rows} kept rows touched, {done.customers} histories read, {done.anew} statistics counted anew,"
            f" {done.broken} identities broken"
        )
        self.stdout.write(f"counted is what was recorded before {done.known_at:%Y-%m-%d %H:%M:%S} UTC")
