"""All / any / not trees over sets of spans, and the stage they decide, in one sweep over the borders.

Borders of all leaves are packed as border * leaves + leaf and sorted once. They are plain numbers, so any sort will do:
of 30 sorted runs NumPy's default takes 5 to 8 ns a border with AVX-512 and 10 to 15 with AVX2, the stable one, which
merges runs, 22 to 46 (without either: 52 to 68 against 43 to 62). XOR of the leaves' bits along the line is the set of
leaves that hold from each border on; a table says what follows from that set."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from lifecycle.rules.spans import Keys, Spans

# A tree over leaves: a leaf's number, or ("all" | "any", tree, ...), or ("not", tree).
Tree = int | tuple
Mask = npt.NDArray[np.bool_]

# Up to so many leaves the outcome is one look-up; the table of 2**16 outcomes still fits the cache.
_TABLE_LEAVES = 16
_BITS = (1 << np.arange(_TABLE_LEAVES)).astype(np.uint16)
_WORD = 62
NONE = -1


class Sweep:
    """Which of several trees decides: the outcome is the number of the last tree that holds, NONE when none does.

    `leaves` are the leaves that must be given to `run`, in that order."""

    def __init__(self, trees: Sequence[Tree]) -> None:
        self.leaves: tuple[int, ...] = tuple(sorted(set().union(*(_leaves(tree) for tree in trees))))
        self._trees = tuple(trees)
        self._place = {leaf: place for place, leaf in enumerate(self.leaves)}
        # Trees that hold where no leaf does hold from the life's start on: only then its start is a border too.
        nothing = self._outcomes(lambda _: np.zeros(1, bool), 1)
        self.needs_life = bool(nothing[0] != NONE)
        count = len(self.leaves) + self.needs_life
        self.width = max(count - 1, 0).bit_length()
        self._table: npt.NDArray[np.int16] | None = None
        if count <= _TABLE_LEAVES:
            sets = np.arange(1 << count)
            self._table = self._outcomes(lambda place: (sets >> place) & 1 != 0, len(sets))
            if self.needs_life:
                self._table[: len(sets) // 2] = NONE  # the life is the last leaf: outside it nothing holds

    def run(self, parts: Sequence[Spans], life: Spans) -> tuple[Keys, npt.NDArray[np.int16]]:
        """Borders at which the outcome changes, rising, and the outcome from each on; each owner begins and ends
        with NONE, the last border of an owner whose outcome lasts being his open end."""
        sources = [*parts, life] if self.needs_life else list(parts)
        runs = [borders for spans in sources for borders in spans]
        packed = np.concatenate(runs)
        if len(packed) == 0:
            return packed, np.empty(0, np.int16)
        packed <<= self.width
        filled = 0
        for number, run in enumerate(runs):
            if len(run) == 0:
                continue
            # Each leaf brings two runs, its starts and its ends.
            packed[filled : filled + len(run)] |= number // 2
            filled += len(run)
        packed.sort()
        leaf_bits = (1 << self.width) - 1
        last = ((packed[1:] ^ packed[:-1]) > leaf_bits).nonzero()[0]  # of borders at one key
        leaf_of = packed & leaf_bits
        outcome = self._looked_up(leaf_of, last) if self._table is not None else self._computed(leaf_of, last)
        change = np.empty(len(outcome), bool)
        change[0] = outcome[0] != NONE
        np.not_equal(outcome[1:], outcome[:-1], out=change[1:])
        kept = change.nonzero()[0]
        at = packed.take(np.append(last, len(packed) - 1).take(kept))
        at >>= self.width
        return at, outcome.take(kept)

    def _looked_up(self, leaf_of: Keys, last: npt.NDArray[np.intp]) -> npt.NDArray[np.int16]:
        assert self._table is not None
        sets = np.bitwise_xor.accumulate(_BITS.take(leaf_of))
        outcome = np.empty(len(last) + 1, np.int16)
        self._table.take(sets.take(last), out=outcome[:-1], mode="clip")
        outcome[-1] = NONE  # after the last border of all nothing holds
        return outcome

    def _computed(self, leaf_of: Keys, last: npt.NDArray[np.intp]) -> npt.NDArray[np.int16]:
        """Without a table: one pass of 62 leaves per word, then the trees as boolean operations on the words."""
        ends = np.append(last, len(leaf_of) - 1)
        words = []
        for first in range(0, len(self.leaves) + self.needs_life, _WORD):
            place = leaf_of - first
            mine = (place >= 0) & (place < _WORD)
            bits = np.where(mine, np.left_shift(np.int64(1), np.where(mine, place, 0)), np.int64(0))
            words.append(np.bitwise_xor.accumulate(bits).take(ends))

        def holds(place: int) -> Mask:
            return (words[place // _WORD] >> (place % _WORD)) & 1 != 0

        outcome = self._outcomes(holds, len(ends))
        if self.needs_life:
            outcome[~holds(len(self.leaves))] = NONE
        return outcome

    def _outcomes(self, holds: Callable[[int], Mask], size: int) -> npt.NDArray[np.int16]:
        """The outcome per set of leaves; `holds(place)` tells for each set whether the leaf at that place is in it."""

        def truth(tree: Tree) -> Mask:
            if isinstance(tree, int):
                return holds(self._place[tree])
            if tree[0] == "not":
                return ~truth(tree[1])
            joined = truth(tree[1]).copy()
            for part in tree[2:]:
                if tree[0] == "all":
                    joined &= truth(part)
                else:
                    joined |= truth(part)
            return joined

        outcome = np.full(size, NONE, np.int16)
        for number, tree in enumerate(self._trees):
            outcome[truth(tree)] = number
        return outcome


def _leaves(tree: Tree) -> set[int]:
    return {tree} if isinstance(tree, int) else set().union(*(_leaves(part) for part in tree[1:]))
