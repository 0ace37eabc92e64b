"""What lists are sorted by is what the facts say, whatever happened since the last count."""

import pytest

from analytics.customer_figures import customer_figures
from analytics.days.declared import LISTED
from analytics.days.fill import fill
from analytics.days.kept import kept
from analytics.models import Counting, Listed
from clm.lib.milliseconds import to_ms
from customers.ingest import clock
from customers.keeping import edit_customer
from customers.merge import merge, unmerge
from customers.models import Customer, TouchpointType
from tests.factories import make_customer, make_order, make_refund
from tests.lifecycle.making import ago, customer_of, happened, installed, settle, tell

pytestmark = pytest.mark.django_db


def holds() -> None:
    """Fill, and compare what is kept with what the facts say."""
    fill()
    everybody = list(Customer.objects.filter(merged_into=None).order_by("pk"))
    said = customer_figures(customers=[one.pk for one in everybody])
    expected = [
        (
            one.pk,
            one.is_anonymous,
            to_ms(its.last_seen) if (its := said[one.pk]).last_seen else 0,
            its.orders,
            its.revenue,
        )
        for one in everybody
    ]
    found = Listed.objects.order_by("pk").values_list("customer", "is_anonymous", "last_seen", "orders", "revenue")
    assert list(found) == expected


def test_every_kind_of_news_reaches_the_order_of_lists() -> None:
    installed()
    first, second = make_customer(ago(days=3)), make_customer(ago(days=2), name="Bo")
    tell(happened("x", "Page Viewed", ago(days=1), identities=[("anonymous_id", "device")]))
    settle()
    holds()
    device = customer_of("device", "anonymous_id")
    assert Listed.objects.get(pk=device).is_anonymous
    assert not Listed.objects.get(pk=first).is_anonymous  # the shop has an id of its own for them
    # A late order and a refund.
    tell(make_order("late", ago(days=400)), make_refund("late", ago(days=399)))
    settle()
    holds()
    # A visitor signs up, telling who she is; and one is told of by hand, without any touchpoint.
    tell(happened("x", "Signed Up", ago(hours=1), identities=[("anonymous_id", "device"), ("user_id", "zoe")]))
    settle()
    holds()
    assert not Listed.objects.get(pk=device).is_anonymous
    edit_customer(customer=second, changes={"name": ""}, now=clock())
    settle()
    holds()
    # Two turn out to be one person, and then not.
    done = merge(customers=(first, second), now=clock())
    settle()
    holds()
    unmerge(merge=done.pk, now=clock())
    settle()
    holds()
    # A type that means something else now is counted anew.
    TouchpointType.objects.filter(name="Order Completed").update(role="other")
    holds()
    assert set(Listed.objects.values_list("orders", flat=True)) == {0}


def test_being_seen_again_is_written_down_and_nothing_older() -> None:
    installed()
    tell(make_order("ann", ago(days=9), 700), happened("bob", "Page Viewed", ago(days=8)))
    settle()
    holds()
    Listed.objects.filter(pk=customer_of("bob")).delete()  # as if it had never been kept
    tell(
        happened("ann", "Page Viewed", ago(days=3)),
        happened("ann", "Page Viewed", ago(days=5)),
        happened("bob", "Page Viewed", ago(days=4)),
        happened("new", "Page Viewed", ago(days=2)),
    )
    settle()
    holds()
    seen = Listed.objects.get(pk=customer_of("ann")).last_seen
    tell(happened("ann", "Page Viewed", ago(days=30)))
    settle()
    holds()
    assert Listed.objects.get(pk=customer_of("ann")).last_seen == seen


def test_a_fill_without_news_changes_no_row() -> None:
    installed()
    make_customer(ago(days=3))
    holds()
    assert fill().rows == 0


def test_a_killed_first_count_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    installed()
    made = [make_customer(ago(days=3)) for _ in range(3)]
    fill()
    monkeypatch.setattr("analytics.days.listed.CHUNK", 1)
    Counting.objects.filter(statistic=LISTED.name).update(state="started", next_customer=made[1])
    Listed.objects.all().delete()
    assert kept().listed_known_at is None  # nobody is shown half of it
    fill()
    assert list(Listed.objects.order_by("pk").values_list("pk", flat=True)) == made[1:]
