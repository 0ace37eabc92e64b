"""`manage.py load_segment FILE`: any rule document as a live segment."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from clm.lib.prepared_command import PreparedCommand
from customers.ingest import clock
from lifecycle.install import build, draft, new_segment
from lifecycle.models import Segment
from lifecycle.rules.document import load_document
from lifecycle.rules.parse import RuleError


class Command(PreparedCommand):
    help = "Load a rule document (JSON) as a segment: compute it for everybody, then make it live."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="a JSON file with one rule")
        parser.add_argument("--key", required=True)
        parser.add_argument("--name", default="")

    def handle(self, *args: Any, file: Path, key: str, name: str, **options: Any) -> None:
        try:
            rule = load_document(file.read_text())
            known = Segment.objects.filter(key=key).first()
            version = (
                draft(subject=known, document={"rule": rule}, note="")
                if known is not None
                else new_segment(key=key, name=name or key, rule=rule)
            )
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise CommandError(f"{file}: byte {error.start} is not UTF-8") from None
        except RuleError as error:
            raise CommandError(f"{file}: {error}") from None
        build(versions=[version], now=clock())
        self.stdout.write(f"segment {key}, version {version.number}, is live")
