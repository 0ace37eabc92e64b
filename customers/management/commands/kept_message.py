"""`manage.py kept_message web-shop <messageId>`: a message exactly as it arrived, for thirty days."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from clm.lib.prepared_command import PreparedCommand
from customers.raw_bodies import kept_message


class Command(PreparedCommand):
    help = "Print a message as it arrived: the key of its source, and its messageId. They are kept for 30 days."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="the key of the source, as its page's address says it")
        parser.add_argument("message", help="its messageId")

    def handle(self, *, source: str, message: str, **options: Any) -> None:
        body = kept_message(source=source, message_id=message)
        if body is None:
            raise CommandError(f"No message {message} of {source} is kept.")
        self.stdout.write(body.decode())
