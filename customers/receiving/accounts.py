"""What group calls say: an account, and that a person belongs to it."""

from collections.abc import Sequence

import msgspec

from clm.lib import sql

from .meaning import Understood

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def affiliate(*, told: Sequence[Understood], profiles: Sequence[int]) -> None:
    """Keep the accounts that some messages speak of, with what was told last of each, and that the person of each
    message belongs there from its instant on. `profiles` by position of the message. One statement."""
    rows = [
        {
            "profile": profile,
            "key": one.account.key,
            "name": one.account.name,
            "properties": one.account.properties,
            "at": one.event.occurred_at.isoformat(),
            "place": place,
        }
        for place, (one, profile) in enumerate(zip(told, profiles, strict=True))
        if one.account is not None and profile  # 0: of somebody who was erased
    ]
    sql.run("customers/affiliations_add", told=_ENCODER.encode(rows).decode()).close()
