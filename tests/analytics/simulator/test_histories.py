"""The generator alone: the same people always, in order, and by the processes it says."""

import hashlib
import math

import numpy as np

from analytics.simulator.histories import BLOCK, block, joined, selected
from analytics.simulator.kinds import LATER, Kind
from analytics.simulator.messages import Messages, Money
from analytics.simulator.orders import purchases
from analytics.simulator.timeline import DAY, NEVER, Span
from customers.events import body_hash, message_hash

from .simulated import SPAN, P, expected_repeats


def test_a_block_is_the_same_whatever_else_is_made():
    alone = block(parameters=P, seed=3, number=7, span=SPAN)
    block(parameters=P, seed=3, number=8, span=SPAN)
    again = block(parameters=P, seed=3, number=7, span=SPAN)
    other = block(parameters=P, seed=4, number=7, span=SPAN)
    for name in ("person", "ms", "received", "kind", "amount", "repeated"):
        assert np.array_equal(getattr(alone.touches, name), getattr(again.touches, name))
    assert not np.array_equal(alone.people.signed_up, other.people.signed_up)


def test_kinds_that_came_later_change_nothing_of_what_a_seed_made_before():
    made = block(parameters=P, seed=3, number=7, span=SPAN)
    touches, before = made.touches, ~np.isin(made.touches.kind, LATER)
    digest = hashlib.sha256()
    for name in [
        "person",
        "n",
        "ms",
        "received",
        "kind",
        "channel",
        "amount",
        "ref",
        "device",
        "repeated",
        "conflicting",
    ]:
        digest.update(np.ascontiguousarray(getattr(touches, name)[before]).astype(np.int64).tobytes())
    digest.update(made.lines.amount.tobytes() + made.lines.product.tobytes())
    assert (int(before.sum()), digest.hexdigest()[:16]) == (21_357, "8f8229b1b96ffe0d")
    assert len(np.unique(touches.n[touches.person == 0])) == (touches.person == 0).sum()


def test_people_left_out_take_only_their_own_with_them():
    blocks = [block(parameters=P, seed=3, number=each, span=SPAN) for each in range(2)]
    whole = joined(blocks)
    keep = np.zeros(2 * BLOCK, bool)
    keep[BLOCK:] = True
    rest = selected(whole, keep)
    assert np.array_equal(rest.touches.ms, blocks[1].touches.ms)
    assert np.array_equal(rest.touches.person, blocks[1].touches.person)
    assert np.array_equal(rest.lines.touch, blocks[1].lines.touch)
    assert rest.people.number[0] == BLOCK


def test_nothing_happens_or_arrives_after_the_end_or_before_it_happened():
    touches = block(parameters=P, seed=1, number=0, span=SPAN).touches
    assert touches.ms.min() >= SPAN.start and touches.ms.max() < SPAN.until
    assert (touches.received >= touches.ms).all() and touches.received.max() <= SPAN.until
    assert (touches.repeated[touches.repeated < NEVER] <= SPAN.until).all()


def test_every_role_and_every_kind_occurs():
    kinds = np.unique(np.concatenate([block(parameters=P, seed=1, number=n, span=SPAN).touches.kind for n in range(3)]))
    assert set(kinds.tolist()) == set(Kind)


def test_body_hashes_are_those_of_the_events():
    for digits in (0, 2, 3):
        histories = block(parameters=P, seed=1, number=0, span=SPAN)
        messages = Messages(histories, parameters=P, seed=1, money=Money("GBP", digits))
        places = [
            int(np.flatnonzero(histories.touches.kind == kind)[0])
            for kind in Kind
            if (histories.touches.kind == kind).any()
        ]
        places += list(range(0, len(messages.ids), 37))
        for place in places:
            event = messages.event(place)
            assert body_hash(event) == messages.body_hashes[place], event
            assert message_hash(event.message_id).bytes == messages.hashes[16 * place : 16 * place + 16]


def test_the_purchase_process_is_bg_nbd():
    random = np.random.default_rng(1)
    count, days = 200_000, 365
    span = Span(start=0, until=days * DAY)
    buyer, at = purchases(P, random, np.zeros(count), span)
    repeats = np.bincount(buyer, minlength=count) - 1
    expected = expected_repeats(P, days)
    assert abs(repeats.mean() - expected) < 4 * repeats.std() / math.sqrt(count)
    # Nobody buys within half a year with the closed form's probability.
    half = np.zeros(count, bool)
    half[buyer[(at > 0) & (at < 180 * DAY)]] = True
    none = (P.purchase_alpha / (P.purchase_alpha + 180)) ** P.purchase_r
    assert abs((~half).mean() - none) < 4 * 0.5 / math.sqrt(count)
