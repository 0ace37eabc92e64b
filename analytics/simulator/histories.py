"""The lives of simulated people, in blocks of a fixed size. A block is a pure function of the parameters, the seed, its
number and the span, so the same people come out whatever works on them, in whatever order and portions."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from .contracts import contracts
from .kinds import APP, EMAIL, LATER, WEB, Kind
from .orders import orders
from .parameters import Parameters
from .timeline import (
    DAY,
    HOUR,
    MINUTE,
    NEVER,
    Bools,
    Int64s,
    Random,
    Span,
    Timeline,
    chosen,
    days,
    ordinals,
    picked,
    repeated,
)

BLOCK = 1_000
# Where the numbers of a person's touchpoints of kinds that came later begin.
LATER_BEGIN = 1_000_000
# Channels of touchpoints: the ways people come, then these.
OWN_CHANNELS = (WEB, APP, EMAIL, "chat")


@dataclass(frozen=True, slots=True)
class People:
    """Per person. number: within the whole population; way: how met; signed_up and merged: ms since 1970 or NEVER;
    consented and withdrawn: the same."""

    number: Int64s
    way: Int64s
    country: Int64s
    signed_up: Int64s
    merged: Int64s
    consented: Int64s
    withdrawn: Int64s


@dataclass(frozen=True, slots=True)
class Touches:
    """Touchpoints by person and time. person: position among the people; n: ordinal within the person, of kinds that
    came later apart; received: when
    the message arrived. repeated: when it arrived again, NEVER; conflicting: whether it then said something else."""

    person: Int64s
    n: Int64s
    ms: Int64s
    received: Int64s
    kind: Int64s
    channel: Int64s
    value: Int64s
    amount: Int64s
    ref: Int64s
    device: Int64s
    repeated: Int64s
    conflicting: Bools


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of orders. touch: position among the touches; amount in minor units."""

    touch: Int64s
    number: Int64s
    product: Int64s
    quantity: Int64s
    amount: Int64s


@dataclass(frozen=True, slots=True)
class Histories:
    """People with everything that happens to them."""

    people: People
    touches: Touches
    lines: Lines


def channels(parameters: Parameters) -> tuple[str, ...]:
    """The channels of touchpoints by their position."""
    return (*(way.channel for way in parameters.ways), *OWN_CHANNELS)


def block(*, parameters: Parameters, seed: int, number: int, span: Span) -> Histories:
    """The people of one block: BLOCK of them, numbered from BLOCK * number."""
    random = np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=(number,)))
    later = np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=(number, 1)))
    line = Timeline()
    everybody = np.arange(BLOCK, dtype=np.int64)
    web, app, email, chat = range(len(parameters.ways), len(parameters.ways) + len(OWN_CHANNELS))

    way = picked(random, [way.share for way in parameters.ways], BLOCK)
    country = picked(random, [share for _code, share in parameters.countries], BLOCK)
    first = span.start + np.floor(random.random(BLOCK) * (span.until - span.start)).astype(np.int64)
    visitors, visited = _met(parameters, random, line, first, way, web)

    joining = chosen(random, np.arange(len(visitors), dtype=np.int64), parameters.signup_share)
    joined = visitors[joining]
    signed_up = np.full(BLOCK, NEVER)
    waited = days(random.exponential(parameters.signup_days, len(joined)))
    signed_up[joined] = visited[joining] + 2 * MINUTE + waited.astype(np.int64)
    signed_up[signed_up >= span.until] = NEVER
    joined = joined[signed_up[joined] < NEVER]
    since = signed_up[joined]
    line.add(Kind.SIGNED_UP, joined, since, channel=web)
    onboarding(parameters, random, line, joined, since, app)
    usage(parameters, random, line, joined, since, span, app)
    merged = _second_device(parameters, random, line, joined, signed_up, span, web, app)

    by_contract = random.random(len(joined)) < parameters.contract_share
    contracts(parameters, random, line, joined[by_contract], since[by_contract], span, app, web)
    orders(parameters, random, line, joined[~by_contract], since[~by_contract], span, web, email, chat, later)
    consented, withdrawn = _letters(parameters, random, line, joined, signed_up, span, email)

    people = People(
        number=everybody + number * BLOCK,
        way=way,
        country=country,
        signed_up=signed_up,
        merged=merged,
        consented=consented,
        withdrawn=withdrawn,
    )
    touches = _arrivals(parameters, random, later, line, span)
    # Whoever signs in on a second device is merged when that message arrives.
    signed_in = (touches.kind == Kind.SIGNED_IN) & (touches.device == 1)
    people.merged[touches.person[signed_in]] = touches.received[signed_in]
    return Histories(people, touches, _lines(parameters, random, touches))


