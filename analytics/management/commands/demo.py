"""`manage.py demo`: load the demonstration shop. Safe to repeat: nothing is loaded twice."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from analytics import demo
from analytics.days.fill import fill
from analytics.made_up_spend import make_up_spend
from clm.lib.prepared_command import PreparedCommand
from customers import online_retail
from customers.file_lock import ImportRefused
from customers.ingest import clock
from customers.models import Source
from customers.parsing import BadFile

TELL_SECONDS = 2.0


class Command(PreparedCommand):
    help = (
        "Load the demo: the real orders of UCI Online Retail, moved by whole weeks so that they end in the last seven "
        "days, simulated visits, sign-ups, tickets and opinions around them, made-up marketing spend, and a user of "
        "each role. A second run changes nothing."
    )
    # It makes users of its own, and knows the zone in which the models it installs count days.
    leaves_out = ("models", "admin")

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as-is", action="store_true", help="keep the dates of the file, 2010 and 2011")
        parser.add_argument("--orders-only", action="store_true", help="leave out all simulated touchpoints")
        parser.add_argument("--if-first", action="store_true", help="do nothing if there are customers already")
        parser.add_argument(
            "--starting", action="store_true", help="part of a start, which tells the logins itself: do not print them"
        )
        parser.add_argument("--file", type=Path, help="a copy of the file, instead of fetching it")

    def handle(
        self, *, as_is: bool, orders_only: bool, if_first: bool, starting: bool, file: Path | None, **options: Any
    ) -> None:
        if if_first and not demo.is_wanted():
            return
        self.began = self.told_at = time.monotonic()
        now = clock()
        try:
            rows, logins = self._load(file=file, as_is=as_is, orders_only=orders_only, now=now)
        except (BadFile, ImportRefused, online_retail.NotFetched) as error:
            raise CommandError(str(error)) from error
        if starting:
            self.say(f"The demo is loaded, {rows:,} rows")
            return
        if logins:
            self.stdout.write("\nSign in as:")
            for role, email, password in logins:
                self.stdout.write(f"  {role:9} {email:24} {password}")
            self.stdout.write("")
        self.stdout.write(f"{rows} rows changed")

    def _load(
        self, *, file: Path | None, as_is: bool, orders_only: bool, now: Any
    ) -> tuple[int, list[tuple[str, str, str]]]:
        self.say("Setting up the shop, its stage models and segments")
        demo.set_up_shop(now=now)
        if file is None:
            self.say("Fetching the orders: UCI Online Retail, 541,909 lines of a British gift shop")
            file = online_retail.fetched(folder=settings.DATA_DIR / "downloads")
        self.say("Importing the orders")
        imported = demo.bring_orders(path=file, as_is=as_is, now=now, tell=self.say)
        record = imported.record
        self.say(
            f"{record.lines_read:,} lines = {record.lines_used:,} used + "
            f"{record.lines_read - record.lines_used:,} set aside, each with its reason"
        )
        shift = Source.objects.get(pk=record.source_id).shift_days
        if shift:
            self.say(f"All dates are moved by {shift // 7} whole weeks; the pages say so")
        simulated = 0
        if not orders_only:
            self.say("Simulating what order files never say: visits, sign-ups, tickets, opinions")
            added = demo.add_simulated_touches(now=now, tell=self.say_at_times)
            self.say(
                f"{added.touchpoints:,} touchpoints simulated, {added.lookers - added.merges:,} customers who never "
                "buy among them; the pages say so"
            )
            simulated = added.rows_changed
        self.say("Computing every customer's stages over time")
        customers, rows = demo.compute_stages()
        self.say(f"{customers:,} customers computed")
        if not orders_only:
            self.say("Adding an experiment that has ended, with an effect that is known, and one that runs")
            rows += demo.add_experiments()
        counted = fill()
        self.say(f"{counted.rows:,} figures per day counted, {counted.broken} identities between them broken")
        days = demo.order_days()
        spend = make_up_spend(first=days[0], last=days[1]) if days else 0
        self.say(f"{spend:,} days of marketing spend made up, and marked so")
        logins = demo.make_users(logins=settings.DATA_DIR / "demo-logins.txt")
        return imported.rows_changed + simulated + rows + spend + len(logins), logins

    def say_at_times(self, sentence: str) -> None:
        """Progress, but not more often than somebody can read."""
        if time.monotonic() - self.told_at >= TELL_SECONDS:
            self.told_at = time.monotonic()
            self.say(sentence)

    def say(self, sentence: str) -> None:
        self.stdout.write(f"{time.monotonic() - self.began:7.1f} s  {sentence}")
        self.stdout.flush()
