"""Which touchpoints a selector selects.

Type and channel decide most of it. At compile time every distinct combination of type and channel becomes a class, and
every selector part without `where` (an atom) a bit in the classes' words: on a chunk one table look-up per touchpoint
answers 64 atoms. `where` tests are answered once per property test and chunk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lifecycle.rules.days import local_days
from lifecycle.rules.facts import Catalogue, Facts
from lifecycle.rules.nodes import ACTIVITY_ROLES, Pick, PropertyTest, Selector
from lifecycle.rules.spans import Keys
from lifecycle.rules.value_tests import Value, satisfies

_HIGHEST_CODE = 1 << 22

Mask = npt.NDArray[np.bool_]
# A part of a selector: an atom (its number) and the property tests that must hold beside it.
Part = tuple[int, tuple[PropertyTest, ...]]


class SelectorTable:
    """All selectors of a program. `add` them, then `close` the table, then `select` on chunks."""

    def __init__(self, catalogues: list[Catalogue]) -> None:
        self._kinds = [
            ({code: (name, role) for code, name, role in catalogue.types}, dict(catalogue.channels))
            for catalogue in catalogues
        ]
        self._type_codes = _codes([code for catalogue in catalogues for code, _, _ in catalogue.types])
        self._channel_codes = _codes([code for catalogue in catalogues for code, _ in catalogue.channels])
        self._atoms: dict[frozenset[tuple[bytes, bytes]], int] = {}
        self._selectors: dict[frozenset[Part], int] = {}
        self.parts: list[tuple[Part, ...]] = []

    def add(self, selector: Selector, catalogue: int) -> int:
        """The number of the selector under the catalogue of that number; those that select the same share one."""
        plain = frozenset(self._pair(pick, catalogue) for pick in selector if not pick.where)
        parts: set[Part] = {(self._atom(plain), ())} if plain else set()
        parts |= {(self._atom(frozenset([self._pair(pick, catalogue)])), pick.where) for pick in selector if pick.where}
        key: frozenset[Part] = frozenset(parts)
        if key not in self._selectors:
            self._selectors[key] = len(self.parts)
            self.parts.append(tuple(parts))
        return self._selectors[key]

    def close(self) -> None:
        """Build the tables from code to class and from class to word."""
        type_sets = sorted({pair[0] for atom in self._atoms for pair in atom})
        channel_sets = sorted({pair[1] for atom in self._atoms for pair in atom})
        type_class, of_types = _classes(type_sets, len(self._type_codes) + 1)
        channel_class, of_channels = _classes(channel_sets, len(self._channel_codes) + 1)
        self._channel_classes = of_channels.shape[1] if channel_sets else 1
        self._type_lookup = _lookup(self._type_codes, type_class) * self._channel_classes
        self._channel_lookup = _lookup(self._channel_codes, channel_class)
        number_of_classes = of_types.shape[1] * self._channel_classes
        self.words: list[npt.NDArray[np.unsignedinteger]] = []
        self._everything: set[int] = set()
        for atom, number in self._atoms.items():
            holds = np.zeros((of_types.shape[1], of_channels.shape[1]), bool)
            for types, channels in atom:
                holds |= np.outer(of_types[type_sets.index(types)], of_channels[channel_sets.index(channels)])
            if holds.all():
                self._everything.add(number)
            if number % 64 == 0:
                left = len(self._atoms) - number
                dtype = next(
                    d
                    for d, bits in ((np.uint8, 8), (np.uint16, 16), (np.uint32, 32), (np.uint64, 64))
                    if left <= bits or bits == 64
                )
                self.words.append(np.zeros(number_of_classes, dtype))
            word = self.words[-1]
            word[holds.reshape(-1)] |= word.dtype.type(1 << (number % 64))

    def _atom(self, pairs: frozenset[tuple[bytes, bytes]]) -> int:
        return self._atoms.setdefault(pairs, len(self._atoms))

    def _pair(self, pick: Pick, catalogue: int) -> tuple[bytes, bytes]:
        """The types and the channels of a pick, each as bytes of booleans by code, the last for unlisted codes."""
        named, names = self._kinds[catalogue]

        def takes(kind: tuple[str | None, str]) -> bool:
            name, role = kind
            return (
                (pick.roles is None or role in pick.roles)
                and (pick.types is None or name in pick.types)
                and (not pick.any_activity or role in ACTIVITY_ROLES)
            )

        types = [takes(named.get(code, (None, "other"))) for code in (*self._type_codes, -1)]
        channels = [pick.channels is None or names.get(code) in pick.channels for code in (*self._channel_codes, -1)]
        return bytes(types), bytes(channels)

    def classes(self, facts: Facts) -> npt.NDArray[np.intp]:
        """Per touchpoint: its class."""
        found = _looked_up(self._type_lookup, facts.type)
        if self._channel_classes > 1:
            found += _looked_up(self._channel_lookup, facts.channel)
        return found

    @property
    def tells_channels(self) -> bool:
        """Whether any selector depends on the channel."""
        return self._channel_classes > 1

    def takes_everything(self, atom: int) -> bool:
        return atom in self._everything


@dataclass(slots=True)
class Selected:
    """The touchpoints of one selector in one chunk; what several rules need of them is computed once."""

    keys: Keys
    index: npt.NDArray[np.intp] | None  # positions among the chunk's touchpoints; None: all of them
    _gaps: Keys | None = None
    _heads: npt.NDArray[np.intp] | None = None
    _days: dict[str, tuple[npt.NDArray[np.integer], bool]] | None = None

    def gaps(self) -> Keys:
        """Differences of neighbouring keys."""
        if self._gaps is None:
            self._gaps = self.keys[1:] - self.keys[:-1]
        return self._gaps

    def heads(self, open_end: int) -> npt.NDArray[np.intp]:
        """Positions of each owner's first key."""
        if self._heads is None:
            if len(self.keys) == 0:
                self._heads = np.empty(0, np.intp)
            else:
                self._heads = np.append(0, (self.gaps() > open_end >> 1).nonzero()[0] + 1)
        return self._heads

    def days(self, zone: str, base: int, open_end: int) -> tuple[npt.NDArray[np.integer], bool]:
        """Per key a number that tells its local day, and whether no later key of an owner can have an earlier day."""
        if self._days is None:
            self._days = {}
        if zone not in self._days:
            calendar = local_days(zone)
            instants = self.keys & open_end
            instants += base
            marks = calendar.marks(instants)
            self._days[zone] = marks, calendar.rises(marks)
        return self._days[zone]

    def amounts(self, column: npt.NDArray[np.int64]) -> tuple[Keys, npt.NDArray[np.int64]]:
        """Keys and amounts of the touchpoints that carry money."""
        amounts = column if self.index is None else column.take(self.index)
        some = amounts.nonzero()[0]
        return self.keys.take(some), amounts.take(some)


