"""The texts on a Customer row (name, e-mail, phone, what search looks in): a copy of what traits and identities say,
refreshed under the customer's lock."""

from collections.abc import Sequence

from clm.lib import sql


def refresh_portraits(*, customers: Sequence[int]) -> int:
    """Refresh the portraits of customers that the caller has locked; how many rows changed."""
    if not customers:
        return 0
    with sql.run("customers/portraits", customers=[int(customer) for customer in customers]) as cursor:
        return cursor.rowcount
