"""Counting from packed histories what SQL files count row by row: each counter is called as the file is whose question
it answers, takes the file's parameters and gives the file's rows. Tests hold each to its file.

The file remains the definition, and answers what is not packed: what was believed earlier, and what is asked before
the first fill."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from clm.lib import sql
from clm.lib.milliseconds import to_ms

from .assigned import experiment_results
from .lasted import Asked, Rows, lives_asked, members_asked, stays_of, ways_of
from .lives import NEVER, Bools, Bought, Int64s, among, distinct, firsts
from .packs import Packs
from .told import KINDS, last_answers, off_scale, responses, stages_then
from .windows import Cut, in_batches, spans, touched


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
        found = np.sort(key)
        starts = np.flatnonzero(firsts(found))
        return found[starts], np.diff(starts, append=len(found))
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
    # In order of customer nearly all of it is sorted.
    span = most * most
    _pair, customers = _tally(distinct(customer * span + key) % span)
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
    active = {"customer": lives.customer[inside], "start": lives.at[inside], "end": lives.left[inside]}
    rows: Rows = []
    for first, cut in in_batches(_windows(asked)):
        found = spans(cut, **active)
        life = lives.at[lives.starts[np.searchsorted(lives.ids, found.customer)]]  # when it began
        for number, window in enumerate(cut.windows, start=first + 1):
            start, until = window
            if until <= start:  # a period that was cut short before it began: who was active all the while
                who = distinct(active["customer"][(active["start"] < until) & (active["end"] >= start)])
                always = np.ones(len(who), np.bool_)
                told = _Stayed(who, always, always, ~always)
            else:
                seen = np.flatnonzero(found.pieces & cut.pieces(window))
                crossed = found.crossed[seen]
                at_start, at_end = ((crossed & cut.crossing(border)) != 0 for border in window)
                told = _Stayed(found.customer[seen], at_start, at_end, life[seen] >= start)
            if len(told.customer):
                listed = told.group(asked["listed"]) if asked["listed"] else []
                rows.append((number, *told.counts(), listed or None))
    return rows


@dataclass(frozen=True, slots=True)
class _Stayed:
    """Who was active in a window, and whether also at its start, at its end, and never before it."""

    customer: Int64s
    at_start: Bools
    at_end: Bools
    is_first: Bools

    def _of(self, group: str) -> Bools:
        new = self.at_end & ~self.at_start
        return {
            "started": lambda: self.at_start,
            "ended": lambda: self.at_end,
            "kept": lambda: self.at_start & self.at_end,
            "lost": lambda: self.at_start & ~self.at_end,
            "first": lambda: new & self.is_first,
            "reactivated": lambda: new & ~self.is_first,
            "came_and_went": lambda: ~self.at_start & ~self.at_end,
            "stopped": lambda: ~self.at_end,
            "active": lambda: np.ones(len(self.customer), np.bool_),
        }[group]()

    def counts(self) -> tuple[int, ...]:
        """Of each group but `stopped`."""
        active, started, ended, kept, first = (
            int(np.count_nonzero(group))
            for group in (
                self._of("active"),
                self.at_start,
                self.at_end,
                self.at_start & self.at_end,
                self._of("first"),
            )
        )
        away = active - started - ended + kept
        return started, ended, kept, started - kept, first, ended - kept - first, away, active

    def group(self, name: str) -> list[int]:
        """Who is in a group."""
        found: list[int] = self.customer[self._of(name)].tolist()
        return found


# --- what was bought -------------------------------------------------------------------------------------------
def sales(packs: Packs, asked: Asked) -> Rows | None:
    types = {"purchases": asked["purchases"], "refunds": asked["refunds"]}
    version, segment = asked["version"], asked["segment"]
    if not packs.has_sold(**types, segment=segment) or (version is not None and not packs.has(version, segment)):
        return None
    members = members_asked(packs, asked)
    sold = packs.bought(**types, members=members)
    amount = sold.money(asked["products_only"])
    ordered = np.flatnonzero(sold.is_purchase & (amount > 0))
    buyer, bought_at = sold.customer[ordered], sold.at[ordered]
    payer, paid_at = _first_of_each(buyer, bought_at)
    active = {name: np.empty(0, np.int64) for name in ("customer", "start", "end")}
    if version is not None:
        lives = packs.lives(version, members)
        inside = np.flatnonzero(lives.stage == asked["inside"])
        active = {"customer": lives.customer[inside], "start": lives.at[inside], "end": lives.left[inside]}
    most = int(max(sold.customer.max(initial=0), active["customer"].max(initial=0))) + 1
    everybody = np.arange(most)
    rows: Rows = []
    for first, cut in in_batches(_windows(asked)):
        sums = _sums_before(cut, sold, amount)
        bought, theirs = touched(cut, customer=buyer, at=bought_at)
        found = spans(cut, **active)
        either = np.zeros(most, np.int64)
        either[bought] = theirs
        either[found.customer] |= found.pieces
        for number, window in enumerate(cut.windows, start=first + 1):
            start, until = window
            told, pieces = sums[:, cut.place(until)] - sums[:, cut.place(start)], cut.pieces(window)
            groups = {
                "buyers": (bought, (theirs & pieces) != 0),
                "first_paying": (payer, (paid_at >= start) & (paid_at < until)),
                "customers": (everybody, (either & pieces) != 0),
            }
            if until <= start:  # as in retention
                told = np.zeros_like(told)
                here = (active["start"] < until) & (active["end"] >= start)
                groups["customers"] = (everybody, np.isin(everybody, active["customer"][here]))
            counts = [int(np.count_nonzero(chosen)) for _customers, chosen in groups.values()]
            if not told[0] and not counts[-1]:
                continue
            listed = None
            if asked["listed"] in groups:
                customers, chosen = groups[asked["listed"]]
                listed = customers[chosen].tolist()
            rows.append((number, *told[1:].tolist(), *counts, listed or None))
    return rows


def _sums_before(cut: Cut, sold: Bought, amount: Int64s) -> Int64s:
    """Before each border (columns): how many rows there were, orders, purchases without a price, and the amounts bought
    and refunded. What lies between two borders is the difference."""
    piece, is_order = cut.piece(sold.at), sold.is_purchase & (amount > 0)
    sums = np.zeros((5, len(cut.borders) + 1), np.int64)
    for row, kind in enumerate((np.ones(len(piece), np.bool_), is_order, sold.is_purchase & ~is_order)):
        sums[row] = np.bincount(piece[kind], minlength=sums.shape[1])
    for row, kind in enumerate((sold.is_purchase, ~sold.is_purchase), start=3):
        np.add.at(sums[row], piece[kind], amount[kind])
    return sums.cumsum(axis=1)


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
    once = distinct(who[ordered] * last + later[ordered])
    buyer, offset = once // last, once % last
    is_last = np.append(buyer[1:] != buyer[:-1], True)[: len(buyer)]
    of = places[buyer] * last + offset
    customers, lasts = (np.bincount(cells, minlength=last * last) for cells in (of, of[is_last]))
    cohort, k = asked["listed_cohort"], asked["listed_offset"]
    rows: Rows = []
    for number, size in zip(*(column.tolist() for column in _tally(place)), strict=True):
        listed = ids[place == number].tolist() if number == cohort and k is None else None
        rows.append((number, None, size, 0, 0, listed))
    for one in np.flatnonzero(np.bincount(cell)).tolist():
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


# --- what was answered -----------------------------------------------------------------------------------------
def feedback_answers(packs: Packs, asked: Asked) -> Rows | None:
    if not packs.has(asked["version"], asked["segment"]) or not asked["starts"]:
        return None
    told = packs.told(types=asked["feedback"], start=min(asked["starts"]), until=max(asked["untils"]))
    told, windows = told.among(members_asked(packs, asked)), _windows(asked)
    first, rows, unscaled = told.between(*windows[0]), list[tuple[Any, ...]](), list[tuple[Any, ...]]()
    for kind in sorted(KINDS):
        for number, last in enumerate(last_answers(told, kind, windows), start=1):
            stage = np.zeros(len(last.customer), np.int64)
            if number == 1 and len(last.customer):
                stage = stages_then(packs.lives(asked["version"], None), last.customer, last.at)
            most = int(stage.max(initial=0)) + 1
            cell, customers = _tally(last.score * most + stage)
            for one, count in zip(cell.tolist(), customers.tolist(), strict=True):
                score, where = divmod(one, most)
                listed = None
                if number == 1 and kind == asked["listed_kind"] and _is_listed(asked, score, where):
                    listed = last.customer[(last.score == score) & (stage == where)].tolist()
                rows.append((number, kind, score, where if number == 1 else None, count, listed))
        if off := off_scale(first, kind):
            unscaled.append((1, kind, None, None, off, None))
    return [*rows, *unscaled]


def _is_listed(asked: Asked, score: int, stage: int) -> bool:
    scores, wanted = asked["listed_scores"], asked["listed_stage"]
    return (scores is None or score in scores) and (wanted is None or stage == wanted)


def feedback_asked(packs: Packs, asked: Asked) -> Rows | None:
    if asked["segment"] is not None and not packs.has(asked["segment"], None):
        return None
    asking, answering = (
        packs.told(types=asked[types], start=asked["start_at"], until=asked["until_at"]).among(
            members_asked(packs, asked)
        )
        for types in ("asking", "feedback")
    )
    rows: Rows = []
    for kind in sorted(KINDS):
        who, has_answered = responses(asking, answering, kind)
        if not len(who):
            continue
        groups = {"asked": who, "answered": who[has_answered], "silent": who[~has_answered]}
        listed = groups[asked["listed_group"]].tolist() if kind == asked["listed_kind"] else None
        rows.append((kind, len(who), len(groups["answered"]), listed or None))
    return rows


# --- what was asked of support ----------------------------------------------------------------------------------
def support_tickets(packs: Packs, asked: Asked) -> Rows | None:
    """Of a segment: the file reads everybody's tickets faster than it looks at each whether its customer is a
    member."""
    if asked["segment"] is None or not packs.has(asked["segment"], None):
        return None
    members = members_asked(packs, asked)
    assert members is not None
    everybody = {**asked, "segment": None, "segment_in": None, "as_of": None}
    rows = sql.rows("analytics/support_tickets", **everybody)
    theirs = among(np.array([row[0] for row in rows], np.int64), members)
    return [row for row, is_member in zip(rows, theirs.tolist(), strict=True) if is_member]


COUNTERS: dict[str, Callable[[Packs, Asked], Rows | None]] = {
    "analytics/stage_trend": stage_trend,
    "analytics/stage_flows": stage_flows,
    "analytics/stage_shifts": stage_shifts,
    "analytics/stage_stays": stage_stays,
    "analytics/stage_ways": stage_ways,
    "analytics/retention": retention,
    "analytics/sales": sales,
    "analytics/cohorts": cohorts,
    "analytics/feedback_answers": feedback_answers,
    "analytics/feedback_asked": feedback_asked,
    "analytics/support_tickets": support_tickets,
    "analytics/experiment_results": experiment_results,
}