class Selection:
    """The selectors of a table answered on one chunk, each when it is first asked for and let go of after its last
    use. `uses` is how often each will be asked for."""

    def __init__(self, table: SelectorTable, facts: Facts, keys: Keys, uses: list[int]) -> None:
        self._table = table
        self._left = uses.copy()
        self._facts = facts
        self._keys = keys
        self._classes: npt.NDArray[np.intp] | None = None
        self._words: dict[int, npt.NDArray[np.unsignedinteger]] = {}
        self._tested: dict[PropertyTest, Mask] = {}
        self._distinct: dict[str, tuple[npt.NDArray[np.intp], list[Value]]] = {}
        self._selected: dict[int, Selected] = {}

    def take(self, number: int) -> Selected:
        """What the selector of that number selects."""
        selected = self._selected.pop(number, None) or self._select(self._table.parts[number])
        self._left[number] -= 1
        if self._left[number] > 0:
            self._selected[number] = selected
        return selected

    def _select(self, parts: tuple[Part, ...]) -> Selected:
        if len(parts) == 1 and not parts[0][1] and self._table.takes_everything(parts[0][0]):
            return Selected(self._keys, None)
        chosen = self._part(parts[0])
        for part in parts[1:]:
            chosen |= self._part(part)
        index = chosen.nonzero()[0]
        return Selected(self._keys.take(index), index)

    def _part(self, part: Part) -> Mask:
        atom, tests = part
        number, bit = divmod(atom, 64)
        word = self._words.get(number)
        if word is None:
            if self._classes is None:
                self._classes = self._table.classes(self._facts)
            word = self._words[number] = self._table.words[number].take(self._classes)
            if len(self._words) == len(self._table.words):
                self._classes = None  # the widest column, not needed any more
        chosen = (word & word.dtype.type(1 << bit)) != 0
        for test in tests:
            chosen &= self._test(test)
        return chosen

    def _test(self, test: PropertyTest) -> Mask:
        found = self._tested.get(test)
        if found is None:
            found = np.full(len(self._keys), satisfies(None, test.tests))
            column = self._facts.properties.get(test.key)
            if column is not None and len(column.positions):
                if test.key not in self._distinct:
                    self._distinct[test.key] = factorised(list(column.values))
                codes, values = self._distinct[test.key]
                found[column.positions] = np.array([satisfies(value, test.tests) for value in values]).take(codes)
            self._tested[test] = found
        return found


def factorised(values: list[Value]) -> tuple[npt.NDArray[np.intp], list[Value]]:
    """Each value's place among the distinct ones."""
    kinds = set(map(type, values))
    # Python holds True equal to 1: kinds are kept apart where both occur.
    keys: list = list(zip(map(type, values), values, strict=True)) if bool in kinds and len(kinds) > 1 else values
    first = dict(zip(reversed(keys), reversed(values), strict=True))
    places = {key: place for place, key in enumerate(first)}
    return np.fromiter(map(places.__getitem__, keys), np.intp, len(keys)), list(first.values())


def _codes(codes: list[int]) -> tuple[int, ...]:
    distinct = sorted(set(codes))
    if distinct and not 0 <= distinct[0] <= distinct[-1] <= _HIGHEST_CODE:
        raise ValueError(f"codes of types and channels lie from 0 to {_HIGHEST_CODE:,}")
    return tuple(distinct)


def _classes(sets: list[bytes], size: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Codes that lie in the same sets are one class: (class per place, per set whether it holds each class)."""
    if not sets:
        return np.zeros(size, np.intp), np.ones((0, 1), bool)
    rows = np.array([np.frombuffer(one, np.bool_) for one in sets])
    classes, inverse = np.unique(rows, axis=1, return_inverse=True)
    return inverse.reshape(-1).astype(np.intp), classes


def _lookup(codes: tuple[int, ...], classes: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Code to class; the last place, where higher codes are clipped to, is for unlisted codes."""
    table = np.full((codes[-1] + 2) if codes else 1, classes[-1], np.intp)
    if codes:
        table[list(codes)] = classes[:-1]
    return table


def _looked_up(table: npt.NDArray[np.intp], codes: npt.NDArray[np.integer]) -> npt.NDArray[np.intp]:
    if len(codes) and codes.min() < 0:
        raise ValueError("codes of types and channels are not negative")
    return table.take(codes, mode="clip")
