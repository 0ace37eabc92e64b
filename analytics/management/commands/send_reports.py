"""`manage.py send_reports`: send the reports that are due. What a killed one left behind is gone on with, or told as
unknown where nobody can say whether it arrived."""

from typing import Any

from django.core.management.base import CommandParser

from analytics.reports.planning import forget_mailings
from analytics.reports.sending import send_reports
from clm.lib.access.invitations import sends_mail
from clm.lib.prepared_command import PreparedCommand
from customers.ingest import clock


class Command(PreparedCommand):
    help = "Write the reports that are due or asked for, and send them, until nothing is left to do now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--forget", action="store_true", help="only forget what was sent more than 90 days ago")

    def handle(self, *args: Any, forget: bool, **options: Any) -> None:
        if forget:
            self.stdout.write(f"{forget_mailings(now=clock())} mailings forgotten")
            return
        if not sends_mail():
            self.stderr.write("No mail server is named (EMAIL_URL): nothing is sent.")
        self.stdout.write(f"{send_reports(seconds=600.0)} mails sent")
