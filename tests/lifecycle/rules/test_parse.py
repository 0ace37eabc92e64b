"""What is a rule and what is not, and how the place of a fault is named."""

from decimal import Decimal

import pytest

from lifecycle.rules.document import RuleError
from lifecycle.rules.durations import DAY, HOUR, MINUTE
from lifecycle.rules.nodes import (
    All,
    Any,
    Did,
    Grew,
    Held,
    InSegment,
    InStage,
    Lately,
    Model,
    Named,
    Not,
    OnDays,
    Pick,
    Since,
    Spent,
    Trait,
)
from lifecycle.rules.parse import parse_rule

BUY = {"did": {"role": "purchase"}}
EVERY = (Pick(),)
DEEP_LIST: list = []
for _ in range(100_000):
    DEEP_LIST = [DEEP_LIST]


def parse(document, **options):
    return parse_rule(document, lapse_days=180, **options)


def where(**test):
    return {"did": {"where": [{"property": "p", **test}]}}


@pytest.mark.parametrize(
    ("document", "node"),
    [
        ({"did": {}}, Did(EVERY)),
        ({"did": {}, "at_least": 3, "within": "30m"}, Did(EVERY, 3, 30 * MINUTE)),
        ({"did": {}, "within": "12h"}, Did(EVERY, 1, 12 * HOUR)),
        ({"did": {}, "within": "2w"}, Did(EVERY, 1, 14 * DAY)),
        ({"did": {}, "within": "L"}, Did(EVERY, 1, 180 * DAY)),
        ({"did": {}, "within": "3660d"}, Did(EVERY, 1, 3660 * DAY)),
        ({"did": {}, "on_days": 2}, OnDays(EVERY, 2)),
        ({"spent": {}, "at_least": "100.00"}, Spent(EVERY, 10_000)),
        ({"spent": {}, "at_least": "0.001", "within": "1d"}, Spent(EVERY, 1, DAY)),
        ({"spent": {}, "at_least": "100.0000000000000000000000000001"}, Spent(EVERY, 10_001)),
        ({"grew": {}, "by": "1.25", "within": "1d"}, Grew(EVERY, 12_500, DAY)),
        ({"grew": {}, "by": "0.0001", "within": "1d"}, Grew(EVERY, 1, DAY)),
        ({"grew": {}, "by": "1000", "within": "1d"}, Grew(EVERY, 10_000_000, DAY)),
        ({"since": {}, "until": {"role": "cancel"}}, Since(EVERY, (Pick(roles=frozenset({"cancel"})),))),
        ({"held": {"did": {}}, "for": "1d"}, Held(Did(EVERY), DAY)),
        ({"lately": {"did": {}}, "within": "1d"}, Lately(Did(EVERY), DAY)),
        ({"all": [{"did": {}}]}, All((Did(EVERY),))),
        ({"any": [{"did": {}}]}, Any((Did(EVERY),))),
        ({"not": {"did": {}}}, Not(Did(EVERY))),
        ({"did": [{"type": "A"}, {"any_activity": True}]}, Did((Pick(types=frozenset("A")), Pick(any_activity=True)))),
        ({"did": {"channel": ["web", "shop"]}}, Did((Pick(channels=frozenset({"web", "shop"})),))),
    ],
)
def test_documents_become_nodes(document, node):
    assert parse(document) == node


def test_thresholds_are_in_the_minor_units_of_the_currency():
    assert parse({"spent": {}, "at_least": "100.5"}, minor_digits=0) == Spent(EVERY, 101)
    assert parse({"spent": {}, "at_least": "100.5"}, minor_digits=3) == Spent(EVERY, 100_500)


def test_sub_rules_are_expanded_and_keep_their_name():
    rules = {"buyer": BUY, "other": {"not": {"rule": "buyer"}}}
    buyer = Named("buyer", parse(BUY))
    assert parse({"rule": "other"}, sub_rules=rules) == Named("other", Not(buyer))


