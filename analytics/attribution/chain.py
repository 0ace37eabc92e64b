"""Markov attribution: a chain of order 1 over the channels of paths, from the start of a path to an order or to
nothing.

A channel's effect is the part of all orders that would be missing if whatever leads to it led nowhere. Probabilities of
absorption are solved exactly as linear equations, nothing is simulated."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .paths import NOBODY, Int64s, Paths

# States beside channels, whose ids are above zero: a path begins, ends with an order, ends with nothing.
START, ORDERED, NOTHING = 0, -1, -2


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps from one state to the next, each with the path that made it."""

    path: Int64s
    source: Int64s
    target: Int64s


def steps(paths: Paths, ordered: npt.NDArray[np.bool_]) -> Steps:
    """The steps of paths that are not empty. ordered: whether each ended with an order."""
    owner, channel = paths.owner, paths.channel
    if not len(owner):
        return Steps(NOBODY, NOBODY, NOBODY)
    begins = np.append(True, owner[1:] != owner[:-1])
    ends = np.append(begins[1:], True)
    before = np.where(begins, START, np.roll(channel, 1))
    finish = np.where(ordered[owner[ends]], ORDERED, NOTHING)
    return Steps(
        np.concatenate((owner, owner[ends])),
        np.concatenate((before, channel[ends])),
        np.concatenate((channel, finish)),
    )


@dataclass(frozen=True, slots=True)
class Effects:
    """What the chain says. ordered: the probability that a path ends with an order; removal: by channel the part of all
    orders that would be missing without it, 0 to 1; share: the removals scaled to sum to 1. Empty where no path ends
    with an order."""

    ordered: float
    removal: Mapping[int, float]
    share: Mapping[int, float]


def effects(counted: Mapping[tuple[int, int], int]) -> Effects:
    """The effects of all channels, by how often each state followed another."""
    channels = sorted({state for pair in counted for state in pair if state > 0})
    place = {START: 0, **{channel: at for at, channel in enumerate(channels, 1)}}
    size = len(place)
    moves, ends = np.zeros((size, size)), np.zeros(size)
    total = np.zeros(size)
    for (source, target), count in counted.items():
        total[place[source]] += count
        if target == ORDERED:
            ends[place[source]] += count
        elif target != NOTHING:
            moves[place[source], place[target]] += count
    divided = np.where(total > 0, total, 1.0)
    moves, ends = moves / divided[:, None], ends / divided
    whole = _from_start(moves, ends)
    if whole <= 0:
        return Effects(0.0, {}, {})
    removal = {}
    for channel in channels:
        stays = np.arange(size) != place[channel]
        removal[channel] = max(0.0, 1.0 - _from_start(moves[np.ix_(stays, stays)], ends[stays]) / whole)
    weight = sum(removal.values())
    return Effects(whole, removal, {channel: effect / weight for channel, effect in removal.items()} if weight else {})


def _from_start(moves: npt.NDArray[np.float64], ends: npt.NDArray[np.float64]) -> float:
    """The probability that what begins at the first state ends with an order. Every state leads somewhere in the end,
    so the equations have one solution."""
    return float(np.linalg.solve(np.eye(len(ends)) - moves, ends)[0])
