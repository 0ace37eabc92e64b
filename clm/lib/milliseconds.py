"""Instants as whole milliseconds since 1970 UTC, the grain of every rule, and back."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
DAY = 86_400_000


def to_ms(instant: datetime) -> int:
    """Milliseconds since 1970, truncated towards the past; `instant` must carry its zone."""
    return (instant - EPOCH) // _MILLISECOND


def from_ms(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=int(ms))


def truncated(instant: datetime) -> datetime:
    """`instant` cut to the millisecond, in UTC."""
    if instant.tzinfo is UTC:
        if not instant.microsecond % 1000:
            return instant
        return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    return from_ms(to_ms(instant))


def written(instant: datetime) -> str:
    """`instant` as the API writes it: UTC with milliseconds and Z."""
    return truncated(instant).isoformat(timespec="milliseconds").replace("+00:00", "Z")
