"""What several records of one person said of consent: the most restrictive counts, until the person says more."""

from typing import Any

import pytest

from customers.consents import counting_statements, state_consent
from customers.ingest import clock
from customers.merge import merge, unmerge
from customers.models import Profile
from tests.factories import make_customer
from tests.lifecycle.making import ago

pytestmark = pytest.mark.django_db
ADDRESS = "una@example.org"


def say(customer: int, state: str, days_ago: float, address: str = ADDRESS) -> None:
    at = ago(days=days_ago)  # before the clock is read: what is said now is not said a millisecond later
    state_consent(
        customer=customer,
        address=address,
        channel="email",
        purpose="news",
        state=state,
        source="form",
        now=clock(),
        at=at,
    )


def counts(customer: int, as_of: Any = None) -> list[str]:
    profiles = list(Profile.objects.filter(customer=customer).values_list("pk", flat=True))
    return [one.state for one in counting_statements(profiles=profiles, as_of=as_of)]


@pytest.mark.parametrize(
    ("one", "other", "state"),
    [
        ("granted", "withdrawn", "withdrawn"),
        ("withdrawn", "granted", "withdrawn"),
        ("refused", "withdrawn", "refused"),
        ("pending", "granted", "pending"),
        ("granted", "granted", "granted"),
    ],
)
def test_the_most_restrictive_counts_whichever_was_said_last(one: str, other: str, state: str) -> None:
    first, second = make_customer(), make_customer()
    say(first, one, 9)
    say(second, other, 3)
    done = merge(customers=(first, second), now=clock())
    assert counts(first) == [state]
    unmerge(merge=done.pk, now=clock())
    assert (counts(first), counts(second)) == ([one], [other])


def test_what_is_said_after_the_merge_counts() -> None:
    first, second = make_customer(), make_customer()
    say(first, "withdrawn", 9)
    say(second, "granted", 3)
    merge(customers=(first, second), now=clock())
    say(first, "granted", 0)
    assert counts(first) == ["granted"]
    assert counts(first, as_of=ago(days=1)) == ["withdrawn"]


def test_one_record_alone_says_what_it_said_last() -> None:
    customer = make_customer()
    say(customer, "withdrawn", 9)
    say(customer, "granted", 3)
    assert counts(customer) == ["granted"]
    assert counts(customer, as_of=ago(days=5)) == ["withdrawn"]
    say(customer, "withdrawn", 1, address="other@example.org")
    assert sorted(counts(customer)) == ["granted", "withdrawn"]