def _met(
    parameters: Parameters, random: Random, line: Timeline, first: Int64s, way: Int64s, web: int
) -> tuple[Int64s, Int64s]:
    """Ads and first visits; the visitors and when they first came. Who never visits has seen ads, or a page shared."""
    everybody = np.arange(BLOCK, dtype=np.int64)
    shows_ads = np.array([each.is_paid for each in parameters.ways])[way]
    reached = everybody[shows_ads]
    line.add(Kind.AD_SHOWN, reached, first[reached], channel=way[reached], value=way[reached])
    again = reached[repeated(random, reached, parameters.further_ads)]
    seen = first[again] + days(random.random(len(again)) * parameters.visit_days)
    line.add(Kind.AD_SHOWN, again, seen, channel=way[again], value=way[again])

    is_visitor = (random.random(BLOCK) < parameters.visit_share) | ~shows_ads
    is_visitor[~shows_ads] = True
    visitors = everybody[is_visitor]
    # A visit follows an ad within two days; without an ad it is the first thing known.
    delay = np.where(shows_ads[visitors], MINUTE + days(random.random(len(visitors)) * 2), 0)
    visited = first[visitors] + delay.astype(np.int64)
    by_ad = shows_ads[visitors]
    line.add(Kind.AD_CLICKED, visitors[by_ad], visited[by_ad], channel=way[visitors[by_ad]], value=way[visitors[by_ad]])
    line.add(Kind.PAGE, visitors[~by_ad], visited[~by_ad], channel=way[visitors[~by_ad]])
    again = repeated(random, visitors, parameters.further_visits)
    at = visited[again] + MINUTE + days(random.random(len(again)) * parameters.visit_days)
    line.add(Kind.PAGE, visitors[again], at, channel=web, value=random.integers(0, 5, len(again)))
    return visitors, visited


def onboarding(parameters: Parameters, random: Random, line: Timeline, joined: Int64s, since: Int64s, app: int) -> None:
    """Steps one after the other, each by some of those who did the one before."""
    at, left = since.astype(np.float64), np.arange(len(joined))
    for step in range(1, parameters.onboarding_steps + 1):
        left = left[random.random(len(left)) < parameters.onboarding_step_share]
        at[left] += MINUTE + days(random.exponential(1.0, len(left)))
        line.add(Kind.STEP, joined[left], at[left], channel=app, value=step)
    line.add(Kind.ONBOARDED, joined[left], at[left] + 1_000, channel=app)


def usage(
    parameters: Parameters, random: Random, line: Timeline, joined: Int64s, since: Int64s, span: Span, app: int
) -> None:
    """A Poisson process whose rate differs among people, until they stop."""
    shape = parameters.usage_shape
    rate = random.gamma(shape, parameters.usage_a_day / shape, len(joined)) / DAY
    life = np.minimum(days(random.exponential(parameters.usage_life, len(joined))), span.until - since)
    used = repeated(random, joined, rate * life)
    at = since[used] + MINUTE + random.random(len(used)) * life[used]
    line.add(Kind.USED, joined[used], at, channel=app, value=random.integers(0, 5, len(used)))


