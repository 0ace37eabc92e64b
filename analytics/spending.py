"""What marketing cost."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q, Sum

from campaigns.models import Spend
from clm.lib.periods import local_day

from .made_up_spend import BUDGETS
from .scope import Scope


@dataclass(frozen=True, slots=True)
class Spending:
    """Spend of a period in minor units: all of it, and the variable spend on media alone. rows: how many entries;
    made_up: how many of them are the demonstration's."""

    blended: int = 0
    paid: int = 0
    rows: int = 0
    made_up: int = 0


def spending(*, scope: Scope) -> Spending:
    """What was entered for the days of the period, up to the day of `as_of`."""
    last = min(scope.period.until, local_day(scope.as_of, scope.period.zone) + timedelta(days=1))
    entries = Spend.objects.filter(day__gte=scope.period.start, day__lt=last)
    total = entries.aggregate(
        blended=Sum("amount"),
        paid=Sum("amount", filter=Q(is_paid_media=True)),
        rows=Count("pk"),
        made_up=Count("pk", filter=Q(campaign__key__in=[budget.key for budget in BUDGETS])),
    )
    return Spending(int(total["blended"] or 0), int(total["paid"] or 0), total["rows"], total["made_up"])
