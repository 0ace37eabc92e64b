"""Rows held by customer say what the same rows say one by one; what a process holds never grows too large or old."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from analytics.days.held import Held, Shelf
from analytics.days.strands import Strand
from clm.lib.columns import Columns

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def rows(seed: int, most: int, count: int = 60) -> Columns:
    """Rows of some of the customers 1 to `most`, in order."""
    chance = np.random.default_rng(seed)
    customer = np.sort(chance.integers(1, most + 1, count))
    at = chance.integers(0, 1 << 45, count)
    order = np.lexsort((at, customer))
    return {"customer": customer, "at": at[order], "stage": chance.integers(1, 400, count)}


def told(strand: Strand) -> list[tuple[int, ...]]:
    columns = (strand.customer, *strand.columns.values())
    return list(zip(*(column.tolist() for column in columns), strict=True))


def plain(found: Columns) -> list[tuple[int, ...]]:
    return list(zip(*(column.tolist() for column in found.values()), strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_rows_of_some_customers_are_picked_and_replaced(seed: int) -> None:
    found, anew = rows(seed, 20), rows(seed + 100, 30, count=25)
    strand = Strand.of(found)
    assert told(strand) == plain(found)
    assert strand.customer[strand.starts].tolist() == strand.ids.tolist()
    members = np.array([2, 3, 19, 40])
    assert told(strand.among(members)) == [row for row in plain(found) if row[0] in members]
    # Of those who are looked at again some have no rows any more, and some had none before.
    customers = np.unique(np.concatenate((anew["customer"], [1, 5])))
    expected = [row for row in plain(found) if row[0] not in customers] + plain(anew)
    assert told(strand.replaced(customers, Strand.of(anew))) == sorted(expected, key=lambda row: row[0])


def test_nobody_has_no_rows() -> None:
    nobody = Strand.of({name: np.empty(0, np.int64) for name in ("customer", "at")})
    somebody = Strand.of({"customer": np.array([4, 4]), "at": np.array([1, 2])})
    assert nobody.starts.tolist() == [] and told(nobody) == [] == told(somebody.among(np.empty(0, np.int64)))
    assert told(nobody.replaced(np.array([4]), somebody)) == [(4, 1), (4, 2)]
    assert told(somebody.replaced(np.array([4]), nobody)) == []


def test_numbers_are_held_in_as_few_bytes_as_they_need_and_grow_when_larger_ones_come() -> None:
    few = Strand.of({"customer": np.array([1, 2]), "stage": np.array([-128, 127])})
    assert few.columns["stage"].dtype == np.int8
    many = few.replaced(np.array([2]), Strand.of({"customer": np.array([2]), "stage": np.array([1 << 40])}))
    assert told(many) == [(1, -128), (2, 1 << 40)]


def test_what_is_held_is_told_by_its_mark_and_the_unused_goes_first(settings: Any) -> None:
    shelf, settings.CLM_HELD_MB = Shelf(), 1
    strands = [Strand.of(rows(seed, 20, count=30_000)) for seed in range(4)]  # 0.3 MB each
    for subject, strand in enumerate(strands[:3]):
        shelf.put(subject, "mark", Held(strand, NOW))
    assert shelf.get(0, "mark") == Held(strands[0], NOW) and shelf.get(0, "another mark") is None
    shelf.put(3, "mark", Held(strands[3], NOW))
    assert [shelf.get(subject, "mark") is not None for subject in range(4)] == [True, False, True, True]
    shelf.put(3, "later", Held(strands[1], NOW))
    assert shelf.get(3, "mark") is None and shelf.get(3, "later") == Held(strands[1], NOW)
    with pytest.raises(ValueError, match="read-only"):
        strands[0].columns["at"][0] = 1
    settings.CLM_HELD_MB = 0
    shelf.put(4, "mark", Held(strands[0], NOW))
    assert shelf.get(4, "mark") is None
