"""What a replay costs in processor time, bucket by bucket: `python bench/processor_time.py [--subjects seven models]`.

The question of bench/replay.py for a machine that is not quiet: the time that the server's process and the client's
were really computing, replay and psql's bare COPY of the same bucket in turns, in one process each. Leaves out waiting
for the disk, and how well two processes share two processors. Linux only, with the server on the same machine."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.db import connection

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measuring import begin, computed, need_touchpoints, start_django
from bench.replay import (
    BELIEVED_OUT,
    COLUMNS,
    NAMES,
    SUBJECTS,
    TOUCHPOINTS_OUT,
    TRANSITIONS_OUT,
    asked,
    forget,
    make_newer,
    merge_some,
    only,
    psql_command,
    settle_down,
)

DONE = "that was all"


class Psql:
    """One psql that takes statements, and the server's process behind it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(psql_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.server = int(self.say("SELECT pg_backend_pid();")[0])
        self.say("\\o /dev/null")

    def say(self, *lines: str) -> list[str]:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("\n".join([*lines, f"\\echo {DONE}", ""]))
        self.process.stdin.flush()
        return list(iter(lambda: self.process.stdout.readline().strip(), DONE))

    def seconds(self, *lines: str) -> float:
        before = computed(self.process.pid, self.server)
        self.say(*lines)
        return computed(self.process.pid, self.server) - before


def bucket_ids(bucket: int) -> tuple[int, int]:
    return bucket * settings.CLM_BUCKET_SIZE, (bucket + 1) * settings.CLM_BUCKET_SIZE - 1


def measure(buckets: range, psql: Psql) -> dict[str, float]:
    """Seconds of processor time for all the buckets, by what was done."""
    from lifecycle.models import Replay
    from lifecycle.replay import progress, replay_next, start_replay

    def begun() -> Replay:
        asked("TRUNCATE lifecycle_replaybucket, lifecycle_replay")
        replay = start_replay()
        for _ in range(buckets.start):  # comes to the buckets that are asked for, and warms up
            replay_next(replay=replay)
        return replay

    def replayed(replay: Replay) -> float:
        mine = (os.getpid(), connection.connection.info.backend_pid)
        before = computed(*mine)
        replay_next(replay=replay)
        return computed(*mine) - before

    spent = dict.fromkeys(
        ("touchpoints out", "first fill", "in, bare", "in, shipped", "believed out", "unchanged"), 0.0
    )
    forget()
    replay = begun()
    for bucket in buckets:
        spent["touchpoints out"] += psql.seconds(TOUCHPOINTS_OUT.format(*bucket_ids(bucket)) + ";")
        spent["first fill"] += replayed(replay)
    settle_down()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "transitions.copy"
        for what, like in (("in, bare", ""), ("in, shipped", "INCLUDING ALL")):
            asked("DROP TABLE IF EXISTS bench_transition")
            asked(f"CREATE TABLE bench_transition (LIKE lifecycle_transition INCLUDING IDENTITY {like})")
            for bucket in buckets:
                psql.say(f"\\o {file}", TRANSITIONS_OUT.format(*bucket_ids(bucket)) + ";", "\\o /dev/null")
                spent[what] += psql.seconds(f"\\copy bench_transition ({COLUMNS}) FROM '{file}' (FORMAT binary)")
            asked("DROP TABLE bench_transition")
    replay = begun()
    for bucket in buckets:
        spent["believed out"] += psql.seconds(BELIEVED_OUT.format(*bucket_ids(bucket)) + ";")
        spent["unchanged"] += replayed(replay)
    assert progress(replay=replay).rows_changed == 0
    return spent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", nargs="+", default=["seven", "models"], choices=[*NAMES])
    parser.add_argument("--buckets", type=int, default=12)
    options = parser.parse_args()
    start_django()
    begin("What does a replay cost in processor time?")
    need_touchpoints()
    psql = Psql()
    found: dict[str, dict[str, float]] = {}
    try:
        make_newer()
        merge_some()
        for name in options.subjects:
            only(*SUBJECTS[name])
            found[name] = spent = measure(range(2, 2 + options.buckets), psql)
            print(f"\n### {NAMES[name]}, ms of processor time a bucket of {settings.CLM_BUCKET_SIZE:,} customers\n")
            print("| " + " | ".join(spent) + " |\n|" + " --- |" * len(spent))
            print("| " + " | ".join(f"{1e3 * one / options.buckets:.0f}" for one in spent.values()) + " |\n")
            out = spent["touchpoints out"]
            for what, beside in (
                ("first fill", "in, shipped"),
                ("first fill", "in, bare"),
                ("unchanged", "believed out"),
            ):
                print(f"- {what} against touchpoints out + {beside}: {spent[what] / (out + spent[beside]):.2f}")
        if {"seven", "models"} <= found.keys():
            for what in ("first fill", "unchanged"):
                print(f"- three models against seven alone, {what}: {found['models'][what] / found['seven'][what]:.2f}")
    finally:
        only(*SUBJECTS["all"])
        asked("ALTER TABLE customers_touchpoint RESET (autovacuum_enabled)")


if __name__ == "__main__":
    main()
