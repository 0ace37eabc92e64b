"""What is compiled, and when it is compiled again."""

import pytest

from customers.models import Channel, TouchpointType
from lifecycle.live import live

from .making import ago, customer_of, happened, installed, new_version, settle, stage, tell

pytestmark = pytest.mark.django_db


def test_types_and_channels_that_no_rule_can_tell_from_unknown_ones_compile_nothing_again() -> None:
    installed()
    before = live().program
    TouchpointType.objects.bulk_create([TouchpointType(name=f"Odd Thing {number}") for number in range(20)])
    Channel.objects.bulk_create([Channel(key=f"odd way {number}") for number in range(20)])
    assert live().program is before
    tell(happened("a", "Odd Thing 7", ago(hours=1), channel="odd way 3"))
    settle()
    assert live().program is before
    assert stage(customer_of("a")) == "awareness"


def test_a_type_and_a_channel_that_a_rule_names_are_known_as_soon_as_they_are_sent() -> None:
    installed()
    new_version("callers", {"did": {"type": "Rang Twice", "channel": ["doorbell", "phone"]}})
    before = live().program
    tell(happened("a", "Rang Twice", ago(hours=1), channel="doorbell"))
    settle()
    assert live().program is not before
    assert stage(customer_of("a"), "callers") == "in"
    tell(happened("b", "Rang Twice", ago(hours=1), channel="window"))
    settle()
    assert stage(customer_of("b"), "callers") is None


def test_a_type_keeps_the_role_that_the_version_was_built_with() -> None:
    installed()
    tell(happened("a", "Odd Thing", ago(hours=1)))
    TouchpointType.objects.filter(name="Odd Thing").update(role="purchase")
    settle()
    assert stage(customer_of("a")) == "awareness"
    new_version("buyers", {"did": {"role": "purchase"}})
    settle()
    assert stage(customer_of("a"), "buyers") == "in"
