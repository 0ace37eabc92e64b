"""Foreign keys for tables written by the million."""

from typing import Any

from django.db import models


def bare_reference(to: Any, **options: Any) -> Any:
    """A foreign key without a constraint or an index of its own: deferred constraint triggers cost a third of the
    insert rate, and an index without a query that needs it costs the rest. Writers of such tables hold the row they
    point at under a lock or have just made it."""
    return models.ForeignKey(
        to, models.DO_NOTHING, db_constraint=False, **{"db_index": False, "related_name": "+", **options}
    )
