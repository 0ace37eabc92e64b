"""What it cost to find the simulated people: per way and day, under a campaign whose name says that it is simulated."""

from datetime import date, timedelta
from decimal import Decimal

from django.db import transaction

from campaigns.models import Campaign, Spend
from customers.models import Channel, Installation

from .kinds import CAMPAIGN
from .parameters import Parameters


@transaction.atomic
def add_spend(*, parameters: Parameters, seed: int, people: int, first: date, last: date) -> int:
    """Spend of every day from `first` to `last` for `people` of a seed met evenly in that time; how many rows are new
    or changed. A day's amount is the way's share of the day's people at its cost: it grows with more people."""
    installation = Installation.current()
    minor = 10**installation.minor_digits
    count = (last - first).days + 1
    rows: list[Spend] = []
    for way in parameters.ways:
        if not way.cost:
            continue
        channel = Channel.objects.get_or_create(key=way.channel)[0]
        campaign, _is_new = Campaign.objects.get_or_create(
            key=f"{CAMPAIGN.format(channel=way.channel)}-{seed}",
            defaults={"name": f"{way.channel.capitalize()} (simulated, seed {seed})", "channel": channel},
        )
        total = round(people * way.share * way.cost * minor)
        known = dict(Spend.objects.filter(campaign=campaign).values_list("day", "amount"))
        for number in range(count):
            day = first + timedelta(days=number)
            amount = total * (number + 1) // count - total * number // count
            if known.get(day) != amount:
                rows.append(
                    Spend(
                        channel=channel,
                        campaign=campaign,
                        day=day,
                        amount=amount,
                        original_amount=Decimal(amount) / minor,
                        currency=installation.currency,
                        is_paid_media=way.is_paid,
                    )
                )
    Spend.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["channel", "campaign", "day", "currency", "is_paid_media"],
        update_fields=["amount", "original_amount"],
    )
    return len(rows)
