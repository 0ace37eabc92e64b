"""How customers were won: kept rows and sums are what a slow and plain count of the facts says, whatever happened since
the last count."""

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import msgspec
import pytest

from analytics.attribution.chain import NOTHING, ORDERED, START
from analytics.attribution.channels import MESSAGES, OWN, marketing_channel
from analytics.attribution.credits import WHOLE
from analytics.attribution.declared import ADDITIVE, WINDOWS
from analytics.days.declared import ACQUISITION
from analytics.days.fill import count_sales_anew, fill
from analytics.days.kept import kept
from analytics.models import Acquired, Broken, CohortDraw, CohortMonth, Counting, CreditDay, OrderPath, PathStep
from campaigns.models import Campaign
from clm.lib.milliseconds import from_ms, to_ms
from clm.lib.periods import local_day
from customers.catalogue import channel_ids
from customers.ingest import clock
from customers.merge import merge, unmerge
from customers.models import Channel, Installation, Profile, Touchpoint, TouchpointType
from tests.analytics.attribution import reference as plain
from tests.factories import make_order
from tests.lifecycle.making import ago, customer_of, happened, installed, settle, tell
from tests.lifecycle.test_permutation import undone

from .filling import any_program, carry_out, filled

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> None:
    installed(time_zone="America/St_Johns")


def month_of(instant: datetime) -> int:
    day = local_day(instant, Installation.current().time_zone)
    return day.year * 12 + day.month - 1


def said() -> dict[int, tuple]:
    """What the facts say of everybody, one customer after the other."""
    zone, direct = Installation.current().time_zone, channel_ids(["direct"])["direct"]
    roles = dict(TouchpointType.objects.values_list("pk", "role"))
    keys = dict(Channel.objects.values_list("pk", "key"))
    known = dict(Campaign.objects.exclude(channel=None).values_list("key", "channel__key"))
    owner = dict(Profile.objects.values_list("pk", "customer"))
    facts: dict[int, list[Touchpoint]] = defaultdict(list)
    for one in Touchpoint.objects.all():
        facts[owner[one.profile_id]].append(one)
    found = {}
    for customer, theirs in facts.items():
        contacts, orders, refs = [], [], {}
        bought: dict[int, tuple[datetime, int]] = {}
        named: dict[tuple, int] = {}
        for one in theirs:
            role, over = roles[one.type_id], keys[one.channel_id]
            if role == "visit" or (role == "exposure" and over not in OWN | MESSAGES):
                told = {name: str(one.properties.get(f"utm_{name}", "")) for name in ("source", "medium", "campaign")}
                key = marketing_channel(over=over, known=known, **told)
                contacts.append((to_ms(one.occurred_at), channel_ids([key])[key]))
            if role == "purchase" and (one.amount or 0) > 0:
                orders.append((one.occurred_at, one.amount))
                bought[one.pk] = (one.occurred_at, one.amount or 0)
                place = (one.profile_id, one.source_id, one.order_ref)
                known_as = named.get(place)
                if one.order_ref and (known_as is None or (one.occurred_at, one.pk) < (bought[known_as][0], known_as)):
                    named[place] = one.pk
            if role == "purchase" and one.order_ref:
                place = (one.profile_id, one.source_id, one.order_ref)
                refs[place] = min(one.occurred_at, refs.get(place, one.occurred_at))
        first = min((at for at, _amount in orders), default=None)
        for one in theirs:
            if roles[one.type_id] == "refund":
                place = (one.profile_id, one.source_id, one.order_ref)
                orders.append((refs.get(place, one.occurred_at) if one.order_ref else one.occurred_at, one.amount or 0))
                if one.order_ref and place in named:
                    at, amount = bought[named[place]]
                    bought[named[place]] = (at, amount + (one.amount or 0))
        if first is None and not contacts:
            continue
        end = to_ms(first) if first else max(ms for ms, _channel in contacts)
        path = plain.path_before(contacts, end, 90, direct)
        brought: Counter[int] = Counter()
        for at, amount in orders if first else ():
            if at >= first:
                brought[month_of(at) - month_of(first)] += amount
        found[customer] = (
            local_day(from_ms(end), zone),
            first is not None,
            sum(amount for at, amount in orders if at == first) if first else 0,
            path,
            {month: amount for month, amount in brought.items() if amount},
            {
                order: (local_day(at, zone), amount, plain.path_before(contacts, to_ms(at), 90, direct))
                for order, (at, amount) in bought.items()
            },
        )
    return found


