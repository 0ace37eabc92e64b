"""The evaluator as a function of columns: chunks, lives, codes, horizons, wide trees. The spec says what rules mean."""

import time
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

from bench.engine import histories, many_segments, model_program
from lifecycle.rules import evaluate
from lifecycle.rules.evaluate import (
    FOREVER,
    HORIZON,
    NO_LIFE,
    Catalogue,
    Facts,
    Membership,
    Program,
    PropertyColumn,
    StageRules,
    spans_of,
    spells,
)
from lifecycle.rules.nodes import All, Any, Not
from lifecycle.rules.parse import parse_rule

DAY = 86_400_000
START = 1_767_225_600_000  # 2026-01-01
BUY = {"did": {"role": "purchase"}, "within": "10d"}
TYPES = Catalogue(
    types=((1, "Order", "purchase"), (2, "Page", "visit"), (3, "Refund", "refund")), channels=((1, "web"),)
)


def rule(document, **options):
    return parse_rule(document, lapse_days=180, **options)


def facts(*rows, life=None, properties=None):
    """Rows (owner, day after START, type code[, amount]); each owner's life starts at his first row."""
    owner = np.array([row[0] for row in rows], np.int64)
    ms = np.array([START + int(row[1] * DAY) for row in rows], np.int64)
    if life is None:
        life = [ms[owner == one].min() for one in range(owner.max() + 1)]
    return Facts(
        life=np.array(life, np.int64),
        owner=owner,
        ms=ms,
        type=np.array([row[2] for row in rows], np.int32),
        channel=np.ones(len(rows), np.int32),
        amount=np.array([row[3] if len(row) > 3 else 0 for row in rows], np.int64),
        properties=properties or {},
    )


def spans(document, given, catalogue=TYPES, zone="UTC"):
    """(owner, from, until) in days after START."""
    columns = spans_of(rule(document), given, zone=zone, catalogue=catalogue)
    return [
        (owner, (start - START) / DAY, None if end == FOREVER else (end - START) / DAY)
        for owner, start, end in zip(*(column.tolist() for column in columns), strict=True)
    ]


# --- Customers side by side ----------------------------------------------------------------------------------
def test_customers_do_not_touch_each_other():
    given = facts((0, 0, 1), (0, 3, 1), (1, 3, 1), (2, 3, 2), (3, 1, 1))
    assert spans(BUY, given) == [(0, 0, 13), (1, 3, 13), (3, 1, 11)]
    assert spans({"did": {"role": "purchase"}, "at_least": 2}, given) == [(0, 3, None)]
    assert spans({"not": BUY}, given) == [(0, 13, None), (1, 13, None), (2, 3, None), (3, 11, None)]


def test_chunks_change_nothing(monkeypatch):
    given = histories(customers=3000, each=12)
    program = model_program("seven", "five", "cycle")
    whole = spells(program, given)
    monkeypatch.setattr(evaluate, "_CHUNK_TOUCHPOINTS", 1000)
    in_parts = spells(program, given)
    for one, other in zip(whole, in_parts, strict=True):
        assert len(one.owner) > 3000
        for column in ("owner", "at", "stage"):
            np.testing.assert_array_equal(getattr(one, column), getattr(other, column))


def test_one_customer_alone_walks_as_among_others():
    given = histories(customers=60, each=15)
    program = model_program("seven")
    (among,) = spells(program, given)
    for one in range(60):
        rows = np.flatnonzero(given.owner == one)
        alone = Facts(
            life=given.life[one : one + 1],
            owner=np.zeros(len(rows), np.int64),
            ms=given.ms[rows],
            type=given.type[rows],
            channel=given.channel[rows],
            amount=given.amount[rows],
            properties={
                key: PropertyColumn(
                    np.searchsorted(rows, column.positions[np.isin(column.positions, rows)]),
                    [value for place, value in zip(column.positions, column.values, strict=True) if place in rows],
                )
                for key, column in given.properties.items()
            },
        )
        (spell,) = spells(program, alone)
        mine = among.owner == one
        assert spell.at.tolist() == among.at[mine].tolist()
        assert spell.stage.tolist() == among.stage[mine].tolist()


