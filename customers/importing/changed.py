"""How many rows of customers' records this session has changed."""

from clm.lib import sql

from ..models import (
    Affiliation,
    Channel,
    Consent,
    Customer,
    Identity,
    Profile,
    PropertyValue,
    Stale,
    Touchpoint,
    TouchpointType,
    Trait,
    TraitTelling,
)

_COUNTED = (
    Affiliation,
    Channel,
    Consent,
    Customer,
    Identity,
    Profile,
    PropertyValue,
    Stale,
    Touchpoint,
    TouchpointType,
    Trait,
    TraitTelling,
)


def rows_touched() -> int:
    """Inserted, updated and deleted so far; only the difference of two readings in one transaction means anything."""
    tables = [model._meta.db_table for model in _COUNTED]
    return int(sql.rows("customers/rows_changed", tables=tables)[0][0])
