"""What marketing cost, made up: no public file of real orders says it, and without it no cost of acquisition can be
shown. Every row hangs on a campaign whose name says that its figures are made up."""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction

from campaigns.models import Campaign, Spend
from customers.models import Channel, Installation, Source

SOURCE = "made-up-spend"


@dataclass(frozen=True, slots=True)
class Budget:
    """What a channel costs in each month of a year, in whole units of the reporting currency, from January on."""

    key: str
    name: str
    channel: str
    is_paid_media: bool
    monthly: tuple[int, ...]


BUDGETS = (
    Budget(
        "made-up-search-ads",
        "Search ads (made-up figures)",
        "search",
        True,
        (32_000,) * 8 + (41_600, 51_200, 57_600, 44_800),
    ),
    Budget(
        "made-up-social-ads",
        "Social ads (made-up figures)",
        "social",
        True,
        (20_000,) * 8 + (24_000, 33_600, 38_400, 28_800),
    ),
    Budget(
        "made-up-catalogue",
        "Printed catalogue (made-up figures)",
        "print",
        True,
        (0, 24_000, 0, 0, 20_000, 0, 0, 0, 52_000, 52_000, 0, 0),
    ),
    Budget("made-up-team", "Team and tools (made-up figures)", "team", False, (60_000,) * 12),
)


@transaction.atomic
def make_up_spend(*, first: date, last: date) -> int:
    """Spend for every day from `first` to `last`; returns how many rows are new. A month's budget is spread over its
    days to the minor unit, so that the days of a whole month sum to it."""
    installation = Installation.current()
    Source.objects.get_or_create(
        key=SOURCE,
        defaults={
            "name": "Marketing spend (made up)",
            "kind": "spend",
            "currency": installation.currency,
            "is_simulated": True,
        },
    )
    minor = 10**installation.minor_digits
    fresh: list[Spend] = []
    for budget in BUDGETS:
        channel = Channel.objects.get_or_create(key=budget.channel)[0]
        campaign, _is_new = Campaign.objects.get_or_create(
            key=budget.key, defaults={"name": budget.name, "channel": channel, "starts_on": first, "ends_on": last}
        )
        known = set(Spend.objects.filter(campaign=campaign).values_list("day", flat=True))
        fresh += [
            Spend(
                channel=channel,
                campaign=campaign,
                day=day,
                amount=amount,
                original_amount=Decimal(amount) / minor,
                currency=installation.currency,
                is_paid_media=budget.is_paid_media,
            )
            for day in _days(first, last)
            if day not in known and (amount := _of_day(budget, day, minor))
        ]
    Spend.objects.bulk_create(fresh)
    return len(fresh)


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _of_day(budget: Budget, day: date, minor: int) -> int:
    """That day's part of the month, such that the parts of a month sum to the whole."""
    month = budget.monthly[day.month - 1] * minor
    days = monthrange(day.year, day.month)[1]
    return month * day.day // days - month * (day.day - 1) // days
