"""What tests commit is gone before the next one begins, wherever it was written."""

from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import connection, transaction

from customers.ingest import clock
from customers.models import RawBody, Source
from customers.partitions import turn_partitions
from tests.databases import empty
from tests.lifecycle.making import two_people


def filled() -> set[str]:
    """The tables that hold anything; those with parts under their own name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            " AND NOT relispartition"
        )
        found = set()
        for (name,) in cursor.fetchall():
            cursor.execute(f'SELECT 1 FROM "{name}" LIMIT 1')
            found |= {name} if cursor.fetchone() else set()
        return found


@pytest.mark.django_db(transaction=True)
def test_every_table_that_was_written_to_is_emptied_and_what_describes_the_code_stays() -> None:
    empty()
    before = filled()
    assert before == {"django_migrations", "django_content_type", "auth_permission"}
    two_people()
    cache.set("key", "value")
    turn_partitions(now=clock())
    RawBody.objects.create(received_at=clock(), source=Source(pk=1), message_hash=uuid4(), body=b"{}")
    written = filled()
    assert {
        "clm_cache",
        "customers_rawbody",
        "customers_touchpoint",
        "lifecycle_transition",
        "lifecycle_version",
    } <= written
    # What was rolled back is nobody's concern.
    with transaction.atomic():
        two_people()
        transaction.set_rollback(True)
    empty()
    assert filled() == before
