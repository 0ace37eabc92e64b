"""From single contacts to paths: the marketing touches before an instant, as columns. Nothing here reads a clock or the
database.

Contacts that follow one another within half an hour are one visit: a visit keeps the channel that brought it, and pages
that are looked at later in it are no touches of their own."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]

DAY = 86_400_000
VISIT_GAP = 30 * 60_000
NOBODY = np.empty(0, np.int64)
_SPAN = 1 << 43  # milliseconds, beyond any instant and a path before it


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths, one after the other. start: where each begins, and where the last one ends; channel: of each touch, in
    order of time; age: how many milliseconds it lies before the end of its path."""

    start: Int64s
    channel: Int64s
    age: Int64s

    def __len__(self) -> int:
        return len(self.start) - 1

    @property
    def length(self) -> Int64s:
        """How many touches each path has."""
        return np.diff(self.start)

    @property
    def owner(self) -> Int64s:
        """The path that each touch is part of."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.length)

    def within(self, days: int) -> "Paths":
        """The same paths without touches that lie so many days or more before the end."""
        near = self.age < days * DAY
        kept = starts(near.astype(np.int64))
        return Paths(kept[self.start], self.channel[near], self.age[near])

    def of(self, some: npt.NDArray[np.bool_]) -> "Paths":
        """Some of the paths."""
        kept = some[self.owner]
        return Paths(starts(self.length[some]), self.channel[kept], self.age[kept])


def starts(length: Int64s) -> Int64s:
    """Where paths of these lengths begin, and where the last one ends."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(length, dtype=np.int64)))


def visits(owner: Int64s, ms: Int64s, channel: Int64s, *, direct: int) -> tuple[Int64s, Int64s, Int64s]:
    """Contacts in order of owner and time, put together to visits: (owner, ms, channel) of the contact that began each.

    A contact is part of the visit before it if it follows the contact before within half an hour and is direct, or over
    the channel of that visit."""
    count = len(owner)
    if not count:
        return NOBODY, NOBODY, NOBODY
    follows = np.zeros(count, bool)
    follows[1:] = (owner[1:] == owner[:-1]) & (ms[1:] - ms[:-1] <= VISIT_GAP)
    # A direct contact within a visit has the channel of that visit: of the last contact that said one.
    says = ~(follows & (channel == direct))
    said_at = np.maximum.accumulate(np.where(says, np.arange(count), 0))
    effective = channel[said_at]
    begins = ~follows
    begins[1:] |= effective[1:] != effective[:-1]
    return owner[begins], ms[begins], effective[begins]


def paths_before(
    *, owner: Int64s, ms: Int64s, channel: Int64s, end_owner: Int64s, end_ms: Int64s, days: int, direct: int
) -> Paths:
    """The paths of some people up to an instant each: their visits that began in (end - days, end]. Contacts come in
    any order, `end_owner` ascending; people without contacts have empty paths."""
    if not len(end_owner):
        return Paths(starts(NOBODY), NOBODY, NOBODY)
    place = np.minimum(np.searchsorted(end_owner, owner), len(end_owner) - 1)
    asked = (end_owner[place] == owner) & (ms <= end_ms[place])
    place, ms, channel = place[asked], ms[asked], channel[asked]
    order = np.lexsort((channel, ms, place))
    place, ms, channel = visits(place[order], ms[order], channel[order], direct=direct)
    age = end_ms[place] - ms
    near = age < days * DAY
    place, channel, age = place[near], channel[near], age[near]
    return Paths(starts(np.bincount(place, minlength=len(end_owner)).astype(np.int64)), channel, age)


def paths_before_each(
    *, owner: Int64s, ms: Int64s, channel: Int64s, end_owner: Int64s, end_ms: Int64s, days: int, direct: int
) -> Paths:
    """As `paths_before`, for people with any number of instants each, in any order: a visit is in the path of each
    instant that it lies before."""
    order = np.lexsort((channel, ms, owner))
    owner, ms, channel = visits(owner[order], ms[order], channel[order], direct=direct)
    people = np.unique(np.concatenate((owner, end_owner)))
    line = np.searchsorted(people, owner) * _SPAN + ms
    ends = np.searchsorted(people, end_owner) * _SPAN + end_ms
    first = np.searchsorted(line, ends - days * DAY, side="right")
    length = np.searchsorted(line, ends, side="right") - first
    start = starts(length)
    touch = np.repeat(first - start[:-1], length) + np.arange(start[-1], dtype=np.int64)
    return Paths(start, channel[touch], np.repeat(end_ms, length) - ms[touch])
