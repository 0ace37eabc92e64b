"""The bulk path leaves what ingestion leaves."""

from itertools import pairwise

import numpy as np
import pytest
from django.db import transaction

from analytics.simulator.histories import block, selected
from analytics.simulator.messages import Messages, Money
from analytics.simulator.parameters import Parameters
from analytics.simulator.run import simulate, simulated_source
from analytics.simulator.timeline import NEVER
from customers import catalogue
from customers.ingest import ingest
from customers.merge import merge
from customers.models import (
    Cause,
    Customer,
    Identity,
    Merge,
    MergedProfile,
    OrderLine,
    Profile,
    ProfileMove,
    PropertyValue,
    Stale,
    Touchpoint,
    Trait,
)
from customers.portrait import refresh_portraits
from lifecycle.install import install
from lifecycle.models import Announcement, Standing, Transition
from lifecycle.replay import replay_all
from lifecycle.tick import tick

from .simulated import NOW, SPAN, UNTIL


def everything() -> dict[str, object]:
    """All that was stored, by what it is called instead of numbers, without the instants of storing."""
    names = {}
    for profile in Profile.objects.prefetch_related("identities"):
        names[profile.pk] = tuple(sorted((each.kind, each.value) for each in profile.identities.all()))
    people: dict[int, tuple] = {}
    for profile, customer in Profile.objects.order_by("pk").values_list("pk", "customer"):
        people[customer] = tuple(sorted((*people.get(customer, ()), names[profile])))
    moved = dict(MergedProfile.objects.values_list("merge", "profile"))
    message = dict(Touchpoint.objects.values_list("pk", "message_hash"))
    return {
        "people": sorted(people.values()),
        # Identities told in one batch are numbered by their kind, so the order of words is the batch's.
        "portraits": sorted(
            (*row[:3], sorted(row[3].split()), row[4])
            for row in Customer.objects.values_list("name", "email", "phone", "search_text", "is_anonymous")
        ),
        "touchpoints": sorted(
            (str(row[0]), names[row[1]], *map(str, row[2:]))
            for row in Touchpoint.objects.values_list(
                "message_hash", "profile", "occurred_at", "amount", "body_hash", "source__key", "type__name",
                "channel__key", "flags", "currency", "original_amount", "order_ref", "properties",
            )
        ),
        "lines": sorted(
            (str(message[row[0]]), *map(str, row[1:]))
            for row in OrderLine.objects.values_list(
                "touchpoint", "number", "product", "description", "category", "quantity", "amount", "cost", "is_product"
            )
        ),
        "values": sorted(
            (str(message[row[0]]), names[row[1]], *map(str, row[2:]))
            for row in PropertyValue.objects.values_list(
                "touchpoint", "profile", "property_key__key", "type__name", "channel__key", "occurred_at", "amount",
                "kind", "text",
            )
        ),
        "traits": sorted(
            (names[row[0]], *map(str, row[1:]))
            for row in Trait.objects.values_list("profile", "key", "value", "set_at", "last_seen_at")
        ),
        "merges": sorted(
            (people[survivor], names[moved[number]], undone_at)
            for number, survivor, undone_at in Merge.objects.values_list("pk", "survivor", "undone_at")
        ),
        "moves": sorted(
            (people[after], names[profile], before == Merge.objects.get(moved__profile=profile).absorbed_id)
            for profile, before, after in ProfileMove.objects.values_list("profile", "from_customer", "to_customer")
        ),
        "absorbed": Customer.objects.exclude(merged_into=None).count(),
        "stages": sorted(
            (people[row[0]], *row[1:])
            for row in Transition.objects.filter(superseded_at=None).values_list(
                "customer", "version__subject__key", "stage__key", "entered_at"
            )
        ),
        "standings": sorted(
            (people[row[0]], *row[1:])
            for row in Standing.objects.values_list("customer", "subject__key", "stage__key", "since")
        ),
    }  # fmt: skip


@pytest.mark.django_db
def test_the_bulk_path_leaves_what_ingestion_leaves():
    install(now=NOW)
    people = 150
    often_merged = Parameters(second_device_share=0.3, repeated_share=0.1, conflict_share=0.5, late_share=0.2)
    histories = block(parameters=often_merged, seed=9, number=0, span=SPAN)
    histories = selected(histories, histories.people.number < people)
    money = Money("EUR", 2)
    messages = Messages(histories, parameters=often_merged, seed=9, money=money)
    with transaction.atomic():
        source, counted = simulated_source(), [0, 0, 0]
        events = [each.event for each in messages.arrivals()]
        # A device that is met and signed in on within one batch would be one person from the start.
        cuts = [0, *(place for place, event in enumerate(events) if event.type == "Signed In"), len(events)]
        for start, stop in pairwise(cuts):
            done = ingest(source=source, events=events[start:stop], cause=Cause.IMPORT)
            counted = [a + b for a, b in zip(counted, (done.new, done.repeated, done.conflicting), strict=True)]
        for one in np.flatnonzero(histories.people.merged < NEVER).tolist():
            profiles = Identity.objects.filter(value__in=[messages.user[one], messages.other_device[one]])
            mine = tuple(profiles.order_by("pk").values_list("profile__customer", flat=True))
            merge(customers=mine, now=NOW, reason="Signed in on another device (simulated).")
        while tick().customers:
            pass
        by_ingestion = everything()
        transaction.set_rollback(True)
    catalogue.forget()
    assert not Touchpoint.objects.exists()

    done = simulate(
        people=people, seed=9, until=UNTIL, now=NOW, tell=lambda _sentence: None, vacuums=False, parameters=often_merged
    )
    assert (
        refresh_portraits(customers=list(Customer.objects.filter(merged_into=None).values_list("pk", flat=True))) == 0
    )
    assert not Stale.objects.exists() and not Announcement.objects.exists()
    in_bulk = everything()
    for name, rows in by_ingestion.items():
        # What differs is told briefly: a difference of all rows takes an hour to draw.
        if in_bulk[name] != rows:
            pytest.fail(
                f"{name}: {[pair for pair in zip(in_bulk[name], rows, strict=False) if pair[0] != pair[1]][:3]}"
            )
    assert len(in_bulk["merges"]) > 10 and len(in_bulk["values"]) > 10 and len(in_bulk["lines"]) > 10
    counts = done.record.counts
    assert counted == [counts[f"touchpoints_{each}"] for each in ("new", "repeated", "conflicting")]
    assert min(counted) > 10
    # A replay has nothing to add, and the messages sent once more are known, word for word.
    assert replay_all(cause=Cause.ENGINE).rows_changed == 0
    again = ingest(source=simulated_source(), events=[messages.event(place) for place in range(200)])
    assert (again.new, again.repeated, again.conflicting) == (0, 200, 0)
