"""Credit of each path among its channels, by the models that look at one path alone, exact to the smallest unit: what
the channels of a path get sums to what the path brought.

Weights are whole numbers, so the same path gets the same credit whatever it is counted together with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from .declared import HALF_LIFE_DAYS
from .paths import Int64s, Paths

# A customer, as credit is parted: one is a million millionths.
WHOLE = 1_000_000
_HOUR = 3_600_000
_HOURS = 24 * 91
# The weight of a touch by its age in hours; half for every half-life.
_DECAY = np.rint(2.0 ** (24 - np.arange(_HOURS) / (24 * HALF_LIFE_DAYS))).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Shares:
    """Which channels of which paths get credit, and with what weight; in order of path and channel, each pair once."""

    path: Int64s
    channel: Int64s
    weight: Int64s


def shares(model: str, paths: Paths, *, direct: int) -> Shares:
    """The parts of channels in each path by a model; empty paths have none."""
    owner, channel = paths.owner, paths.channel
    if model == "shapley":
        pair = np.unique(_paired(owner, channel))
        return Shares(pair // _CHANNELS, pair % _CHANNELS, np.ones(len(pair), np.int64))
    weight = _weights(model, paths, owner, direct)
    told = weight > 0
    pair, place = np.unique(_paired(owner[told], channel[told]), return_inverse=True)
    sums = np.zeros(len(pair), np.int64)
    np.add.at(sums, place, weight[told])
    return Shares(pair // _CHANNELS, pair % _CHANNELS, sums)


_CHANNELS = 1 << 16


def _paired(owner: Int64s, channel: Int64s) -> Int64s:
    return owner * _CHANNELS + channel


def _weights(model: str, paths: Paths, owner: Int64s, direct: int) -> Int64s:
    """The weight of each touch."""
    number = np.arange(len(owner), dtype=np.int64) - paths.start[:-1][owner]
    length = paths.length[owner]
    is_first, is_last = number == 0, number == length - 1
    one = np.ones(len(owner), np.int64)
    if model == "first":
        return one * is_first
    if model == "last":
        return one * is_last
    if model == "last_non_direct":
        return one * _last_non_direct(paths, owner, direct)
    if model == "linear":
        return one
    if model == "time_decay":
        return _DECAY[np.minimum(paths.age // _HOUR, _HOURS - 1)]
    if model == "position":
        middle = np.maximum(length - 2, 0)
        # 40 : 20 / (n - 2) : 40 in whole numbers; one or two touches share equally.
        return np.where(middle == 0, 1, np.where(is_first | is_last, 2 * middle, 1))
    raise KeyError(model)


def _last_non_direct(paths: Paths, owner: Int64s, direct: int) -> npt.NDArray[np.bool_]:
    """Which touch of each path is the last one that is not direct, or the last of all where every one is."""
    at = np.arange(len(owner), dtype=np.int64)
    chosen = np.full(len(paths), -1, np.int64)
    other = paths.channel != direct
    np.maximum.at(chosen, owner[other], at[other])
    filled = paths.length > 0
    chosen = np.where(filled & (chosen < 0), paths.start[1:] - 1, chosen)
    told = np.zeros(len(owner), bool)
    told[chosen[filled]] = True
    return told


def parted(amounts: Int64s, among: Shares) -> Int64s:
    """What each share gets of its path's amount: whole units that sum to it exactly. Units that are left after rounding
    down go to the largest remainders, of equal ones to the channel with the least number."""
    if not len(among.path):
        return np.empty(0, np.int64)
    if (among.path[1:] != among.path[:-1]).all():
        return amounts[among.path]  # nothing is shared
    amount = np.abs(amounts)
    total = np.bincount(among.path, among.weight, minlength=len(amounts))
    quota = amount[among.path] * among.weight.astype(np.float64) / total[among.path]
    # Where a quota is whole but for the error of floats, its unit comes back first, by the largest remainder.
    base = np.maximum(np.floor(quota - 1e-4), 0).astype(np.int64)
    given = np.zeros(len(amounts), np.int64)
    np.add.at(given, among.path, base)
    left = amount - given
    remainder = np.rint((quota - base) * 1e6).astype(np.int64)
    order = np.lexsort((among.channel, -remainder, among.path))
    heads = np.searchsorted(among.path, among.path[order], side="left")
    rank = np.arange(len(order), dtype=np.int64) - heads
    base[order] += rank < left[among.path[order]]
    return np.where(amounts[among.path] < 0, -base, base)


def allotted(total: int, weights: Mapping[int, float]) -> dict[int, int]:
    """A total in whole units by weights, summing to it exactly: for the model that has one weight a channel."""
    exact = {channel: Fraction(weight) for channel, weight in weights.items() if weight > 0}
    whole = sum(exact.values())
    if not whole:
        return {}
    sign, amount = (-1, -total) if total < 0 else (1, total)
    quota = {channel: amount * weight / whole for channel, weight in exact.items()}
    found = {channel: int(part) for channel, part in quota.items()}
    left = amount - sum(found.values())
    by_remainder: Sequence[int] = sorted(quota, key=lambda channel: (found[channel] - quota[channel], channel))
    for channel in by_remainder[:left]:
        found[channel] += 1
    return {channel: sign * part for channel, part in found.items()}
