"""`manage.py create_key --role R --name N`: a new API key; its secret is the last line printed and is never kept."""

from typing import Any

from django.core.management.base import CommandParser

from clm.lib.access.models import ApiKey, Role
from clm.lib.prepared_command import PreparedCommand


class Command(PreparedCommand):
    help = "Make an API key and print its secret as the last line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--name", required=True)

    def handle(self, *args: Any, role: str, name: str, **options: Any) -> None:
        _key, secret = ApiKey.issue(name=name, role=role)
        self.stdout.write(secret)