def holds() -> dict[int, tuple]:
    """Fill, and compare what is kept with what the facts say."""
    filled()
    direct = channel_ids(["direct"])["direct"]
    expected = said()
    kept_rows = {
        one.pk: (
            one.day,
            one.is_paying,
            one.revenue,
            list(zip(one.channels, one.ages, strict=True)),
            dict(zip(one.months, one.amounts, strict=True)),
        )
        for one in Acquired.objects.all()
    }
    assert kept_rows == {
        customer: (day, pays, revenue, [(channel, age // 1_000) for channel, age in path], brought)
        for customer, (day, pays, revenue, path, brought, _bought) in expected.items()
    }
    kept_orders = {
        one.order: (one.customer_id, one.day, one.revenue, list(zip(one.channels, one.ages, strict=True)))
        for one in OrderPath.objects.all()
    }
    assert kept_orders == {
        order: (customer, day, revenue, [(channel, age // 1_000) for channel, age in path])
        for customer, row in expected.items()
        for order, (day, revenue, path) in row[5].items()
    }
    credit: dict[tuple, Counter] = defaultdict(Counter)
    steps: Counter[tuple] = Counter()
    months: Counter[tuple[int, int]] = Counter()
    cohorts: dict[int, Counter] = defaultdict(Counter)
    for day, pays, revenue, whole, brought, _bought in expected.values():
        value = sum(brought.values())
        for days in WINDOWS:
            path = [(channel, age) for channel, age in whole if age < days * plain.DAY]
            states = [START, *(channel for channel, _age in path), ORDERED if pays else NOTHING]
            if path:
                steps.update((days, day, *pair) for pair in pairwise(states))
            for model in ADDITIVE if pays else ():
                by = plain.weights(model.key, path, direct) or {0: Fraction(1)}
                parts = [plain.parted(amount, by) for amount in (WHOLE, revenue, value)]
                for channel in by:
                    sums = dict(
                        zip(("conversions", "revenue", "value"), (part[channel] for part in parts), strict=True)
                    )
                    credit[days, model.code, day, channel].update({"customers": 1, **sums})
        if pays:
            month = day.year * 12 + day.month - 1
            cohorts[month].update({"customers": 1, "value": value})
            months.update({(month, later): amount for later, amount in brought.items()})
    names = ("customers", "conversions", "revenue", "value")
    found = {
        tuple(row[:4]): row[4:] for row in CreditDay.objects.values_list("lookback", "model", "day", "channel", *names)
    }
    told = {key: tuple(sums[name] for name in names) for key, sums in credit.items()}
    # What is parted by time may differ in one unit where exact fractions and floats round a tie differently.
    assert {key for key, row in found.items() if row[0]} == told.keys()
    for key, row in told.items():
        assert all(abs(one - other) <= row[0] for one, other in zip(found[key], row, strict=True)), key
        if key[1] != 5:
            assert found[key] == row
    stepped = PathStep.objects.exclude(steps=0).values_list("lookback", "day", "source", "target", "steps")
    assert {tuple(row[:4]): row[4] for row in stepped} == dict(steps)
    brought_by = {
        row[:2]: row[2] for row in CohortMonth.objects.exclude(revenue=0).values_list("month", "later", "revenue")
    }
    assert brought_by == {key: amount for key, amount in months.items() if amount}
    drawn = CohortDraw.objects.exclude(customers=0).values_list("month", "customers", "value")
    assert {row[0]: row[1:] for row in drawn} == {
        month: (sums["customers"], sums["value"]) for month, sums in cohorts.items()
    }
    assert not Broken.objects.exists()
    return expected


def test_every_kind_of_news_reaches_the_paths() -> None:
    installed(time_zone="Pacific/Auckland")
    tell(
        happened("ann", "Ad Shown", ago(days=40), channel="display"),
        happened("ann", "Ad Clicked", ago(days=20), channel="search"),
        happened("ann", "Page Viewed", ago(days=20) + timedelta(minutes=2)),
        happened("ann", "Email Opened", ago(days=12), channel="email"),
        happened("ann", "Email Link Clicked", ago(days=10), channel="email"),
        make_order("ann", ago(days=9), 5_000),
        make_order("ann", ago(days=2), 700),
        happened("bob", "Page Viewed", ago(days=3), properties={"utm_source": "google", "utm_medium": "cpc"}),
        happened("cat", "Page Viewed", ago(days=5), identities=[("anonymous_id", "device")]),
        make_order("dan", ago(days=400)),
    )
    settle()
    found = holds()
    keys = dict(Channel.objects.values_list("pk", "key"))
    ann = found[customer_of("ann")]
    assert [keys[channel] for channel, _age in ann[3]] == ["display", "search", "email"]
    assert ann[1:3] == (True, 5_000) and not found[customer_of("bob")][1]
    assert [keys[channel] for channel, _age in found[customer_of("bob")][3]] == ["search"]
    # A touch that comes late, an order that comes late, money given back.
    tell(happened("ann", "Ad Clicked", ago(days=15), channel="social"), make_order("bob", ago(days=1), 900))
    settle()
    holds()
    tell(happened("dan", "Order Refunded", ago(days=300), amount=-10_000))
    settle()
    holds()
    # One that is named, given back in two parts, the first of which comes before it.
    tell(
        msgspec.structs.replace(happened("fay", "Order Refunded", ago(days=8), amount=-100), order_ref="R1"),
        happened("fay", "Ad Clicked", ago(days=8), channel="social"),
        msgspec.structs.replace(make_order("fay", ago(days=7), 1_000), order_ref="R1"),
        make_order("fay", ago(days=5), 500),
    )
    settle()
    assert sorted(row[1] for row in holds()[customer_of("fay")][5].values()) == [500, 900]
    tell(msgspec.structs.replace(happened("fay", "Order Refunded", ago(days=1), amount=-900), order_ref="R1"))
    settle()
    assert sorted(row[1] for row in holds()[customer_of("fay")][5].values()) == [0, 500]
    # A device that turns out to be hers, and then not.
    done = merge(customers=(customer_of("dan"), customer_of("device", "anonymous_id")), now=clock())
    settle()
    assert len(holds()[customer_of("dan")][3]) == 0  # it came after her first order
    unmerge(merge=done.pk, now=clock())
    settle()
    holds()
    done = merge(customers=(customer_of("bob"), customer_of("device", "anonymous_id")), now=clock())
    settle()
    assert len(holds()[customer_of("bob")][3]) == 2
    # A campaign that is kept under another channel, and a type that means something else now, are put right.
    tell(happened("eve", "Page Viewed", ago(days=1), properties={"utm_campaign": "spring"}))
    settle()
    holds()
    begun = Counting.objects.get(statistic=ACQUISITION.name).started_at
    Campaign.objects.create(key="spring", name="Spring", channel=Channel.objects.get(key="display"))
    eve = holds()[customer_of("eve")]
    assert [Channel.objects.get(pk=channel).key for channel, _age in eve[3]] == ["display"]
    assert Counting.objects.get(statistic=ACQUISITION.name).started_at == begun  # only Eve was read anew
    TouchpointType.objects.filter(name="Order Completed").update(role="other")
    assert not any(row[1] for row in holds().values())
    count_sales_anew()
    holds()


def test_contacts_alone_reach_the_ways_that_they_are_part_of() -> None:
    installed(time_zone="Pacific/Kiritimati")
    tell(
        make_order("ann", ago(days=30)),
        make_order("ann", ago(days=10)),
        happened("bob", "Page Viewed", ago(days=20)),
        happened("cat", "Signed Up", ago(days=5)),
        happened("dan", "Ad Clicked", ago(days=95), channel="search"),
    )
    settle()
    holds()
    ann, bob = customer_of("ann"), customer_of("bob")
    for told in (
        # Of a buyer: after the last order, on its day, before the first one.
        happened("ann", "Page Viewed", ago(days=1)),
        happened("ann", "Ad Clicked", ago(days=10) + timedelta(minutes=1), channel="social"),
        happened("ann", "Ad Clicked", ago(days=10) - timedelta(minutes=1), channel="search"),
        happened("ann", "Ad Clicked", ago(days=100), channel="display"),
        # Of a visitor: again within the same visit, later, before all that, out of reach, and what is no touch.
        happened("bob", "Ad Clicked", ago(days=20) + timedelta(minutes=29), channel="social"),
        happened("bob", "Page Viewed", ago(days=20) + timedelta(minutes=58)),
        happened("bob", "Ad Clicked", ago(days=25), channel="search"),
        happened("bob", "Page Viewed", ago(days=2)),
        happened("bob", "Ad Clicked", ago(days=200), channel="display"),
        happened("bob", "Email Opened", ago(days=1), channel="email"),
        # First of somebody, and of somebody of whom nothing but a sign-up was known.
        happened("eve", "Page Viewed", ago(days=400)),
        happened("cat", "Page Viewed", ago(days=4)),
        # The first one is so old now that it is no longer part of the way.
        happened("dan", "Page Viewed", ago(days=1)),
    ):
        tell(told)
        settle()
        found = holds()
    assert [len(found[one][3]) for one in (ann, bob, customer_of("dan"))] == [1, 4, 1]


def test_a_fill_without_news_changes_no_row_of_it() -> None:
    installed()
    tell(happened("ann", "Ad Clicked", ago(days=2), channel="search"), make_order("ann", ago(days=1)))
    settle()
    holds()
    before = list(CreditDay.objects.order_by("pk").values())
    assert fill().rows == 0
    assert list(CreditDay.objects.order_by("pk").values()) == before


def test_a_killed_first_count_of_it_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    installed()
    for name in ("ann", "bob", "cat"):
        tell(happened(name, "Ad Clicked", ago(days=2), channel="search"), make_order(name, ago(days=1)))
        settle()
    holds()
    for table in (Acquired, OrderPath, CreditDay, PathStep, CohortMonth, CohortDraw):
        table.objects.all().delete()
    monkeypatch.setattr("analytics.days.acquisition.CHUNK", 1)
    first = customer_of("ann")
    Counting.objects.filter(statistic=ACQUISITION.name).update(state="started", next_customer=first)
    assert kept().acquisition_known_at is None  # nobody is shown half of it
    assert fill().rows == 3
    holds()
    assert kept().acquisition_known_at is not None


@any_program(6)
def test_any_program_of_facts_merges_and_fills_gives_the_same_paths(
    world: None, weave: tuple, fills: list[bool]
) -> None:
    with undone():
        carry_out(weave, fills)
        holds()
