"""`manage.py install`: the stage models, sub-rules, types and segments that come with the software. Safe to repeat."""

from typing import Any

from django.core.management.base import CommandParser

from clm.lib.prepared_command import PreparedCommand
from customers.ingest import clock
from lifecycle.install import install


class Command(PreparedCommand):
    help = "Install the stage models, sub-rules, touchpoint types and segments that come with the software."
    leaves_out = ("models", "admin")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--active", choices=["shop", "subscription"], default="shop", help="who counts as active")

    def handle(self, *args: Any, active: str, **options: Any) -> None:
        self.stdout.write(f"{install(now=clock(), preset=active)} subjects installed")