def test_thousands_of_customers_over_two_centuries_fit_the_line():
    count = 5000
    rows = [(owner, day, 1) for owner in range(count) for day in (owner % 7, 60_000)]
    document = {
        "lately": {"lately": {"did": {"role": "purchase"}, "within": "3660d"}, "within": "3660d"},
        "within": "1d",
    }
    found = spans(document, facts(*rows))
    assert found == [
        span for owner in range(count) for span in ((owner, owner % 7, owner % 7 + 7321), (owner, 60_000, None))
    ]


def test_a_line_too_short_is_noticed():
    program = Program((Membership(rule(BUY)),), zone="UTC", catalogue=TYPES)
    program.reach = 0
    with pytest.raises(AssertionError, match="leaves the line"):
        spells(program, facts((0, 0, 1), (0, 3, 1)))


def test_nobody_and_nothing():
    empty = facts((0, 0, 1))
    empty = Facts(*(getattr(empty, name)[:0] for name in ("life", "owner", "ms", "type", "channel", "amount")))
    assert spans({"not": BUY}, empty) == []
    assert spells(model_program("seven"), empty)[0].owner.tolist() == []
    quiet = Facts(
        np.array([START, NO_LIFE, START + DAY]), empty.owner, empty.ms, empty.type, empty.channel, empty.amount
    )
    assert spans({"not": BUY}, quiet) == [(0, 0, None), (2, 1, None)]
    assert spans(BUY, quiet) == []


# --- Lives and horizons --------------------------------------------------------------------------------------
def test_no_rule_is_true_before_the_life_starts():
    given = facts((0, 0, 1), (0, 5, 1), life=[START + 7 * DAY])
    assert spans(BUY, given) == [(0, 7, 15)]
    assert spans({"held": BUY, "for": "2d"}, given) == [(0, 9, 15)]
    assert spans({"not": BUY}, given) == [(0, 15, None)]


def test_without_a_life_no_rule_is_true():
    given = facts((0, 0, 1), (1, 0, 1), (1, 2, 2), (2, 4, 1), life=[START, NO_LIFE, START])
    given.properties["p"] = PropertyColumn(np.array([1, 2, 3]), ["a", "b", "c"])
    assert spans({"any": [BUY, {"not": BUY}]}, given) == [(0, 0, None), (2, 0, None)]
    assert spans({"did": {"where": [{"property": "p", "in": ["a", "b", "c"]}]}}, given) == [(2, 4, None)]


def test_what_ends_past_2200_never_ends_and_what_starts_past_it_never_was():
    edge = (HORIZON - START) / DAY
    assert datetime.fromtimestamp(HORIZON / 1000, UTC).isoformat() == "2200-01-01T00:00:00+00:00"
    assert spans(BUY, facts((0, edge - 10, 1))) == [(0, edge - 10, edge)]
    assert spans(BUY, facts((0, edge - 9, 1))) == [(0, edge - 9, None)]
    assert spans(BUY, facts((0, edge - 30, 1), (0, edge + 1, 1))) == [(0, edge - 30, edge - 20)]
    assert spans({"not": BUY}, facts((0, edge - 9, 1), life=[START])) == [(0, 0, edge - 9)]
    assert spans({"not": BUY}, facts((0, edge + 1, 1))) == []


# --- Codes ---------------------------------------------------------------------------------------------------
def test_codes_the_catalogue_does_not_list_are_other_touchpoints():
    given = facts((0, 0, 9), (0, 1, 1_000_000), (0, 2, 0), (0, 3, 1))
    assert spans({"did": {"role": "other"}, "at_least": 3}, given) == [(0, 2, None)]
    assert spans({"did": {}, "at_least": 4}, given) == [(0, 3, None)]
    assert spans({"did": {"channel": "web"}}, given) == [(0, 0, None)]
    given.channel[:] = [0, 7, 0, 1]
    assert spans({"did": {"channel": "web"}}, given) == [(0, 3, None)]


