"""Counting from packed histories what SQL files count row by row: each counter is called as the file is whose question
it answers, takes the file's parameters and gives the file's rows. Tests hold each to its file.

The file remains the definition, and answers what is not packed: what was believed earlier, and what is asked before
the first fill."""

from collections.abc import Callable

import numpy as np

from clm.lib.milliseconds import to_ms

from .assigned import experiment_results
from .lasted import Asked, Rows, lives_asked, members_asked, stays_of, ways_of
from .lives import NEVER, Int64s, firsts
from .packs import Packs


def counted_rows(name: str, packs: Packs | None, asked: Asked) -> Rows | None:
    """What the query file of that name would answer; None where that is not packed."""
    counter = COUNTERS.get(name)
    if packs is None or counter is None or asked.get("known_at") is not None:
        return None
    return counter(packs, asked)


def _windows(asked: Asked) -> list[tuple[int, int]]:
    return [(to_ms(start), to_ms(until)) for start, until in zip(asked["starts"], asked["untils"], strict=True)]


def _codes(stage: Int64s) -> tuple[Int64s, Int64s]:
    """Small numbers for stages, and the stages by them."""
    if not len(stage):
        return stage, stage
    there = np.bincount(stage)
    stages = np.flatnonzero(there)
    numbers = np.zeros(len(there), np.int64)
    numbers[stages] = np.arange(len(stages))
    return numbers[stage], stages


def _tally(key: Int64s) -> tuple[Int64s, Int64s]:
    """The different keys, which are not negative, in order, and how often each is there."""
    if not len(key) or int(key.max()) > 1 << 22:
        return np.unique(key, return_counts=True)
    counts = np.bincount(key)
    found = np.flatnonzero(counts)
    return found, counts[found]


