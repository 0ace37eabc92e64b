"""No index is kept twice: each is written with every row, and the second answers nothing that the first does not."""

import pytest
from django.db import connection

# The same table, columns, order, operators, condition and expressions.
TWICE = """
SELECT indrelid::regclass::text, array_agg(indexrelid::regclass::text ORDER BY indexrelid)
FROM pg_index JOIN pg_class AS own ON own.oid = indexrelid
WHERE indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
GROUP BY indrelid, own.relam, indkey::text, indoption::text, indclass::text, indcollation::text,
         pg_get_expr(indpred, indrelid), pg_get_expr(indexprs, indrelid)
HAVING count(*) > 1
"""


@pytest.mark.django_db
def test_no_index_stands_twice() -> None:
    with connection.cursor() as cursor:
        cursor.execute(TWICE)
        assert cursor.fetchall() == []
