"""`manage.py demo`: load the demonstration shop. Safe to repeat: nothing is loaded twice."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from analytics import demo
from analytics.days.fill import fill
from analytics.made_up_spend import make_up_spend
from customers import online_retail
from customers.ingest import clock
from customers.models import Source
from customers.money import NoRate
from customers.order_import import ImportRefused
from customers.parsing import BadFile


class Command(BaseCommand):
    help = (
        "Load the demo: the real orders of UCI Online Retail, moved by whole weeks so that they end in the last seven "
        "days, made-up marketing spend, and a user of each role. A second run changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--as-is", action="store_true", help="keep the dates of the file, 2010 and 2011")
        parser.add_argument("--if-first", action="store_true", help="do nothing if there are customers already")
        parser.add_argument(
            "--starting", action="store_true", help="part of a start, which tells the logins itself: do not print them"
        )
        parser.add_argument("--file", type=Path, help="a copy of the file, instead of fetching it")

    def handle(self, *, as_is: bool, if_first: bool, starting: bool, file: Path | None, **options: Any) -> None:
        if if_first and not demo.is_wanted():
            return
        self.began = time.monotonic()
        now = clock()
        try:
            rows, logins = self._load(file=file, as_is=as_is, now=now)
        except (BadFile, ImportRefused, NoRate, online_retail.NotFetched) as error:
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

    def _load(self, *, file: Path | None, as_is: bool, now: Any) -> tuple[int, list[tuple[str, str, str]]]:
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
        self.say("Computing every customer's stages over time")
        customers, rows = demo.compute_stages()
        self.say(f"{customers:,} customers computed")
        counted = fill()
        self.say(f"{counted.rows:,} figures per day counted, {counted.broken} identities between them broken")
        days = demo.order_days()
        spend = make_up_spend(first=days[0], last=days[1]) if days else 0
        self.say(f"{spend:,} days of marketing spend made up, and marked so")
        logins = demo.make_users(logins=settings.DATA_DIR / "demo-logins.txt")
        return imported.rows_changed + rows + spend + len(logins), logins

    def say(self, sentence: str) -> None:
        self.stdout.write(f"{time.monotonic() - self.began:7.1f} s  {sentence}")
        self.stdout.flush()
