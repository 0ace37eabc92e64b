"""Attribution, slow and plain: one path after another, exact fractions, no NumPy. What the models are held against."""

from collections import defaultdict
from fractions import Fraction
from itertools import chain, combinations, pairwise
from math import factorial

HOUR, DAY = 3_600_000, 86_400_000
VISIT_GAP = 30 * 60_000
Touch = tuple[int, int]  # (ms, channel)


def visits(contacts: list[Touch], direct: int) -> list[Touch]:
    """Contacts of one person in order, put together to visits."""
    found: list[Touch] = []
    before = None
    for ms, channel in contacts:
        follows = before is not None and ms - before <= VISIT_GAP
        if not (follows and channel in (direct, found[-1][1])):
            found.append((ms, channel))
        before = ms
    return found


def path_before(contacts: list[Touch], end: int, days: int, direct: int) -> list[tuple[int, int]]:
    """(channel, age) of the visits that began in (end - days, end]."""
    seen = sorted((ms, channel) for ms, channel in contacts if ms <= end)
    return [(channel, end - ms) for ms, channel in visits(seen, direct) if end - ms < days * DAY]


def weights(model: str, path: list[tuple[int, int]], direct: int) -> dict[int, Fraction]:
    """By channel its part of one path's credit; they sum to 1."""
    if not path:
        return {}
    count = len(path)
    parts = [Fraction(0)] * count
    if model == "first":
        parts[0] = Fraction(1)
    elif model == "last":
        parts[-1] = Fraction(1)
    elif model == "last_non_direct":
        others = [at for at, (channel, _age) in enumerate(path) if channel != direct]
        parts[others[-1] if others else count - 1] = Fraction(1)
    elif model == "linear":
        parts = [Fraction(1, count)] * count
    elif model == "time_decay":
        raw = [Fraction(round(2.0 ** (24 - age // HOUR / (24 * 7)))) for _channel, age in path]
        parts = [one / sum(raw) for one in raw]
    elif model == "position":
        if count <= 2:
            parts = [Fraction(1, count)] * count
        else:
            parts = [Fraction(2, 5), *[Fraction(1, 5) / (count - 2)] * (count - 2), Fraction(2, 5)]
    elif model == "shapley":
        channels = {channel for channel, _age in path}
        return {channel: Fraction(1, len(channels)) for channel in channels}
    found: dict[int, Fraction] = defaultdict(Fraction)
    for (channel, _age), part in zip(path, parts, strict=True):
        found[channel] += part
    return {channel: part for channel, part in found.items() if part}


def parted(amount: int, by: dict[int, Fraction]) -> dict[int, int]:
    """Whole units by the largest remainder; of equal remainders the least channel first."""
    size, sign = abs(amount), -1 if amount < 0 else 1
    quota = {channel: size * part for channel, part in by.items()}
    found = {channel: int(part) for channel, part in quota.items()}
    left = size - sum(found.values())
    for channel in sorted(quota, key=lambda one: (found[one] - quota[one], one))[:left]:
        found[channel] += 1
    return {channel: sign * part for channel, part in found.items()}


def shapley(paths: list[list[int]]) -> dict[int, Fraction]:
    """By the definition, over all coalitions: v(S) is how many paths lie inside S."""
    players = sorted({channel for path in paths for channel in path})

    def worth(coalition: tuple[int, ...]) -> int:
        return sum(set(path) <= set(coalition) for path in paths)

    found = {}
    for player in players:
        others = [one for one in players if one != player]
        total = Fraction(0)
        for coalition in chain.from_iterable(combinations(others, size) for size in range(len(others) + 1)):
            weight = Fraction(
                factorial(len(coalition)) * factorial(len(players) - len(coalition) - 1), factorial(len(players))
            )
            total += weight * (worth((*coalition, player)) - worth(coalition))
        found[player] = total
    return found


def ordered_without(paths: list[tuple[list[int], bool]], without: int | None, rounds: int = 4_000) -> float:
    """The probability that a path ends with an order when a channel leads nowhere, by walking the chain on and on."""
    follow: dict[object, dict[object, int]] = defaultdict(lambda: defaultdict(int))
    for path, ordered in paths:
        states = ["start", *path, "ordered" if ordered else "nothing"]
        for source, target in pairwise(states):
            follow[source][target] += 1
    here: dict[object, float] = {"start": 1.0}
    done = 0.0
    for _round in range(rounds):
        there: dict[object, float] = defaultdict(float)
        for state, weight in here.items():
            total = sum(follow[state].values())
            for target, count in follow[state].items():
                part = weight * count / total
                if target == "ordered":
                    done += part
                elif target != "nothing" and target != without:
                    there[target] += part
        here = there
        if sum(here.values()) < 1e-15:
            break
    return done


def removals(paths: list[tuple[list[int], bool]]) -> dict[int, float]:
    """By channel the part of all orders that would be missing."""
    whole = ordered_without(paths, None)
    channels = sorted({channel for path, _ordered in paths for channel in path})
    return {channel: 1 - ordered_without(paths, channel) / whole for channel in channels} if whole else {}