def _second_device(
    parameters: Parameters,
    random: Random,
    line: Timeline,
    joined: Int64s,
    signed_up: Int64s,
    span: Span,
    web: int,
    app: int,
) -> Int64s:
    """Visits from a device nobody knows yet, and the sign-in there that tells whose it is; all NEVER: filled in from
    the arrival of that message."""
    others = chosen(random, joined, parameters.second_device_share)
    began = signed_up[others] + DAY + days(random.random(len(others)) * 40).astype(np.int64)
    line.add(Kind.PAGE, others, began, channel=web, value=1, device=1)
    again = repeated(random, others, 1.5)
    at = began[again] + MINUTE + days(random.random(len(again)))
    line.add(Kind.PAGE, others[again], at, channel=web, value=2, device=1)
    line.add(Kind.SIGNED_IN, others, began + DAY + HOUR, channel=app, device=1)
    return np.full(BLOCK, NEVER)


def _letters(
    parameters: Parameters,
    random: Random,
    line: Timeline,
    joined: Int64s,
    signed_up: Int64s,
    span: Span,
    email: int,
) -> tuple[Int64s, Int64s]:
    """Consent at the sign-up, letters while it holds; when it was given and withdrawn."""
    consented, withdrawn = np.full(BLOCK, NEVER), np.full(BLOCK, NEVER)
    readers = chosen(random, joined, parameters.consent_share)
    consented[readers] = signed_up[readers]
    leaving = chosen(random, readers, parameters.withdrawal_share)
    until = signed_up[leaving] + HOUR + days(random.exponential(parameters.withdrawal_days, len(leaving)))
    withdrawn[leaving] = until.astype(np.int64)
    withdrawn[withdrawn >= span.until] = NEVER
    left = leaving[withdrawn[leaving] < NEVER]
    line.add(Kind.UNSUBSCRIBED, left, withdrawn[left], channel=email)

    every = parameters.letter_days * DAY
    end = np.minimum(withdrawn[readers], span.until)
    count = np.floor((end - signed_up[readers]) / every).astype(np.int64)
    reader = np.repeat(readers, count)
    which = np.arange(len(reader)) - np.repeat(np.cumsum(count) - count, count)
    sent = signed_up[reader] + ((which + 1) * every).astype(np.int64) - HOUR
    line.add(Kind.LETTER, reader, sent, channel=email)
    opened = np.flatnonzero(random.random(len(reader)) < parameters.opened_share)
    opened_at = sent[opened] + MINUTE + days(random.exponential(0.3, len(opened))).astype(np.int64)
    line.add(Kind.LETTER_OPENED, reader[opened], opened_at, channel=email)
    clicked = random.random(len(opened)) < parameters.clicked_share
    line.add(Kind.LETTER_CLICKED, reader[opened][clicked], opened_at[clicked] + 20_000, channel=email)
    return consented, withdrawn


def _arrivals(parameters: Parameters, random: Random, later: Random, line: Timeline, span: Span) -> Touches:
    """What happened before the end, in order, with when its message arrived: at once, late, or twice. Nothing arrives
    after the end."""
    columns = line.columns()
    order = np.lexsort((columns["kind"], columns["ms"], columns["person"]))
    order = order[columns["ms"][order] < span.until]
    columns = {name: values[order] for name, values in columns.items()}
    ms, came_later = columns["ms"], np.isin(columns["kind"], LATER)
    drawn: dict[str, npt.NDArray[np.float64]] = {}
    for name, draw in _CHANCES:
        drawn[name] = np.empty(len(ms))
        for chance, those in ((random, ~came_later), (later, came_later)):
            drawn[name][those] = draw(chance, parameters, int(those.sum()))
    # Who signed up, and whose a second device is, is always known in time: that is what the merge is of.
    may_be_late = (columns["kind"] != Kind.SIGNED_UP) & (columns["device"] == 0)
    is_late = (drawn["late"] < parameters.late_share) & may_be_late
    delay = np.where(is_late, HOUR + days(drawn["lateness"]), drawn["delay"] * 2_000)
    received = np.minimum(ms + delay.astype(np.int64), span.until)
    is_repeated = drawn["repeated"] < parameters.repeated_share
    again = np.minimum(received + 1 + days(drawn["again"]).astype(np.int64), span.until)
    n = np.empty(len(ms), np.int64)
    for those, begin in ((~came_later, 0), (came_later, LATER_BEGIN)):
        n[those] = begin + ordinals(columns["person"][those])
    return Touches(
        **columns,
        n=n,
        received=received,
        repeated=np.where(is_repeated, again, NEVER),
        conflicting=is_repeated & (drawn["conflicting"] < parameters.conflict_share),
    )


