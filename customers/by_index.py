"""How imports have their look-ups planned: a portion asks for a thousand people and messages at once, and the planner,
who knows nothing of how few of them there are, would rather read whole tables than look so many up."""

from django.db import connection


def look_up_by_index() -> None:
    """For the rest of this transaction nothing reads a whole table that has an index for what is asked. Measured on
    220,000 identities: a look-up of 2,000 of them took 68 ms by reading the table, 9 ms by its index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_mergejoin', 'off', true),"
            " set_config('jit', 'off', true)"
        )