# --- stages ----------------------------------------------------------------------------------------------------
def stage_trend(packs: Packs, asked: Asked) -> Rows | None:
    lives = lives_asked(packs, asked)
    if lives is None:
        return None
    instants = np.array([to_ms(instant) for instant in asked["instants"]], np.int64)
    code, stages = _codes(lives.stage)
    totals = np.zeros(len(stages) * len(instants), np.int64)
    for at, sign in ((lives.at, 1), (lives.left, -1)):
        # Most happened before the first instant: they need no search for their place.
        early, later = at <= instants[0], (at > instants[0]) & (at <= instants[-1])
        places = np.searchsorted(instants, at[later], side="left")
        totals += sign * np.bincount(code[early] * len(instants), minlength=len(totals))
        totals += sign * np.bincount(code[later] * len(instants) + places, minlength=len(totals))
    kept = np.flatnonzero(totals)
    return [
        (int(stages[cell // len(instants)]), int(cell % len(instants)), int(totals[cell])) for cell in kept.tolist()
    ]


def stage_flows(packs: Packs, asked: Asked) -> Rows | None:
    lives = lives_asked(packs, asked)
    if lives is None:
        return None
    told = (lives.at >= to_ms(asked["start_at"])) & (lives.at < to_ms(asked["until_at"]))
    source, target, customer = lives.before()[told], lives.stage[told], lives.customer[told]
    most = int(max(source.max(initial=0), target.max(initial=0))) + 1
    key = source * most + target
    pair, moves = _tally(key)
    last = int(customer.max(initial=0)) + 1
    _pair, customers = _tally(np.unique(key * last + customer) // last)
    return [
        (one // most or None, one % most, times, who)
        for one, times, who in zip(pair.tolist(), moves.tolist(), customers.tolist(), strict=True)
    ]


def stage_shifts(packs: Packs, asked: Asked) -> Rows | None:
    lives = lives_asked(packs, asked)
    if lives is None:
        return None
    source, target = (lives.stage_at(to_ms(asked[name])) for name in ("first_at", "second_at"))
    told = target > 0
    for wanted, stage in ((asked["sources"], source), (asked["targets"], target)):
        if wanted is not None:
            told &= np.isin(stage, wanted)
    source, target, ids = source[told], target[told], lives.ids[told]
    if asked["is_listed"]:
        listed = zip(source.tolist(), target.tolist(), ids.tolist(), strict=True)
        return [(one or None, other, customer, 1) for one, other, customer in listed]
    most = int(max(source.max(initial=0), target.max(initial=0))) + 1
    pair, customers = _tally(source * most + target)
    return [
        (one // most or None, one % most, None, who) for one, who in zip(pair.tolist(), customers.tolist(), strict=True)
    ]


def stage_stays(packs: Packs, asked: Asked) -> Rows | None:
    lasted = stays_of(packs, asked)
    return None if lasted is None else lasted.rows(asked["listed"])


def stage_ways(packs: Packs, asked: Asked) -> Rows | None:
    lasted = ways_of(packs, asked)
    return None if lasted is None else lasted.rows(asked["listed"])


# --- who stayed ------------------------------------------------------------------------------------------------
def retention(packs: Packs, asked: Asked) -> Rows | None:
    lives = lives_asked(packs, asked)
    if lives is None:
        return None
    inside = np.flatnonzero(lives.stage == asked["inside"])
    entered, left, owner = lives.at[inside], lives.left[inside], lives.customer[inside]
    life = lives.at[lives.starts[np.searchsorted(lives.ids, owner)]] if len(owner) else owner  # when it began
    rows: Rows = []
    for number, (start, until) in enumerate(_windows(asked), start=1):
        seen = (entered < until) & (left >= start)
        who = owner[seen]
        if not len(who):
            continue
        begins = np.append(True, who[1:] != who[:-1])
        ends = np.append(begins[1:], True)
        # A customer's spells are in order: the first tells of the start, the last of the end.
        at_start, at_end = entered[seen][begins] < start, left[seen][ends] >= until
        who = who[begins]
        is_first = life[seen][begins] >= start
        new = at_end & ~at_start
        groups = {
            "started": at_start,
            "ended": at_end,
            "kept": at_start & at_end,
            "lost": at_start & ~at_end,
            "first": new & is_first,
            "reactivated": new & ~is_first,
            "came_and_went": ~at_start & ~at_end,
        }
        counts = [int(np.count_nonzero(group)) for group in groups.values()]
        groups |= {"stopped": ~at_end, "active": np.ones(len(who), np.bool_)}
        listed = who[groups[asked["listed"]]].tolist() if asked["listed"] in groups else None
        rows.append((number, *counts, len(who), listed or None))
    return rows


# --- what was bought -------------------------------------------------------------------------------------------
def sales(packs: Packs, asked: Asked) -> Rows | None:
    types = {"purchases": asked["purchases"], "refunds": asked["refunds"]}
    version, segment = asked["version"], asked["segment"]
    if not packs.has_sold(**types, segment=segment) or (version is not None and not packs.has(version, segment)):
        return None
    members = members_asked(packs, asked)
    sold = packs.bought(**types, members=members)
    amount = sold.money(asked["products_only"])
    is_order = sold.is_purchase & (amount > 0)
    most = int(sold.customer.max(initial=0)) + 1
    began = np.full(most, NEVER)
    ids, first = _first_of_each(sold.customer[is_order], sold.at[is_order])
    began[ids] = first
    entered = left = who = np.empty(0, np.int64)
    if version is not None:
        lives = packs.lives(version, members)
        inside = lives.stage == asked["inside"]
        entered, left, who = lives.at[inside], lives.left[inside], lives.customer[inside]
        most = max(most, int(who.max(initial=0)) + 1)
    windows = _windows(asked)
    earliest = min((start for start, _until in windows), default=0)
    latest = max((until for _start, until in windows), default=0)
    # In order of time each window is one stretch.
    place = np.flatnonzero((sold.at >= earliest) & (sold.at < latest))
    place = place[np.argsort(sold.at[place], kind="stable")]
    at, customer, amount = sold.at[place], sold.customer[place], amount[place]
    is_order, is_purchase = is_order[place], sold.is_purchase[place]
    rows: Rows = []
    for number, (start, until) in enumerate(windows, start=1):
        seen = slice(*np.searchsorted(at, (start, until), side="left").tolist())
        of, ordered, money, bought = customer[seen], is_order[seen], amount[seen], is_purchase[seen]
        flags = {name: np.zeros(most, np.bool_) for name in ("buyers", "first_paying", "customers")}
        flags["buyers"][of[ordered]] = True
        flags["first_paying"][of[ordered & (at[seen] == began[of])]] = True
        flags["customers"] |= flags["buyers"]
        flags["customers"][who[(entered < until) & (left >= start)]] = True
        if not len(of) and not flags["customers"].any():
            continue
        listed = np.flatnonzero(flags[asked["listed"]]).tolist() if asked["listed"] in flags else None
        rows.append(
            (
                number,
                int(np.count_nonzero(ordered)),
                int(np.count_nonzero(bought & ~ordered)),
                int(money[bought].sum()),
                int(money[~bought].sum()),
                *(int(np.count_nonzero(flag)) for flag in flags.values()),
                listed or None,
            )
        )
    return rows


# --- cohorts ---------------------------------------------------------------------------------------------------
def cohorts(packs: Packs, asked: Asked) -> Rows | None:
    types = {"purchases": asked["purchases"], "refunds": asked["refunds"]}
    if not packs.has_sold(**types, segment=asked["segment"]):
        return None
    began = _begun(packs, asked)
    if began is None:
        return None
    borders = np.array([to_ms(border) for border in asked["borders"]], np.int64)
    now, last = to_ms(asked["as_of"]), len(borders) + 1
    sold = packs.bought(**types, members=members_asked(packs, asked))
    amount = sold.money(asked["products_only"])
    ids, at = (column[(began[1] <= now) & (began[1] >= borders[0])] for column in began)
    place = np.searchsorted(borders, at, side="right")
    most = int(max(ids.max(initial=0), sold.customer.max(initial=0))) + 1
    places, since = np.zeros(most, np.int64), np.full(most, NEVER)
    places[ids], since[ids] = place, at
    told = (sold.at >= since[sold.customer]) & (sold.at <= now)
    who, money = sold.customer[told], amount[told]
    later = np.searchsorted(borders, sold.at[told], side="right") - places[who]
    cell = places[who] * last + later
    revenue = np.zeros(last * last, np.int64)
    np.add.at(revenue, cell, money)
    ordered = sold.is_purchase[told] & (money > 0)
    # Of each customer and cell once; in order of customer and then of cell, so the last of a customer is the latest.
    once = np.unique(who[ordered] * last + later[ordered])
    buyer, offset = once // last, once % last
    is_last = np.append(buyer[1:] != buyer[:-1], True)[: len(buyer)]
    of = places[buyer] * last + offset
    customers, lasts = (np.bincount(cells, minlength=last * last) for cells in (of, of[is_last]))
    cohort, k = asked["listed_cohort"], asked["listed_offset"]
    rows: Rows = []
    for number, size in zip(*(column.tolist() for column in _tally(place)), strict=True):
        listed = ids[place == number].tolist() if number == cohort and k is None else None
        rows.append((number, None, size, 0, 0, listed))
    for one in np.unique(cell).tolist():
        listed = None
        if one // last == cohort and k is not None:
            here = of == one
            if asked["after"]:
                here &= is_last & (offset >= k)
            elif one % last != k:
                here &= False
            listed = buyer[here].tolist()
        rows.append((one // last, one % last, int(customers[one]), int(lasts[one]), int(revenue[one]), listed))
    return rows


def _begun(packs: Packs, asked: Asked) -> tuple[Int64s, Int64s] | None:
    """Who began, and when first."""
    members = members_asked(packs, asked)
    if asked["entered"] is not None:
        if not packs.has(asked["entered"], None):
            return None
        lives = packs.lives(asked["entered"], members)
        return _first_of_each(*(column[lives.stage == asked["entered_in"]] for column in (lives.customer, lives.at)))
    if asked["priced"]:
        types = {"purchases": asked["purchases"], "refunds": asked["refunds"]}
        if asked["beginnings"] != asked["purchases"]:
            return None
        sold = packs.bought(**types, members=members)
        paid = sold.is_purchase & (sold.amount > 0)
        return _first_of_each(sold.customer[paid], sold.at[paid])
    if not packs.has_begun(signups=asked["beginnings"]):
        return None
    return packs.begun(signups=asked["beginnings"], members=members)


def _first_of_each(customer: Int64s, at: Int64s) -> tuple[Int64s, Int64s]:
    first = firsts(customer)
    return customer[first], at[first]


COUNTERS: dict[str, Callable[[Packs, Asked], Rows | None]] = {
    "analytics/stage_trend": stage_trend,
    "analytics/stage_flows": stage_flows,
    "analytics/stage_shifts": stage_shifts,
    "analytics/stage_stays": stage_stays,
    "analytics/stage_ways": stage_ways,
    "analytics/retention": retention,
    "analytics/sales": sales,
    "analytics/cohorts": cohorts,
    "analytics/experiment_results": experiment_results,
}
