"""What group calls say: an account, and that a person belongs to it."""

from collections.abc import Sequence
from typing import Any

from customers.company_changes import tell_companies

from .meaning import Understood


def affiliate(*, told: Sequence[Understood], profiles: Sequence[int]) -> list[dict[str, Any]]:
    """Keep the accounts that some messages speak of, with what was told last of each, and that the person of each
    message belongs there from its instant on; what that changed of known accounts. `profiles` by position of the
    message. One statement."""
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
    return tell_companies(rows)
