from tests.lifecycle.spec.case import Case, Topic

_HISTORY = """
when       | role     | category | total | gift  | day                          | tags
2026-01-01 | purchase | "shoes"  | 50    | true  | "2026-01-01"                 | ["a"]
2026-02-01 | purchase | "Shoes"  | 49.99 | false | "2026-01-01T01:00:00+02:00"  |
2026-03-01 | purchase | 7        | "50"  | 1     | "soon"                       | {}
2026-04-01 | purchase | null     |       |       |                              | null
2026-05-01 | purchase | "shoe"   | 1e2   | "yes" | "2026-01-01T00:00:00.001Z"   | "x"
"""


def _case(name: str, key: str, tests: dict, spans: str) -> Case:
    rule = {"did": {"role": "purchase", "where": [{"property": key, **tests}]}, "within": "1d"}
    return Case(name, _HISTORY, rule, "\n".join(f"{day} -> {day[:-1]}2" for day in spans.split()) or "never")


topic = Topic(
    "Properties of touchpoints: where",
    "A test compares one top-level key of a touchpoint's properties. Kinds are text, number and true/false; a value of "
    "another kind than the operand satisfies no test. A list or an object only exists; what is null or was never set "
    "only does not exist. Several tests must all hold.",
    (
        _case("is: the same text, capitals matter", "category", {"is": "shoes"}, "2026-01-01"),
        _case("is: a number is not a text", "total", {"is": 50}, "2026-01-01"),
        _case("is: true is not 1", "gift", {"is": True}, "2026-01-01"),
        _case("is: 1 is not true", "gift", {"is": 1}, "2026-03-01"),
        _case("is: a number is the same however it is written", "total", {"is": 100}, "2026-05-01"),
        _case("is_not: of the same kind only", "category", {"is_not": "shoes"}, "2026-02-01 2026-05-01"),
        _case("in: one of", "category", {"in": ["shoes", 7]}, "2026-01-01 2026-03-01"),
        _case("not_in: needs an item of the value's kind", "category", {"not_in": ["shoes"]}, "2026-02-01 2026-05-01"),
        _case(
            "not_in: with an item of each kind",
            "category",
            {"not_in": ["shoes", 8]},
            "2026-02-01 2026-03-01 2026-05-01",
        ),
        _case("contains: part of a text", "category", {"contains": "hoe"}, "2026-01-01 2026-02-01 2026-05-01"),
        _case("starts_with", "category", {"starts_with": "sh"}, "2026-01-01 2026-05-01"),
        _case("gte: numbers only", "total", {"gte": 50}, "2026-01-01 2026-05-01"),
        _case("gt", "total", {"gt": 50}, "2026-05-01"),
        _case("lt", "total", {"lt": 50}, "2026-02-01"),
        _case("lte", "total", {"lte": 50}, "2026-01-01 2026-02-01"),
        _case("before: an instant with its offset, or a date", "day", {"before": "2026-01-01"}, "2026-02-01"),
        _case("after: strictly", "day", {"after": "2026-01-01T00:00:00Z"}, "2026-05-01"),
        _case(
            "exists: anything but null",
            "tags",
            {"exists": True},
            "2026-01-01 2026-03-01 2026-05-01",
        ),
        _case("exists false: null or never set", "tags", {"exists": False}, "2026-02-01 2026-04-01"),
        _case("A list satisfies no other test", "tags", {"is_not": "x"}, ""),
        _case("Several operators", "total", {"gt": 49, "lt": 50}, "2026-02-01"),
        Case(
            "Several properties",
            _HISTORY,
            {
                "did": {"where": [{"property": "category", "contains": "hoe"}, {"property": "total", "gte": 50}]},
                "at_least": 2,
            },
            "2026-05-01 -> for ever",
        ),
    ),
)
