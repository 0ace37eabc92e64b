"""Weekly partitions of the raw bodies: made ahead, dropped when older than 30 days."""

from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from psycopg2 import sql as composed

KEEP = timedelta(days=30)


def week_start(instant: datetime) -> datetime:
    """Monday 00:00 UTC of the instant's week."""
    day = instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


@transaction.atomic
def turn_partitions(*, now: datetime) -> tuple[list[str], list[str]]:
    """Make the partitions of this week and the next two, drop those that lie wholly before the keeping time; the names
    made and dropped. Bodies that waited in the default partition move into their week."""
    made, dropped = [], []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relid::regclass::text FROM pg_partition_tree('customers_rawbody') WHERE isleaf ORDER BY 1"
        )
        existing = {name for (name,) in cursor.fetchall()}
        for week in range(3):
            start = week_start(now) + timedelta(weeks=week)
            name = f"customers_rawbody_{start:%Y%m%d}"
            if name in existing:
                continue
            bounds = {"start": start, "end": start + timedelta(weeks=1)}
            table = composed.Identifier(name)
            cursor.execute(composed.SQL("CREATE TABLE {} (LIKE customers_rawbody INCLUDING ALL)").format(table))
            cursor.execute(
                composed.SQL(
                    "WITH moved AS (DELETE FROM customers_rawbody_other WHERE received_at >= %(start)s"
                    " AND received_at < %(end)s RETURNING *) INSERT INTO {} SELECT * FROM moved"
                ).format(table),
                bounds,
            )
            cursor.execute(
                composed.SQL(
                    "ALTER TABLE customers_rawbody ATTACH PARTITION {} FOR VALUES FROM (%(start)s) TO (%(end)s)"
                ).format(table),
                bounds,
            )
            made.append(name)
        oldest = f"customers_rawbody_{week_start(now - KEEP):%Y%m%d}"
        for name in sorted(existing - {"customers_rawbody_other"}):
            if name < oldest:
                cursor.execute(composed.SQL("DROP TABLE {}").format(composed.Identifier(name)))
                dropped.append(name)
        cursor.execute("DELETE FROM customers_rawbody_other WHERE received_at < %s", [now - KEEP])
    return made, dropped
