"""Times as files write them, read to instants.

A time without an offset is a wall clock of the source's zone. Twice a year a wall clock is not an instant, and the
choice is fixed here: a time that happened twice (the hour after summer time ends) is its **first** occurrence; one that
never was (the hour skipped in spring) is read with the offset in force **before** the change, so it lands as much after
the change as it was written after it. Both are what zoneinfo calls fold=0."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from .events import EARLIEST


class LocalTimes:
    """Reads the times of one source. `shift_days` moves every time by whole days of its wall clock, so that orders of
    a morning stay orders of a morning."""

    def __init__(self, *, time_format: str, time_zone: str, shift_days: int = 0) -> None:
        self.time_format = time_format
        self.zone = ZoneInfo(time_zone)
        self.shift = timedelta(days=shift_days)
        # A file names the same minute again and again.
        self.instant = lru_cache(maxsize=65_536)(self._instant)

    def wall_clock(self, text: str) -> datetime:
        """The local time written, without the shift; raises ValueError with a sentence."""
        try:
            if self.time_format == "iso":
                read = datetime.fromisoformat(text)
            else:
                read = datetime.strptime(text, self.time_format)  # noqa: DTZ007 its zone is the source's
            return read.astimezone(self.zone).replace(tzinfo=None) if read.tzinfo else read
        except (ValueError, OverflowError):
            raise ValueError(f"is not a time of the form {self.time_format}") from None

    def _instant(self, text: str) -> datetime:
        """The instant in UTC, shifted; raises ValueError with a sentence."""
        try:
            local = self.wall_clock(text.strip())
            instant = (local + self.shift).replace(tzinfo=self.zone).astimezone(UTC)
        except OverflowError:
            raise ValueError("lies outside of the calendar") from None
        if instant < EARLIEST:
            raise ValueError("lies before 1990")
        return instant