def test_wrong_columns_are_refused():
    with pytest.raises(ValueError, match="sorted"):
        spans(BUY, facts((0, 1, 1), (0, 0, 1)))
    with pytest.raises(ValueError, match="not negative"):
        spans(BUY, facts((0, 1, -1)))
    with pytest.raises(ValueError, match="codes"):
        Program((), zone="UTC", catalogue=Catalogue(types=((1 << 30, "Order", "purchase"),)))
    with pytest.raises(ValueError, match="time zone"):
        Program((Membership(rule(BUY)),), zone="Mars/Olympus", catalogue=TYPES)


def test_more_selectors_than_a_word_has_bits():
    count = 150
    catalogue = Catalogue(types=tuple((code, f"T{code}", "other") for code in range(count)))
    given = facts(*((0, code, code) for code in range(count)))
    program = Program(
        [Membership(rule({"did": {"type": f"T{code}"}})) for code in range(count)], zone="UTC", catalogue=catalogue
    )
    assert [spell.at.tolist() for spell in spells(program, given)] == [[START + code * DAY] for code in range(count)]


# --- Programs ------------------------------------------------------------------------------------------------
def test_subjects_may_have_roles_and_zones_of_their_own():
    swapped = Catalogue(types=((1, "Order", "visit"), (2, "Page", "purchase")))
    two_days = {"did": {"role": "purchase"}, "on_days": 2}
    program = Program(
        (
            Membership(rule(two_days)),
            Membership(rule(two_days), zone="Asia/Tokyo"),
            Membership(rule(BUY), catalogue=swapped),
            StageRules((rule(BUY),), catalogue=swapped, zone="Asia/Tokyo"),
        ),
        zone="UTC",
        catalogue=TYPES,
    )
    found = spells(program, facts((0, 0.5, 1), (0, 0.75, 1), (0, 1, 1), (0, 3, 2)))
    assert [((spell.at - START) / DAY).tolist() for spell in found] == [[1], [0.75], [3, 13], [3, 13]]
    assert found[3].stage.tolist() == [0, 1]


def test_what_subjects_share_is_one_step():
    program = Program(
        [Membership(rule({"all": [BUY, {"did": {"type": "Page"}, "within": f"{days}d"}]})) for days in range(1, 50)],
        zone="UTC",
        catalogue=TYPES,
    )
    assert len(program.steps) == 1 + 2 * 49
    # `Order` is the only purchase, so the type and the role select the same.
    same = Program(
        (Membership(rule(BUY)), Membership(rule({"did": {"type": "Order"}, "within": "10d"}))),
        zone="UTC",
        catalogue=TYPES,
    )
    assert len(same.steps) == 1


def test_program_names_the_properties_it_needs():
    document = {
        "not": {
            "since": {"where": [{"property": "a", "is": 1}]},
            "until": [{}, {"where": [{"property": "b", "exists": True}]}],
        }
    }
    assert Program((Membership(rule(document)),), zone="UTC", catalogue=TYPES).property_keys == {"a", "b"}


def test_true_and_one_are_kept_apart_in_data():
    given = facts((0, 0, 1), (0, 1, 1), (0, 2, 1), (0, 3, 1))
    given.properties["p"] = PropertyColumn(np.array([0, 1, 3]), [Decimal(1), True, Decimal("1.0")])
    where = {"did": {"where": [{"property": "p", "is": True}]}}
    assert spans(where, given) == [(0, 1, None)]
    assert spans({"did": {"where": [{"property": "p", "is": 1}]}, "at_least": 2}, given) == [(0, 3, None)]