@pytest.mark.parametrize(
    ("document", "path", "words"),
    [
        # Shape
        (None, "$", "an object, not null"),
        ([BUY], "$", "an object, not a list"),
        ("did", "$", "an object, not a text"),
        (True, "$", "not true or false"),
        ({}, "$", "empty object"),
        ({1: 2}, "$", "keys of an object are texts"),
        ({"dit": {}}, "$.dit", 'unknown rule "dit"'),
        ({"within": "1d"}, "$.within", "unknown rule"),
        ({"odd key": {}}, '$["odd key"]', "unknown rule"),
        ({"did": {}, "spent": {}, "at_least": "1"}, "$", "one head"),
        ({"did": {}, "for": "1d"}, "$.for", 'unknown key "for" beside "did"'),
        ({"all": [BUY], "within": "1d"}, "$.within", "nothing beside it"),
        ({"all": []}, "$.all", "at least one rule"),
        ({"any": []}, "$.any", "at least one rule"),
        ({"all": BUY}, "$.all", "a list is needed"),
        ({"all": [BUY, {"any": [BUY, {"dit": 1}]}]}, "$.all[1].any[1].dit", "unknown rule"),
        ({"not": [BUY]}, "$.not", "not a list"),
        ({"held": {"not": None}, "for": "1d"}, "$.held.not", "not null"),
        # What comes later
        ({"trait": "renewal", "in_next": "30d"}, "$.in_next", '"in_next" is reserved'),
        ({"did": {}, "distinct": "product"}, "$.distinct", '"distinct" is reserved'),
        ({"did": {"distinct": "product"}}, "$.did.distinct", '"distinct" is reserved'),
        ({"since": {}, "until": {}, "per": "ticket"}, "$.per", '"per" is reserved'),
        (where(in_next="30d"), "$.did.where[0].in_next", '"in_next" is reserved'),
        # Traits, segments, stages
        ({"trait": "plan"}, "$", "a trait needs an operator"),
        ({"trait": "plan", "si": "pro"}, "$.si", 'unknown operator "si"'),
        ({"trait": "plan", "within": "1d"}, "$.within", "unknown operator"),
        ({"trait": "", "is": 1}, "$.trait", "not empty"),
        ({"trait": ["plan"], "is": 1}, "$.trait", "1 to 200 characters"),
        ({"trait": "x" * 201, "is": 1}, "$.trait", "1 to 200 characters"),
        ({"trait": "x\x00", "is": 1}, "$.trait", "1 to 200 characters"),
        ({"trait": "plan", "gte": "5"}, "$.gte", "a number is needed"),
        ({"trait": "plan", "in": []}, "$.in", "at least one value"),
        ({"trait": "plan", "is": "\ud800"}, "$.is", "halves of characters"),
        ({"trait": "plan", "is": None}, "$.is", "a text, a number, true or false"),
        ({"did": {"type": ["A", "\x00"]}}, "$.did.type[1]", "null characters"),
        ({"segment": "vip"}, "$.segment", 'no segment "vip"'),
        ({"segment": ["vip"]}, "$.segment", "not a list"),
        ({"segment": "vip", "within": "1d"}, "$.within", "nothing beside it"),
        ({"stage": ["seven", "lapsed"]}, "$.stage[0]", 'no stage model "seven"'),
        ({"stage": "lapsed"}, "$.stage", "by its model and its key"),
        ({"stage": ["seven", 7]}, "$.stage", "by its model and its key"),
        # Counts
        *(
            ({"did": {}, key: wrong}, f"$.{key}", "whole number from 1")
            for key in ("at_least", "on_days")
            for wrong in (0, -1, True, "2", 2.0, Decimal("2"), None, [2])
        ),
        ({"did": {}, "at_least": 1, "on_days": 1}, "$", "exclude each other"),
        # Durations
        *(
            ({"did": {}, "within": wrong}, "$.within", "duration")
            for wrong in (
                "", "d", "0d", "-1d", "1.5d", "1 d", " 1d", "1d\n", "90D", "1y", "3661d", "523w", "87841h", "l", "٣d",
                90, None, True, "9" * 5000 + "d",
            )
        ),
        ({"held": BUY, "for": "x"}, "$.for", "duration"),
        ({"held": BUY}, "$", '"for" is missing'),
        ({"lately": BUY}, "$", '"within" is missing'),
        ({"grew": {}, "by": "1"}, "$", '"within" is missing'),
        ({"grew": {}, "within": "1d"}, "$", '"by" is missing'),
        ({"since": {}}, "$", '"until" is missing'),
        ({"spent": {}}, "$", '"at_least" is missing'),
        # Money
        *(
            ({"spent": {}, "at_least": wrong}, "$.at_least", "decimal text")
            for wrong in (100, Decimal(1), "-1", "+1", "1e2", ".5", "5.", "NaN", "1,000", "", True, "1\n", "٣")
        ),
        ({"spent": {}, "at_least": "0.00"}, "$.at_least", "above zero"),
        ({"spent": {}, "at_least": "9" * 5000}, "$.at_least", "decimal text"),
        *(
            ({"grew": {}, "by": wrong, "within": "1d"}, "$.by", words)
            for wrong, words in (
                ("0", "from 0.0001 to 1000"),
                ("1000.0001", "from 0.0001 to 1000"),
                ("1.00000", "at most 4 decimal places"),
                (1.25, "decimal text"),
                ("-1", "decimal text"),
                ("NaN", "decimal text"),
            )
        ),
        # Selectors
        ({"did": "purchase"}, "$.did", "an object or a list of objects"),
        ({"did": []}, "$.did", "at least one selector"),
        ({"did": [{}, [{}]]}, "$.did[1]", "not a list"),
        ({"did": {"rolle": "purchase"}}, "$.did.rolle", "unknown key"),
        ({"did": {"role": "buyer"}}, "$.did.role", 'unknown role "buyer"'),
        ({"did": {"role": ["visit", "buyer"]}}, "$.did.role[1]", 'unknown role "buyer"'),
        ({"did": {"role": []}}, "$.did.role", "at least one name"),
        ({"did": {"type": ""}}, "$.did.type", "empty text"),
        ({"did": {"type": ["A", 1]}}, "$.did.type[1]", "not a number"),
        ({"did": {"channel": None}}, "$.did.channel", "not null"),
        ({"did": {"any_activity": False}}, "$.did.any_activity", "true or left out"),
        ({"did": {"any_activity": 1}}, "$.did.any_activity", "true or left out"),
        ({"since": {}, "until": {"role": "x"}}, "$.until.role", "unknown role"),
        # Tests
        ({"did": {"where": []}}, "$.did.where", "at least one test"),
        ({"did": {"where": {"property": "p", "is": 1}}}, "$.did.where", "a list is needed"),
        ({"did": {"where": ["p"]}}, "$.did.where[0]", "not a text"),
        ({"did": {"where": [{"is": 1}]}}, "$.did.where[0]", '"property" is missing'),
        ({"did": {"where": [{"property": 1, "is": 1}]}}, "$.did.where[0].property", "a text"),
        (where(), "$.did.where[0]", "needs an operator"),
        (where(equals=1), "$.did.where[0].equals", 'unknown operator "equals"'),
        (where(**{"in": []}), "$.did.where[0].in", "at least one value"),
        (where(not_in="x"), "$.did.where[0].not_in", "a list is needed"),
        (where(**{"in": [1, None]}), "$.did.where[0].in", "a text, a number, true or false"),
        (where(**{"is": None}), "$.did.where[0].is", "a text, a number, true or false"),
        (where(**{"is": [1]}), "$.did.where[0].is", "a text, a number, true or false"),
        (where(is_not={}), "$.did.where[0].is_not", "a text, a number, true or false"),
        (where(gte="50"), "$.did.where[0].gte", "a number is needed"),
        (where(lt=True), "$.did.where[0].lt", "a number is needed"),
        (where(gt=float("nan")), "$.did.where[0].gt", "finite"),
        (where(gt=float("inf")), "$.did.where[0].gt", "finite"),
        (where(**{"is": Decimal("NaN")}), "$.did.where[0].is", "finite"),
        (where(contains=1), "$.did.where[0].contains", "a text is needed"),
        (where(starts_with=True), "$.did.where[0].starts_with", "a text is needed"),
        (where(exists="yes"), "$.did.where[0].exists", "true or false"),
        (where(exists=1), "$.did.where[0].exists", "true or false"),
        *(
            (where(before=wrong), "$.did.where[0].before", "an instant")
            for wrong in ("2026-01-01T00:00:00", "2026-02-30", "soon", 0, "2026-W01-1", "20260101", "2026-01-01Z")
        ),
        # Things that nest without end where nothing may nest
        (where(**{"is": DEEP_LIST}), "$.did.where[0].is", "a text, a number"),
        ({"did": DEEP_LIST}, "$.did[0]", "not a list"),
        ({"rule": DEEP_LIST}, "$.rule", "not a list"),
        ({"did": {}, "within": DEEP_LIST}, "$.within", "duration"),
        # Sub-rules
        ({"rule": "nobody"}, "$.rule", 'no sub-rule "nobody"'),
        ({"rule": 1}, "$.rule", "not a number"),
        ({"rule": "a", "within": "1d"}, "$.within", "nothing beside it"),
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused_with_its_place(document, path, words):
    with pytest.raises(RuleError) as caught:
        parse(document)
    assert caught.value.path == path
    assert words in caught.value.message
    assert str(caught.value) == f"{path}: {caught.value.message}"


# --- Numbers -------------------------------------------------------------------------------------------------
def test_true_and_one_are_two_rules():
    assert parse(where(**{"is": True})) != parse(where(**{"is": 1}))
    assert parse(where(**{"in": [True, 2]})) != parse(where(**{"in": [1, 2]}))


def test_a_float_is_read_by_its_shortest_text():
    assert parse(where(gte=0.1)) == parse(where(gte=Decimal("0.1")))
    assert parse(where(gte=50)) == parse(where(gte=Decimal("50")))


def test_the_order_of_operators_does_not_matter():
    assert parse(where(gte=1, lt=5)) == parse(where(lt=5, gte=1))


@pytest.mark.parametrize("days", [0, -1, 3661, True])
def test_lapse_window_is_from_one_to_3660_days(days):
    with pytest.raises(ValueError, match="L is"):
        parse_rule(BUY, lapse_days=days)


# --- Sizes ---------------------------------------------------------------------------------------------------
def nots(depth, inner=None):
    document = inner if inner is not None else {"did": {}}
    for _ in range(depth):
        document = {"not": document}
    return document


def test_twenty_deep_is_allowed_and_twenty_one_is_not():
    parse(nots(19))
    with pytest.raises(RuleError, match="at most 20 nodes deep") as caught:
        parse(nots(20))
    assert caught.value.path == "$" + ".not" * 20


def test_two_hundred_nodes_are_allowed_and_one_more_is_not():
    # One `all`, nineteen parts of ten nodes and one of nine.
    fits = {"all": [*(nots(9) for _ in range(19)), nots(8)]}
    parse(fits)
    with pytest.raises(RuleError, match="at most 200 nodes"):
        parse({"all": [*(nots(9) for _ in range(20))]})


def test_forty_selectors_are_allowed_and_one_more_is_not():
    parse({"did": [{}] * 40})
    parse({"all": [{"since": {}, "until": {}}] * 20})
    for document in ({"did": [{}] * 41}, {"all": [*([{"since": {}, "until": {}}] * 20), BUY]}):
        with pytest.raises(RuleError, match="at most 40 selectors"):
            parse(document)


def test_sizes_are_counted_after_expansion():
    rules = {"pair": {"all": [BUY, BUY]}}
    parse({"any": [{"rule": "pair"}] * 20}, sub_rules=rules)
    with pytest.raises(RuleError, match="at most 40 selectors") as caught:
        parse({"any": [{"rule": "pair"}] * 21}, sub_rules=rules)
    assert caught.value.path == "$.any[20].rule"
    # A reference is no node of its own and adds no depth.
    parse(nots(18, {"rule": "buyer"}), sub_rules={"buyer": nots(1)})
    with pytest.raises(RuleError, match="20 nodes deep"):
        parse(nots(19, {"rule": "buyer"}), sub_rules={"buyer": nots(1)})


def test_sub_rules_that_double_at_every_step_end_at_the_bound():
    rules = {f"r{n}": {"all": [{"rule": f"r{n + 1}"}] * 2} for n in range(18)} | {"r18": BUY}
    with pytest.raises(RuleError, match="at most"):
        parse({"rule": "r0"}, sub_rules=rules)


@pytest.mark.parametrize(
    "document",
    [nots(10_000), {"all": [BUY] * 10_000}, {"any": [nots(3)] * 10_000}, nots(10_000, {"dit": 1})],
    ids=["deep", "wide", "both", "deep and wrong"],
)
def test_huge_documents_are_refused_without_a_recursion_error(document):
    with pytest.raises(RuleError, match="at most"):
        parse(document)


def test_a_document_that_contains_itself_is_refused():
    document: dict = {}
    document["not"] = document
    with pytest.raises(RuleError, match="20 nodes deep"):
        parse(document)


# --- Sub-rules -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rules", "circle"),
    [
        ({"a": {"rule": "a"}}, "a -> a"),
        ({"a": {"not": {"rule": "b"}}, "b": {"all": [BUY, {"rule": "c"}]}, "c": {"rule": "a"}}, "a -> b -> c -> a"),
        ({"a": {"rule": "b"}, "b": {"rule": "c"}, "c": {"rule": "b"}}, "b -> c -> b"),
    ],
)
def test_circles_of_sub_rules_are_refused(rules, circle):
    with pytest.raises(RuleError, match="circle") as caught:
        parse({"all": [{"rule": "a"}]}, sub_rules=rules)
    assert caught.value.path == "$.all[0].rule"
    assert caught.value.message.endswith(circle)


def test_a_long_chain_of_references_is_refused_without_a_recursion_error():
    rules = {f"r{n}": {"rule": f"r{n + 1}"} for n in range(10_000)} | {"r10000": BUY}
    with pytest.raises(RuleError, match="at most 20 deep"):
        parse({"rule": "r0"}, sub_rules=rules)


def test_a_fault_inside_a_sub_rule_names_both_places():
    with pytest.raises(RuleError) as caught:
        parse({"not": {"rule": "buyer"}}, sub_rules={"buyer": {"all": [BUY, {"did": {"role": "x"}}]}})
    assert caught.value.path == "$.not.rule"
    assert 'in the sub-rule "buyer" at $.all[1].did.role: unknown role' in caught.value.message


def test_the_same_sub_rule_twice_is_no_circle():
    rules = {"buyer": BUY}
    parse({"all": [{"rule": "buyer"}, {"not": {"rule": "buyer"}}]}, sub_rules=rules)


# --- Segments and models -------------------------------------------------------------------------------------
def segments(**rules):
    return {key: {"subject": place, "name": key, "rule": rule} for place, (key, rule) in enumerate(rules.items())}


def models(**stages):
    return {
        key: {
            "subject": 100 + place,
            "name": key,
            "stages": [{"key": stage, "name": stage, "rule": rule} for stage, rule in rules.items()],
            "exit": {"key": "left", "name": "left"},
        }
        for place, (key, rules) in enumerate(stages.items())
    }


def test_segments_and_stages_are_expanded():
    known = segments(vip=BUY, listed=None)
    assert parse({"segment": "vip"}, segments=known) == InSegment("vip", "vip", 0, parse(BUY))
    assert parse({"segment": "listed"}, segments=known) == InSegment("listed", "listed", 1, None)
    found = parse({"stage": ["m", "left"]}, models=models(m={"a": BUY}))
    assert found == InStage(Model("m", "m", 100, (("a", "a", parse(BUY)),), "left", "left"), "left")


def test_a_stage_that_the_model_does_not_have_is_refused():
    with pytest.raises(RuleError, match='no stage "b"') as caught:
        parse({"not": {"stage": ["m", "b"]}}, models=models(m={"a": BUY}))
    assert caught.value.path == "$.not.stage[1]"


def test_sizes_are_counted_after_expanding_segments_but_a_stage_is_one_node():
    known = segments(pair={"all": [BUY, BUY]}, deep=nots(10), listed=None)
    parse({"any": [{"segment": "pair"}] * 20}, segments=known)
    with pytest.raises(RuleError, match="at most 40 selectors") as caught:
        parse({"any": [{"segment": "pair"}] * 21}, segments=known)
    assert caught.value.path == "$.any[20].segment"
    with pytest.raises(RuleError, match="20 nodes deep"):
        parse(nots(10, {"segment": "deep"}), segments=known)
    with pytest.raises(RuleError, match="at most 200 nodes"):
        parse({"any": [{"segment": "listed"}] * 200}, segments=known)
    whole = models(m={f"s{n}": {"all": [BUY] * 40} for n in range(10)})
    parse({"any": [{"stage": ["m", f"s{n % 10}"]} for n in range(199)]}, models=whole)


@pytest.mark.parametrize(
    ("rules", "stages", "circle"),
    [
        ({"a": {"segment": "a"}}, {}, "segment a -> segment a"),
        ({"a": {"rule": "r"}}, {}, "segment a -> r -> segment a"),
        ({"a": {"not": {"segment": "b"}}, "b": {"segment": "a"}}, {}, "segment a -> segment b -> segment a"),
        ({"a": {"stage": ["m", "x"]}}, {"x": {"segment": "a"}}, "segment a -> model m -> segment a"),
        ({"a": {"stage": ["m", "x"]}}, {"x": BUY, "y": {"segment": "a"}}, "segment a -> model m -> segment a"),
    ],
)
def test_circles_through_segments_stages_and_sub_rules_are_refused(rules, stages, circle):
    with pytest.raises(RuleError, match="circle") as caught:
        parse(
            {"all": [{"segment": "a"}]},
            segments=segments(**rules),
            models=models(m=stages),
            sub_rules={"r": {"segment": "a"}},
        )
    assert caught.value.path == "$.all[0].segment"
    assert caught.value.message.endswith(circle)


def test_a_rule_may_not_come_back_to_whose_it_is():
    with pytest.raises(RuleError, match="segment me -> segment b -> segment me"):
        parse({"segment": "b"}, segments=segments(b={"segment": "me"}), of=("segment", "me"))
    with pytest.raises(RuleError, match="may not use"):
        parse(
            {"segment": "b"}, segments=segments(b={"stage": ["m", "a"]}), models=models(m={"a": BUY}), of=("model", "m")
        )


@pytest.mark.parametrize("rule", [{"stage": ["n", "a"]}, {"segment": "s"}, {"rule": "r"}])
def test_the_rule_of_a_stage_may_not_use_stage_not_even_through_others(rule):
    known = {"segments": segments(s={"stage": ["n", "a"]}), "sub_rules": {"r": {"segment": "s"}}}
    with pytest.raises(RuleError, match="not even through a segment"):
        parse(rule, models=models(n={"a": BUY}), of=("model", "m"), **known)
    with pytest.raises(RuleError, match="not even through a segment"):
        parse({"stage": ["m", "x"]}, models=models(n={"a": BUY}, m={"x": rule}), **known)


def test_a_long_chain_of_segments_is_refused_without_a_recursion_error():
    chain = segments(**{f"s{n}": {"segment": f"s{n + 1}"} for n in range(10_000)}, s10000=BUY)
    with pytest.raises(RuleError, match="at most 20 deep"):
        parse({"segment": "s0"}, segments=chain)


@pytest.mark.parametrize(
    ("rule", "path", "words"),
    [
        ({"trait": "score:charm", "gte": 2}, "$.trait", 'no score "charm"; the scores are risk, recency'),
        ({"trait": "score:", "is": 1}, "$.trait", 'no score ""'),
        ({"trait": "score:risk", "gte": 0}, "$.gte", "from 1 to 10"),
        ({"trait": "score:risk", "lt": 11}, "$.lt", "from 1 to 10"),
        ({"trait": "score:risk", "is": Decimal("2.5")}, "$.is", "whole numbers"),
        ({"trait": "score:risk", "is": "8"}, "$.is", "whole numbers"),
        ({"trait": "score:risk", "is": True}, "$.is", "whole numbers"),
        ({"trait": "score:recency", "not_in": [1, 6]}, "$.not_in", "from 1 to 5"),
        ({"trait": "score:risk", "starts_with": "1"}, "$.starts_with", "compared by its step"),
        ({"trait": "score:risk", "after": "2026-01-31"}, "$.after", "compared by its step"),
        ({"held": {"trait": "score:risk", "gt": 10**40}, "for": "1d"}, "$.held.gt", "from 1 to 10"),
        ({"rule": "likely"}, "$.rule", "in the sub-rule"),
    ],
)
def test_a_score_is_one_of_those_there_are_and_compared_with_its_steps(rule, path, words):
    known = {"scores": {"risk": 10, "recency": 5}, "sub_rules": {"likely": {"trait": "score:risk", "gte": 12}}}
    with pytest.raises(RuleError) as refused:
        parse_rule(rule, lapse_days=180, **known)
    assert refused.value.path == path
    assert words in refused.value.message


def test_what_is_stored_may_name_a_score_that_is_no_more():
    for rule in ({"trait": "score:charm", "gte": 2}, {"trait": "score:risk", "gte": 12}):
        assert isinstance(parse_rule(rule, lapse_days=180), Trait)
    known = {"risk": 10}
    for rule in ({"trait": "score:risk", "gt": 1, "lte": 10}, {"trait": "score:risk", "exists": False}):
        assert parse_rule(rule, lapse_days=180, scores=known) == parse_rule(rule, lapse_days=180)
