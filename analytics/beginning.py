"""Where records begin: before that nothing is known, and until a lapse window later nobody can have lapsed. Figures of
such times are not wrong, but they say less than they seem to; whoever shows them says so."""

from dataclasses import dataclass
from datetime import date, timedelta

from clm.lib import sql
from clm.lib.periods import day_start, local_day
from customers.models import Role
from lifecycle.models import Version
from lifecycle.rules.durations import DAY, parse_duration

from .sales import types_of
from .scope import Scope
from .sorting import active_customers


@dataclass(frozen=True, slots=True)
class Beginning:
    """first: the day of the first purchase or of the first active customer. lapse_days: after how many days without
    anything an active customer lapses, 0 where time alone ends no activity (a subscription that is cancelled)."""

    first: date
    lapse_days: int

    @property
    def settled(self) -> date:
        """The first day on which somebody can have lapsed by time alone."""
        return self.first + timedelta(days=self.lapse_days)


def beginning(*, scope: Scope) -> Beginning | None:
    """Where the records of an installation begin, None while there are none. Two queries."""
    active = active_customers()
    version = active.version if active else None
    inside = active.stage_id("in") if active else None
    kept, zone = scope.kept, scope.period.zone
    if kept is not None and kept.has_sales and (version is None or kept.has_stages(version)):
        ((sold, entered),) = sql.rows("analytics/kept_beginning", version=version, inside=inside)
        days = [day for day in (sold, entered) if day is not None]
    else:
        purchases = types_of(Role.PURCHASE)
        (found,) = sql.rows("analytics/beginning", purchases=purchases, version=version, inside=inside)
        days = [local_day(instant, zone) for instant in found if instant is not None]
    return Beginning(min(days), _lapse_days(version)) if days else None


def _lapse_days(version: int | None) -> int:
    """How long the rule of active customers looks back, if time alone ends what it says."""
    found = Version.objects.filter(pk=version or 0).values_list("document", "lapse_days").first()
    if found is None:
        return 0
    document, lapse = found
    rule = document.get("rule")
    window = rule.get("within") if isinstance(rule, dict) and "did" in rule else None
    return parse_duration(window, lapse=lapse * DAY) // DAY if window else 0


def unrecorded(*, scope: Scope, since: Beginning | None) -> date | None:
    """The first recorded day where a scope begins before it, None where all of its days are recorded. Before that day
    little or nothing was recorded, so that whatever is set against it looks large."""
    if since is None or scope.period.start_at >= day_start(since.first, scope.period.zone):
        return None
    return since.first


def is_full(*, scope: Scope, needs: int, since: Beginning | None) -> bool:
    """Whether records cover a scope's period and `needs` days before it."""
    if since is None:
        return False
    return scope.period.start_at >= day_start(since.first + timedelta(days=needs), scope.period.zone)
