"""Which stages nobody can be in so far, because no source has ever sent the touchpoints that their rules wait for."""

from django.core.cache import cache

from clm.lib import sql
from customers.models import TouchpointType
from lifecycle.live import nodes_of
from lifecycle.models import Subject, Version
from lifecycle.rules.nodes import (
    ACTIVITY_ROLES,
    All,
    Any,
    Held,
    InSegment,
    InStage,
    Lately,
    Named,
    Node,
    Not,
    Pick,
    Selector,
    Since,
    Trait,
)

from .days.kept import Kept
from .models import Seen
from .sorting import Sorting

# Reading which types were ever sent costs a scan of an index of all touchpoints.
KEPT_SECONDS = 300


def silent_roles(*, model: Sorting, kept: Kept | None = None) -> dict[str, tuple[str, ...]]:
    """By the key of a stage whose rule can hold for nobody so far, the roles that would have to be sent first."""
    if model.version is None:
        return {}
    version = Version.objects.select_related("subject").get(pk=model.version)
    sent = roles_sent(kept=kept)
    rules = nodes_of(version, kind=Subject.Kind.MODEL)
    return {key: tuple(sorted(missing)) for key, rule in rules.items() if (missing := missing_roles(rule, sent))}


def missing_roles(rule: Node, sent: frozenset[str]) -> set[str]:
    """The roles without which `rule` holds for nobody; empty when it can hold with what is sent."""
    match rule:
        case All(parts):
            return set().union(*(missing_roles(part, sent) for part in parts))
        case Any(parts):
            missing = [missing_roles(part, sent) for part in parts]
            return set().union(*missing) if all(missing) else set()
        case Not():
            return set()
        case Held(part, _) | Lately(part, _) | Named(_, part):
            return missing_roles(part, sent)
        case Since(start, _):
            return _unsent(start, sent)
        case Trait() | InSegment() | InStage():
            return set()  # told by traits, or by people who list and place by hand
        case _:
            return _unsent(rule.selector, sent)


def roles_sent(*, kept: Kept | None = None) -> frozenset[str]:
    """The roles of the types that any source has ever sent."""
    if kept is not None and kept.has_seen:
        seen = TouchpointType.objects.filter(pk__in=Seen.objects.values("type"))
        return frozenset(seen.values_list("role", flat=True))
    sent = cache.get("analytics.roles_sent")
    if sent is None:
        types = [number for (number,) in sql.rows("analytics/types_sent")]
        sent = frozenset(TouchpointType.objects.filter(pk__in=types).values_list("role", flat=True))
        cache.set("analytics.roles_sent", sent, KEPT_SECONDS)
    return sent


def _unsent(selector: Selector, sent: frozenset[str]) -> set[str]:
    wanted = [_roles(pick) for pick in selector]
    if any(roles is None or roles & sent for roles in wanted):
        return set()
    return set().union(*(roles for roles in wanted if roles is not None))


def _roles(pick: Pick) -> frozenset[str] | None:
    """The roles of which a pick needs one; None when it names none."""
    if pick.any_activity:
        return ACTIVITY_ROLES if pick.roles is None else ACTIVITY_ROLES & pick.roles
    return pick.roles
