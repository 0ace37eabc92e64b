"""What the demo adds to a real shop's orders: how its buyers came, signed up, looked around, asked and recommended, and
people who only looked. Nothing here buys, refunds, subscribes or ends, and nothing carries money: orders, revenue and
whatever is counted from them rest on the real data alone. It goes through ingestion like all that a source sends."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from clm.lib.milliseconds import from_ms, to_ms
from customers.events import Event
from customers.ingest import ingest
from customers.merge import merge
from customers.models import Cause, Customer, Identity, Installation, Profile, Role, Touchpoint, TouchpointType

from .histories import BLOCK, LATER_BEGIN, OWN_CHANNELS, block, channels, joined, onboarding, selected, usage
from .kinds import LATER, Kind, Shape, shapes
from .messages import Messages, Money
from .orders import carts, efforts, opinions, tickets
from .parameters import Parameters
from .run import simulated_source
from .timeline import DAY, HOUR, MINUTE, NEVER, Int64s, Random, Span, Timeline, chosen, days, ordinals, repeated

SEED = 2010
LOOKERS = 1_200  # people who never buy
ONLINE_SHARE = 0.25  # of orders that have a cart and a checkout before them
FOUND_SHARE = 0.6  # of buyers, by an ad
SIGNUP_SHARE = 0.4  # of buyers, before their first order
USAGE_A_DAY = 0.04  # a shop is looked at less often than other things are used
VISITS = 2.0  # Poisson, of a buyer, over the time from its first order to a month after its last
BATCH = 1_000
CLUB_SHARE = 0.08  # of buyers who signed up, some time later
_CLUB = Shape("Plan Upgraded", ({"plan": "club"},))
_BUYS = (Kind.ORDER, Kind.TRIAL)
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Added:
    """What was added: touchpoints, customers who never buy, and merges among them, each of which leaves one customer
    less to be seen; all 0 the second time."""

    touchpoints: int
    lookers: int
    merges: int

    @property
    def rows_changed(self) -> int:
        return self.touchpoints + self.lookers + self.merges


def add_touches(*, buyers_of: str, identity_kind: str, now: datetime, tell: Tell) -> Added:
    """Add them around the orders of the source `buyers_of`, whose buyers are known by an identity of that kind. All
    lies before its last order, so it is the same whenever it is done."""
    people, person, at = _orders(buyers_of, identity_kind)
    if not people:
        return Added(0, 0, 0)
    span = Span(start=int(at.min()), until=int(at.max()), minor=10 ** Installation.current().minor_digits)
    parameters = Parameters(usage_a_day=USAGE_A_DAY)
    source, new, customers = simulated_source(), 0, Customer.objects.count()
    lookers = _lookers(parameters, span)
    # A device that was met before its owner signed in there is a customer of its own until both are merged.
    others, sign_ins = lookers.devices
    sent = [*_buyers_events(parameters, people, person, at, span, identity_kind), *lookers.events]
    whole = len(sent) + len(others) + len(sign_ins)
    for start in range(0, len(sent), BATCH):
        new += ingest(source=source, events=sent[start : start + BATCH], cause=Cause.IMPORT).new
        tell(f"stored {min(start + BATCH, len(sent)):,} of {whole:,} simulated touchpoints")
    for events in (others, sign_ins):
        new += ingest(source=source, events=events, cause=Cause.IMPORT).new
    merges = sum(_merged(event, now) for event in sign_ins)
    return Added(new, Customer.objects.count() - customers, merges)


def _orders(source: str, identity_kind: str) -> tuple[list[str], Int64s, Int64s]:
    """Who bought something from a source: their identities, in order; and for each purchase the position of its buyer
    and its ms, by buyer and time."""
    types = TouchpointType.objects.filter(role=Role.PURCHASE).values("pk")
    bought = Touchpoint.objects.filter(source__key=source, type__in=types, amount__gt=0)
    named = dict(Identity.objects.filter(kind=identity_kind).order_by("-pk").values_list("profile", "value"))
    rows = sorted((named[profile], to_ms(at)) for profile, at in bought.values_list("profile", "occurred_at"))
    people = sorted({name for name, _at in rows})
    place = {name: number for number, name in enumerate(people)}
    return (
        people,
        np.array([place[name] for name, _at in rows], np.int64),
        np.array([at for _name, at in rows], np.int64),
    )


def _buyers_events(
    parameters: Parameters, people: Sequence[str], person: Int64s, at: Int64s, span: Span, identity_kind: str
) -> Iterable[Event]:
    random = np.random.default_rng(np.random.SeedSequence(entropy=SEED, spawn_key=(1,)))
    later = np.random.default_rng(np.random.SeedSequence(entropy=SEED, spawn_key=(1, 2)))
    line = Timeline()
    web, app, email, chat = range(len(parameters.ways), len(parameters.ways) + len(OWN_CHANNELS))
    everybody = np.arange(len(people), dtype=np.int64)
    heads = np.searchsorted(person, everybody)
    first, last = at[heads], at[np.append(heads[1:], len(at)) - 1]
    _found(parameters, random, line, chosen(random, everybody, FOUND_SHARE), first, web)
    signing = chosen(random, everybody, SIGNUP_SHARE)
    since = first[signing] - HOUR - (random.random(len(signing)) * 2 * DAY).astype(np.int64)
    line.add(Kind.SIGNED_UP, signing, since, channel=web)
    onboarding(parameters, random, line, signing, since, app)
    usage(parameters, random, line, signing, since, span, app)
    members = np.flatnonzero(random.random(len(signing)) < CLUB_SHARE)
    joined_club = since[members] + random.random(len(members)) * (span.until - since[members])
    line.add(Kind.UPGRADED, signing[members], joined_club, channel=web)
    again = repeated(random, everybody, VISITS)
    looked = first[again] + random.random(len(again)) * (last[again] - first[again] + 30 * DAY)
    line.add(Kind.PAGE, again, looked, channel=web, value=random.integers(0, 5, len(again)))
    online = np.flatnonzero(random.random(len(at)) < ONLINE_SHARE)
    instants, number = at.astype(np.float64), ordinals(person)
    carts(parameters, random, line, person[online], instants[online], web)
    tickets(parameters, random, line, person, instants, number, email, chat, later)
    opinions(parameters, random, line, person, instants, web, email, later)
    efforts(parameters, line, person, instants, email, later)
    return _events(parameters, line, people, span, identity_kind)


def _found(parameters: Parameters, random: Random, line: Timeline, found: Int64s, first: Int64s, web: int) -> None:
    """An ad, a click on it and some pages before the first order."""
    paid = np.flatnonzero([way.is_paid for way in parameters.ways])
    way = paid[random.integers(0, len(paid), len(found))]
    clicked = first[found] - 3 * DAY - days(random.random(len(found)) * 10)
    line.add(Kind.AD_SHOWN, found, clicked - MINUTE, channel=way, value=way)
    line.add(Kind.AD_CLICKED, found, clicked, channel=way, value=way)
    again = repeated(random, found, parameters.further_visits)
    line.add(
        Kind.PAGE,
        found[again],
        clicked[again] + MINUTE + days(random.random(len(again)) * 2),
        channel=web,
        value=random.integers(0, 5, len(again)),
    )


def _events(
    parameters: Parameters, line: Timeline, people: Sequence[str], span: Span, identity_kind: str
) -> Iterable[Event]:
    """What was added to a timeline, as messages about people who are already known."""
    columns = line.columns()
    order = np.lexsort((columns["kind"], columns["ms"], columns["person"]))
    order = order[columns["ms"][order] < span.until]
    rows = {name: values[order].tolist() for name, values in columns.items()}
    shape_of, ways = shapes(tuple(way.channel for way in parameters.ways)), channels(parameters)
    numbers, came_later = np.empty(len(order), np.int64), np.isin(columns["kind"][order], LATER)
    for those, begin in ((~came_later, 0), (came_later, LATER_BEGIN)):
        numbers[those] = begin + ordinals(columns["person"][order][those])
    counted = numbers.tolist()
    for n, person, ms, kind, channel, value, ref in zip(
        counted, rows["person"], rows["ms"], rows["kind"], rows["channel"], rows["value"], rows["ref"], strict=True
    ):
        shape = _CLUB if kind == Kind.UPGRADED else shape_of[Kind(kind)]
        said = dict(shape.said[value])
        if shape.refers_to == "ticket":
            said["ticket_ref"] = f"T{people[person]}-{ref}"
        yield Event(
            message_id=f"demo-{people[person]}-{n}",
            identities=((identity_kind, people[person]),),
            type=shape.type,
            channel=ways[channel],
            occurred_at=from_ms(ms),
            properties=said,
        )


@dataclass(frozen=True, slots=True)
class _Lookers:
    """What people who never buy send; devices: the visits of second devices, and the sign-ins on them."""

    events: list[Event]
    devices: tuple[list[Event], list[Event]]


def _lookers(parameters: Parameters, span: Span) -> _Lookers:
    blocks = [
        block(parameters=parameters, seed=SEED, number=number, span=span)
        for number in range(max(1, 2 * LOOKERS // BLOCK))
    ]
    histories = joined(blocks)
    buys = np.zeros(len(histories.people.number), bool)
    buys[histories.touches.person[np.isin(histories.touches.kind, _BUYS)]] = True
    keep = ~buys & (np.cumsum(~buys) <= LOOKERS)
    histories = selected(histories, keep)
    messages = Messages(histories, parameters=parameters, seed=SEED, money=Money("", 0))
    touches = histories.touches
    is_other = touches.device == 1
    signs_in = is_other & (touches.kind == Kind.SIGNED_IN) & (histories.people.merged[touches.person] < NEVER)

    def told(places: Int64s) -> list[Event]:
        return [messages.event(place) for place in places.tolist()]

    return _Lookers(
        events=told(np.flatnonzero(~is_other)),
        devices=(told(np.flatnonzero(messages.on_other_device)), told(np.flatnonzero(signs_in))),
    )


def _merged(event: Event, now: datetime) -> bool:
    """Merge the owners of an event's identities, unless they are one already, or were parted by hand."""
    owners = [Profile.objects.get(identities__kind=kind, identities__value=value) for kind, value in event.identities]
    survivor, other = owners
    if survivor.customer_id == other.customer_id or other.moves.exists():
        return False
    merge(
        customers=(survivor.customer_id, other.customer_id), now=now, reason="Signed in on another device (simulated)."
    )
    return True
