"""How much memory and time does a file of people take on its way in? BENCH_ROWS rows (5,000,000 unless set) of made-up
contacts are written to a file and brought in by the command an operator runs, in a process of its own whose greatest
resident memory is read; then the same file again, which must change no row. The floor is reading the file with Python's
csv alone. A database of its own is filled, and left."""

import csv
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from bench import measuring  # noqa: E402

ROWS = int(os.environ.get("BENCH_ROWS", "5000000"))
MOST_MB = 300
HEADER = (
    "Record ID,First Name,Last Name,Email,Lifecycle Stage,Create Date,Became a Customer Date,Company Name,City,Plan,"
    "Unsubscribed from all email\n"
)
STAGES = ("Subscriber", "Lead", "Customer", "Evangelist")
CITIES = ("Lisbon", "Oslo", "Kyoto", "Quito", "Accra")


def write(path: Path) -> None:
    """The file: everybody once, a tenth of them customers."""
    with path.open("w") as file:
        file.write(HEADER)
        for number in range(ROWS):
            day = f"2025-{1 + number % 12:02}-{1 + number % 28:02} 09:30"
            bought = day if number % 10 == 0 else ""
            file.write(
                f"{number},First{number % 5000},Last{number % 9973},p{number}@example.org,{STAGES[number % 4]},{day},"
                f"{bought},Company {number % 20000},{CITIES[number % 5]},free,{'true' if number % 50 == 0 else ''}\n"
            )


def floor(path: Path) -> float:
    """Seconds to read the file, and do nothing with it."""
    begin = time.perf_counter()
    with path.open(newline="") as file:
        for _row in csv.reader(file):
            pass
    return time.perf_counter() - begin


def bring(path: Path) -> tuple[float, float, str]:
    """Seconds, most resident memory in MB, and the last line told."""
    command = [sys.executable, str(PROJECT / "manage.py"), "import_file", str(path), "--preset", "hubspot_contacts"]
    begin, most, last = time.perf_counter(), 0.0, ""
    with tempfile.TemporaryFile("w+") as out, subprocess.Popen(command, stdout=out, stderr=out, text=True) as process:
        while process.poll() is None:
            most = max(most, measuring.peak_resident_mb(process.pid) or 0.0)
            time.sleep(0.2)
        out.seek(0)
        last = (out.read().splitlines() or [""])[-1]
    if process.returncode:
        raise SystemExit(last)
    return time.perf_counter() - begin, most, last


def main() -> None:
    measuring.begin("A file of people on its way in: memory and time")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "contacts.csv"
        write(path)
        print(f"{ROWS:,} rows, {path.stat().st_size / 1e6:,.0f} MB")
        # A first run makes its private servers and tables, which is nothing a row costs.
        subprocess.run([sys.executable, str(PROJECT / "manage.py"), "prepare"], check=True, capture_output=True)
        read = floor(path)
        print("\n| what | rows/s | against reading alone | most memory | changed |\n| --- | --- | --- | --- | --- |")
        print(f"| csv alone | {ROWS / read:,.0f} | 1.00 | | |")
        for name in ("first time", "again"):
            seconds, most, last = bring(path)
            print(f"| {name} | {ROWS / seconds:,.0f} | {seconds / read:,.1f} | {most:,.0f} MB | {last} |", flush=True)
            if most > MOST_MB:
                raise SystemExit(f"more than {MOST_MB} MB")
        if not re.fullmatch("0 rows changed", last):
            raise SystemExit("the same file changed something")


if __name__ == "__main__":
    main()
