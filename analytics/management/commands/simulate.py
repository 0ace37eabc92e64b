"""`manage.py simulate`: people who never were, with everything that can happen to customers, from known numbers."""

import os
import time
from argparse import ArgumentParser
from concurrent.futures.process import BrokenProcessPool
from datetime import date, timedelta
from typing import Any

from django.core.management.base import CommandError

from analytics.simulator.run import SimulationRefused, simulate
from clm.lib.prepared_command import PreparedCommand
from customers.ingest import clock

TELL_SECONDS = 2.0


class Command(PreparedCommand):
    help = (
        "Simulate customers and store them under the source `simulator`, by COPY, in any number of processes. The same "
        "seed gives the same people; a stopped run goes on, a finished one changes nothing, a larger number of "
        "customers adds the missing ones. Then all stages are computed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--customers", type=int, required=True, metavar="N", help="how many people; 20 touchpoints each on average"
        )
        parser.add_argument("--seed", type=int, default=1, help="which people (1)")
        parser.add_argument("--until", type=date.fromisoformat, metavar="DATE", help="the day on which it ends (today)")
        parser.add_argument("--years", type=int, help="how long it lasts (2)")
        parser.add_argument(
            "--processes", type=int, default=os.cpu_count() or 1, help="how many share the work (all cores)"
        )
        parser.add_argument(
            "--no-stages", action="store_true", help="store only; `manage.py replay` computes the stages"
        )

    def handle(
        self,
        *,
        customers: int,
        seed: int,
        until: date | None,
        years: int | None,
        processes: int,
        no_stages: bool,
        **options: Any,
    ) -> None:
        self.began = time.monotonic()
        self.told_at = 0.0
        try:
            done = simulate(
                people=customers,
                seed=seed,
                until=until,
                years=years,
                processes=processes,
                now=clock(),
                tell=self.say,
                computes_stages=not no_stages,
            )
        except SimulationRefused as error:
            raise CommandError(f"{error}.") from error
        except BrokenProcessPool as error:
            raise CommandError("A process was ended; run the same command again to go on.") from error
        counts, told = done.counts, done.record.mapping["simulated"]
        stored = counts.get("touchpoints_new", 0)
        self.stdout.write(
            f"{stored:,} touchpoints of {counts.get('customers_new', 0):,} customers stored, "
            f"{counts.get('merges', 0):,} merged; {counts.get('touchpoints_repeated', 0):,} messages came twice, "
            f"{counts.get('touchpoints_conflicting', 0):,} of another content"
        )
        last = date.fromisoformat(told["until"]) - timedelta(days=1)
        self.stdout.write(f"The last day of seed {seed} is {last}; it holds {told['people']:,} people")
        if done.computed:
            self.stdout.write(f"Stages of {done.computed:,} customers computed")
        self.stdout.write(f"{done.rows_changed} rows changed")

    def say(self, sentence: str) -> None:
        """Progress, but not more often than somebody can read."""
        now = time.monotonic()
        if not sentence.startswith("portion") or now - self.told_at >= TELL_SECONDS:
            self.told_at = now
            self.stdout.write(f"{now - self.began:7.1f} s  {sentence}")
            self.stdout.flush()
