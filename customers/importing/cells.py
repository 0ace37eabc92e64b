"""What a cell says, read by a stated format and never guessed at: `NA` is a text, `01234` keeps its zero, `1E5` is no
number, and 3/4 is a day only where the mapping says which."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

YES = frozenset({"yes", "y", "true", "t", "1", "x", "on", "ja", "oui", "si", "sí", "wahr"})
NO = frozenset({"no", "n", "false", "f", "0", "off", "nein", "non", "falsch", ""})
_NUMBER = re.compile(r"[+-]?(?:\d{1,30}(?:\.\d{0,20})?|\.\d{1,20})", re.ASCII)
_POINTS = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d{0,20})?", re.ASCII)
_COMMAS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d{0,20})?", re.ASCII)
_UNIX = {"unix": (re.compile(r"-?\d{1,11}(?:\.\d{1,6})?", re.ASCII), 1), "unix_ms": (re.compile(r"-?\d{1,14}"), 1000)}


class BadCell(ValueError):  # noqa: N818 a fault of the data
    """A cell that cannot be read: a stable key of why, the column, and a sentence."""

    def __init__(self, reason: str, column: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.column = reason, column


class Cells:
    """Reads cells under the formats of one mapping."""

    def __init__(self, *, time_formats: tuple[str, ...], time_zone: str, decimal_mark: str) -> None:
        self.formats, self.zone, self.mark = time_formats, ZoneInfo(time_zone), decimal_mark
        # The same days and amounts come again and again.
        self.instant = lru_cache(maxsize=65_536)(self._instant)
        self.number = lru_cache(maxsize=65_536)(self._number)

    def _instant(self, text: str) -> datetime:
        """The instant in UTC; ValueError with the end of a sentence. A day is its midnight; of a wall clock that came
        twice, the first."""
        told = text.strip()
        for one in self.formats:
            try:
                return self._by(one, told)
            except ValueError:
                continue
            except OverflowError:
                raise ValueError("lies outside of the calendar") from None
        raise ValueError(f"is not a time of the form {' or '.join(self.formats)}")

    def _by(self, form: str, text: str) -> datetime:
        if form in _UNIX:
            pattern, parts = _UNIX[form]
            if not pattern.fullmatch(text):
                raise ValueError
            return datetime.fromtimestamp(float(Decimal(text) / parts), UTC)
        if form == "iso":
            # What exports write that is nearly ISO: "2024-01-31 10:00:00 UTC", "2024-01-31 10:00:00 +0000".
            plain = re.sub(r"\s+(?:UTC|GMT|Z)$", "+00:00", text)
            read = datetime.fromisoformat(re.sub(r"\s+([+-]\d{2}:?\d{2})$", r"\1", plain))
        else:
            read = datetime.strptime(text, form)  # noqa: DTZ007 its zone is the mapping's
        return (read if read.tzinfo else read.replace(tzinfo=self.zone)).astimezone(UTC)

    def _number(self, text: str) -> Decimal:
        """A plain decimal number, with thousands marks where they can mean nothing else; ValueError otherwise."""
        told = text.strip().replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
        if self.mark == ",":
            told = told.replace(".", "") if _POINTS.fullmatch(told) else told
            plain = "?" if "." in told else told.replace(",", ".")
        else:
            plain = told.replace(",", "") if _COMMAS.fullmatch(told) else told
        if not _NUMBER.fullmatch(plain):
            raise ValueError("is not a plain decimal number")
        return Decimal(plain)


def truth(text: str) -> bool:
    """Yes or no; ValueError for anything else."""
    folded = text.strip().casefold()
    if folded in YES:
        return True
    if folded in NO:
        return False
    raise ValueError("says neither yes nor no")


def listed(text: str) -> list[str]:
    """The texts of a cell that holds several: a JSON list, or texts parted by commas or semicolons, quoted or not."""
    told = text.strip()
    if told.startswith("["):
        try:
            read = json.loads(told)
        except ValueError:
            read = None
        if isinstance(read, list):
            return [one if isinstance(one, str) else json.dumps(one) for one in read]
    separator = ";" if ";" in told else ","
    parts = re.findall(rf'"((?:[^"]|"")*)"|([^{separator}]+)', told)
    return [one for quoted, bare in parts if (one := (quoted.replace('""', '"') or bare).strip())]
