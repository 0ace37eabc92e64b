"""The real purchases that the published figures rest on: CDNOW's customers of early 1997, taken from the Python package
that ships them. The files are fetched once, checked against their hashes, and kept beside the test data; they are never
part of this repository. The package itself is never imported."""

import csv
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
from django.conf import settings

from analytics.value.gamma_gamma import Spending, spending
from analytics.value.purchases import Counted, Int64s, Purchases, counted, each_its_own

PACKAGE = "lifetimes==0.11.3"
FILES = {
    "cdnow_customers_summary_with_transactions.csv": "7ddd11b55be3227edfc1d58675154e96971b0de3ad37ddd9280d1dba154b8b2f",
    "CDNOW_master.txt": "eff6889ed364c5199d6eacbbeb7a6d559971df4406ac876f322c373f00a072ef",
    "CDNOW_sample.txt": "6fae10155c0b0ba363c2c386e30f77990d22328220efd862a5edd1443420d94a",
}
CALIBRATED = date(1997, 9, 30).toordinal()
ENDED = date(1998, 6, 30).toordinal()


def fetched(name: str) -> Path:
    """The file of that name, fetched if it is not there yet."""
    folder = settings.DATA_DIR / "downloads"
    path = folder / name
    if path.exists() and _sha256(path) == FILES[name]:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--no-deps", PACKAGE]
        subprocess.run([*command, "--dest", scratch], capture_output=True, check=True)
        (wheel,) = Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            content = archive.read(f"lifetimes/datasets/{name}")
        extracted = Path(scratch) / name
        extracted.write_bytes(content)
        assert _sha256(extracted) == FILES[name], f"{PACKAGE} holds another {name} than the one that was published"
        extracted.replace(path)
    return path


def summary_in_weeks() -> Purchases:
    """The 2,357 customers as the papers print them, ages in weeks."""
    rows = _summary()
    return each_its_own(*([float(row[name]) for row in rows] for name in ("x", "t_x", "T")))


def repeat_spending() -> tuple[Int64s, "np.ndarray", Spending]:
    """Of all 2,357: repeat orders and their mean; and what Gamma-Gamma speaks of."""
    rows = _summary()
    repeats = np.array([int(row["x"]) for row in rows])
    mean = np.array([float(row["zbar"]) for row in rows])
    return repeats, mean, spending(repeats, mean)


def sample_orders() -> tuple[Int64s, Int64s]:
    """Customer and day of each line of the sample."""
    rows = [line.split() for line in fetched("CDNOW_sample.txt").read_text().splitlines()]
    customers = np.array([int(row[1]) for row in rows], np.int64)
    return customers, np.array([date.fromisoformat(_iso(row[2])).toordinal() for row in rows], np.int64)


def sample(until: int = CALIBRATED) -> Counted:
    """The sample's histories up to a day, in days."""
    customers, days = sample_orders()
    return counted(customer=customers, day=days, until=until)


def in_exact_days() -> Purchases:
    found = sample()
    return each_its_own(found.repeats, found.last, found.age)


def _summary() -> list[dict[str, str]]:
    with fetched("cdnow_customers_summary_with_transactions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _iso(compact: str) -> str:
    return f"{compact[:4]}-{compact[4:6]}-{compact[6:]}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def gaps_in_days() -> dict[int, tuple[int, int]]:
    """Of all 23,570 customers, by days: gaps from one day with an order to the next, and those open at the end."""
    days: dict[str, set[int]] = {}
    for line in fetched("CDNOW_master.txt").read_text().splitlines()[1:]:
        customer, day, *_rest = line.split()
        days.setdefault(customer, set()).add(date.fromisoformat(f"{day[:4]}-{day[4:6]}-{day[6:]}").toordinal())
    found: dict[int, tuple[int, int]] = {}
    for one in days.values():
        ordered = sorted(one)
        for gap, is_open in [*((b - a, 0) for a, b in pairwise(ordered)), (ENDED - ordered[-1], 1)]:
            ended, open_ = found.get(gap, (0, 0))
            found[gap] = (ended + 1 - is_open, open_ + is_open)
    return found
