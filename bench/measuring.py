"""What the measurements share: taking them, printing medians and ratios in rows that can be pasted into RESULTS.md,
saying on what machine, and refusing a database that is not the one a question is about.

A script imports it as `bench.measuring` after putting the project's folder on the path, as bench/engine.py does."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent


class Refused(SystemExit):
    """The measurement cannot be made here; the message is one line that says what helps."""


@dataclass(frozen=True)
class Measured:
    """What was measured: so many runs, in seconds, each over so many `rows` of something (`unit`, in the plural)."""

    what: str
    seconds: tuple[float, ...]
    rows: int = 0
    unit: str = "rows"

    @property
    def median(self) -> float:
        """The middle run, in seconds."""
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """How far apart the runs were: (slowest - fastest) / median. Above 0.3 the machine was not quiet."""
        return (max(self.seconds) - min(self.seconds)) / self.median if self.median else 0.0


def measured(
    what: str,
    act: Callable[[], object],
    *,
    repeats: int = 3,
    before: Callable[[], object] | None = None,
    rows: int = 0,
    unit: str = "rows",
) -> Measured:
    """Run `act` so many times; `before`, which puts back what a run has changed, is not on the clock."""
    runs = []
    for _ in range(repeats):
        if before is not None:
            before()
        began = time.perf_counter()
        act()
        runs.append(time.perf_counter() - began)
    return Measured(what, tuple(runs), rows, unit)


def percentile(seconds: Sequence[float], share: float) -> float:
    """The least of the values that at least `share` (0..1] of all do not exceed: no value is made up between two."""
    ordered = sorted(seconds)
    return ordered[max(0, -(-len(ordered) * round(share * 10_000) // 10_000) - 1)]


def report(title: str, results: Sequence[Measured], *, floor: Measured | None = None) -> None:
    """Print the results as a Markdown table: median, spread, rate, and the ratio to `floor`, the physical limit or
    the peer that the question compares with."""
    beside = f" | against {floor.what}" if floor else ""
    print(f"\n### {title}\n\n| what | median | runs | spread | rate{beside} |")
    print("| --- | --- | --- | --- | ---" + (" | ---" if floor else "") + " |")
    for one in results:
        rate = f"{_short(one.rows / one.median)} {one.unit}/s" if one.rows and one.median else ""
        ratio = f" | {one.median / floor.median:.2f}" if floor and floor.median else ""
        print(f"| {one.what} | {_time(one.median)} | {len(one.seconds)} | {one.spread:.0%} | {rate}{ratio} |")
    print(flush=True)


def machine() -> str:
    """One line that names what the numbers of this run depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{os.cpu_count()} processors ({platform.machine()}), {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, load {load} at the start"
    )


def peak_resident_mb(pid: int | None = None) -> float | None:
    """The most memory (MB of 10^6 bytes) a living process has held so far; None where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid or os.getpid()}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM:")), None)


def computed(*processes: int) -> float:
    """The seconds that all threads of the processes have computed so far (Linux only)."""
    ran = 0
    for process in processes:
        for thread in Path(f"/proc/{process}/task").iterdir():
            ran += int((thread / "schedstat").read_text().split()[0])
    return ran / 1e9


def start_django() -> None:
    """Load the program's settings and models. Which database is measured is decided as always: DATABASE_URL, or the
    private PostgreSQL of CLM_DATA_DIR and the database CLM_DATABASE in it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clm.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    import django

    django.setup()


def customers_asked() -> int:
    """At what size to measure: BENCH_CUSTOMERS, by default the million that RESULTS.md speaks of. A customer has 20
    touchpoints on average."""
    return int(os.environ.get("BENCH_CUSTOMERS", "1_000_000"))


def need_touchpoints(least: int | None = None) -> int:
    """How many touchpoints the database holds by the planner's estimate; refuse fewer than `least` (by default what
    the asked customers have, nearly), saying how they are made. Call `start_django` first."""
    from django.db import DatabaseError, connection

    least = 18 * customers_asked() if least is None else least
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass('customers_touchpoint')")
            found = (cursor.fetchone() or (0,))[0]
    except DatabaseError as error:
        raise Refused(f"The database cannot be asked: {str(error).strip()}") from None
    if found < least:
        raise Refused(f"This needs {least:,} touchpoints and finds {max(found, 0):,}: run bench/load.py first.")
    return found


def peers_python() -> Path:
    """The Python that has the peers (requirements-bench.txt). They are never imported beside the program: a script
    starts this Python with a file of its own."""
    path = PROJECT / ".venv-bench" / "bin" / "python"
    if not path.exists():
        raise Refused("The programs to compare with are not installed: make bench-packages")
    return path


def oracles_python() -> Path:
    """The Python that has the statistical packages our models are held against (requirements-oracles.txt)."""
    path = PROJECT / ".venv-oracles" / "bin" / "python"
    if not path.exists():
        raise Refused("The packages to compare with are not installed: make oracle-packages")
    return path


def begin(question: str) -> None:
    """Print what is asked and on what machine; refuse to measure under a debugger's or a tracer's weight."""
    if sys.gettrace() is not None:
        raise Refused("A debugger or a coverage tool is watching: the times would be its times.")
    print(f"## {question}\n{machine()}", flush=True)


def _time(seconds: float) -> str:
    if seconds >= 100:
        return f"{seconds:.0f} s"
    return f"{seconds:.3g} s" if seconds >= 1 else f"{1e3 * seconds:.3g} ms"


def _short(number: float) -> str:
    for size, word in ((1e9, " billion"), (1e6, " million")):
        if number >= size:
            return f"{number / size:.1f}{word}"
    return f"{number:,.0f}"