# What is drawn of each message, in this order.
_CHANCES: tuple[tuple[str, Callable[[Random, Parameters, int], npt.NDArray[np.float64]]], ...] = (
    ("late", lambda chance, _parameters, count: chance.random(count)),
    ("lateness", lambda chance, parameters, count: chance.exponential(parameters.late_days, count)),
    ("delay", lambda chance, _parameters, count: chance.random(count)),
    ("repeated", lambda chance, _parameters, count: chance.random(count)),
    ("again", lambda chance, _parameters, count: chance.exponential(0.05, count)),
    ("conflicting", lambda chance, _parameters, count: chance.random(count)),
)


def _lines(parameters: Parameters, random: Random, touches: Touches) -> Lines:
    """The lines of some orders; their amounts sum to the order's."""
    told = chosen(random, np.flatnonzero(touches.kind == Kind.ORDER), parameters.lines_share)
    amount = touches.amount[told]
    count = np.minimum(random.integers(1, 5, len(told)), np.maximum(amount, 1))
    touch = np.repeat(told, count)
    heads = np.cumsum(count) - count
    number = np.arange(len(touch), dtype=np.int64) - np.repeat(heads, count)
    # Equal parts, the first takes what is left.
    part = np.repeat(amount // np.maximum(count, 1), count)
    part += np.where(number == 0, np.repeat(amount - amount // np.maximum(count, 1) * count, count), 0)
    return Lines(
        touch=touch,
        number=number + 1,
        product=random.integers(0, 40, len(touch)),
        quantity=random.integers(1, 4, len(touch)),
        amount=part,
    )


def selected(histories: Histories, keep: Bools) -> Histories:
    """Only the people for whom `keep` says so, with all that is theirs."""
    people, touches, lines = histories.people, histories.touches, histories.lines
    kept = keep[touches.person]
    kept_lines = kept[lines.touch]
    place = np.cumsum(keep) - 1
    touch_place = np.cumsum(kept) - 1
    fewer_touches = {each.name: getattr(touches, each.name)[kept] for each in fields(Touches)}
    fewer_lines = {each.name: getattr(lines, each.name)[kept_lines] for each in fields(Lines)}
    fewer_touches["person"] = place[fewer_touches["person"]]
    fewer_lines["touch"] = touch_place[fewer_lines["touch"]]
    return Histories(
        People(**{each.name: getattr(people, each.name)[keep] for each in fields(People)}),
        Touches(**fewer_touches),
        Lines(**fewer_lines),
    )


def joined(blocks: Sequence[Histories]) -> Histories:
    """Several blocks as one."""
    people_before = np.cumsum([0, *(len(each.people.number) for each in blocks)])
    touches_before = np.cumsum([0, *(len(each.touches.person) for each in blocks)])
    people = {each.name: np.concatenate([getattr(one.people, each.name) for one in blocks]) for each in fields(People)}
    touches = {
        each.name: np.concatenate([getattr(one.touches, each.name) for one in blocks]) for each in fields(Touches)
    }
    lines = {each.name: np.concatenate([getattr(one.lines, each.name) for one in blocks]) for each in fields(Lines)}
    touches["person"] = touches["person"] + np.repeat(people_before[:-1], np.diff(touches_before))
    line_counts = [len(one.lines.touch) for one in blocks]
    lines["touch"] = lines["touch"] + np.repeat(touches_before[:-1], line_counts)
    return Histories(People(**people), Touches(**touches), Lines(**lines))