# --- Stages --------------------------------------------------------------------------------------------------
def test_the_stage_is_the_last_that_holds_and_the_exit_when_none_does():
    stages = (rule({"did": {}, "within": "20d"}), rule({"did": {"role": "visit"}, "within": "5d"}))
    given = facts((0, 0, 1), (0, 2, 2), (0, 30, 2), (1, 1, 2), life=[START - DAY, START])
    program = Program((StageRules(stages), StageRules(stages, has_exit=False)), zone="UTC", catalogue=TYPES)
    with_exit, without = spells(program, given)
    at = [0, 2, 7, 22, 30, 35, 50, 1, 6, 21]
    assert ((with_exit.at - START) / DAY).tolist() == at
    assert with_exit.owner.tolist() == [0] * 7 + [1] * 3
    assert with_exit.stage.tolist() == [0, 1, 0, 2, 1, 0, 2, 1, 0, 2]
    assert without.stage.tolist() == [0, 1, 0, -1, 1, 0, -1, 1, 0, -1]


def test_a_stage_that_always_holds_begins_with_the_life():
    stages = (rule({"not": {"did": {"role": "refund"}}}), rule(BUY))
    (spell,) = spells(Program((StageRules(stages),), zone="UTC", catalogue=TYPES), facts((0, 3, 1), life=[START]))
    assert ((spell.at - START) / DAY).tolist() == [0, 3, 13]
    assert spell.stage.tolist() == [0, 1, 0]


# --- Wide trees ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("leaves", [3, 15, 16, 17, 39, 61, 62, 63, 70, 130])
@pytest.mark.parametrize("negated", [False, True])
def test_trees_of_any_width_are_evaluated(leaves, negated):
    """Leaf i is true on the i + 1 days after its touchpoint; the tree is a fixed mix of all of them."""
    catalogue = Catalogue(types=tuple((code, f"T{code}", "other") for code in range(leaves)))
    days = [(7 * code) % 40 for code in range(leaves)]
    given = facts(*((0, day, code) for day, code in sorted(zip(days, range(leaves), strict=True))))
    parts = [rule({"did": {"type": f"T{code}"}, "within": f"{code + 1}d"}) for code in range(leaves)]
    third = leaves // 3

    def mix(parts, all_of, any_of, negate):
        return all_of([any_of(parts[:third]), negate(all_of(parts[third : 2 * third])), any_of(parts[2 * third :])])

    node = mix(parts, lambda p: All(tuple(p)), lambda p: Any(tuple(p)), Not)
    node = Not(node) if negated else node
    truth = []
    for day in range(250):
        holds = [start <= day < start + code + 1 for code, start in enumerate(days)]
        truth.append(mix(holds, all, any, lambda held: not held) != negated)
    expected = [day for day in range(250) if truth[day] != (day > 0 and truth[day - 1])]
    _, begins, ends = spans_of(node, given, zone="UTC", catalogue=catalogue)
    found = sorted([*begins.tolist(), *(end for end in ends.tolist() if end != FOREVER)])
    assert [(at - START) / DAY for at in found] == expected


# --- Money ---------------------------------------------------------------------------------------------------
def test_growth_of_huge_amounts_is_exact():
    most = 10**11 - 1
    old = [(0, 0, 2), *((0, 30, 1, most) for _ in range(10_000))]
    rows = [*old, *((0, 40, 1, most) for _ in range(9_999)), (0, 40, 1, most - 1), (0, 41, 1, 1)]
    document = {"grew": {"role": "purchase"}, "by": "1.0000", "within": "10d"}
    assert spans(document, facts(*rows)) == [(0, 41, 50)]
    assert spans({**document, "by": "1.0001"}, facts(*rows)) == []


# --- Cost ----------------------------------------------------------------------------------------------------
def test_working_memory_stays_below_100_bytes_a_touchpoint(monkeypatch):
    """Of one chunk, result included."""
    monkeypatch.setattr(evaluate, "_CHUNK_TOUCHPOINTS", 10**9)
    given = histories(customers=10_000, each=20)
    program = model_program("seven")
    spells(program, given)
    tracemalloc.start()
    spells(program, given)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most / len(given.ms) < 100


def test_five_hundred_segments_and_three_models_take_less_than_a_second():
    program = many_segments(500)
    given = histories(customers=500, each=20)
    begin = time.perf_counter()
    found = spells(program, given)
    assert time.perf_counter() - begin < 1
    assert len(found) == 503
