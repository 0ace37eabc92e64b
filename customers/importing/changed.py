"""How many rows of customers' records this session has changed."""

from clm.lib import sql

from .. import models

_COUNTED = (
    models.Affiliation,
    models.Channel,
    models.Consent,
    models.Customer,
    models.Identity,
    models.Profile,
    models.PropertyValue,
    models.Stale,
    models.Touchpoint,
    models.TouchpointType,
    models.Trait,
    models.TraitTelling,
)


def rows_touched() -> int:
    """Inserted, updated and deleted so far; only the difference of two readings in one transaction means anything."""
    tables = [model._meta.db_table for model in _COUNTED]
    return int(sql.rows("customers/rows_changed", tables=tables)[0][0])
